package plots

import (
	"fmt"
	"io/fs"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// ratios shows for each operation how much time memstore takes for each unit of
// the floor's, with the bounds, and the target.
func ratios(results fs.FS) (*vgsvg.Canvas, error) {
	t, err := read(results, "bench-memstore", "serial")
	if err != nil {
		return nil, err
	}
	operations, err := t.distinct("operation")
	if err != nil {
		return nil, err
	}
	p := plot.New()
	p.Title.Text = "memstore, as a multiple of two maps with a mutex (one caller, 2 devices a user)"
	p.Y.Label.Text, p.Y.Min = "ratio of times", 0
	p.NominalX(operations...)
	p.Legend.Top = true
	sizes, err := t.distinct("registrations")
	if err != nil {
		return nil, err
	}
	width := vg.Centimeter
	for i, size := range sizes {
		var values plotter.Values
		for _, operation := range operations {
			ratio, err := ratioOf(t, operation, size)
			if err != nil {
				return nil, err
			}
			values = append(values, ratio[0])
		}
		bars, err := newBars(values, width, i, len(sizes))
		if err != nil {
			return nil, err
		}
		p.Add(bars)
		p.Legend.Add(size+" registrations", bars)
	}
	limit := plotter.NewFunction(func(float64) float64 { return target })
	limit.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	p.Add(limit)
	p.Legend.Add(fmt.Sprintf("target: %v", target), limit)
	p.Y.Max = max(p.Y.Max, 2) // room for the legend, and for what is above the target
	return drawn(p, 24*vg.Centimeter, 10*vg.Centimeter), nil
}

func ratioOf(t table, operation, size string) ([]float64, error) {
	for _, row := range t.Rows {
		name, err := t.text(row, "operation")
		if err != nil {
			return nil, err
		}
		registrations, err := t.text(row, "registrations")
		if err != nil {
			return nil, err
		}
		devices, err := t.text(row, "devices a user")
		if err != nil {
			return nil, err
		}
		if name == operation && registrations == size && devices == "2" {
			return t.numbers(row, "ratio")
		}
	}
	return nil, fmt.Errorf("there is no row of %s at %s", operation, size)
}

// load shows the latencies of both handlers over a socket.
func load(results fs.FS) (*vgsvg.Canvas, error) {
	t, err := read(results, "bench-load", "latency")
	if err != nil {
		return nil, err
	}
	quantiles, err := t.distinct("quantile")
	if err != nil {
		return nil, err
	}
	p := plot.New()
	p.Title.Text = "latency over a socket at a fixed rate"
	p.Y.Label.Text, p.Y.Min = "ms", 0
	p.NominalX(quantiles...)
	p.Legend.Top, p.Legend.Left = true, true
	contenders := []string{"bare handler", "httpapi"}
	for i, contender := range contenders {
		var values plotter.Values
		for _, row := range t.Rows {
			ms, err := t.numbers(row, contender+", ms")
			if err != nil {
				return nil, err
			}
			values = append(values, ms[0])
		}
		bars, err := newBars(values, 1.5*vg.Centimeter, i, len(contenders))
		if err != nil {
			return nil, err
		}
		p.Add(bars)
		p.Legend.Add(contender, bars)
	}
	return drawn(p, 16*vg.Centimeter, 9*vg.Centimeter), nil
}

// newBars returns the i-th of n series of bars that stand beside each other.
func newBars(values plotter.Values, width vg.Length, i, n int) (*plotter.BarChart, error) {
	bars, err := plotter.NewBarChart(values, width)
	if err != nil {
		return nil, err
	}
	bars.Color = palette[i]
	bars.LineStyle.Width = 0
	bars.Offset = width * vg.Length(2*i-n+1) / 2
	return bars, nil
}

func drawn(p *plot.Plot, width, height vg.Length) *vgsvg.Canvas {
	canvas := newCanvas(width, height)
	p.Draw(draw.New(canvas))
	return canvas
}
