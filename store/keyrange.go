package store

import (
	"encoding/base64"
	"encoding/json"

	"github.com/devicetokens/devicetokens/tokens"
)

// A KeyRange is the remaining part of a walk, for implementations of [Walker] that
// return keys in order: by user id, then by device id (bytes). The zero KeyRange
// contains every key.
type KeyRange struct {
	// After is the last key before the range. With a zero DeviceID, the range
	// begins with the user's first device.
	After tokens.Key
	// Until is the first user after the range. "" means that the range ends at the
	// end of the store.
	Until tokens.UserID
}

// Contains reports whether the key is in the range.
func (k KeyRange) Contains(key tokens.Key) bool {
	if k.Until != "" && key.UserID >= k.Until {
		return false
	}
	return key.UserID > k.After.UserID || key.UserID == k.After.UserID && key.DeviceID > k.After.DeviceID
}

// Cursor encodes the range. [ParseCursor] decodes it.
func (k KeyRange) Cursor() Cursor {
	if k == (KeyRange{}) {
		return ""
	}
	text, err := json.Marshal([3]string{string(k.After.UserID), string(k.After.DeviceID), string(k.Until)})
	if err != nil {
		panic(err) // strings always encode
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(text))
}

// ParseCursor decodes the range that [KeyRange.Cursor] encoded. The error is a
// [*tokens.InvalidError] with the field cursor. It does not contain c.
func ParseCursor(c Cursor) (KeyRange, error) {
	if c == "" {
		return KeyRange{}, nil
	}
	var parts [3]string
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	k := KeyRange{
		After: tokens.Key{UserID: tokens.UserID(parts[0]), DeviceID: tokens.DeviceID(parts[1])},
		Until: tokens.UserID(parts[2]),
	}
	if err != nil || k.Cursor() != c {
		return KeyRange{}, &tokens.InvalidError{Fields: []tokens.FieldError{{Field: FieldCursor, Code: tokens.CodeMalformed}}}
	}
	return k, nil
}
