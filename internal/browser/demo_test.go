package browser

import (
	"flag"
	"testing"
)

var pictures = flag.String("pictures", "", "write pictures of the pages into this `folder`")

// TestThreeClicks is a newcomer, who sees the page alone.
func TestThreeClicks(t *testing.T) {
	needChromium(t)
	base, _ := serve(t)
	p := open(t, base, 1100)
	p.says("#calls", "201 Created")
	p.picture("demo-0")
	p.click("#hand")
	p.says("#phone-1 .user", "Bob")
	p.click("#taxi")
	p.says("#verdict", "Alice’s message is on no phone")
	p.picture("demo-1")
	p.click("#compare")
	p.says("#verdict", "Bob reads Alice’s message on phone 1.")
	p.says("#phone-1 .inbox .wrong", "Bob reads it")
	p.picture("demo-2")
	p.scheme("dark")
	p.picture("demo-3")
}
