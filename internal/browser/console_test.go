package browser

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// register has an app register a phone.
func register(t *testing.T, base, user, device, token string) {
	t.Helper()
	body := `{"deviceId":"` + device + `","expoPushToken":"ExponentPushToken[` + token + `]","platform":"ios"}`
	request(t, http.MethodPost, base+"/v1/device-tokens", user, body)
}

// request returns the body of the answer.
func request(t *testing.T, method, url, user, body string) string {
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
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("status is %s, %v", resp.Status, err)
	}
	return string(text)
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
	register(t, base, "erin\u202e", "phone", "bbbbbbbbbbbbbbbbbbbbbb")
	p.says("#recent .new", "registered")
	p.click("#totals button")
	p.says("#totals", "3 registrations")
	p.readable(1100)
	p.picture("console-totals")

	p.fill("input[name=user]", "carol")
	p.says(".verdict", "carol is reached on 1 of 2 devices.")
	p.click("article.good details:first-of-type summary")
	p.readable(1100)
	p.picture("console-user")
	p.click("article.good details[open] button")
	p.says(".verdict", "carol is reached on 0 of 2 devices.")
	p.says("article.bad", "the user logged out on this device, since")
	p.fill("input[name=token]", "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]")
	p.says(".verdict", "The token is held by dave.")

	p.do(chromedp.EmulateViewport(360, 900))
	p.scheme("dark")
	p.readable(360)
	p.picture("console-narrow-dark")
	p.click("h1 a")
	p.says("#recent", "logged out")
	p.says("#recent", `"erin\u202e"`)
	p.readable(360)
}

// TestKeyIsHidden: once the page is open, neither its address nor its script has the
// key, and the browser still has it.
func TestKeyIsHidden(t *testing.T) {
	needChromium(t)
	base, console := serve(t)
	p := open(t, console, 1100)
	p.says("header", "read-only")
	if at := evaluate[string](p, "location.href + document.cookie"); at != base+"/console" {
		t.Errorf("the page is at %s, or its script can read the cookie", strings.Split(at, "?")[0])
	}
	p.do(chromedp.Navigate(base + "/console/user?user=carol"))
	p.says(".verdict", "carol is not reached: nothing is stored.")
}
