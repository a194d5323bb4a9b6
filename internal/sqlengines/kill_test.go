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

// writers call a store at once. Each has users and tokens of its own, so that what the store holds of a writer is what
// memstore holds after the calls that were acknowledged, or after one more.
const writers = 4

// call makes the n-th call of a writer. To repeat it changes nothing.
func call(ctx context.Context, s store.Store, writer, n int) error {
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

// acknowledged are how many calls of each writer have succeeded.
type acknowledged [writers]int

// compare fails unless the store holds what it acknowledged. It counts a call that was applied and not acknowledged.
func (a *acknowledged) compare(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	holders := make(map[tokens.Hash]int)
	got := make(map[tokens.UserID][]store.Record)
	records, next, err := s.Page(t.Context(), "", 1000)
	if err != nil || next != "" {
		t.Fatalf("a page, more %t, error %v", next != "", err)
	}
	for _, r := range records {
		if r.Err != nil {
			t.Error(r.Err)
		}
		holders[r.Registration.Token.Hash()]++
		got[r.Key.UserID] = append(got[r.Key.UserID], r)
	}
	for _, n := range holders {
		if n > 1 {
			t.Errorf("a token has %d holders", n)
		}
	}
	for w := range writers {
		model := memstore.MustNew(policy)
		held := func() map[tokens.UserID][]store.Record {
			all := make(map[tokens.UserID][]store.Record)
			for _, user := range writerUsers(w) {
				records, err := model.Inspect(t.Context(), user)
				if err != nil {
					t.Fatal(err)
				}
				if records != nil {
					all[user] = records
				}
			}
			return all
		}
		of := make(map[tokens.UserID][]store.Record)
		for _, user := range writerUsers(w) {
			if got[user] != nil {
				of[user] = got[user]
			}
		}
		for n := range a[w] {
			if err := call(t.Context(), model, w, n); err != nil {
				t.Fatal(err)
			}
		}
		diff := cmp.Diff(held(), of)
		if diff == "" {
			continue
		}
		if err := call(t.Context(), model, w, a[w]); err != nil {
			t.Fatal(err)
		}
		if cmp.Equal(held(), of) {
			a[w]++
			continue
		}
		t.Errorf("writer %d, after %d calls (-acknowledged +stored):\n%s", w, a[w], diff)
	}
}

// killed is the environment of the program that TestKilledProgram kills: the file, and the first call of each writer.
const killed = "SQLENGINES_KILLED"

// TestKilledProgram kills a program that writes a file of SQLite, and looks at the file.
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

// TestWriting is the program that TestKilledProgram kills.
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
				if err := call(t.Context(), s, w, n); err != nil {
					t.Error(err)
					return
				}
				fmt.Println(w) // one write, at once
			}
		})
	}
	all.Wait()
}

// TestKilledServer kills all processes of a PostgreSQL, which waits for its disk as in production.
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
					if err := call(t.Context(), s, w, done[w]); err != nil {
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

// rounds is how often a server is killed.
func rounds() int {
	if *long {
		return 20
	}
	return 2
}
