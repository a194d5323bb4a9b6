package expo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Send sends up to MaxMessages messages and returns a ticket for each, in their
// order. The error is an [*Error], matches [ErrAnswer], or is of the connection.
func (c *Client) Send(ctx context.Context, messages []Message) ([]Ticket, error) {
	wire := make([]wireMessage, len(messages))
	for i, m := range messages {
		wire[i] = wireMessage{To: m.To.Reveal(), Content: m.Content, Data: m.Data}
	}
	var answer []struct {
		outcome
		ID string `json:"id"`
	}
	if err := c.post(ctx, "send", wire, &answer); err != nil {
		return nil, err
	}
	if len(answer) != len(messages) {
		return nil, fmt.Errorf("%w: %d tickets for %d messages", ErrAnswer, len(answer), len(messages))
	}
	tickets := make([]Ticket, len(answer))
	for i, a := range answer {
		tickets[i] = Ticket{ID: a.ID, Error: a.code()}
	}
	return tickets, nil
}

// Receipts returns the receipts that there are, for up to MaxReceipts ids of
// tickets.
func (c *Client) Receipts(ctx context.Context, ids []string) (map[string]Receipt, error) {
	var answer map[string]outcome
	if err := c.post(ctx, "getReceipts", map[string][]string{"ids": ids}, &answer); err != nil {
		return nil, err
	}
	receipts := make(map[string]Receipt, len(answer))
	for id, o := range answer {
		receipts[id] = Receipt{Error: o.code()}
	}
	return receipts, nil
}

// outcome is what tickets and receipts have in common.
type outcome struct {
	Status  string          `json:"status"`
	Details json.RawMessage `json:"details"` // an object where it is documented
}

func (o outcome) code() string {
	if o.Status == "ok" {
		return ""
	}
	var details struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(o.Details, &details) // without one the code is unknown
	return safeCode(details.Error)
}

// post makes one request and decodes the "data" of its answer.
func (c *Client) post(ctx context.Context, path string, request, data any) error {
	body, err := compressed(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	base := c.URL
	if base == "" {
		base = DefaultURL
	}
	at, err := url.JoinPath(base, path)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, body)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	if c.AccessToken != "" {
		req.Header.Set("Authorization", "Bearer "+c.AccessToken)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode != http.StatusOK:
		return refusal(resp, text)
	case err != nil:
		return err
	}
	if err := json.Unmarshal(text, &struct {
		Data any `json:"data"`
	}{data}); err != nil {
		return fmt.Errorf("%w: not the JSON expected", ErrAnswer) // err may quote the answer
	}
	return nil
}

func compressed(request any) (*bytes.Buffer, error) {
	body := new(bytes.Buffer)
	zip := gzip.NewWriter(body)
	if err := json.NewEncoder(zip).Encode(request); err != nil {
		return nil, err
	}
	return body, zip.Close()
}
