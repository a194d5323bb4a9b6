package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tsenart/vegeta/v12/lib"

	"github.com/devicetokens/devicetokens/store"
)

// The good clients: each user has two devices, each with a token of its own, and
// shares a third one with the next user, which changes hands.
const (
	goodUsers = 2000
	path      = "/v1/device-tokens"
)

func userName(user int) string { return fmt.Sprintf("user-%04d", user) }

// device is the name of one of a user's own devices, 0 or 1. It tells whose it
// is, so that a list that has somebody else's shows.
func device(user, n int) string { return fmt.Sprintf("%s-phone-%d", userName(user), n) }

// shared is the token of a device that user and the other of its pair share.
func shared(user int) string { return fmt.Sprintf("ExponentPushToken[shared-%04d]", user/2) }

func sharedDevice(user int) string { return userName(user) + "-shared" }

func registration(device, token string) []byte {
	body, err := json.Marshal(map[string]string{"deviceId": device, "expoPushToken": token, "platform": "ios"})
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return body
}

func ownToken(user, n int) string { return fmt.Sprintf("ExponentPushToken[own-%04d-%d]", user, n) }

// header of a request whose answer can be told by its id: what was asked, and by
// whom. The server gives the id back.
func header(user, what string, seq uint64) http.Header {
	return http.Header{
		"Authorization": {"Bearer " + user},
		"Content-Type":  {"application/json"},
		"X-Request-Id":  {what + "." + user + "." + strconv.FormatUint(seq, 10)},
	}
}

// goodTargets gives good clients something to do, in fixed shares: mostly apps
// that start, as it is in life. It is safe for concurrent use.
func goodTargets(url string) vegeta.Targeter {
	var n atomic.Uint64
	return func(t *vegeta.Target) error {
		i := n.Add(1)
		user := int(i * 7919 % goodUsers) // a prime, so that neighbours in time are none in the table
		switch kind := i % 20; {
		case kind < 15:
			d := int(i / goodUsers % 2)
			*t = vegeta.Target{Method: http.MethodPost, URL: url + path, Header: header(userName(user), "refresh", i),
				Body: registration(device(user, d), ownToken(user, d))}
		case kind < 18:
			*t = vegeta.Target{Method: http.MethodGet, URL: url + path, Header: header(userName(user), "list", i)}
		case kind < 19:
			*t = vegeta.Target{Method: http.MethodPost, URL: url + path, Header: header(userName(user), "move", i),
				Body: registration(sharedDevice(user), shared(user))}
		default:
			*t = vegeta.Target{Method: http.MethodDelete, URL: url + path + "?deviceId=" + device(user, 0), Header: header(userName(user), "logout", i)}
		}
		return nil
	}
}

// checkGood says what is wrong with the answer to a good client; "" if nothing is.
func checkGood(r *vegeta.Result) string {
	what, rest, _ := strings.Cut(r.Headers.Get("X-Request-Id"), ".")
	user, _, _ := strings.Cut(rest, ".")
	if r.Error != "" && r.Code < 400 {
		return "no answer: " + r.Error
	}
	right := map[string][]uint16{
		"refresh": {http.StatusOK, http.StatusCreated},
		"move":    {http.StatusOK, http.StatusCreated},
		"list":    {http.StatusOK},
		"logout":  {http.StatusNoContent},
	}[what]
	if !slices.Contains(right, r.Code) {
		return fmt.Sprintf("%s %s answered with %d", r.Method, what, r.Code)
	}
	if what != "list" {
		return ""
	}
	devices, err := listed(r.Body)
	if err != nil {
		return "list: " + err.Error()
	}
	for _, d := range devices {
		if !strings.HasPrefix(d, user+"-") {
			return "list: it has somebody else's device"
		}
	}
	return ""
}

// listed returns the device ids of a list.
func listed(body []byte) ([]string, error) {
	var list struct {
		DeviceTokens []struct {
			DeviceID string `json:"deviceId"`
		} `json:"deviceTokens"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	var devices []string
	for _, d := range list.DeviceTokens {
		devices = append(devices, d.DeviceID)
	}
	return devices, nil
}

// A phase is what good clients saw in a part of the run.
type phase struct {
	name      string
	latencies []time.Duration // sorted
	wrong     int
	firsts    []string // the first few of what was wrong
}

// attack runs good clients at a fixed rate for a while. A late answer delays no
// later request.
func attack(client *http.Client, targets vegeta.Targeter, name string, rate int, d time.Duration) *phase {
	p := &phase{name: name}
	attacker := vegeta.NewAttacker(vegeta.Client(client))
	for r := range attacker.Attack(targets, vegeta.Rate{Freq: rate, Per: time.Second}, d, name) {
		p.latencies = append(p.latencies, r.Latency)
		if problem := checkGood(r); problem != "" {
			p.wrong++
			if len(p.firsts) < 5 {
				p.firsts = append(p.firsts, problem)
			}
		}
	}
	slices.Sort(p.latencies)
	return p
}

// quantile returns the latency that a share q of the requests stayed within.
func (p *phase) quantile(q float64) time.Duration {
	if len(p.latencies) == 0 {
		return 0
	}
	return p.latencies[min(int(q*float64(len(p.latencies))), len(p.latencies)-1)]
}

// settle registers each user's own devices, and the shared one for the even
// users and then for the odd ones. It returns what is wrong with the lists then:
// each user has to have their own two, and of each pair the odd one the shared.
func settle(ctx context.Context, client *http.Client, url string) (wrong []string, err error) {
	for user := range goodUsers {
		for d := range 2 {
			if err := register(ctx, client, url, userName(user), device(user, d), ownToken(user, d)); err != nil {
				return nil, err
			}
		}
		if err := register(ctx, client, url, userName(user), sharedDevice(user), shared(user)); err != nil {
			return nil, err
		}
	}
	for user := range goodUsers {
		body, err := do(ctx, client, http.MethodGet, url, userName(user), nil)
		if err != nil {
			return nil, err
		}
		got, err := listed(body)
		if err != nil {
			return nil, err
		}
		want := []string{device(user, 0), device(user, 1)}
		if user%2 == 1 {
			want = append(want, sharedDevice(user))
		}
		if !slices.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s has %q, want %q", userName(user), got, want))
		}
	}
	return wrong, nil
}

// fillList registers as many devices as one user may have, with ids as long as
// they may be, for the misuse that wants long answers.
func fillList(ctx context.Context, client *http.Client, url string) error {
	for d := range store.DefaultMaxDevices {
		id := fmt.Sprintf("%0128d", d)
		if err := register(ctx, client, url, "hoarder", id, fmt.Sprintf("ExponentPushToken[hoard-%d]", d)); err != nil {
			return err
		}
	}
	return nil
}

func register(ctx context.Context, client *http.Client, url, user, device, token string) error {
	_, err := do(ctx, client, http.MethodPost, url, user, registration(device, token))
	return err
}

func do(ctx context.Context, client *http.Client, method, url, user string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header = header(user, "settle", 0)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answered with %d", method, resp.StatusCode)
	}
	return answer, err
}
