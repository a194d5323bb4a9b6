package sqlengines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// writers call a store at once. Each has users and tokens of its own, so the store's registrations of a writer must be
// those of memstore after the acknowledged calls, or after one more.
const writers = 4

// write makes the n-th call of a writer. A repeat changes nothing.
func write(ctx context.Context, s store.Store, writer, n int) error {
	rng := rand.New(rand.NewPCG(uint64(writer), uint64(n)))
	req := request(writerUsers(writer)[rng.IntN(3)], tokens.DeviceID(fmt.Sprint("device-", rng.IntN(4))), 100*writer+rng.IntN(6))
	switch rng.IntN(10) {
	case 0:
		return s.Delete(ctx, req.Key)
	case 1:
		return s.Deactivate(ctx, req.Key)
	}
	_, err := s.Register(ctx, req)
	return err
}

func writerUsers(writer int) (users []tokens.UserID) {
	for n := range 3 {
		users = append(users, tokens.UserID(fmt.Sprintf("writer-%d-%d", writer, n)))
	}
	return users
}

// acknowledged has the number of calls of each writer that have succeeded.
type acknowledged [writers]int

// compare fails unless the store holds the acknowledged registrations. It counts a call that was applied and not
// acknowledged.
func (a *acknowledged) compare(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	for w := range writers {
		held := func(s store.Store) (all []store.Record) {
			for _, user := range writerUsers(w) {
				records, err := store.Inspect(t.Context(), s, user)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, records...)
			}
			return all
		}
		model := memstore.MustNew(policy)
		for n := range a[w] {
			if err := write(t.Context(), model, w, n); err != nil {
				t.Fatal(err)
			}
		}
		got := held(s)
		diff := cmp.Diff(held(model), got)
		if diff == "" {
			continue
		}
		if err := write(t.Context(), model, w, a[w]); err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(held(model), got) {
			t.Errorf("writer %d, after %d calls (-acknowledged +stored):\n%s", w, a[w], diff)
		}
		a[w]++
	}
}

// killed is the variable of the program that TestKilledProgram kills: the first call of each writer, and the file.
const killed = "SQLENGINES_KILLED"

func TestKilledProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.db")
	d := sqliteAt(SQLiteDSN(file))
	d.Table = sqlstore.DefaultTable
	s := d.NewStore(t, sqlstore.Options{Policy: policy})
	var done acknowledged
	for range rounds() {
		began := done
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestWriting$")
		cmd.Env = append(os.Environ(), killed+"="+fmt.Sprintf("%d %d %d %d %s", done[0], done[1], done[2], done[3], file))
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for limit := 50 + rand.IntN(200); lines.Scan(); limit-- {
			var w int
			if _, err := fmt.Sscanf(lines.Text(), "%d", &w); err != nil {
				t.Fatalf("the program says %q", lines.Text())
			}
			done[w]++
			if limit == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the program ended by itself")
		}
		done.compare(t, s)
		t.Logf("%d calls acknowledged, then %d", began, done)
	}
}

func TestWriting(t *testing.T) {
	var from acknowledged
	var file string
	if _, err := fmt.Sscan(os.Getenv(killed), &from[0], &from[1], &from[2], &from[3], &file); err != nil {
		return
	}
	d := sqliteAt(SQLiteDSN(file))
	d.Table = sqlstore.DefaultTable
	s := d.Store(t, d.Open(t, Options{}), sqlstore.Options{Policy: policy})
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := from[w]; ; n++ {
				if err := write(t.Context(), s, w, n); err != nil {
					t.Error(err)
					return
				}
				fmt.Println(w) // one write, at once
			}
		})
	}
	all.Wait()
}

// TestKilledServer kills all processes of a PostgreSQL that waits for its disk.
func TestKilledServer(t *testing.T) {
	server := NewServer(t)
	server.Start()
	d := PostgresAt(t, server.URL)
	s := d.NewStore(t, sqlstore.Options{Policy: policy})
	var done acknowledged
	for range rounds() {
		began := done
		var total sync.WaitGroup
		count := make(chan struct{}, writers)
		for w := range writers {
			total.Go(func() {
				for ; ; done[w]++ {
					if err := write(t.Context(), s, w, done[w]); err != nil {
						if !errors.Is(err, store.ErrTryAgain) {
							t.Error(err)
						}
						return
					}
					count <- struct{}{}
				}
			})
		}
		ended := make(chan struct{})
		go func() { total.Wait(); close(ended) }()
		limit := 50 + rand.IntN(200)
		for running := true; running; limit-- {
			select {
			case <-count:
			case <-ended:
				running = false
			}
			if limit == 0 {
				server.Kill()
			}
		}
		server.Start()
		s = d.NewStore(t, sqlstore.Options{Policy: policy}) // the connections of the last one are dead
		done.compare(t, s)
		t.Logf("%d calls acknowledged, then %d", began, done)
	}
}

func rounds() int {
	if *long {
		return 20
	}
	return 2
}
