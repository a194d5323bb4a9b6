package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

// Gone is a device that Expo no longer reaches. It stays in the outbox until
// the store was told.
type Gone struct {
	Recipient
	Seq    uint64 `json:"-"`
	SentAt time.Time
}

func addGone(tx *bbolt.Tx, sentAt time.Time, recipients []Recipient) error {
	for _, r := range recipients {
		if _, err := insert(tx.Bucket(goneBucket), Gone{Recipient: r, SentAt: sentAt}); err != nil {
			return err
		}
	}
	return nil
}

// Gone returns up to n devices that the store is to be told of.
func (o *Outbox) Gone(n int) (gone []Gone, err error) {
	return gone, o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(goneBucket).Cursor()
		for key, value := cursor.First(); key != nil && len(gone) < n; key, value = cursor.Next() {
			g := Gone{Seq: binary.BigEndian.Uint64(key)}
			if err := json.Unmarshal(value, &g); err != nil {
				return err
			}
			gone = append(gone, g)
		}
		return nil
	})
}

// Told records that the store was told of these.
func (o *Outbox) Told(gone []Gone, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		for _, g := range gone {
			if err := tx.Bucket(goneBucket).Delete(sequenceKey(g.Seq)); err != nil {
				return err
			}
		}
		return count(tx, done)
	})
}
