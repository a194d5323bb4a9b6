package browser

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestThreeClicks makes the three clicks of a newcomer, without a mouse.
func TestThreeClicks(t *testing.T) {
	base, _ := serve(t)
	p := open(t, base, 1100)
	p.says("#calls", "201 Created")
	next := func(key string) { p.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent(key)) }
	next("\r")
	p.says("#phone-1 .user", "Bob")
	p.says("#rows", "Bob")
	next(" ")
	p.says("#verdict", "Alice’s message is on no phone")
	p.says("#verdict", "And with the usual table?")
	next("\r")
	if focused := evaluate[string](p, "document.activeElement.id"); focused != "compare" {
		t.Errorf("the focus went to %q", focused)
	}
	p.says("#verdict", "Bob reads Alice’s message on phone 1.")
	p.says("#verdict", "With this project: Alice’s message is on no phone")
	p.says("#phone-1 .inbox .wrong", "Bob reads it")
	p.says("#rows .wrong", "stale")
	p.says("#calls", "ON CONFLICT (user_id, device_id) DO UPDATE")
	p.readable(1100)
	p.picture("three-clicks")
	evaluate[bool](p, "document.activeElement.blur() ?? true")
	p.readme()
	p.scheme("dark")
	p.readable(1100)
}

// TestTwoPhones compares both tables at each step of a longer journey.
func TestTwoPhones(t *testing.T) {
	base, _ := serve(t)
	p := open(t, base, 360)
	p.says("#calls", "201 Created")
	press := func(phone int, act string) { p.click(fmt.Sprintf("#phone-%d [data-act=%s]", phone, act)) }
	for _, step := range []struct {
		do          func()
		to          string
		ours, usual string
	}{
		{func() {}, "alice", "on phone 1, where Alice is logged in", "on phone 1, where Alice is logged in"},
		{func() { press(1, "reinstall") }, "alice", "on phone 1, where Alice is logged in", "arrives twice on phone 1"},
		{func() { press(2, "alice") }, "alice", "on phone 1 and phone 2, where Alice is logged in", "arrives twice on phone 1"},
		{func() { press(2, "bob") }, "alice", "on phone 1, where Alice is logged in", "Bob reads Alice’s message on phone 2"},
		{func() {}, "bob", "on phone 2, where Bob is logged in", "on phone 2, where Bob is logged in"},
		{func() { press(1, "out") }, "alice", "on no phone", "reads Alice’s message on phone"},
	} {
		step.do()
		p.click("[data-send=" + step.to + "]:not(#taxi)")
		p.says("#verdict", step.ours)
		p.click("#usual")
		p.says("#verdict", step.usual)
		p.readable(360)
		p.click("#usual")
		p.says("#verdict", step.ours)
	}
	p.picture("narrow")
	p.scheme("dark")
	p.readable(360)
	p.picture("narrow-dark")
}

// TestCurl runs a request that the page shows, and checks that the visit leaves no rows.
func TestCurl(t *testing.T) {
	base, _ := serve(t)
	p := open(t, base, 1100)
	p.says("#calls", "201 Created")
	line := evaluate[string](p, "document.querySelector('#calls pre').innerText")
	user := regexp.MustCompile(`alice-\w+`).FindString(line)
	if _, err := exec.LookPath("curl"); err == nil {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
		if err != nil || !strings.HasPrefix(string(out), "HTTP/1.1 200 OK") {
			t.Errorf("%s: %v", strings.SplitN(string(out), "\n", 2)[0], err)
		}
	}
	p.click("#over")
	p.until("document.querySelector('#calls')?.innerText.includes('201 Created') && !document.body.innerText.includes('" + user + "')")
	if listed := call(t, "GET", base, user, ""); listed != `{"deviceTokens":[]}` {
		t.Errorf("%s stays registered: %s", user, listed)
	}
}

func register(t *testing.T, base, user, device, token string) {
	t.Helper()
	call(t, "POST", base, user, `{"deviceId":"`+device+`","expoPushToken":"ExponentPushToken[`+token+`]","platform":"ios"}`)
}

// call calls the API and returns the body of the answer.
func call(t *testing.T, method, base, user, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+"/v1/device-tokens", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + user}, "Content-Type": {"application/json"}}
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

// TestConsole finds out why a user got no notification. Neither the address of the open
// page nor its script has the key.
func TestConsole(t *testing.T) {
	base, console := serve(t, "-allow-changes")
	register(t, base, "carol", "tablet", "cccccccccccccccccccccc")
	register(t, base, "carol", "phone", "aaaaaaaaaaaaaaaaaaaaaa")
	register(t, base, "dave", "phone", "aaaaaaaaaaaaaaaaaaaaaa")

	p := open(t, console, 1100)
	p.says("#recent", "moved to another user")
	if at := evaluate[string](p, "location.href + document.cookie"); at != base+"/console" {
		t.Errorf("the page is at %s, or its script can read the cookie", strings.Split(at, "?")[0])
	}
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
