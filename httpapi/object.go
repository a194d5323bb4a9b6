package httpapi

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/devicetokens/devicetokens/internal/jsontext"
)

// A member is one of the declared members of a JSON object, all of them strings.
type member struct {
	name  string
	value string // "" if it was not there
	seen  bool
}

// parseObject reads a JSON object (RFC 8259) whose members are among the given
// ones, each of them at most once, into their values. It is stricter than
// encoding/json, which takes DEVICEID for deviceId, the last of two members of
// one name, null for a string, and U+FFFD for what is no character.
//
// The error is a *problem: that data is no JSON text before anything else, and
// otherwise the first thing in it that is not as declared.
func parseObject(data []byte, members []member) error {
	if !utf8.Valid(data) {
		return invalidUTF8
	}
	s := scanner{data: data}
	if p := s.object(members); p != nil {
		// The scanner stopped early; what it did not see may not be JSON.
		if p != trailingData && !json.Valid(data) {
			return invalidJSON
		}
		return p
	}
	return nil
}

// A scanner goes through a JSON text once, without recursion: whatever could
// nest is refused where it begins.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) object(members []member) *problem {
	if !s.take('{') {
		return notAnObject
	}
	for more := !s.take('}'); more; {
		name, p := s.text()
		if p != nil {
			return p
		}
		if !s.take(':') {
			return invalidJSON
		}
		m := find(members, name)
		switch {
		case m == nil:
			return unknownMember
		case m.seen:
			return duplicateMember.at(m.name)
		}
		m.seen = true
		switch s.next() {
		case '"':
		case '{', '[':
			return nestedValue.at(m.name)
		default:
			return wrongType.at(m.name)
		}
		value, p := s.text()
		if p != nil {
			return p.at(m.name)
		}
		m.value = string(value)
		switch {
		case s.take(','):
		case s.take('}'):
			more = false
		default:
			return invalidJSON
		}
	}
	if s.next(); s.pos < len(s.data) {
		return trailingData
	}
	return nil
}

// find compares names byte by byte. Two spellings of a name with and without
// escapes are the same name.
func find(members []member, name []byte) *member {
	for i := range members {
		if members[i].name == string(name) {
			return &members[i]
		}
	}
	return nil
}

// next returns the next character that is no white space, 0 at the end.
func (s *scanner) next() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.pos++
	return true
}

// text returns what the next string says.
func (s *scanner) text() ([]byte, *problem) {
	if !s.take('"') {
		return nil, invalidJSON
	}
	start, escaped := s.pos, false
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			inner := s.data[start:s.pos]
			s.pos++
			if escaped {
				return unescape(s.data[start-1 : s.pos])
			}
			return inner, nil
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return nil, invalidJSON
		}
	}
	return nil, invalidJSON
}

// unescape decodes a string in its quotes.
func unescape(quoted []byte) ([]byte, *problem) {
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return nil, invalidJSON
	}
	if jsontext.HasLoneSurrogate(quoted) {
		return nil, loneSurrogate
	}
	return []byte(text), nil
}
