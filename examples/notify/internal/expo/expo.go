// Package expo is a client of Expo's push API: it sends messages and fetches
// receipts. It does not retry and does not wait; package sender does.
//
// The rules are those of https://docs.expo.dev/push-notifications/sending-notifications/
// and, for the codes of errors, of https://github.com/expo/expo-server-sdk-node.
package expo

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
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

// A Message is one notification for one device.
type Message struct {
	To      tokens.Token
	Content Content
	Data    map[string]any // what the app is given
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
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false) // what is escaped on the way to Expo arrives short
	err := encoder.Encode(wireMessage{Content: m.Content, Data: m.Data})
	return payload.Len() - 1, err // without the line's end
}

// Client calls the API. It is safe for concurrent use, and follows no redirect,
// which would send tokens to another host.
type Client struct {
	URL         string            // of the API, as CheckURL takes it; empty means DefaultURL
	AccessToken string            // if the project requires one
	Transport   http.RoundTripper // nil means http.DefaultTransport; each request has half a minute
}

// CheckURL reports what is wrong with the address of an API. Tokens are secret,
// so plain HTTP is for this machine alone.
func CheckURL(address string) error {
	at, err := url.Parse(address)
	switch {
	case err != nil || at.Hostname() == "" || at.Scheme != "http" && at.Scheme != "https":
		return errors.New("no URL of HTTP: use one such as " + DefaultURL)
	case at.User != nil || at.RawQuery != "" || at.Fragment != "":
		return errors.New("the URL must have no user, no query and no fragment")
	case at.Scheme == "http" && !isLoopback(at.Hostname()):
		return errors.New("push tokens are secret: use https, or http to localhost")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
