// Package outbox keeps what a job of sending has done and has yet to do, in a
// file of go.etcd.io/bbolt, so that a job which was killed goes on where it was.
//
// Each method that writes is one transaction: after a crash it has happened or
// not. The file holds keys of registrations and hashes of tokens, and no token.
// Keys name users: the file is as private as the table.
package outbox

import (
	"encoding/binary"
	"encoding/json"

	"go.etcd.io/bbolt"
)

// The buckets of the file.
var (
	jobBucket     = []byte("job")      // one record of each kind
	batchBucket   = []byte("batches")  // by sequence number: to be sent, or sent without an answer
	ticketBucket  = []byte("tickets")  // by due time and sequence number: receipts to fetch
	goneBucket    = []byte("gone")     // by sequence number: registrations to invalidate
	projectBucket = []byte("projects") // by quota: what Expo answered
	jobKey        = []byte("job")
	positionKey   = []byte("position")
	countsKey     = []byte("counts")
	workBuckets   = [][]byte{batchBucket, ticketBucket, goneBucket}
)

// Position is how far the recipients are in the outbox.
type Position struct {
	Offset int64 // of the next user, in bytes
	Done   bool  // there is none
}

// Outbox is an open file. It is safe for concurrent use.
type Outbox struct{ db *bbolt.DB }

// Close closes the file.
func (o *Outbox) Close() error { return o.db.Close() }

// Position returns how far the recipients are in the outbox.
func (o *Outbox) Position() (p Position, err error) {
	return p, o.db.View(func(tx *bbolt.Tx) error { return get(tx, positionKey, &p) })
}

// Counts returns what the job has done so far, in all of its runs.
func (o *Outbox) Counts() (c Counts, err error) {
	return c, o.db.View(func(tx *bbolt.Tx) error { return get(tx, countsKey, &c) })
}

// Empty reports whether nothing is left to send, to fetch or to invalidate.
func (o *Outbox) Empty() (empty bool, err error) {
	return empty, o.db.View(func(tx *bbolt.Tx) error {
		empty = true
		for _, name := range workBuckets {
			if key, _ := tx.Bucket(name).Cursor().First(); key != nil {
				empty = false
			}
		}
		return nil
	})
}

// Counts is what a job has done. Except for the first two, the unit is a
// message for one device: each that was planned is in the end counted once among
// Dropped, Delivered, NoReceipt, Unregistered and Failed.
type Counts struct {
	Users        int            // read from the list
	NoDevice     int            // of these, without a registration
	Planned      int            // put into the outbox
	Dropped      int            // not sent: the device was no longer the user's when its turn came
	Accepted     int            // Expo gave a ticket that was not taken back
	Delivered    int            // Apple or Google took it, as a receipt says
	NoReceipt    int            // Expo gave no receipt within a day, or nothing to ask for it with
	Unregistered int            // DeviceNotRegistered, in a ticket or a receipt
	Invalidated  int            // of these, how many the store was told of
	Failed       map[string]int // other errors, by code
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

// count adds to what the job has done.
func count(tx *bbolt.Tx, more Counts) error {
	var c Counts
	if err := get(tx, countsKey, &c); err != nil {
		return err
	}
	c.add(more)
	return put(tx.Bucket(jobBucket), countsKey, c)
}

func get(tx *bbolt.Tx, key []byte, into any) error {
	if value := tx.Bucket(jobBucket).Get(key); value != nil {
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

// insert puts a value under the bucket's next sequence number.
func insert(b *bbolt.Bucket, value any) (uint64, error) {
	seq, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	return seq, put(b, sequenceKey(seq), value)
}

func sequenceKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
