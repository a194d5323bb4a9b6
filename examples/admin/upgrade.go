package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
)

func (p *program) upgrade() *cobra.Command {
	return p.upgradeAs("upgrade", "Upgrade a table of the earlier service, before its first traffic",
		"Run it before the first traffic: until then two users may have one token. The earlier service must have\n"+
			"stopped writing.")
}

func (p *program) repair() *cobra.Command {
	return p.upgradeAs("repair", "Repair a table that was restored, before its first traffic",
		"A backup may contain half of a transaction. repair is the same as upgrade.")
}

func (p *program) upgradeAs(use, short, why string) *cobra.Command {
	var (
		o       dynamostore.UpgradeOptions
		dryOnly bool
	)
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: "Gives each row an expiry and the claim on its token, and removes rows whose token another row keeps.\n" +
			why + "\n" +
			"It first makes a dry run and shows the changes. Then it asks for confirmation and applies them. If it is\n" +
			"interrupted, it prints how to continue.",
		Args: flagsOnly,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.upgradeTable(cmd.Context(), o, dryOnly) },
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.Policy.TTL, "ttl", store.DefaultTTL, "the `TTL` of the service's policy")
	flags.Float64Var(&o.RowsPerSecond, "rate", 0, "maximum `rows` to read in a second; 0: no limit")
	flags.IntVar(&o.Segments, "segments", 16, "`parts` of the table to walk concurrently, up to 256")
	flags.Int32Var(&o.PageSize, "page-size", 200, "`rows` of each part to read at a time; an interrupted page is repeated")
	flags.StringVar(&o.Resume, "resume", "", "`cursor` to continue from, printed by an interrupted upgrade")
	flags.BoolVar(&dryOnly, "dry-run", false, "show the changes without making them")
	return cmd
}

func (p *program) upgradeTable(ctx context.Context, o dynamostore.UpgradeOptions, dryOnly bool) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	o.DryRun = true
	found, err := p.pass(ctx, client, o, -1)
	if err != nil {
		return err
	}
	if err := p.showReport(summaryOf(found, true)); err != nil || dryOnly {
		return err
	}
	if found.WithoutExpiry == 0 && found.Unclaimed == 0 {
		fmt.Fprintln(p.err, "Nothing to change.")
		return nil
	}
	question := fmt.Sprintf("Upgrade %s, and remove %d of them?", count(max(found.WithoutExpiry, found.Unclaimed), "row"), len(found.Duplicates))
	if err := p.confirm(ctx, question); err != nil {
		return err
	}
	o.DryRun = false
	done, err := p.pass(ctx, client, o, found.Rows)
	return errors.Join(p.showReport(summaryOf(done, false)), err)
}

func (p *program) pass(ctx context.Context, client *dynamodb.Client, o dynamostore.UpgradeOptions, total int) (dynamostore.UpgradeReport, error) {
	what := "upgrade"
	if o.DryRun {
		what = "dry run"
	}
	advance, finish := p.progress(what, total)
	o.Progress = func(r dynamostore.UpgradeReport) { advance(r.Rows) }
	report, err := dynamostore.Upgrade(ctx, client, p.table, o)
	finish()
	switch {
	case err == nil || o.DryRun:
		return report, err
	case report.Cursor == "":
		return report, fmt.Errorf("interrupted: run it again to continue: %w", err)
	default:
		return report, fmt.Errorf("interrupted: run it again with --resume %s to continue: %w", report.Cursor, err)
	}
}

type summary struct {
	DryRun        bool            `json:"dryRun"`
	Rows          int             `json:"rows"`
	Expired       int             `json:"expired"`
	WithoutExpiry int             `json:"withoutExpiry"`
	Unclaimed     int             `json:"unclaimed"`
	Duplicates    []duplicateView `json:"duplicates"`
	Unreadable    []keyView       `json:"unreadable"`
	ReadUnits     float64         `json:"readUnits"`
	WriteUnits    float64         `json:"writeUnits"`
	Cursor        string          `json:"cursor,omitempty"` // where to resume
}

type duplicateView struct {
	Removed keyView `json:"removed"`
	Kept    keyView `json:"kept"`
}

func summaryOf(r dynamostore.UpgradeReport, dry bool) summary {
	s := summary{
		DryRun: dry, Rows: r.Rows, Expired: r.Expired, WithoutExpiry: r.WithoutExpiry, Unclaimed: r.Unclaimed,
		ReadUnits: r.ReadUnits, WriteUnits: r.WriteUnits, Cursor: r.Cursor,
	}
	for _, d := range r.Duplicates {
		s.Duplicates = append(s.Duplicates, duplicateView{Removed: keyView(d.Removed), Kept: keyView(d.Kept)})
	}
	for _, k := range r.Unreadable {
		s.Unreadable = append(s.Unreadable, keyView(k))
	}
	return s
}

// maxNamed is the number of rows of a kind that the table lists; JSON lists all.
const maxNamed = 20

func (p *program) showReport(s summary) error {
	heading, removed := "UPGRADED", "removed, another row keeps the token"
	if s.DryRun {
		heading, removed = "DRY RUN", "to be removed, another row keeps the token"
	}
	rows := [][]string{
		{"rows read", strconv.Itoa(s.Rows)},
		{"expired, left to TTL", strconv.Itoa(s.Expired)},
		{"without an expiry", strconv.Itoa(s.WithoutExpiry)},
		{"without the claim on their token", strconv.Itoa(s.Unclaimed)},
		{removed, strconv.Itoa(len(s.Duplicates))},
		{"unreadable, not changed", strconv.Itoa(len(s.Unreadable))},
		{"read units", strconv.FormatFloat(s.ReadUnits, 'f', -1, 64)},
		{"write units", strconv.FormatFloat(s.WriteUnits, 'f', -1, 64)},
	}
	for _, d := range s.Duplicates[:min(maxNamed, len(s.Duplicates))] {
		rows = append(rows, []string{"duplicate", named(d.Removed) + ", kept: " + named(d.Kept)})
	}
	for _, k := range s.Unreadable[:min(maxNamed, len(s.Unreadable))] {
		rows = append(rows, []string{"unreadable", named(k)})
	}
	if max(len(s.Duplicates), len(s.Unreadable)) > maxNamed {
		rows = append(rows, []string{"more", "see -o json"})
	}
	return p.show(s, []string{heading, "COUNT"}, rows)
}

func named(k keyView) string {
	return visible.ID(k.UserID) + " " + visible.ID(k.DeviceID)
}
