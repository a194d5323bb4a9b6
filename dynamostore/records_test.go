package dynamostore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestCopy walks one table and imports what it finds into another, twice. The
// second table keeps the claims that the copies need.
func TestCopy(t *testing.T) {
	from, to := newWorld(t, store.Policy{}), newWorld(t, store.Policy{})
	from.register(alice, tokenA)
	from.register(bob, tokenB)
	from.do(from.clean.Deactivate(t.Context(), bob))
	walker, err := dynamostore.NewWalker(from.client, from.table)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []store.ImportOutcome{store.Imported, store.ImportKept} {
		copied := 0
		for r, err := range store.Walk(t.Context(), walker, "", 1) {
			if err != nil || r.Err != nil {
				t.Fatal(err, r.Err)
			}
			got, err := to.clean.Import(t.Context(), r.Registration)
			if err != nil || got != want {
				t.Errorf("%v: got %q and error %v, want %q", r.Key, got, err, want)
			}
			copied++
		}
		if copied != 2 {
			t.Errorf("%d registrations were copied, want 2", copied)
		}
	}
	for _, user := range []tokens.UserID{alice.UserID, bob.UserID} {
		want, err1 := from.clean.Inspect(t.Context(), user)
		got, err2 := to.clean.Inspect(t.Context(), user)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
	}
	to.look()
	to.intact()
}

// TestImport has each item that an import can replace, and checks the rows and the
// claims after it.
func TestImport(t *testing.T) {
	updatedAt := worldStart.Add(time.Hour)
	imported := tokens.Registration{
		Key: alice, Token: tokenA, Platform: tokens.IOS, Status: tokens.Active,
		RegisteredAt: worldStart, UpdatedAt: updatedAt, ExpiresAt: worldStart.Add(store.DefaultTTL).Truncate(time.Second),
	}
	for name, given := range map[string]func(w *world){
		"over nothing":             func(*world) {},
		"over another token":       func(w *world) { w.register(alice, tokenB) },
		"over itself":              func(w *world) { w.register(alice, tokenA) },
		"over another user's":      func(w *world) { w.register(bob, tokenA) },
		"over both":                func(w *world) { w.register(alice, tokenB); w.register(bob, tokenA) },
		"over a claim left behind": func(w *world) { w.register(bob, tokenA); w.register(bob, tokenB) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, store.Policy{})
			given(w)
			w.now = updatedAt.Add(time.Hour)
			got, err := w.clean.Import(t.Context(), imported)
			if err != nil || got != store.Imported {
				t.Fatalf("got %q and error %v", got, err)
			}
			stored, err := w.clean.Holder(t.Context(), tokenA.Hash())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(imported, stored); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
			w.look()
			w.intact()
			// The registration that was imported is refreshed as any other.
			result, err := w.clean.Register(t.Context(), requestFor(alice, tokenA))
			if err != nil || result.Outcome != store.Refreshed {
				t.Errorf("refreshed: %v, %v", result.Outcome, err)
			}
		})
	}
}

// FuzzWalkerCursor: a cursor is either refused or one that a walker returns.
func FuzzWalkerCursor(f *testing.F) {
	f.Add("")
	f.Add("WzAsMiwiIiwiIl0")
	f.Add("bnVsbA")
	walker, err := dynamostore.NewWalker(noScan{}, "table")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, c string) {
		_, _, err := walker.Page(t.Context(), store.Cursor(c), 1)
		var invalid *tokens.InvalidError
		if !errors.Is(err, errNoScan) && !errors.As(err, &invalid) {
			t.Errorf("the error is %v", err)
		}
	})
}

var errNoScan = errors.New("no scan")

type noScan struct{}

func (noScan) Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return nil, errNoScan
}

// TestImportOfTheLastSecond: the claim of a registration that expires as late as
// one can is as an upgrade wants it.
func TestImportOfTheLastSecond(t *testing.T) {
	w := newWorld(t, store.Policy{})
	last := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	_, err := w.clean.Import(t.Context(), tokens.Registration{
		Key: alice, Token: tokenA, Platform: tokens.IOS, Status: tokens.Active, UpdatedAt: worldStart, ExpiresAt: last,
	})
	w.do(err)
	report, err := dynamostore.Upgrade(t.Context(), w.client, w.table, dynamostore.UpgradeOptions{Policy: w.policy, DryRun: true})
	w.do(err)
	if report.Rows != 1 || report.Unclaimed != 0 {
		t.Errorf("an upgrade finds %d rows, %d of them without their claim; want 1 and 0", report.Rows, report.Unclaimed)
	}
}
