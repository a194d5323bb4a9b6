package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Recipient is one device of one user. Hash is that of the token which was
// read last.
type Recipient struct {
	User     tokens.UserID   `json:"u"`
	Device   tokens.DeviceID `json:"d"`
	Platform tokens.Platform `json:"p,omitempty"`
	Hash     tokens.Hash     `json:"h"`
}

// Key is the key of the registration.
func (r Recipient) Key() tokens.Key { return tokens.Key{UserID: r.User, DeviceID: r.Device} }

// A Batch is what goes out in one request. Before its first request Attempts is
// 0. If a run finds one with more, the answer was lost, or there was none: the
// messages may have arrived.
type Batch struct {
	Seq        uint64           `json:"-"`
	Project    tokens.ProjectID `json:",omitempty"` // as registered
	Experience string           `json:",omitempty"` // as Expo named it, where no registration did
	Attempts   int              `json:",omitempty"`
	SentAt     time.Time        `json:",omitzero"` // of the last attempt
	NotBefore  time.Time        `json:",omitzero"`
	Slowed     int              `json:",omitempty"` // how often Expo answered MessageRateExceeded
	Left       string           `json:",omitempty"` // why the last run left it
	Recipients []Recipient
}

// Quota is whose limit the batch counts against.
func (b *Batch) Quota() string { return quota(b.Project, b.Experience) }

func quota(project tokens.ProjectID, experience string) string {
	if experience != "" {
		return experience
	}
	return string(project)
}

// AddPage puts a page of recipients into the outbox, numbers its batches, and
// moves on to the next page.
func (o *Outbox) AddPage(next Position, batches []*Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := insertBatches(tx, batches); err != nil {
			return err
		}
		if err := put(tx.Bucket(jobBucket), positionKey, next); err != nil {
			return err
		}
		return count(tx, done)
	})
}

func insertBatches(tx *bbolt.Tx, batches []*Batch) error {
	for _, b := range batches {
		seq, err := insert(tx.Bucket(batchBucket), b)
		if err != nil {
			return err
		}
		b.Seq = seq
	}
	return nil
}

// Pending returns up to n batches with a number above after, in their order:
// those that were not acknowledged.
func (o *Outbox) Pending(after uint64, n int) (batches []*Batch, err error) {
	return batches, o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(batchBucket).Cursor()
		for key, value := cursor.Seek(sequenceKey(after + 1)); key != nil && len(batches) < n; key, value = cursor.Next() {
			b := &Batch{Seq: binary.BigEndian.Uint64(key)}
			if err := json.Unmarshal(value, b); err != nil {
				return err
			}
			batches = append(batches, b)
		}
		return nil
	})
}

// Last returns the greatest number of a batch so far.
func (o *Outbox) Last() (seq uint64, err error) {
	return seq, o.db.View(func(tx *bbolt.Tx) error {
		seq = tx.Bucket(batchBucket).Sequence()
		return nil
	})
}

// Left returns how many messages are to be sent yet, by why the last run left
// them; "" is for no reason, such as its end.
func (o *Outbox) Left() (map[string]int, error) {
	left := map[string]int{}
	return left, o.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(batchBucket).ForEach(func(_, value []byte) error {
			var b Batch
			err := json.Unmarshal(value, &b)
			left[b.Left] += len(b.Recipients)
			return err
		})
	})
}

// Sending records that b is about to go out as it is, and what was dropped from
// it.
func (o *Outbox) Sending(b *Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := put(tx.Bucket(batchBucket), sequenceKey(b.Seq), b); err != nil {
			return err
		}
		return count(tx, done)
	})
}

// Leave records why this run did not try to send b.
func (o *Outbox) Leave(b *Batch, why string) error {
	b.Left = why
	return o.db.Update(func(tx *bbolt.Tx) error { return put(tx.Bucket(batchBucket), sequenceKey(b.Seq), b) })
}

// Postpone records why this run could not send b, and puts b behind all other batches:
// the next run begins with those that this run did not try.
func (o *Outbox) Postpone(b *Batch, why string) error {
	last := *b
	last.Left = why
	return o.Replace(b, []*Batch{&last}, Counts{})
}

// Fail gives b up for good, with a code.
func (o *Outbox) Fail(b *Batch, code string) error {
	var done Counts
	done.Fail(code, len(b.Recipients))
	return o.Replace(b, nil, done)
}

// Replace puts other batches in the place of b, which was not sent, and numbers
// them.
func (o *Outbox) Replace(b *Batch, with []*Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		if err := insertBatches(tx, with); err != nil {
			return err
		}
		return count(tx, done)
	})
}

// An Answer is what Expo's tickets call for.
type Answer struct {
	Tickets []Ticket // to fetch the receipts of, at Due
	Due     time.Time
	Gone    []Recipient // to invalidate
	Again   *Batch      // to send once more, or nil
	Tallies map[tokens.Platform]Tally
	Counts  Counts
}

// Acknowledge records Expo's answer to b, which is then sent for good.
func (o *Outbox) Acknowledge(b *Batch, a Answer) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		if len(a.Tickets) > 0 {
			if err := addTickets(tx, &Sent{
				Project: b.Project, Experience: b.Experience, Slowed: b.Slowed,
				SentAt: b.SentAt, Due: a.Due, Tickets: a.Tickets,
			}); err != nil {
				return err
			}
		}
		if err := addGone(tx, b.SentAt, a.Gone); err != nil {
			return err
		}
		if a.Again != nil {
			if err := insertBatches(tx, []*Batch{a.Again}); err != nil {
				return err
			}
		}
		if err := tally(tx, b.Quota(), a.Tallies); err != nil {
			return err
		}
		return count(tx, a.Counts)
	})
}
