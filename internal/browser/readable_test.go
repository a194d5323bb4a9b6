package browser

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

var (
	pictures = flag.String("pictures", "", "write pictures of the pages into this `folder`")
	readme   = flag.Bool("readme", false, "write the picture of the README")
)

// contrasts returns the texts whose contrast with what is behind them is below 4.5, as
// WCAG 2.2 has it (success criterion 1.4.3), but for controls that are disabled.
const contrasts = `(() => {
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => numbers(color).slice(0, 3)
    .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const low = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('[aria-disabled="true"], svg, noscript')) continue;
    const backs = [];
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(at);
      const colors = backgroundImage === 'none' ? [backgroundColor] : backgroundImage.match(/rgba?\([^)]*\)/g);
      if ((numbers(colors[0])[3] ?? 1) > 0) {
        backs.push(...colors);
        break;
      }
    }
    for (const back of backs) {
      const [a, b] = [light(getComputedStyle(element).color), light(back)].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) low.push(element.tagName + ' ' + element.textContent.trim().slice(0, 30) + ': ' + ((a + 0.05) / (b + 0.05)).toFixed(2));
    }
  }
  return low;
})()`

// small returns the controls that are smaller than 24 by 24 pixels (success criterion
// 2.5.8).
const small = `[...document.querySelectorAll('button, input, summary')].filter((e) => e.checkVisibility() && e.type !== 'hidden')
  .filter((e) => e.getBoundingClientRect().width < 24 || e.getBoundingClientRect().height < 24).map((e) => e.outerHTML)`

// readable checks that the page fits the width, that its texts can be read in light
// and dark, that controls are large enough, and that each has a name for a screen
// reader.
func (p tab) readable(width int) {
	p.t.Helper()
	if got := evaluate[int](p, "document.documentElement.scrollWidth"); got > width {
		p.t.Errorf("the page is %d pixels wide, on a screen of %d", got, width)
	}
	for _, fault := range append(evaluate[[]string](p, contrasts), evaluate[[]string](p, small)...) {
		p.t.Error(fault)
	}
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		p.t.Fatal(err)
	}
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

// picture writes a picture of the whole page into the folder of -pictures, if that
// is set.
func (p tab) picture(name string) {
	p.t.Helper()
	if *pictures == "" {
		return
	}
	image, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), image, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// readme writes the picture of the README, without what is below the phones, if
// -readme is set.
func (p tab) readme() {
	p.t.Helper()
	if !*readme {
		return
	}
	p.do(chromedp.EmulateViewport(1100, 775))
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		p.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(decoded)); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile("../../docs/demo.png", small.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if small.Len() > 100_000 {
		p.t.Errorf("the picture has %d bytes, which is much for a README", small.Len())
	}
}

// paletted returns the picture in its 256 most frequent colors.
func paletted(from image.Image) image.Image {
	frequency := map[color.Color]int{}
	bounds := from.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			frequency[from.At(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(frequency), func(a, b color.Color) int { return frequency[b] - frequency[a] })
	to := image.NewPaletted(bounds, colors[:min(256, len(colors))])
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			to.Set(x, y, from.At(x, y))
		}
	}
	return to
}
