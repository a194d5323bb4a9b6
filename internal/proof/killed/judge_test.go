package killed

import (
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/tokens"
)

var (
	alice = tokens.Key{UserID: "alice", DeviceID: "phone"}
	bob   = tokens.Key{UserID: "bob", DeviceID: "phone"}
	x     = tokens.MustParseToken("ExponentPushToken[x]")
	xToo  = tokens.MustParseToken("ExpoPushToken[x]")
	y     = tokens.MustParseToken("ExponentPushToken[y]")
)

func row(key tokens.Key, token tokens.Token, status tokens.Status) tokens.Registration {
	return tokens.Registration{Key: key, Token: token, Status: status}
}

// TestJudge shows what is found in each small history, and what is not. Writes
// whose spans overlap may have happened in either order.
func TestJudge(t *testing.T) {
	const lost, unexplained = "is gone", "no write explains it"
	for _, tc := range []struct {
		name   string
		writes []write
		rows   []tokens.Registration
		want   string // a part of the one complaint; none if empty
	}{
		{name: "nothing"},
		{
			name:   "registered",
			writes: []write{{register, alice, x, 1, 2, true}},
			rows:   []tokens.Registration{row(alice, xToo, tokens.Active)},
		},
		{
			name:   "registered and lost",
			writes: []write{{register, alice, x, 1, 2, true}},
			want:   lost,
		},
		{
			name:   "lost, and a removal came before",
			writes: []write{{remove, alice, x, 1, 2, true}, {register, alice, x, 3, 4, true}},
			want:   lost,
		},
		{
			name:   "removed at the same time",
			writes: []write{{remove, alice, x, 1, 4, true}, {register, alice, x, 2, 3, true}},
		},
		{
			name:   "removed perhaps",
			writes: []write{{register, alice, x, 1, 2, true}, {removeUser, alice, x, 3, 4, false}},
		},
		{
			name:   "removed, and still there",
			writes: []write{{register, alice, x, 1, 2, true}, {remove, alice, x, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.Active)},
			want:   unexplained,
		},
		{
			name:   "registered perhaps, not stored",
			writes: []write{{register, alice, x, 1, 2, false}},
		},
		{
			name:   "registered perhaps, and stored",
			writes: []write{{register, alice, x, 1, 2, false}},
			rows:   []tokens.Registration{row(alice, x, tokens.Active)},
		},
		{
			name: "from nowhere",
			rows: []tokens.Registration{row(alice, x, tokens.Active)},
			want: unexplained,
		},
		{
			name:   "moved",
			writes: []write{{register, alice, x, 1, 2, true}, {register, bob, xToo, 3, 4, true}},
			rows:   []tokens.Registration{row(bob, x, tokens.Active)},
		},
		{
			name:   "moved, and not taken from the first",
			writes: []write{{register, alice, x, 1, 2, true}, {register, bob, x, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.Active), row(bob, x, tokens.Active)},
			want:   unexplained,
		},
		{
			name:   "another token's move takes nothing",
			writes: []write{{register, alice, x, 1, 2, true}, {register, bob, y, 3, 4, true}},
			rows:   []tokens.Registration{row(bob, y, tokens.Active)},
			want:   lost,
		},
		{
			name: "taken after a change that was not acknowledged",
			writes: []write{
				{register, alice, x, 1, 2, true},
				{register, alice, y, 3, 4, false},
				{register, bob, y, 5, 6, true},
			},
			rows: []tokens.Registration{row(bob, y, tokens.Active)},
		},
		{
			name:   "an older token is back",
			writes: []write{{register, alice, x, 1, 2, true}, {register, alice, y, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.Active)},
			want:   unexplained,
		},
		{
			name:   "a logout that is lost",
			writes: []write{{register, alice, x, 1, 2, true}, {deactivate, alice, x, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.Active)},
			want:   unexplained,
		},
		{
			name:   "a logout",
			writes: []write{{register, alice, x, 1, 2, true}, {deactivate, alice, x, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.LoggedOut)},
		},
		{
			name:   "a logout that nobody asked for",
			writes: []write{{register, alice, x, 1, 2, true}, {deactivate, bob, x, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.LoggedOut)},
			want:   unexplained,
		},
		{
			name:   "a logout before the registration",
			writes: []write{{deactivate, alice, x, 1, 2, true}, {register, alice, x, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.LoggedOut)},
			want:   unexplained,
		},
		{
			name:   "invalidated",
			writes: []write{{register, alice, x, 1, 2, true}, {invalidate, alice, xToo, 3, 4, false}},
			rows:   []tokens.Registration{row(alice, x, tokens.DeviceNotRegistered)},
		},
		{
			name:   "invalidated about another token",
			writes: []write{{register, alice, x, 1, 2, true}, {invalidate, alice, y, 3, 4, true}},
			rows:   []tokens.Registration{row(alice, x, tokens.DeviceNotRegistered)},
			want:   unexplained,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := judge(tc.writes, tc.rows)
			if tc.want == "" && got != nil || tc.want != "" && (len(got) != 1 || !strings.Contains(got[0], tc.want)) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestJudgeKilled shows that one write may be forgotten at a kill, if it was one
// of the last, and no other.
func TestJudgeKilled(t *testing.T) {
	const kill = 1000
	last := write{register, alice, x, kill - 5, kill - 2, true}
	early := write{register, alice, x, 1, 2, true}
	another := write{register, bob, y, kill - 6, kill - 3, true}
	later := write{register, alice, x, kill + 1, kill + 9, true}
	for _, tc := range []struct {
		name       string
		writes     []write
		rows       []tokens.Registration
		violations int
		forgotten  bool
	}{
		{"all there", []write{last}, []tokens.Registration{row(alice, x, tokens.Active)}, 0, false},
		{"the last is missing", []write{last}, nil, 0, true},
		{"two are missing", []write{last, another}, nil, 2, false},
		{"an early one is missing", []write{early}, nil, 1, false},
		{"one from after the kill is missing", []write{later}, nil, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			violations, forgotten := judgeKilled(tc.writes, tc.rows, kill)
			if len(violations) != tc.violations || forgotten != tc.forgotten {
				t.Errorf("got %q, %t, want %d violations, %t", violations, forgotten, tc.violations, tc.forgotten)
			}
		})
	}
}
