package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tsenart/vegeta/v12/lib"
)

// floodWorkers is how many requests of a flood are under way at once at most, as
// it is with one machine that sends them.
const floodWorkers = 100

// A flood is many whole requests of one kind, each refused with one status.
type flood struct {
	name    string
	status  uint16
	targets vegeta.Targeter
	answers map[uint16]int // by status; 0 is none
}

func floods(url string) []*flood {
	return []*flood{
		{name: "a flood without credentials", status: http.StatusUnauthorized, targets: func(t *vegeta.Target) error {
			*t = vegeta.Target{Method: http.MethodGet, URL: url + path}
			return nil
		}},
		{name: "a flood of bad credentials", status: http.StatusUnauthorized, targets: func(t *vegeta.Target) error {
			*t = vegeta.Target{Method: http.MethodPost, URL: url + path, Body: []byte(body),
				Header: http.Header{"Authorization": {"Basic bWFsbG9yeTp4"}, "Content-Type": {"application/json"}}}
			return nil
		}},
		{name: "a flood of user ids that break the rule", status: http.StatusForbidden, targets: func(t *vegeta.Target) error {
			*t = vegeta.Target{Method: http.MethodGet, URL: url + path, Header: http.Header{"Authorization": {"Bearer #claim"}}}
			return nil
		}},
		{name: "a flood of bad push tokens", status: http.StatusUnprocessableEntity, targets: func(t *vegeta.Target) error {
			*t = vegeta.Target{Method: http.MethodPost, URL: url + path, Body: registration("mallorys-phone", "no push token"),
				Header: http.Header{"Authorization": {"Bearer mallory"}, "Content-Type": {"application/json"}}}
			return nil
		}},
	}
}

// run makes the requests at the rate, over connections of its own.
func (f *flood) run(rate int, d time.Duration) {
	f.answers = make(map[uint16]int)
	client := newClient()
	defer client.CloseIdleConnections()
	for r := range vegeta.NewAttacker(vegeta.Client(client), vegeta.MaxWorkers(floodWorkers)).Attack(f.targets, vegeta.Rate{Freq: rate, Per: time.Second}, d, f.name) {
		f.answers[r.Code]++
	}
}

func (f *flood) problems() (all []string) {
	if f.answers[f.status] == 0 {
		all = append(all, fmt.Sprintf("%s: none was answered with %d", f.name, f.status))
	}
	for status, n := range f.answers {
		if status != f.status {
			all = append(all, fmt.Sprintf("%s: %d were answered with %s, want %d", f.name, n, strconv.Itoa(int(status)), f.status))
		}
	}
	return all
}
