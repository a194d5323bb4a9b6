package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
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

// A Tally is what Expo's last words about messages were: tickets with an error,
// and receipts.
type Tally struct{ Answers, Gone int }

// Add counts one answer.
func (t Tally) Add(gone bool) Tally {
	t.Answers++
	if gone {
		t.Gone++
	}
	return t
}

// A project is what is known of one from its answers. Its key is the quota, and ""
// is for all registrations that name none.
type project struct {
	Tallies map[tokens.Platform]Tally
}

// tally records that Expo takes requests of a project, and what it answered.
func tally(tx *bbolt.Tx, quota string, more map[tokens.Platform]Tally) error {
	bucket, key := tx.Bucket(projectBucket), projectKey(quota)
	var p project
	if value := bucket.Get(key); value != nil {
		if len(more) == 0 {
			return nil
		}
		if err := json.Unmarshal(value, &p); err != nil {
			return err
		}
	}
	if p.Tallies == nil {
		p.Tallies = map[tokens.Platform]Tally{}
	}
	for platform, t := range more {
		sum := p.Tallies[platform]
		p.Tallies[platform] = Tally{sum.Answers + t.Answers, sum.Gone + t.Gone}
	}
	return put(bucket, key, p)
}

// projectKey is never empty, as bbolt's keys must not be.
func projectKey(quota string) []byte { return []byte("=" + quota) }

// HasAccepted reports whether Expo took a request with this quota, in any run.
func (o *Outbox) HasAccepted(quota string) (has bool, err error) {
	return has, o.db.View(func(tx *bbolt.Tx) error {
		has = tx.Bucket(projectBucket).Get(projectKey(quota)) != nil
		return nil
	})
}

// Tallies calls yield with each project's answers, those of a platform at a time,
// since they share credentials at Apple or Google.
func (o *Outbox) Tallies(yield func(quota string, platform tokens.Platform, t Tally)) error {
	return o.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(projectBucket).ForEach(func(key, value []byte) error {
			var p project
			err := json.Unmarshal(value, &p)
			for platform, t := range p.Tallies {
				yield(string(key[1:]), platform, t)
			}
			return err
		})
	})
}
