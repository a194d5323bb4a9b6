// Package expo is a client of Expo's push API: it sends messages and fetches
// receipts. It does not retry and does not wait; package sender does.
//
// The rules are those of https://docs.expo.dev/push-notifications/sending-notifications/.
package expo

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// DefaultURL is where the API is.
const DefaultURL = "https://exp.host/--/api/v2/push"

// What Expo documents as the most that it takes.
const (
	MaxMessages     = 100              // in one request
	MaxReceipts     = 1000             // ids in one request
	MaxPerSecond    = 600              // notifications, for each project
	MaxPayloadBytes = 4096             // of one notification
	ReceiptDelay    = 15 * time.Minute // after which receipts should be there
	ReceiptLifetime = 24 * time.Hour   // after which they are cleared
	timeout         = 30 * time.Second // of one request, ours
	maxAnswer       = 4 << 20          // bytes, ours: a thousand receipts need a tenth
)

// The errors that a ticket or a receipt may carry and that call for something
// to be done.
const (
	DeviceNotRegistered = "DeviceNotRegistered" // stop sending to this token
	MessageRateExceeded = "MessageRateExceeded" // send to this device more slowly
)

// A Message is one notification for one device.
type Message struct {
	To      tokens.Token
	Content Content
	Data    map[string]any // what the app is given
}

// Content is what the phone shows.
type Content struct {
	Title string `json:"title,omitempty"`
	Body  string `json:"body,omitempty"`
}

// wireMessage is a Message as it goes out. It alone has the token's text.
type wireMessage struct {
	To string `json:"to"`
	Content
	Data map[string]any `json:"data,omitempty"`
}

// PayloadBytes is how long the message's payload is, which Expo bounds by
// [MaxPayloadBytes]. How Apple and Google wrap it is theirs: leave some room.
func (m Message) PayloadBytes() (int, error) {
	payload, err := json.Marshal(wireMessage{Content: m.Content, Data: m.Data})
	return len(payload), err
}

// A Ticket is Expo's answer to one message: an ID to ask for the receipt with,
// or the code of an error.
type Ticket struct{ ID, Error string }

// A Receipt says whether Apple or Google took the notification: Error is empty
// or a code.
type Receipt struct{ Error string }

// Client calls the API. It is safe for concurrent use.
type Client struct {
	URL         string       // of the API; empty means DefaultURL
	AccessToken string       // if the project requires one
	HTTP        *http.Client // nil means http.DefaultClient; each request has half a minute
}

// code is what an error's code looks like. Anything else is not passed on: the
// texts that Expo sends beside its codes quote tokens.
var code = regexp.MustCompile(`^[A-Za-z_]{1,64}$`)

func safeCode(s string) string {
	if code.MatchString(s) {
		return s
	}
	return "unknown"
}
