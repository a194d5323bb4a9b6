package tokens

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Maximum lengths of ids, in characters (Unicode code points).
const (
	MaxUserIDLen    = 255
	MaxDeviceIDLen  = 128
	MaxProjectIDLen = 64
)

// A UserID identifies a user of the app: 1–255 characters of valid UTF-8 without
// control characters. The first character is not '#'. The id should be opaque,
// because it is a database key and may appear in the database's logs. The zero
// value is invalid.
type UserID string

// A DeviceID identifies a device, or an installation of the app, among the
// devices of one user: 1–128 characters of valid UTF-8 without control
// characters. The zero value is invalid.
type DeviceID string

// A ProjectID identifies an Expo project ("@owner/slug" or its UUID): at most 64
// characters of valid UTF-8 without control characters. "" means that the app
// sent none. A sender needs it because Expo rejects a request that mixes projects.
type ProjectID string

// Validate returns nil, or an [*InvalidError] with the field userId.
func (u UserID) Validate() error {
	return check(FieldUserID, u.fault())
}

func (u UserID) fault() Code {
	if strings.HasPrefix(string(u), "#") {
		return CodeReserved
	}
	return textFault(string(u), MaxUserIDLen)
}

// Validate returns nil, or an [*InvalidError] with the field deviceId.
func (d DeviceID) Validate() error {
	return check(FieldDeviceID, d.fault())
}

func (d DeviceID) fault() Code { return textFault(string(d), MaxDeviceIDLen) }

// Validate returns nil, or an [*InvalidError] with the field projectId.
func (p ProjectID) Validate() error {
	return check(FieldProjectID, p.fault())
}

func (p ProjectID) fault() Code {
	if p == "" {
		return ""
	}
	return textFault(string(p), MaxProjectIDLen)
}

func textFault(s string, maxLen int) Code {
	switch {
	case s == "":
		return CodeRequired
	case !utf8.ValidString(s):
		return CodeInvalidUTF8
	case strings.ContainsFunc(s, unicode.IsControl):
		return CodeControlCharacter
	case utf8.RuneCountInString(s) > maxLen:
		return CodeTooLong
	}
	return ""
}

// A Key identifies a [Registration]: one device of one user. It is comparable and
// can be a map key.
type Key struct {
	UserID   UserID
	DeviceID DeviceID
}

// IsZero reports whether k is the zero Key, which is never valid.
func (k Key) IsZero() bool { return k == Key{} }

// Validate returns nil, or an [*InvalidError] with userId, deviceId or both.
func (k Key) Validate() error {
	var f faults
	k.check(&f)
	return f.err()
}

func (k Key) check(f *faults) {
	f.add(FieldUserID, k.UserID.fault())
	f.add(FieldDeviceID, k.DeviceID.fault())
}

// A Platform is the operating system of a device. The zero value is invalid.
type Platform string

// The platforms that Expo delivers to.
const (
	IOS     Platform = "ios"
	Android Platform = "android"
)

// Validate returns nil, or an [*InvalidError] with the field platform.
func (p Platform) Validate() error {
	return check(FieldPlatform, p.fault())
}

func (p Platform) fault() Code {
	switch p {
	case IOS, Android:
		return ""
	case "":
		return CodeRequired
	default:
		return CodeUnknown
	}
}
