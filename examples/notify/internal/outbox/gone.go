package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
)

// Gone is a device that Expo no longer reaches. It stays in the outbox until its
// registration is invalidated.
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

// Gone returns up to n devices whose registrations are to be invalidated.
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

// Told records that the store's Invalidate was called for these.
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

// A Tally counts Expo's final answers about messages: receipts, and tickets with an
// error.
type Tally struct{ Answers, Gone int }

// Add counts one answer.
func (t Tally) Add(gone bool) Tally {
	t.Answers++
	if gone {
		t.Gone++
	}
	return t
}

// A project has the counts of Expo's answers for one project. Its key is the quota, which
// is "" for registrations without a project.
type project struct {
	Tallies map[tokens.Platform]Tally
}

// tally records that Expo accepted a request of a project, and adds its answers.
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

// projectKey returns a key that is never empty, as bbolt requires.
func projectKey(quota string) []byte { return []byte("=" + quota) }

// HasAccepted reports whether Expo accepted a request of this quota in any run.
func (o *Outbox) HasAccepted(quota string) (has bool, err error) {
	return has, o.db.View(func(tx *bbolt.Tx) error {
		has = tx.Bucket(projectBucket).Get(projectKey(quota)) != nil
		return nil
	})
}

// Tallies calls yield with the answers of each platform of each project. The devices of
// one platform share credentials at Apple or Google.
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
