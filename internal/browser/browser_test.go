package browser

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the browser, and local the program that is tested; chromium is "" if
// there is none.
var chromium, local string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil && chromium == "" {
			chromium = path
		}
	}
	if chromium != "" {
		local = filepath.Join(dir, "local")
		if out, err := exec.Command("go", "-C", "../../examples", "build", "-o", local, "./local").CombinedOutput(); err != nil {
			log.Fatalf("%v: %s", err, out)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// needChromium skips the test where there is no browser.
func needChromium(t *testing.T) {
	t.Helper()
	if chromium == "" {
		const lacking = "no Chromium: apt-get install -y chromium, or install Google Chrome"
		if os.Getenv("CI") != "" {
			t.Fatal(lacking)
		}
		t.Skip(lacking)
	}
}

// serve starts examples/local and returns the addresses of the server and of its
// console.
func serve(t *testing.T, flags ...string) (base, console string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), local, append(flags, "-addr", "127.0.0.1:0", "-db", "memory")...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	var printed strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C"); {
		printed.WriteString(lines.Text() + "\n")
	}
	found := regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/console\?key=\w+`).FindStringSubmatch(printed.String())
	if found == nil {
		t.Fatal("it printed no address of a console")
	}
	return found[1], found[0]
}

// A tab is a page that is open in a browser of its own. Its methods fail the test.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open opens a tab of that width. When the test ends, nothing may have been logged
// to the console, which has violations of the page's policy too, and nothing may
// have been loaded from another host.
func open(t *testing.T, url string, width int64) tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	var (
		mu    sync.Mutex
		wrong []string
	)
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, fmt.Sprintf(format, args...))
	}
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			note("console.%s: %v", e.Type, e.Args)
		case *runtime.EventExceptionThrown:
			note("exception: %v", e.ExceptionDetails)
		case *cdplog.EventEntryAdded:
			note("%s: %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "http://127.0.0.1:") {
				note("a request to another host: %s", e.Request.URL)
			}
		}
	}))
	t.Cleanup(cancel)
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, text := range wrong {
			t.Error(text)
		}
	})
	p := tab{t, ctx}
	p.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(url))
	return p
}

func (p tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// evaluate returns the value of an expression of JavaScript.
func evaluate[T any](p tab, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// click clicks the element.
func (p tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill types a text into a field and sends its form by the keyboard.
func (p tab) fill(selector, text string) {
	p.t.Helper()
	evaluate[bool](p, fmt.Sprintf("document.querySelector(%q).select() ?? true", selector))
	p.do(chromedp.SendKeys(chromedp.CSS(selector), text+"\r"))
}

// until waits until an expression of JavaScript is true, also on the next page.
func (p tab) until(expression string) {
	p.t.Helper()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); <-retry.C {
		if ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!("+expression+")")); ok && err == nil {
			return
		}
	}
	text := regexp.MustCompile(`PushToken\[\w+`).ReplaceAllString(evaluate[string](p, "document.body.innerText"), "PushToken[…")
	p.t.Fatalf("not so: %s; the page is\n%s", expression, text)
}

// says waits until the element's text contains that.
func (p tab) says(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
}

// scheme sets what the user prefers: light or dark.
func (p tab) scheme(value string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
