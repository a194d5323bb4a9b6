package memory

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Workload says how many registrations a store holds, and how many of them
// each user has. The ids are UUIDs and the tokens as long as Expo's, all of them
// random. Each request has strings of its own, as one has that came in over HTTP:
// two that share theirs would be found equal without a look at them.
type Workload struct {
	Registrations int
	Devices       int // of each user, at most store.DefaultMaxDevices
}

// What is derived from a number, each a sequence of its own.
const (
	userIDs = iota
	otherUserIDs
	deviceIDs
	pushTokens
	otherPushTokens
)

// Request is the i-th registration.
func (w Workload) Request(i int) tokens.Request {
	return tokens.Request{
		Key:       tokens.Key{UserID: tokens.UserID(uuid(userIDs, i/w.Devices)), DeviceID: tokens.DeviceID(uuid(deviceIDs, i))},
		Token:     token(pushTokens, i),
		Platform:  tokens.IOS,
		ProjectID: tokens.ProjectID(strings.Clone("0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e")),
	}
}

// moved is the i-th registration after its phone changed hands. Who had phones
// together before has them together again.
func (w Workload) moved(i int) tokens.Request {
	req := w.Request(i)
	req.Key.UserID = tokens.UserID(uuid(otherUserIDs, i/w.Devices))
	return req
}

// replaced is the i-th registration after its app was installed anew.
func (w Workload) replaced(i int) tokens.Request {
	req := w.Request(i)
	req.Token = token(otherPushTokens, i)
	return req
}

// scattered returns the n-th registration of an order that goes all over them,
// and over each of them once before it begins again.
func (w Workload) scattered(n int) int {
	const prime = 7_919
	return n * prime % w.Registrations
}

func uuid(sequence, i int) string {
	digits := hexadecimal(sequence, i)
	digits[12], digits[16] = '4', '8' // version and variant
	return string(slices.Concat(digits[:8], dash, digits[8:12], dash, digits[12:16], dash, digits[16:20], dash, digits[20:]))
}

var dash = []byte("-")

func token(sequence, i int) tokens.Token {
	return tokens.MustParseToken("ExponentPushToken[" + string(hexadecimal(sequence, i)[:22]) + "]")
}

func hexadecimal(sequence, i int) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), random(sequence, 2*i))
	b = binary.BigEndian.AppendUint64(b, random(sequence, 2*i+1))
	return hex.AppendEncode(make([]byte, 0, 32), b)
}

// random is the i-th number of a sequence: SplitMix64, which repeats none within
// a sequence and is the same in every run.
func random(sequence, i int) uint64 {
	x := uint64(sequence)<<56 + uint64(i+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
