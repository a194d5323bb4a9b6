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

// A List is the result of [CheckUsers].
type List struct {
	Users   int
	Longest tokens.UserID // the user id that makes the longest message
}

// ErrUsers means that a list is empty, names a user twice, or has a line that is not a
// user id.
var ErrUsers = errors.New("list of users")

// CheckUsers reads a list. The error names the first line that is not a plausible user
// id, or else the first line whose user is on an earlier line too.
func CheckUsers(list io.ReaderAt) (l List, err error) {
	lines, most := readUsers(list, 0), 0
	seed := maphash.MakeSeed()
	var hashes []uint64 // eight bytes per user; a map of millions of users would need much more
	for {
		user, err := lines.next()
		switch {
		case err == io.EOF && l.Users == 0:
			return l, fmt.Errorf("%w: it is empty: write one user id per line", ErrUsers)
		case err == io.EOF:
			return l, checkDoubles(list, seed, hashes)
		case err != nil:
			return l, err
		}
		l.Users++
		hashes = append(hashes, maphash.String(seed, string(user)))
		message := expo.Message{Data: map[string]any{RecipientKey: user}}
		if n, _ := message.PayloadBytes(); n > most { // a string always encodes
			most, l.Longest = n, user
		}
	}
}

// checkDoubles returns an error that names the first line whose user is on an earlier
// line, because that user would get the message twice. Different users may have the same
// hash, so it compares the users whose hash occurs twice.
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
			return fmt.Errorf("%w: line %d: the user id is on an earlier line too: remove duplicates with sort -u", ErrUsers, lines.number)
		case candidates[maphash.String(seed, string(user))]:
			seen[user] = true
		}
	}
}

// CheckUser returns an error if user is not a plausible user id: the store would refuse
// it, or it begins or ends with a character that belongs to a file format rather than to
// an id, so that it would match no registration.
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
		return errors.New("the user id has a control character: remove it")
	case strings.ContainsFunc(s, isInvisible):
		return errors.New("the user id has an invisible character, such as a byte order mark: remove it")
	case strings.TrimSpace(s) != s:
		return errors.New("the user id begins or ends with a space: remove it")
	case strings.ContainsRune(around, first), strings.ContainsRune(around, last):
		return errors.New("the user id begins or ends with a quote, a comma or a bracket: write only the id")
	case first == '#':
		return errors.New("the user id begins with #, which the store does not allow")
	case utf8.RuneCountInString(s) > tokens.MaxUserIDLen:
		return fmt.Errorf("the user id has more than %d characters", tokens.MaxUserIDLen)
	}
	return user.Validate()
}

type userLines struct {
	reader *bufio.Reader
	offset int64 // of the next line
	number int   // of the last line; right only if reading began at offset 0
}

// readUsers reads a list from the line that begins at the offset.
func readUsers(list io.ReaderAt, offset int64) *userLines {
	const mark = "\ufeff" // the byte order mark that some editors write
	if begin := make([]byte, len(mark)); offset == 0 {
		if n, _ := list.ReadAt(begin, 0); string(begin[:n]) == mark {
			offset = int64(len(mark))
		}
	}
	section := io.NewSectionReader(list, offset, math.MaxInt64-offset)
	return &userLines{reader: bufio.NewReaderSize(section, 64<<10), offset: offset}
}

// next returns the next user and skips empty lines. The error is [io.EOF], or names the
// line.
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
