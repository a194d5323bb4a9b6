package tokens

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The greatest lengths of ids, in characters (Unicode code points).
const (
	MaxUserIDLen    = 255
	MaxDeviceIDLen  = 128
	MaxProjectIDLen = 64
)

// A UserID names the user of an app: 1–255 characters of valid UTF-8, none of
// them a control character, the first one not '#'. It should be opaque: as a
// key, it appears in the storage service's own logs. The zero value is invalid.
type UserID string

// A DeviceID names a device, or an installation of the app, among those of one
// user: 1–128 characters of valid UTF-8, none of them a control character. The
// zero value is invalid.
type DeviceID string

// A ProjectID names an Expo project ("@owner/slug" or its UUID): at most 64
// characters of valid UTF-8, none of them a control character. "" means that
// the app did not say. Expo refuses a batch of messages that mixes projects.
type ProjectID string

// Validate returns nil, or an [*InvalidError] with the field userId.
func (u UserID) Validate() error {
	var f faults
	f.add(FieldUserID, u.fault())
	return f.err()
}

func (u UserID) fault() Code {
	if strings.HasPrefix(string(u), "#") {
		return CodeReserved
	}
	return textFault(string(u), MaxUserIDLen)
}

// Validate returns nil, or an [*InvalidError] with the field deviceId.
func (d DeviceID) Validate() error {
	var f faults
	f.add(FieldDeviceID, d.fault())
	return f.err()
}

func (d DeviceID) fault() Code { return textFault(string(d), MaxDeviceIDLen) }

// Validate returns nil, or an [*InvalidError] with the field projectId.
func (p ProjectID) Validate() error {
	var f faults
	f.add(FieldProjectID, p.fault())
	return f.err()
}

func (p ProjectID) fault() Code {
	if p == "" {
		return ""
	}
	return textFault(string(p), MaxProjectIDLen)
}

// textFault says what is wrong with an id of at most maxLen characters, "" if
// nothing is.
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

// A Key names a [Registration]: one device of one user. It is comparable, and
// good as a map key.
type Key struct {
	UserID   UserID
	DeviceID DeviceID
}

// IsZero reports whether k is the zero Key, which is never valid.
func (k Key) IsZero() bool { return k == Key{} }

// Validate returns nil, or an [*InvalidError] with the fields userId, deviceId
// or both.
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
	var f faults
	f.add(FieldPlatform, p.fault())
	return f.err()
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
