// Package expo is a client of Expo's push API. It sends messages and fetches receipts.
// It neither retries nor waits; package sender does both.
//
// The message format and the limits are documented at
// https://docs.expo.dev/push-notifications/sending-notifications/, the error codes
// there and in https://github.com/expo/expo-server-sdk-node.
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

// DefaultURL is the address of the API.
const DefaultURL = "https://exp.host/--/api/v2/push"

// Limits that Expo documents, and the client's own.
const (
	MaxMessages     = 100              // in one request
	MaxReceipts     = 1000             // ids in one request
	MaxPerSecond    = 600              // notifications per project
	MaxPayloadBytes = 4096             // bytes of one notification
	ReceiptDelay    = 15 * time.Minute // after which receipts should exist
	ReceiptLifetime = 24 * time.Hour   // after which Expo deletes them
	timeout         = 30 * time.Second // of one request; the client's own
	maxAnswer       = 4 << 20          // bytes; the client's own: a thousand receipts need a tenth
)

// A Message is one notification for one device.
type Message struct {
	To      tokens.Token
	Content Content
	Data    map[string]any // for the app
}

// wireMessage is a Message as it is sent. Only this type holds the token's text.
type wireMessage struct {
	To string `json:"to"`
	Content
	Data map[string]any `json:"data,omitempty"`
}

// PayloadBytes returns the length of the message's payload, which Expo limits to
// [MaxPayloadBytes]. Apple and Google add their own wrapping, so leave some room.
func (m Message) PayloadBytes() (int, error) {
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false) // Expo counts the unescaped text
	err := encoder.Encode(wireMessage{Content: m.Content, Data: m.Data})
	return payload.Len() - 1, err // without the newline
}

// Client calls the API. It is safe for concurrent use. It does not follow redirects,
// because they would send tokens to another host.
type Client struct {
	URL         string            // of the API, valid by CheckURL; empty means DefaultURL
	AccessToken string            // sent if it is set; some projects require one
	Transport   http.RoundTripper // nil means http.DefaultTransport; a request has 30 seconds
}

// CheckURL returns an error if the address of the API cannot be used. Tokens are
// secret, so it accepts plain HTTP for loopback addresses only.
func CheckURL(address string) error {
	at, err := url.Parse(address)
	switch {
	case err != nil || at.Hostname() == "" || at.Scheme != "http" && at.Scheme != "https":
		return errors.New("not an http or https URL: use one such as " + DefaultURL)
	case at.User != nil || at.RawQuery != "" || at.Fragment != "":
		return errors.New("the URL has a user, a query or a fragment: remove it")
	case at.Scheme == "http" && !isLoopback(at.Hostname()):
		return errors.New("push tokens are secret: use https, or http to localhost")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
