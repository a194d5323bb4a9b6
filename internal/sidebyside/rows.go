package sidebyside

import (
	"context"
	"strconv"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/tokens"
)

// sameRows compares the registration under each key in both stores, and the result of
// Holder for each token.
func (m *machine) sameRows(t *rapid.T) {
	ctx := context.Background()
	want := map[tokens.Key]map[string]string{}
	for _, user := range users[:len(users)-1] {
		for _, device := range devices[:len(devices)-1] {
			key := tokens.Key{UserID: user, DeviceID: device}
			reg, err := m.model.Get(ctx, key)
			if err == nil {
				want[key] = Row(reg)
			}
			m.sameAnswer(t, "Get", reg, err, func() (tokens.Registration, error) { return m.real.Get(ctx, key) })
		}
	}
	if diff := gocmp.Diff(want, m.subject.Rows(m.now)); diff != "" {
		t.Fatalf("rows (-memstore +other):\n%s", diff)
	}
	total.Rows += len(want)
	for n := range tokenCount {
		reg, err := m.model.Holder(ctx, spelled(n, 0).Hash())
		m.sameAnswer(t, "Holder", reg, err, func() (tokens.Registration, error) { return m.real.Holder(ctx, spelled(n, 1).Hash()) })
	}
	total.Sequences++
}

func (m *machine) sameAnswer(t *rapid.T, what string, want tokens.Registration, wantErr error, call func() (tokens.Registration, error)) {
	got, err := call()
	if diff := gocmp.Diff(describe(wantErr), describe(err)); diff != "" {
		t.Fatalf("%s in the end: error (-want +got):\n%s", what, diff)
	}
	if diff := gocmp.Diff(want, got, exactly); diff != "" {
		t.Fatalf("%s in the end (-want +got):\n%s", what, diff)
	}
	total.Compared++
}

// Row returns a registration as attributes. It has the token's hash instead of the token,
// because a difference is printed.
func Row(r tokens.Registration) map[string]string {
	const milliseconds = "2006-01-02T15:04:05.000Z07:00"
	want := map[string]string{
		"expoPushToken": r.Token.String(), "spelling": shape(r.Token), "platform": string(r.Platform),
		"registeredAt": r.RegisteredAt.UTC().Format(milliseconds), "updatedAt": r.UpdatedAt.UTC().Format(milliseconds),
		"isActive": strconv.FormatBool(r.Active()), "expiresAt": strconv.FormatInt(r.ExpiresAt.Unix(), 10),
	}
	if r.ProjectID != "" {
		want["projectId"] = string(r.ProjectID)
	}
	if !r.Active() {
		want["inactiveReason"] = string(r.Status)
	}
	return want
}

// shape returns the kind of spelling of a token.
func shape(t tokens.Token) string {
	before, _, bracketed := strings.Cut(t.Reveal(), "[")
	if !bracketed {
		return "bare"
	}
	return before
}
