package sender

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

// A byte order mark, empty lines and line endings are ignored. A line that is not a
// plausible user id is refused, by its number.
func TestCheckUsers(t *testing.T) {
	long := strings.Repeat("x", tokens.MaxUserIDLen+1)
	var many strings.Builder // more than the reader's buffer
	for i := range 1000 {
		fmt.Fprintf(&many, "%0*d\n", tokens.MaxUserIDLen, i)
	}
	for _, tc := range []struct {
		list  string
		users int    // if the list is accepted
		says  string // otherwise
	}{
		{"alice", 1, ""},
		{"alice\r\n\r\nbob\r\n", 2, ""},
		{"\ufeffalice\nbob", 2, ""},
		{"alice smith\nauth0|7\nO'Neil\na,b\n\U0001f600", 5, ""},
		{many.String(), 1000, ""},

		{"", 0, "it is empty"},
		{"\ufeff", 0, "it is empty"},
		{"\n\r\n\n", 0, "it is empty"},
		{"alice\n\ufeffbob", 0, "line 2: the user id has an invisible character"},
		{"\ufeff\ufeffalice", 0, "line 1: the user id has an invisible character"},
		{"alice\n\n\"bob\"", 0, "line 3: the user id begins or ends with a quote"},
		{"'bob'", 0, "line 1: the user id begins or ends with a quote"},
		{"“bob”", 0, "quote"},
		{"alice,", 0, "comma"},
		{"[\"alice\",", 0, "bracket"},
		{"alice \nbob", 0, "line 1: the user id begins or ends with a space"},
		{" ", 0, "begins or ends with a space"},
		{"alice\u00a0", 0, "invisible"},
		{"ali\u200bce", 0, "invisible"},
		{"ali\u2028ce", 0, "invisible"},
		{"alice\tsmith", 0, "control"},
		{"alice\rbob\r", 0, "control"},
		{"alice\x7f", 0, "control"},
		{"ali\u0085ce", 0, "control"},
		{"alice\n\xff\xfe", 0, "line 2: the user id is not UTF-8"},
		{"#alice", 0, "line 1: the user id begins with #"},
		{"alice\n" + long, 0, "line 2: the user id has more than 255"},
		{"alice\nbob\ncarol\nbob\nalice", 0, "line 4: the user id is on an earlier line"},
		{"\ufeffalice\r\n\nalice", 0, "line 3: the user id is on an earlier line"},
		{"alice\nAlice\nalice2", 3, ""},
		{strings.Repeat("x", 100_000), 0, "line 1 is too long"},
	} {
		t.Run(tc.says, func(t *testing.T) {
			got, err := CheckUsers(strings.NewReader(tc.list))
			if tc.says == "" {
				if err != nil || got.Users != tc.users {
					t.Errorf("%.20q: %d users, %v", tc.list, got.Users, err)
				}
				return
			}
			if !errors.Is(err, ErrUsers) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%.20q: got %v", tc.list, err)
			}
			if strings.Contains(err.Error(), "alice") || strings.Contains(err.Error(), "bob") {
				t.Errorf("the error quotes the list: %v", err)
			}
		})
	}
	got, err := CheckUsers(strings.NewReader("alice\nbo\\\\\\b\n<b<b\nbob")) // < counts as one byte
	if diff := cmp.Diff(List{Users: 4, Longest: `bo\\\b`}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A byte order mark and empty lines are ignored during a run too, with one page or many.
func TestMarkedList(t *testing.T) {
	t.Parallel()
	for _, users := range []int{1, 2000} {
		inWorld(t, fmt.Sprint(users), func(w *world) {
			w.add(3, app, "p")
			w.users = []string{"\ufeff" + user(0) + "\r", "", user(1) + "\r", "nobody", user(2), ""}
			w.o.PageUsers = users
			w.finish(outbox.Counts{Users: 4, NoDevice: 1, Planned: 3, Accepted: 3, Delivered: 3})
		})
	}
}

func FuzzCheckUsers(f *testing.F) {
	f.Add("\ufeffalice\r\nbob\n\n\"carol\"")
	f.Add("alice\xff\n \n#")
	f.Fuzz(func(t *testing.T, list string) {
		got, err := CheckUsers(strings.NewReader(list))
		if err == nil && (got.Users == 0 || got.Longest.Validate() != nil) {
			t.Errorf("%d users, the longest of which is %q", got.Users, got.Longest)
		}
		if err != nil && !errors.Is(err, ErrUsers) {
			t.Error(err)
		}
	})
}
