package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A difference is a registration that differs between two stores.
type difference struct {
	Difference string `json:"difference"`
	keyView
	Fields []string `json:"fields,omitempty"` // the fields that differ
}

// The kinds of differences.
const (
	missing   = "missing"   // in the source only
	extra     = "extra"     // in the target only
	different = "different" // in both
	// statusUnreadable: in one of them, it cannot be decoded
)

var errDiffer = errors.New("the stores differ")

func (p *program) diff() *cobra.Command {
	var (
		f        bulkFlags
		from, to string
		prune    bool
	)
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Show the differences between two stores, and prune the second",
		Long: "Shows each registration that is missing from the target, is only in the target, differs in the named fields, or\n" +
			"is unreadable in one store. -o json writes lines of JSON. An expired registration counts as absent. The exit\n" +
			"code is 1 if the stores differ. Stop the writes to both first. After a second copy, --prune deletes\n" +
			"registrations from the target that were deleted in the source. It asks for confirmation.",
		Args: flagsOnly,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			source, target, err := p.openTwo(ctx, from, to, false)
			if err != nil {
				return err
			}
			b, err := startBulk(f.state, fmt.Sprintf("diff %s to %s, prune %t", source.Name, target.Name, prune))
			if err != nil {
				return err
			}
			err = p.compare(ctx, b, f, source, target)
			if extras := b.Counts[extra]; err == nil && prune && extras > 0 {
				question := fmt.Sprintf("Delete %s from %s that %s does not have?", count(extras, "registration"), visible.ID(to), visible.ID(from))
				if err = p.confirm(ctx, question); err == nil {
					err = p.prune(ctx, b, f, source, target)
				}
			}
			if err := b.end(err); err != nil {
				return err
			}
			if err := p.showDiff(b.Counts); err != nil {
				return err
			}
			if b.Counts[missing]+b.Counts[different]+b.Counts[statusUnreadable]+b.Counts[extra]-b.Counts["pruned"] > 0 {
				return errDiffer
			}
			return nil
		},
	}
	f.add(cmd)
	addTwo(cmd, &from, &to)
	cmd.Flags().BoolVar(&prune, "prune", false, "delete registrations from the target that the source does not have in any state")
	return cmd
}

// showDiff writes the counts to standard error, so that standard output has only
// differences.
func (p *program) showDiff(counts map[string]int) error {
	for _, kind := range []string{missing, extra, different, statusUnreadable} {
		counts[kind] += 0 // so that zero is shown
	}
	shown := *p
	shown.out, shown.output = p.err, "table"
	return shown.showCounts(counts)
}

// compare walks the source, and then the target for registrations that only the target
// has.
func (p *program) compare(ctx context.Context, b *bulk, f bulkFlags, source, target *database.Database) error {
	err := p.walk(ctx, b, "source", source.Walker, f, func(ctx context.Context, records []store.Record, found *result) error {
		other := lookup{s: target.Store}
		for _, r := range records {
			there, err := other.get(ctx, r.Key)
			if err != nil {
				return err
			}
			if kind, fields := compareRecords(r, there, time.Now()); kind != "" {
				if err := p.report(found, kind, r.Key, fields); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.walk(ctx, b, "target", target.Walker, f, func(ctx context.Context, records []store.Record, found *result) error {
		extras, err := extrasOf(ctx, records, source.Store)
		for _, r := range extras {
			kind := extra
			if r.Key.Validate() != nil {
				kind = statusUnreadable // not pruned
			}
			err = errors.Join(err, p.report(found, kind, r.Key, nil))
		}
		return err
	})
}

func (p *program) report(found *result, kind string, key tokens.Key, fields []string) error {
	found.counts[kind]++
	if p.output == "json" {
		return found.writeJSON(difference{kind, keyView(key), fields})
	}
	text := strings.Join([]string{kind, visible.ID(key.UserID), visible.ID(key.DeviceID), strings.Join(fields, ", ")}, "\t")
	_, err := fmt.Fprintln(&found.out, strings.TrimRight(text, "\t"))
	return err
}

// prune deletes registrations from the target that the source still does not have.
func (p *program) prune(ctx context.Context, b *bulk, f bulkFlags, source, target *database.Database) error {
	return p.walk(ctx, b, "prune", target.Walker, f, func(ctx context.Context, records []store.Record, found *result) error {
		extras, err := extrasOf(ctx, records, source.Store)
		if err != nil {
			return err
		}
		for _, r := range extras {
			if r.Key.Validate() != nil {
				continue
			}
			if err := target.Store.Delete(ctx, r.Key); err != nil {
				return again(err)
			}
			found.counts["pruned"]++
		}
		return nil
	})
}

// extrasOf returns the records that are not expired and not stored in the source in
// any state.
func extrasOf(ctx context.Context, records []store.Record, source store.Store) ([]store.Record, error) {
	other := lookup{s: source}
	var extras []store.Record
	for _, r := range records {
		if r.Err == nil && r.Registration.Expired(time.Now()) {
			continue
		}
		there, err := other.get(ctx, r.Key)
		if err != nil {
			return nil, err
		}
		if there == nil {
			extras = append(extras, r)
		}
	}
	return extras, nil
}

// compareRecords compares a record of the source with the record under the same key
// in the target, which is nil if there is none. The kind is "" if both are equal.
func compareRecords(here store.Record, there *store.Record, now time.Time) (kind string, fields []string) {
	absent := func(r *store.Record) bool { return r == nil || r.Err == nil && r.Registration.Expired(now) }
	switch {
	case absent(&here) && absent(there):
		return "", nil
	case here.Err != nil || there != nil && there.Err != nil:
		return statusUnreadable, nil
	case absent(there):
		return missing, nil
	}
	a, b := here.Registration, there.Registration
	for _, field := range []struct {
		name string
		same bool
	}{
		{tokens.FieldToken, a.Token.Reveal() == b.Token.Reveal()},
		{tokens.FieldPlatform, a.Platform == b.Platform},
		{tokens.FieldProjectID, a.ProjectID == b.ProjectID},
		{tokens.FieldStatus, a.Status == b.Status},
		{tokens.FieldRegisteredAt, a.RegisteredAt.Equal(b.RegisteredAt)},
		{tokens.FieldUpdatedAt, a.UpdatedAt.Equal(b.UpdatedAt)},
		// An import sets the expiry of a registration without one.
		{tokens.FieldExpiresAt, a.ExpiresAt.IsZero() || a.ExpiresAt.Equal(b.ExpiresAt)},
	} {
		if !field.same {
			kind, fields = different, append(fields, field.name)
		}
	}
	return kind, fields
}

// A lookup gets records by key. It caches the records of the last user, because a walk
// mostly returns the registrations of a user one after the other.
type lookup struct {
	s       store.Store
	user    tokens.UserID
	records []store.Record
}

// get returns the record under the key, or nil.
func (l *lookup) get(ctx context.Context, key tokens.Key) (*store.Record, error) {
	if key.Validate() != nil {
		return nil, nil
	}
	if l.user != key.UserID {
		records, err := store.Inspect(ctx, l.s, key.UserID)
		if err != nil {
			return nil, err
		}
		l.user, l.records = key.UserID, records
	}
	i := slices.IndexFunc(l.records, func(r store.Record) bool { return r.Key == key })
	if i < 0 {
		return nil, nil
	}
	return &l.records[i], nil
}
