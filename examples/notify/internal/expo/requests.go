package expo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
)

// Send sends up to MaxMessages messages and returns a ticket for each, in the same
// order. The error is an [*Error], matches [ErrTickets] or [ErrAnswer], or is an error
// of the connection.
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

// Receipts returns the receipts for up to MaxReceipts ids of tickets. Ids without a
// receipt are not in the map. The error is an [*Error], matches [ErrAnswer], or is an
// error of the connection.
func (c *Client) Receipts(ctx context.Context, ids []string) (map[string]Receipt, error) {
	answer, resp, err := c.post(ctx, "getReceipts", map[string][]string{"ids": ids})
	if err != nil {
		return nil, err
	}
	return answer.receipts(resp, ids)
}

// post makes one request and reads the answer if its status is 200.
func (c *Client) post(ctx context.Context, path string, request any) (answer, *http.Response, error) {
	body, err := compressed(request)
	if err != nil {
		return answer{}, nil, err
	}
	base := c.URL
	if base == "" {
		base = DefaultURL
	}
	at, err := url.JoinPath(base, path)
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

func compressed(request any) (*bytes.Buffer, error) {
	body := new(bytes.Buffer)
	zip := gzip.NewWriter(body)
	if err := json.NewEncoder(zip).Encode(request); err != nil {
		return nil, err
	}
	return body, zip.Close()
}
