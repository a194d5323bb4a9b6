package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/devicetokens/devicetokens/tokens"
)

// A view is a registration as it is shown.
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

// The statuses of what is stored but is no live registration.
const (
	statusExpired    = "expired"    // Get does not find it, though it was there
	statusUnreadable = "unreadable" // it cannot be decoded
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

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// show writes v as JSON, or the rows as a table with those headings.
func (p *program) show(v any, headings []string, rows [][]string) error {
	if p.output == "json" {
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	for _, row := range append([][]string{headings}, rows...) {
		for i, cell := range row {
			row[i] = printable(cell)
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

// printable returns a cell of a table: what a terminal might obey is quoted. A
// row of an older service may have anything in it.
func printable(s string) string {
	switch {
	case s == "":
		return "-"
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.QuoteToASCII(s)
	}
	return s
}
