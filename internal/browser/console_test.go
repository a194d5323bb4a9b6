package browser

import (
	"net/http"
	"strings"
	"testing"
)

// register has an app register a phone.
func register(t *testing.T, base, user, device, token string) {
	t.Helper()
	body := `{"deviceId":"` + device + `","expoPushToken":"ExponentPushToken[` + token + `]","platform":"ios"}`
	request(t, http.MethodPost, base+"/v1/device-tokens", user, body)
}

func request(t *testing.T, method, url, user, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+user)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("status is %s", resp.Status)
	}
}

// TestConsole is an operator who is asked why a user got no notification.
func TestConsole(t *testing.T) {
	needChromium(t)
	base, console := serve(t, "-allow-changes")
	register(t, base, "carol", "tablet", "cccccccccccccccccccccc")
	register(t, base, "carol", "phone", "aaaaaaaaaaaaaaaaaaaaaa")
	register(t, base, "dave", "phone", "aaaaaaaaaaaaaaaaaaaaaa")

	p := open(t, console, 1100)
	p.says("#recent", "moved to another user")
	register(t, base, `erin\u202e`, "phone", "bbbbbbbbbbbbbbbbbbbbbb")
	p.says("#recent .new", "registered")
	p.click("#totals button")
	p.says("#totals", "3 registrations")
	p.picture("console-0")

	p.fill("input[name=user]", "carol")
	p.says(".verdict", "carol is reached on 1 of 2 devices.")
	p.picture("console-1")
	p.click("article.good details:first-of-type summary")
	p.picture("console-2")
	p.click("article.good details[open] button")
	p.says(".verdict", "carol is reached on 0 of 2 devices.")
	p.says("article.bad", "the user logged out on this device, since")
	p.fill("input[name=token]", "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]")
	p.says(".verdict", "The token is held by dave.")
	p.picture("console-3")
}
