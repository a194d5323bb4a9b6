// Package outbox keeps what a job of sending has done and has yet to do, in a
// file of go.etcd.io/bbolt, so that a job which was killed goes on where it was.
//
// Each method that writes is one transaction: after a crash it has happened or
// not. The file holds keys of registrations and hashes of tokens, and no token.
// Keys name users: the file is as private as the table.
package outbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
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

// Why an outbox cannot be opened.
var (
	ErrInUse    = errors.New("another process uses the outbox")
	ErrNoFile   = errors.New("the outbox has to be a file, no link, folder or pipe")
	ErrOtherJob = errors.New("the outbox belongs to another job, or to another version of the same file of users; name a new one")
)

// Position is how far the recipients are in the outbox.
type Position struct {
	Offset int64 // of the next user, in bytes
	Done   bool  // there is none
}

// Outbox is an open file. It is safe for concurrent use.
type Outbox struct{ db *bbolt.DB }

// Options are for tests. The zero value is right for everything else.
type Options struct {
	// NoSync leaves it to the operating system when to write to the disk: what
	// was acknowledged survives the death of the process, not of the machine.
	NoSync bool
}

// Open opens the outbox of a job, or creates it. job tells jobs apart: an outbox
// of another one is refused.
func Open(path string, job []byte, opts Options) (*Outbox, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: time.Second, NoSync: opts.NoSync, NoGrowSync: opts.NoSync, FreelistType: bbolt.FreelistMapType,
		OpenFile: openPrivate,
	})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("open the outbox: %w", err)
	}
	o := &Outbox{db: db}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range append([][]byte{jobBucket, projectBucket}, workBuckets...) {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		switch known := tx.Bucket(jobBucket).Get(jobKey); {
		case known == nil:
			return tx.Bucket(jobBucket).Put(jobKey, job)
		case !bytes.Equal(known, job):
			return ErrOtherJob
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// openPrivate opens a file that only its owner can read. An existing file gets that
// mode too. A link is refused: another user who can write to the folder could have
// made it.
func openPrivate(path string, flag int, mode os.FileMode) (*os.File, error) {
	before, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		flag |= os.O_EXCL
	case err != nil:
		return nil, err
	case !before.Mode().IsRegular():
		return nil, ErrNoFile
	}
	file, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	now, err := file.Stat()
	if err == nil && before != nil && !os.SameFile(before, now) {
		err = ErrNoFile // since it was looked at
	}
	if err == nil {
		err = file.Chmod(mode)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

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
