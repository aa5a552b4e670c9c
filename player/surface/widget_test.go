// SPDX-License-Identifier: AGPL-3.0-or-later

// A test application takes the place of the real one that the other tests of a tagged run need.

//go:build !e2e && !bench

package surface

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"shoal/player"
)

// still is a Source with one red picture.
type still struct {
	state   player.State
	painter player.Painter
	changed chan struct{}
}

func (s *still) Paint(p player.Painter) func()              { s.painter = p; return func() { s.painter = nil } }
func (s *still) State() player.State                        { return s.state }
func (s *still) Watch() (changed <-chan struct{}, _ func()) { return s.changed, func() {} }

func (s *still) Redraw() {
	if s.painter == nil {
		return
	}
	img := s.painter.Next()
	if img == nil {
		return
	}
	for i := 0; i < len(img.Pix); i += 4 {
		copy(img.Pix[i:], []byte{255, 0, 0, 255})
	}
	s.painter.Drawn(img, true)
}

func TestSurfaceShowsPictureBetweenBars(t *testing.T) {
	test.NewTempApp(t)
	src := &still{state: player.State{Width: 160, Height: 90}, changed: make(chan struct{})}
	s := New(src)
	defer s.Close()
	w := test.NewTempWindow(t, s)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(320, 320))
	img := w.Canvas().Capture()
	size := img.Bounds().Size()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA) }
	if got := at(size.X/2, size.Y/2); got != (color.RGBA{255, 0, 0, 255}) {
		t.Errorf("in the middle: %v", got)
	}
	for _, y := range []int{1, size.Y - 2} {
		if got := at(size.X/2, y); got != (color.RGBA{0, 0, 0, 255}) {
			t.Errorf("row %d: %v", y, got)
		}
	}
	if s.Painted() == 0 {
		t.Error("nothing painted")
	}
	before := s.Painted()
	s.Hide()
	src.Redraw()
	if (*painter)(s).Next() != nil || s.Painted() != before {
		t.Error("paints while hidden")
	}
	s.Show()
	if (*painter)(s).Next() == nil {
		t.Error("does not paint once shown")
	}
}
