package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// Why an outbox cannot be opened.
var (
	ErrInUse    = errors.New("another process uses the outbox")
	ErrNoFile   = errors.New("the outbox must be a regular file, not a link, a folder or a pipe")
	ErrOtherJob = errors.New("the outbox belongs to another job, or the list of users has changed: name a new outbox")
	ErrDamaged  = errors.New("the file is not an outbox, or was cut short or damaged: restore a copy, or name a new outbox and notify all users again")
)

// Options are for tests. The zero value is right for everything else.
type Options struct {
	// NoSync leaves it to the operating system when to write to the disk. Then writes
	// survive a crash of the process, but not of the machine.
	NoSync bool
}

// Open opens the outbox of the job with that id, or creates it.
func Open(path string, job []byte, opts Options) (*Outbox, error) {
	db, err := openFile(path, opts)
	if err != nil {
		return nil, err
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

// openFile opens the file and reads all of it. bbolt maps the file into memory, panics if
// a page is damaged, and causes SIGBUS if the file was cut short. Here both are an error.
func openFile(path string, opts Options) (db *bbolt.DB, err error) {
	var file *os.File
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil { // the panic's text may contain any part of the file
			err = ErrDamaged
		}
		if err == nil {
			return
		}
		if db != nil {
			_ = db.Close()
		} else if file != nil {
			_ = file.Close() // bbolt leaves the file open and locked when it panics
		}
		db = nil
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: time.Second, NoSync: opts.NoSync, NoGrowSync: opts.NoSync, FreelistType: bbolt.FreelistMapType,
		OpenFile: func(path string, flag int, mode os.FileMode) (_ *os.File, err error) {
			file, err = openRegular(path, flag, mode)
			return file, err
		},
	})
	var system syscall.Errno
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, ErrInUse
	case file == nil || errors.As(err, &system):
		return nil, fmt.Errorf("open the outbox: %w", err)
	case err != nil:
		return nil, ErrDamaged
	}
	if err := db.View(func(tx *bbolt.Tx) error { return readAll(tx, file) }); err != nil {
		return db, err
	}
	return db, file.Chmod(0o600)
}

func readAll(tx *bbolt.Tx, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return ErrDamaged
	}
	return tx.ForEach(func(_ []byte, bucket *bbolt.Bucket) error {
		return bucket.ForEach(func(_, _ []byte) error { return nil })
	})
}

// openRegular opens a regular file, or creates one that only its owner can read. It
// refuses a link, because another user who can write to the folder could have made it.
func openRegular(path string, flag int, mode os.FileMode) (*os.File, error) {
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
		err = ErrNoFile // replaced since Lstat
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}
