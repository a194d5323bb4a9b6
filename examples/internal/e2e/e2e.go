// Package e2e tests a deployment of the device tokens API over HTTP, as apps use it:
// a process, or a function behind a gateway.
package e2e

import (
	"crypto/rand"
	"testing"
)

// Run tests the deployment at baseURL, which has no trailing slash and does not
// include the path of the API. bearer returns a credential for a user. Each run uses
// new users, devices and tokens, so that deployments may share a table and a run may
// be repeated.
//
// Run sends only requests that a gateway passes on: declared methods, on the path of
// the API, with a credential.
func Run(t *testing.T, baseURL string, bearer func(user string) string) {
	run := rand.Text()
	newApp := func(name string) app {
		return app{url: baseURL + "/v1/device-tokens", bearer: bearer(name + "-" + run)}
	}
	phone := func(n string) string { return "ExponentPushToken[" + n + run + "]" }

	t.Run("a phone changes hands", func(t *testing.T) {
		changesHands(t, newApp("alice"), newApp("bob"), phone("1"))
	})
	t.Run("a user with several devices", func(t *testing.T) {
		severalDevices(t, newApp("carol"), phone)
	})
	t.Run("bad input", func(t *testing.T) {
		badInput(t, newApp("dave"), phone("bad"))
	})
	t.Run("no credential", func(t *testing.T) {
		anonymous := newApp("stranger")
		anonymous.bearer = ""
		a := anonymous.send(t, "GET", "", "")
		if a.status != 401 || a.header.Get("WWW-Authenticate") == "" || a.problem.Status != 401 {
			t.Errorf("answer is %d %s, %+v", a.status, a.header, a.problem)
		}
	})
}
