// Package expo is a client of Expo's push API. It sends messages and fetches receipts.
// It neither retries nor waits; package sender does both.
//
// The message format and the limits are documented at
// https://docs.expo.dev/push-notifications/sending-notifications/, the error codes
// there and in https://github.com/expo/expo-server-sdk-node.
package expo

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
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

// Send sends up to MaxMessages messages and returns a ticket for each, in the same
// order. The error is an [*Error], matches [ErrTickets] or [ErrAnswer], or is one of the
// connection.
func (c *Client) Send(ctx context.Context, messages []Message) ([]Ticket, error) {
	wire := make([]wireMessage, len(messages))
	for i, m := range messages {
		wire[i] = wireMessage{To: m.To.Reveal(), Content: m.Content, Data: m.Data}
	}
	answer, resp, err := c.post(ctx, "send", wire)
	if err != nil {
		return nil, err
	}
	return answer.tickets(resp, len(messages))
}

// Receipts returns the receipts for up to MaxReceipts ids of tickets, without ids that
// have none. The error is an [*Error], matches [ErrAnswer], or is one of the connection.
func (c *Client) Receipts(ctx context.Context, ids []string) (map[string]Receipt, error) {
	answer, resp, err := c.post(ctx, "getReceipts", map[string][]string{"ids": ids})
	if err != nil {
		return nil, err
	}
	return answer.receipts(resp, ids)
}

func (c *Client) post(ctx context.Context, path string, request any) (answer, *http.Response, error) {
	body, err := compressed(request)
	if err != nil {
		return answer{}, nil, err
	}
	at, err := url.JoinPath(cmp.Or(c.URL, DefaultURL), path)
	if err != nil {
		return answer{}, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, body)
	if err != nil {
		return answer{}, nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	if c.AccessToken != "" {
		req.Header.Set("Authorization", "Bearer "+c.AccessToken)
	}
	client := http.Client{
		Transport: c.Transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode >= 300:
		return answer{}, nil, refusal(resp, object(text)["errors"])
	case err != nil:
		return answer{}, nil, err
	}
	read, isObject := readAnswer(text)
	if !isObject || resp.StatusCode != http.StatusOK {
		return answer{}, nil, ErrAnswer
	}
	return read, resp, nil
}

// zippers are reused, because a new one allocates most of a megabyte.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func compressed(request any) (*bytes.Buffer, error) {
	body := new(bytes.Buffer)
	zipper := zippers.Get().(*gzip.Writer)
	defer zippers.Put(zipper)
	zipper.Reset(body)
	if err := json.NewEncoder(zipper).Encode(request); err != nil {
		return nil, err
	}
	return body, zipper.Close()
}
