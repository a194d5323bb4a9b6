package sender

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// maxLine is the length of a line that is surely no user id, in bytes.
const maxLine = 4 * (tokens.MaxUserIDLen + 1)

// plan queues what an earlier run left, and then the recipients page by page.
// The queue is short and blocks, so a page is listed when the one before it has
// nearly gone out: memory does not grow with the job, and tokens do not age.
func (s *Sender) plan(ctx context.Context, queue chan<- *work) error {
	left, err := s.outbox.Pending()
	if err != nil {
		return err
	}
	for _, b := range left {
		if err := enqueue(ctx, queue, &work{Batch: b}); err != nil {
			return err
		}
	}
	at, err := s.outbox.Position()
	if err != nil {
		return err
	}
	lines := bufio.NewReaderSize(io.NewSectionReader(s.job.Users, at.Offset, math.MaxInt64-at.Offset), 64<<10)
	for !at.Done {
		page, done, err := s.readPage(lines, &at)
		if err != nil {
			return err
		}
		began := time.Now()
		works, err := s.listPage(ctx, page, began)
		if err != nil {
			return err
		}
		for _, w := range works {
			done.Planned += len(w.Recipients)
		}
		if err := s.outbox.AddPage(at, batches(works), done); err != nil {
			return err
		}
		if err := s.o.step("planned"); err != nil {
			return err
		}
		for _, w := range works {
			if err := enqueue(ctx, queue, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func enqueue(ctx context.Context, queue chan<- *work, w *work) error {
	select {
	case queue <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readPage reads the next users and moves the position behind them.
func (s *Sender) readPage(lines *bufio.Reader, at *outbox.Position) (page []tokens.UserID, done outbox.Counts, err error) {
	for len(page) < s.o.PageUsers {
		line, err := lines.ReadSlice('\n')
		at.Offset += int64(len(line))
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, done, fmt.Errorf("list of users: %w", err)
		}
		if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine {
			return nil, done, fmt.Errorf("list of users: a line before byte %d is too long for a user id", at.Offset)
		}
		user := tokens.UserID(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")))
		switch key := (tokens.Key{UserID: user, DeviceID: "any"}); {
		case user == "":
		case key.Validate() != nil:
			done.InvalidUsers++
		default:
			done.Users++
			page = append(page, user)
		}
		if err == io.EOF {
			at.Done = true
			break
		}
	}
	return page, done, nil
}

// listPage reads the registrations of these users and groups them into batches
// of one project each.
func (s *Sender) listPage(ctx context.Context, page []tokens.UserID, began time.Time) ([]*work, error) {
	byProject := map[tokens.ProjectID][]tokens.Registration{}
	for wait := s.backoff(); len(page) > 0; {
		var (
			again []tokens.UserID
			last  error
		)
		for l := range store.ListUsers(ctx, s.registry, slices.Values(page), s.o.Reads) {
			switch {
			case errors.Is(l.Err, store.ErrTryAgain):
				again, last = append(again, l.UserID), l.Err
			case l.Err != nil:
				return nil, fmt.Errorf("list registrations: %w", l.Err)
			}
			for _, r := range distinct(l.Registrations) {
				byProject[r.ProjectID] = append(byProject[r.ProjectID], r)
			}
		}
		page = again
		if len(page) > 0 {
			why := []any{"error", last, "users", len(page)}
			if network := awsenv.NetworkError(last); network != nil {
				why = append(why, "network", network)
			}
			s.o.Log.Warn("registrations could not be listed; waiting", why...)
			if err := wait.next(ctx, 0); err != nil {
				return nil, fmt.Errorf("list registrations: %w: %w", err, last)
			}
		}
	}
	var works []*work
	for _, project := range slices.Sorted(maps.Keys(byProject)) {
		works = append(works, batched(project, byProject[project], began)...)
	}
	return works, nil
}

// distinct drops doubles: a store may show a token twice while it moves between
// two devices of its user.
func distinct(registrations []tokens.Registration) []tokens.Registration {
	seen := map[[32]byte]bool{}
	return slices.DeleteFunc(registrations, func(r tokens.Registration) bool {
		known := seen[r.Token.Hash()]
		seen[r.Token.Hash()] = true
		return known
	})
}

// batched makes batches of registrations that were read at readAt.
func batched(project tokens.ProjectID, registrations []tokens.Registration, readAt time.Time) (works []*work) {
	for some := range slices.Chunk(registrations, expo.MaxMessages) {
		w := &work{Batch: &outbox.Batch{Project: project}, readAt: readAt}
		for _, r := range some {
			hash := r.Token.Hash()
			w.Recipients = append(w.Recipients, outbox.Recipient{User: r.Key.UserID, Device: r.Key.DeviceID, Hash: hash[:]})
			w.tokens = append(w.tokens, r.Token)
		}
		works = append(works, w)
	}
	return works
}
