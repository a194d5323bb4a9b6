package plots

import (
	"image/color"
	"io/fs"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colours that the colour-blind can tell apart (Okabe and Ito).
var palette = []color.Color{
	color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff},
	color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff},
	color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff},
}

// The most that memstore is to take for each nanosecond of the floor.
const target = 1.1

// growth shows for each operation how the time of a call grows with the number of
// registrations.
func growth(results fs.FS) (*vgsvg.Canvas, error) {
	t, err := read(results, "bench-memstore", "serial")
	if err != nil {
		return nil, err
	}
	operations, err := t.distinct("operation")
	if err != nil {
		return nil, err
	}
	const columns = 3
	rows := (len(operations) + columns - 1) / columns
	tiles := make([][]*plot.Plot, rows)
	for i := range tiles {
		tiles[i] = make([]*plot.Plot, columns)
	}
	for i, operation := range operations {
		p, err := growthOf(t, operation)
		if err != nil {
			return nil, err
		}
		tiles[i/columns][i%columns] = p
	}
	canvas := newCanvas(24*vg.Centimeter, 14*vg.Centimeter)
	layout := draw.Tiles{Rows: rows, Cols: columns, PadX: vg.Millimeter * 4, PadY: vg.Millimeter * 4, PadTop: vg.Millimeter * 2, PadRight: vg.Millimeter * 4}
	for y, row := range plot.Align(tiles, layout, draw.New(canvas)) {
		for x := range row {
			if tiles[y][x] != nil {
				tiles[y][x].Draw(row[x])
			}
		}
	}
	return canvas, nil
}

func growthOf(t table, operation string) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = operation
	p.X.Label.Text, p.Y.Label.Text = "registrations", "ns"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Y.Min, p.Y.Max = 100, 1_000_000 // the same for all, so that they can be compared
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, contender := range []string{"two maps", "memstore", "go-memdb"} {
		var points plotter.XYs
		for _, row := range t.Rows {
			name, err := t.text(row, "operation")
			if err != nil {
				return nil, err
			}
			devices, err := t.text(row, "devices a user")
			if err != nil {
				return nil, err
			}
			if name != operation || devices != "2" {
				continue
			}
			x, err := t.numbers(row, "registrations")
			if err != nil {
				return nil, err
			}
			y, err := t.numbers(row, contender+", ns")
			if err != nil {
				return nil, err
			}
			points = append(points, plotter.XY{X: x[0], Y: y[0]})
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, dots.Color = palette[i], palette[i]
		line.Width = vg.Points(1.5)
		dots.Shape = draw.CircleGlyph{}
		p.Add(line, dots)
		p.Legend.Add(contender, line)
	}
	return p, nil
}

func newCanvas(width, height vg.Length) *vgsvg.Canvas {
	canvas := vgsvg.New(width, height)
	canvas.SetColor(color.White) // for readers with a dark page
	canvas.Fill(vg.Rectangle{Max: vg.Point{X: width, Y: height}}.Path())
	return canvas
}
