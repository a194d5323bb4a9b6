// Package browser tests the pages of examples/local in a Chromium. It is a module of
// its own, because of the library that drives the browser.
package browser

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the browser, "" if there is none, and local the program.
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
		if out, err := exec.Command("go", "-C", "../..", "build", "-o", local, "./local").CombinedOutput(); err != nil {
			log.Fatalf("%v: %s", err, out)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// serve starts examples/local and returns the addresses of the server and of its
// console. Without a browser it skips the test.
func serve(t *testing.T, flags ...string) (base, console string) {
	t.Helper()
	if chromium == "" {
		const lacking = "no Chromium: apt-get install -y chromium, or install Google Chrome"
		if os.Getenv("CI") != "" {
			t.Fatal(lacking)
		}
		t.Skip(lacking)
	}
	ctx, stop := context.WithCancel(context.Background()) // t.Context ends before the pages are closed
	cmd := exec.CommandContext(ctx, local, append(flags, "-addr", "127.0.0.1:0", "-db", "memory")...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
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

// open opens a tab of that width. The test fails if anything is logged to the console,
// such as a violation of the page's policy, or loaded from another host.
func open(t *testing.T, url string, width int64) tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	wrong := make(chan string, 1000)
	note := func(format string, args ...any) { wrong <- fmt.Sprintf(format, args...) }
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
		for range len(wrong) {
			t.Error(<-wrong)
		}
	})
	p := tab{t, ctx}
	p.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(url))
	return p
}

func (p tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	p.check(chromedp.Do(p.ctx, actions...))
}

func (p tab) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func run[T any](p tab, action chromedp.Action[T]) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, action)
	p.check(err)
	return value
}

// evaluate returns the value of an expression of JavaScript.
func evaluate[T any](p tab, expression string) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// click clicks the element once it is painted at its place. On a busy machine the click
// would otherwise be lost, or hit another element.
func (p tab) click(selector string) {
	p.t.Helper()
	painted := fmt.Sprintf(`(async () => {
		document.querySelector(%q).scrollIntoView({ block: 'center' });
		for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
		return true;
	})()`, selector)
	evaluate[bool](p, painted)
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill types a text into a field and presses Enter.
func (p tab) fill(selector, text string) {
	p.t.Helper()
	evaluate[bool](p, fmt.Sprintf("document.querySelector(%q).select() ?? true", selector))
	p.do(chromedp.SendKeys(chromedp.CSS(selector), text+"\r"))
}

// until waits until an expression of JavaScript is true, even on the next page.
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

// says waits until the element's text contains text.
func (p tab) says(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
}

// scheme sets the preferred color scheme: light or dark.
func (p tab) scheme(value string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
	})
	p.check(err)
}

var (
	pictures = flag.String("pictures", "", "write pictures of the pages into this `folder`")
	readme   = flag.Bool("readme", false, "write the picture of the README")
)

// contrasts returns the texts whose contrast with their background is below 4.5 (WCAG 2.2,
// success criterion 1.4.3). Disabled controls are exempt.
const contrasts = `(() => {
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => numbers(color).slice(0, 3)
    .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const low = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('[aria-disabled="true"], svg, noscript')) continue;
    let at = element;
    const back = () => getComputedStyle(at).backgroundColor;
    while (numbers(back())[3] === 0) at = at.parentElement;
    const [a, b] = [light(getComputedStyle(element).color), light(back())].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) low.push(element.tagName + ' ' + element.textContent.trim().slice(0, 30) + ': ' + contrast.toFixed(2));
  }
  return low;
})()`

// small returns the controls below 24 by 24 pixels (success criterion 2.5.8).
const small = `[...document.querySelectorAll('button, input, summary')].filter((e) => e.checkVisibility() && e.type !== 'hidden')
  .filter((e) => e.getBoundingClientRect().width < 24 || e.getBoundingClientRect().height < 24).map((e) => e.outerHTML)`

// readable checks that the page fits the width, that its texts have enough contrast, and
// that its controls are large enough and have names for a screen reader.
func (p tab) readable(width int) {
	p.t.Helper()
	p.until("document.readyState === 'complete'") // with its style
	if got := evaluate[int](p, "document.documentElement.scrollWidth"); got > width {
		p.t.Errorf("the page is %d pixels wide, on a screen of %d", got, width)
	}
	for _, fault := range append(evaluate[[]string](p, contrasts), evaluate[[]string](p, small)...) {
		p.t.Error(fault)
	}
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	p.check(err)
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		switch role := string(node.Role.Value); role {
		case `"button"`, `"textbox"`, `"switch"`, `"link"`, `"table"`, `"image"`, `"article"`, `"DisclosureTriangle"`:
			if node.Name == nil || string(node.Name.Value) == `""` {
				p.t.Errorf("a %s has no name", role)
			}
		}
	}
}

// picture writes a picture of the whole page into the folder of -pictures.
func (p tab) picture(name string) {
	p.t.Helper()
	if *pictures != "" {
		p.check(os.WriteFile(filepath.Join(*pictures, name+".png"), run(p, chromedp.FullScreenshot(100)), 0o644))
	}
}

// readme writes the picture of the README with -readme: the page without what is below
// the phones.
func (p tab) readme() {
	p.t.Helper()
	if !*readme {
		return
	}
	p.do(chromedp.EmulateViewport(1100, 775, chromedp.EmulateScale(0.7)))
	decoded, err := png.Decode(bytes.NewReader(run(p, chromedp.CaptureScreenshot())))
	p.check(err)
	file, err := os.Create("../../../docs/demo.png")
	p.check(err)
	p.check((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(file, paletted(decoded)))
	p.check(file.Close())
}

// paletted returns the picture in 20 colors. Each is frequent and far from the colors
// chosen before it.
func paletted(from image.Image) image.Image {
	bounds := from.Bounds()
	frequency := map[color.RGBA]int{}
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			frequency[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	var palette color.Palette
	for range 20 {
		missed := func(c color.RGBA) int {
			if palette == nil {
				return frequency[c]
			}
			near := color.RGBAModel.Convert(palette.Convert(c)).(color.RGBA)
			r, g, b := int(c.R)-int(near.R), int(c.G)-int(near.G), int(c.B)-int(near.B)
			return (r*r + g*g + b*b) * frequency[c]
		}
		palette = append(palette, slices.MaxFunc(slices.Collect(maps.Keys(frequency)), func(a, b color.RGBA) int { return missed(a) - missed(b) }))
	}
	to := image.NewPaletted(bounds, palette)
	draw.Draw(to, bounds, from, bounds.Min, draw.Src)
	return to
}
