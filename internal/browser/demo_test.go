package browser

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestThreeClicks is a newcomer, who sees the page alone.
func TestThreeClicks(t *testing.T) {
	needChromium(t)
	base, _ := serve(t)
	p := open(t, base, 1100)
	p.says("#calls", "201 Created")
	p.click("#hand")
	p.says("#phone-1 .user", "Bob")
	p.says("#rows", "Bob")
	p.click("#taxi")
	p.says("#verdict", "Alice’s message is on no phone")
	p.says("#verdict", "And with the usual table?")
	p.click("#compare")
	p.says("#verdict", "Bob reads Alice’s message on phone 1.")
	p.says("#verdict", "With this project: Alice’s message is on no phone")
	p.says("#phone-1 .inbox .wrong", "Bob reads it")
	p.says("#rows .wrong", "stale")
	p.says("#calls", "ON CONFLICT (user_id, device_id) DO UPDATE")
	p.readable(1100)
	p.picture("three-clicks")
	p.readme()
	p.scheme("dark")
	p.readable(1100)
}

// TestTwoPhones plays with the phones, and compares both tables at each step.
func TestTwoPhones(t *testing.T) {
	needChromium(t)
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

// TestByKeyboard makes the three clicks without a mouse.
func TestByKeyboard(t *testing.T) {
	needChromium(t)
	base, _ := serve(t)
	p := open(t, base, 1100)
	p.says("#calls", "201 Created")
	for _, step := range []struct{ key, says string }{{"\r", "Alice is logged in"}, {" ", "on no phone"}, {"\r", "Bob reads"}} {
		p.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent(step.key))
		p.says("#verdict", step.says)
	}
	if focused := evaluate[string](p, "document.activeElement.id"); focused != "compare" {
		t.Errorf("the focus went to %q", focused)
	}
}

// TestCurl runs a request that the page shows, and checks that nothing of the visit
// stays.
func TestCurl(t *testing.T) {
	needChromium(t)
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
	if listed := request(t, "GET", base+"/v1/device-tokens", user, ""); !strings.Contains(listed, `"deviceId"`) {
		t.Errorf("%s is not registered: %s", user, listed)
	}
	p.click("#over")
	p.until("document.querySelector('#calls')?.innerText.includes('201 Created') && !document.body.innerText.includes('" + user + "')")
	if listed := request(t, "GET", base+"/v1/device-tokens", user, ""); listed != `{"deviceTokens":[]}` {
		t.Errorf("%s stays registered: %s", user, listed)
	}
}
