// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package surface_test

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"shoal/player"
	"shoal/player/internal/playertest"
	"shoal/player/surface"
)

const limit = 60 * time.Second

// window opens a window with a surface for the test's life.
func window(t testing.TB, p *player.Player, size fyne.Size) (fyne.Window, *surface.Surface) {
	t.Helper()
	var w fyne.Window
	var s *surface.Surface
	fyne.DoAndWait(func() {
		s = surface.New(p)
		w = fyne.CurrentApp().NewWindow(t.Name())
		w.SetPadded(false)
		w.SetContent(container.NewStack(s))
		w.Resize(size)
		w.Show()
	})
	t.Cleanup(func() {
		s.Close()
		fyne.DoAndWait(w.Close)
	})
	return w, s
}

func newPlayer(t testing.TB, movie []byte) (*player.Player, *playertest.File) {
	t.Helper()
	p, err := player.New(player.Options{NullAudio: true, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	f := playertest.NewFile(movie)
	if err := p.Load(t.Context(), f.Opener(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, f
}

// capture is what the screen shows of the window, which lies in its corner: there is no window manager.
func capture(t testing.TB, w fyne.Window) image.Image {
	t.Helper()
	out, err := exec.Command("import", "-silent", "-window", "root", "png:-").Output()
	if err != nil {
		t.Fatalf("taking a screenshot (apt install imagemagick): %v", err)
	}
	img, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	var size image.Point
	fyne.DoAndWait(func() {
		size.X, size.Y = w.Canvas().PixelCoordinateForPosition(fyne.NewPos(w.Canvas().Size().Components()))
	})
	rgba := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(rgba, rgba.Rect, img, image.Point{}, draw.Src)
	return rgba
}

// compare counts different colours in a grid of points, and points that are not like in the other image.
func compare(a, b image.Image) (colours, changed int) {
	seen := map[[3]uint32]bool{}
	size := a.Bounds().Size()
	for y := range 20 {
		for x := range 40 {
			px, py := x*size.X/40, y*size.Y/20
			r, g, bl, _ := a.At(px, py).RGBA()
			seen[[3]uint32{r >> 12, g >> 12, bl >> 12}] = true
			if a.At(px, py) != b.At(px, py) {
				changed++
			}
		}
	}
	return len(seen), changed
}

func TestWindowShowsMovingPictures(t *testing.T) {
	p, _ := newPlayer(t, playertest.Movie(t, "640x360", "60"))
	w, s := window(t, p, fyne.NewSize(640, 480))
	playertest.Until(t, limit, "frames on the screen", func() bool { return s.Painted() > 10 && p.State().FramesShown > 10 })
	first := capture(t, w)
	at := p.State().Position
	playertest.Until(t, limit, "later frames", func() bool { return p.State().Position > at+time.Second })
	second := capture(t, w)
	colours, changed := compare(first, second)
	if colours < 8 || changed < 20 {
		t.Errorf("%d colours, %d of 800 points changed", colours, changed)
	}
	screenshot(t)

	// 16:9 in 4:3: black above and below.
	size := second.Bounds().Size()
	for _, y := range []int{2, size.Y - 3} {
		if r, g, b, _ := second.At(size.X/2, y).RGBA(); r|g|b != 0 {
			t.Errorf("row %d of %v is not black", y, size)
		}
	}
}

func TestResizeWhilePausedDrawsAnew(t *testing.T) {
	p, _ := newPlayer(t, playertest.Movie(t, "640x360", "60"))
	w, s := window(t, p, fyne.NewSize(320, 180))
	playertest.Until(t, limit, "frames", func() bool { return s.Painted() > 5 })
	p.Pause()
	last := int64(-1)
	playertest.Until(t, limit, "no more frames", func() bool {
		now := s.Painted()
		still := now == last
		last = now
		time.Sleep(100 * time.Millisecond)
		return still
	})
	fyne.DoAndWait(func() { w.Resize(fyne.NewSize(800, 450)) })
	playertest.Until(t, limit, "the picture at its new size", func() bool { return s.Painted() > last })
	img := capture(t, w)
	if colours, _ := compare(img, img); colours < 8 {
		t.Errorf("%d colours", colours)
	}
}

func TestHiddenSurfaceDrawsNothing(t *testing.T) {
	p, _ := newPlayer(t, playertest.Movie(t, "320x180", "120"))
	w, s := window(t, p, fyne.NewSize(320, 180))
	playertest.Until(t, limit, "frames", func() bool { return s.Painted() > 5 })
	hide := func(hidden bool) func() {
		return func() {
			if hidden {
				w.Content().Hide() // its parent: the surface is not told
				return
			}
			w.Content().Show()
		}
	}
	fyne.DoAndWait(hide(true))
	// With no frame fetched, the surface gives up within moments; the film goes on.
	playertest.Until(t, limit, "drawing to stop", func() bool {
		shown, at := p.State().FramesShown, p.State().Position
		time.Sleep(2 * time.Second)
		return p.State().FramesShown-shown < 10 && p.State().Position > at+time.Second
	})
	fyne.DoAndWait(hide(false))
	before := s.Painted()
	playertest.Until(t, limit, "frames again", func() bool { return s.Painted() > before+10 })
}

func TestCloseInAnyOrder(t *testing.T) {
	for _, playerFirst := range []bool{true, false} {
		p, _ := newPlayer(t, playertest.Movie(t, "320x180", "20"))
		_, s := window(t, p, fyne.NewSize(320, 180))
		playertest.Until(t, limit, "frames", func() bool { return s.Painted() > 3 })
		if playerFirst {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		s.Close()
	}
}
