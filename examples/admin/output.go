package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A view is a registration in the format of the output.
type view struct {
	UserID       string `json:"userId"`
	DeviceID     string `json:"deviceId"`
	Status       string `json:"status"`
	Platform     string `json:"platform,omitempty"`
	ProjectID    string `json:"projectId,omitempty"`
	RegisteredAt string `json:"registeredAt,omitempty"`
	UpdatedAt    string `json:"updatedAt,omitempty"`
	ExpiresAt    string `json:"expiresAt,omitempty"`
	Token        string `json:"token,omitempty"`
}

// The statuses of records that are not live registrations.
const (
	statusExpired    = "expired"    // still stored
	statusUnreadable = "unreadable" // cannot be decoded
)

func (p *program) viewOf(r tokens.Registration) view {
	v := view{
		UserID: string(r.Key.UserID), DeviceID: string(r.Key.DeviceID), Status: string(r.Status),
		Platform: string(r.Platform), ProjectID: string(r.ProjectID),
		RegisteredAt: timeText(r.RegisteredAt), UpdatedAt: timeText(r.UpdatedAt), ExpiresAt: timeText(r.ExpiresAt),
		Token: r.Token.String(),
	}
	if p.reveal {
		v.Token = r.Token.Reveal()
	}
	return v
}

// recordView returns the view of a record at now.
func (p *program) recordView(r store.Record, now time.Time) view {
	if r.Err != nil {
		return view{UserID: string(r.Key.UserID), DeviceID: string(r.Key.DeviceID), Status: statusUnreadable}
	}
	v := p.viewOf(r.Registration)
	v.Status = statusOf(r, now)
	return v
}

// statusOf returns the status of a record in the output.
func statusOf(r store.Record, now time.Time) string {
	switch {
	case r.Err != nil:
		return statusUnreadable
	case r.Registration.Expired(now):
		return statusExpired
	}
	return string(r.Registration.Status)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// show writes v as JSON, or the rows as a table with headings.
func (p *program) show(v any, headings []string, rows [][]string) error {
	if p.output == "json" {
		text, err := marshal(v)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		_ = json.Indent(&b, text, "", "  ") // text is valid JSON
		b.WriteByte('\n')
		_, err = p.out.Write(b.Bytes())
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	for _, row := range append([][]string{headings}, rows...) {
		for i, cell := range row {
			row[i] = visible.ID(cell)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

func (p *program) showViews(v any, views ...view) error {
	var rows [][]string
	for _, v := range views {
		rows = append(rows, []string{v.UserID, v.DeviceID, v.Status, v.Platform, v.ProjectID, v.RegisteredAt, v.UpdatedAt, v.ExpiresAt, v.Token})
	}
	return p.show(v, []string{"USER", "DEVICE", "STATUS", "PLATFORM", "PROJECT", "REGISTERED", "UPDATED", "EXPIRES", "TOKEN"}, rows)
}
