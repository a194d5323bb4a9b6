package sender

import (
	"bufio"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/tokens"
)

// A List is what [CheckUsers] found.
type List struct {
	Users   int
	Longest tokens.UserID // the one that makes a message longest
}

// ErrUsers says that a list has a line that is no user id, a user twice, or no users.
var ErrUsers = errors.New("list of users")

// CheckUsers reads a list, and returns an error that names the first line which is
// no plausible id of a user, or else the first whose user is on an earlier one.
func CheckUsers(list io.ReaderAt) (l List, err error) {
	lines, most := readUsers(list, 0), 0
	seed := maphash.MakeSeed()
	var hashes []uint64 // eight bytes a user, where a map of millions would take many times that
	for {
		user, err := lines.next()
		switch {
		case err == io.EOF && l.Users == 0:
			return l, fmt.Errorf("%w: it has no user id", ErrUsers)
		case err == io.EOF:
			return l, checkDoubles(list, seed, hashes)
		case err != nil:
			return l, err
		}
		l.Users++
		hashes = append(hashes, maphash.String(seed, string(user)))
		message := expo.Message{Data: map[string]any{RecipientKey: user}}
		if n, _ := message.PayloadBytes(); n > most { // a string is no error
			most, l.Longest = n, user
		}
	}
}

// checkDoubles returns an error that names the first line whose user is on an
// earlier one. That user would get the message twice. Different users may have the
// same hash, so those with one that is there twice are compared.
func checkDoubles(list io.ReaderAt, seed maphash.Seed, hashes []uint64) error {
	slices.Sort(hashes)
	candidates := map[uint64]bool{}
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			candidates[hashes[i]] = true
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	lines, seen := readUsers(list, 0), map[tokens.UserID]bool{}
	for {
		user, err := lines.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case seen[user]:
			return fmt.Errorf("%w: line %d: the user id is on an earlier line too: name each user once, as sort -u does", ErrUsers, lines.number)
		case candidates[maphash.String(seed, string(user))]:
			seen[user] = true
		}
	}
}

// CheckUser reports why user is no plausible id. The store refuses it, or it has
// something at its ends that does not belong to an id, so that it would match no
// registration.
func CheckUser(user tokens.UserID) error {
	s := string(user)
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	const around = "\"'`“”„‘’‚«»‹›,;[]{}"
	isInvisible := func(r rune) bool { return r != ' ' && (unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)) }
	switch {
	case !utf8.ValidString(s):
		return errors.New("the user id is not UTF-8: save the list as UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("the user id has a control character")
	case strings.ContainsFunc(s, isInvisible):
		return errors.New("the user id has an invisible character, such as a byte order mark")
	case strings.TrimSpace(s) != s:
		return errors.New("the user id begins or ends with a space")
	case strings.ContainsRune(around, first), strings.ContainsRune(around, last):
		return errors.New("the user id begins or ends with a quote, a comma or a bracket: write the ids alone")
	case first == '#':
		return errors.New("the user id begins with #, which no user's does")
	case utf8.RuneCountInString(s) > tokens.MaxUserIDLen:
		return fmt.Errorf("the user id has more than %d characters", tokens.MaxUserIDLen)
	}
	return user.Validate()
}

// userLines reads a list line by line.
type userLines struct {
	reader *bufio.Reader
	offset int64 // of the next line
	number int   // of the last line, if it was read from the beginning
}

// readUsers reads a list from a line that begins at the offset.
func readUsers(list io.ReaderAt, offset int64) *userLines {
	const mark = "\ufeff" // which some editors begin a file with
	if begin := make([]byte, len(mark)); offset == 0 {
		if n, _ := list.ReadAt(begin, 0); string(begin[:n]) == mark {
			offset = int64(len(mark))
		}
	}
	section := io.NewSectionReader(list, offset, math.MaxInt64-offset)
	return &userLines{reader: bufio.NewReaderSize(section, 64<<10), offset: offset}
}

// next returns the next user. Empty lines are left out. The error is [io.EOF], or
// names the line.
func (l *userLines) next() (tokens.UserID, error) {
	for {
		line, err := l.reader.ReadSlice('\n')
		l.offset += int64(len(line))
		l.number++
		switch user := tokens.UserID(strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")); {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", fmt.Errorf("%w: line %d is too long for a user id", ErrUsers, l.number)
		case err != nil && err != io.EOF:
			return "", fmt.Errorf("read the list of users: %w", err)
		case user != "":
			if err := CheckUser(user); err != nil {
				return "", fmt.Errorf("%w: line %d: %w", ErrUsers, l.number, err)
			}
			return user, nil
		case err == io.EOF:
			return "", io.EOF
		}
	}
}
