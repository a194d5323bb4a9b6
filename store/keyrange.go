package store

import (
	"encoding/base64"
	"encoding/json"

	"github.com/devicetokens/devicetokens/tokens"
)

// A KeyRange is the part of a walk that is left, for a [Walker] that walks its
// keys in order: by user id, then by device id (bytes). The zero KeyRange is
// everything.
type KeyRange struct {
	// After is the key after which the range begins. A zero DeviceID means
	// before the user's first device.
	After tokens.Key
	// Until is the user before whose first device the range ends; "" means at
	// the end of the store.
	Until tokens.UserID
}

// Contains reports whether the range has the key.
func (k KeyRange) Contains(key tokens.Key) bool {
	if k.Until != "" && key.UserID >= k.Until {
		return false
	}
	return key.UserID > k.After.UserID || key.UserID == k.After.UserID && key.DeviceID > k.After.DeviceID
}

// Cursor returns the cursor that [ParseCursor] reads.
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

// ParseCursor returns the range whose cursor is c. The error is a
// [*tokens.InvalidError] with the field cursor, and does not contain c.
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
