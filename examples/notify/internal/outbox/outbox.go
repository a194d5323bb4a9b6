// Package outbox records the progress of a job in a go.etcd.io/bbolt file, so that a job
// that was killed can continue.
//
// Each method that writes is one transaction, which a crash leaves either complete or
// without effect. The file holds keys of registrations and hashes of tokens, but no
// tokens. The keys name users, so the file is as private as the store.
package outbox

import (
	"encoding/binary"
	"encoding/json"

	"go.etcd.io/bbolt"
)

// The buckets of the file, and the keys of jobBucket.
var (
	jobBucket     = []byte("job")      // one value for each of the keys below
	batchBucket   = []byte("batches")  // by sequence number: not sent yet, or sent without an answer
	ticketBucket  = []byte("tickets")  // by due time and sequence number: receipts to fetch
	goneBucket    = []byte("gone")     // by sequence number: registrations to invalidate
	projectBucket = []byte("projects") // by quota: counts of Expo's answers
	jobKey        = []byte("job")
	positionKey   = []byte("position")
	countsKey     = []byte("counts")
	workBuckets   = [][]byte{batchBucket, ticketBucket, goneBucket}
)

// Outbox is an open file. It is safe for concurrent use.
type Outbox struct{ db *bbolt.DB }

// Close closes the file.
func (o *Outbox) Close() error { return o.db.Close() }

// Position is how much of the list of users is in the outbox.
type Position struct {
	Offset int64 // of the next user, in bytes
	Done   bool  // there is no next user
}

// Position returns the position.
func (o *Outbox) Position() (p Position, err error) {
	return p, o.db.View(func(tx *bbolt.Tx) error { return get(tx.Bucket(jobBucket), positionKey, &p) })
}

// Done reports whether all users are in the outbox and nothing is left to send, fetch or
// invalidate.
func (o *Outbox) Done() (done bool, err error) {
	return done, o.db.View(func(tx *bbolt.Tx) error {
		var p Position
		err := get(tx.Bucket(jobBucket), positionKey, &p)
		done = p.Done
		for _, name := range workBuckets {
			if key, _ := tx.Bucket(name).Cursor().First(); key != nil {
				done = false
			}
		}
		return err
	})
}

// Counts are the totals of a job. The first two count users, the others messages for one
// device. When the job is done, each planned message is counted exactly once in
// Dropped, Delivered, NoReceipt, Unregistered or Failed.
type Counts struct {
	Users        int            // read from the list
	NoDevice     int            // of these, without a registration
	Planned      int            // put into the outbox
	Dropped      int            // not sent, because the device no longer belonged to the user
	Accepted     int            // Expo answered with a ticket, and did not ask to send again
	Delivered    int            // by its receipt, Apple or Google accepted it
	NoReceipt    int            // no receipt within a day, or a ticket without an id
	Unregistered int            // DeviceNotRegistered, in a ticket or a receipt
	Invalidated  int            // of these, passed to the store's Invalidate
	Failed       map[string]int // other errors, by code
}

// Counts returns the totals of all runs of the job.
func (o *Outbox) Counts() (c Counts, err error) {
	return c, o.db.View(func(tx *bbolt.Tx) error { return get(tx.Bucket(jobBucket), countsKey, &c) })
}

func (c *Counts) add(more Counts) {
	c.Users += more.Users
	c.NoDevice += more.NoDevice
	c.Planned += more.Planned
	c.Dropped += more.Dropped
	c.Accepted += more.Accepted
	c.Delivered += more.Delivered
	c.NoReceipt += more.NoReceipt
	c.Unregistered += more.Unregistered
	c.Invalidated += more.Invalidated
	for code, n := range more.Failed {
		c.Fail(code, n)
	}
}

// Fail counts messages that failed with a code.
func (c *Counts) Fail(code string, n int) {
	if c.Failed == nil {
		c.Failed = map[string]int{}
	}
	c.Failed[code] += n
}

// update makes a change and adds to the totals of the job, in one transaction.
func (o *Outbox) update(done Counts, change func(tx *bbolt.Tx) error) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		var c Counts
		if err := get(tx.Bucket(jobBucket), countsKey, &c); err != nil {
			return err
		}
		c.add(done)
		return put(tx.Bucket(jobBucket), countsKey, c)
	})
}

// each passes the values of a bucket to use, in the order of their keys and beginning at a
// key, while use returns true.
func each[T any](o *Outbox, bucket, from []byte, use func(key []byte, value *T) (more bool)) error {
	return o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucket).Cursor()
		for key, text := cursor.Seek(from); key != nil; key, text = cursor.Next() {
			value := new(T)
			if err := json.Unmarshal(text, value); err != nil {
				return err
			}
			if !use(key, value) {
				return nil
			}
		}
		return nil
	})
}

func get(b *bbolt.Bucket, key []byte, into any) error {
	if value := b.Get(key); value != nil {
		return json.Unmarshal(value, into)
	}
	return nil
}

func put(b *bbolt.Bucket, key []byte, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put(key, text)
}

func insert(b *bbolt.Bucket, value any) (uint64, error) {
	seq, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	return seq, put(b, sequenceKey(seq), value)
}

func sequenceKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
