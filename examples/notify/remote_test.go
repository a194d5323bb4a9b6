package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// registryURL makes the test binary run as the program. The registry is in the test's
// process, so it survives when the program is killed.
const registryURL = "NOTIFY_TEST_REGISTRY"

func TestMain(m *testing.M) {
	at := os.Getenv(registryURL)
	if at == "" {
		os.Exit(m.Run())
	}
	c, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	c.registry = remote{at, &http.Client{Transport: transport}}
	if err := start(context.Background(), c, slog.New(slog.NewTextHandler(os.Stderr, nil)), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A wireRegistration is a registration as the two processes exchange it.
type wireRegistration struct {
	Key     tokens.Key
	Token   string
	Project tokens.ProjectID
	Status  tokens.Status
}

// serveRegistry serves the registry in the test's process.
func serveRegistry(s store.Store) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, registrations []tokens.Registration, err error) {
		if err != nil {
			http.Error(w, "no", http.StatusNotFound)
			return
		}
		all := make([]wireRegistration, len(registrations))
		for i, r := range registrations {
			all[i] = wireRegistration{r.Key, r.Token.Reveal(), r.ProjectID, r.Status}
		}
		_ = json.NewEncoder(w).Encode(all)
	}
	mux.HandleFunc("/list", func(w http.ResponseWriter, r *http.Request) {
		all, err := s.List(r.Context(), tokens.UserID(r.FormValue("u")))
		answer(w, all, err)
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		one, err := s.Get(r.Context(), tokens.Key{UserID: tokens.UserID(r.FormValue("u")), DeviceID: tokens.DeviceID(r.FormValue("d"))})
		answer(w, []tokens.Registration{one}, err)
	})
	mux.HandleFunc("/invalidate", func(w http.ResponseWriter, r *http.Request) {
		var call invalidation
		err := json.NewDecoder(r.Body).Decode(&call)
		if err == nil {
			err = s.Invalidate(r.Context(), call.Key, call.Hash, call.SentAt)
		}
		answer(w, nil, err)
	})
	return mux
}

type invalidation struct {
	Key    tokens.Key
	Hash   tokens.Hash
	SentAt time.Time
}

// remote is the registry in the program's process.
type remote struct {
	url    string
	client *http.Client
}

var _ sender.Registry = remote{}

func (r remote) call(ctx context.Context, path string, query url.Values, body []byte) ([]tokens.Registration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, resp.Body)
		return nil, store.ErrNotFound
	}
	var all []wireRegistration
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		return nil, err
	}
	registrations := make([]tokens.Registration, len(all))
	for i, one := range all {
		registrations[i] = tokens.Registration{
			Key: one.Key, Token: tokens.MustParseToken(one.Token), ProjectID: one.Project, Status: one.Status,
		}
	}
	return registrations, nil
}

func (r remote) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	return r.call(ctx, "/list", url.Values{"u": {string(user)}}, nil)
}

func (r remote) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	all, err := r.call(ctx, "/get", url.Values{"u": {string(key.UserID)}, "d": {string(key.DeviceID)}}, nil)
	if err != nil {
		return tokens.Registration{}, err
	}
	return all[0], nil
}

func (r remote) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	body, err := json.Marshal(invalidation{key, h, sentAt})
	if err != nil {
		return err
	}
	_, err = r.call(ctx, "/invalidate", nil, body)
	return err
}
