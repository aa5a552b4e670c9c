// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// display is a virtual screen with a window manager.
type display struct{ name string }

// newDisplay starts Xvfb and openbox.
func newDisplay(t testing.TB, h home) display {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	xvfb := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset")
	xvfb.ExtraFiles, xvfb.Env = []*os.File{write}, h.environ()
	p := startCommand(t, xvfb)
	_ = write.Close() // the child has its own
	got := make(chan string, 1)
	go func() {
		line := make([]byte, 16)
		n, _ := io.ReadAtLeast(read, line, 2) // what came counts
		got <- strings.TrimSpace(string(line[:n]))
	}()
	number := ""
	within(t, shortWait, "Xvfb has a display", func() bool {
		select {
		case number = <-got:
			return true
		case <-p.ended:
			t.Fatalf("Xvfb ended: %s", p.err)
		default:
		}
		return false
	})
	if number == "" {
		t.Fatalf("Xvfb has no display: %s", p.err)
	}
	d := display{":" + number}
	wm := exec.Command("openbox", "--sm-disable")
	wm.Env = d.environ(h)
	startCommand(t, wm)
	within(t, shortWait, "openbox manages windows", func() bool {
		_, err := d.run(h, "xdotool", "get_desktop")
		return err == nil
	})
	return d
}

// environ is the environment of a child that draws.
func (d display) environ(h home) []string {
	return h.environ("DISPLAY="+d.name, "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_SCALE=1", "LANG=C.UTF-8")
}

func (d display) run(h home, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = d.environ(h)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// window is the program with its window on a display.
type window struct {
	*process
	home    home
	display display
	report  string
	id      string
}

// openWindow starts the program and waits until it reports.
func openWindow(t testing.TB, h home, d display, data string, args ...string) *window {
	t.Helper()
	w := &window{home: h, display: d, report: filepath.Join(h.dir, "report.jsonl")}
	cmd := exec.Command(program, append([]string{"window", "--null-audio", "--report", w.report, "--data", data}, args...)...)
	cmd.Env, cmd.Dir = d.environ(h), h.dir
	w.process = startCommand(t, cmd)
	t.Cleanup(func() {
		if text, err := os.ReadFile(w.report); err == nil && t.Failed() {
			t.Logf("the last reports: %s", tail(string(text)))
		}
	})
	w.until(shortWait, "the window is there", func(shown) bool { return true })
	within(t, shortWait, "the window is found on the display", func() bool {
		ids, err := d.run(h, "xdotool", "search", "--onlyvisible", "--name", "Shoal$")
		w.id, _, _ = strings.Cut(ids, "\n")
		return err == nil && w.id != ""
	})
	return w
}

// shown is a line of the window's report.
type shown struct {
	Page        string              `json:"page"`
	Instance    string              `json:"instance"`
	Cards       int                 `json:"cards"`
	Title       string              `json:"title"`
	Loaded      bool                `json:"loaded"`
	Playing     bool                `json:"playing"`
	Buffering   bool                `json:"buffering"`
	Ended       bool                `json:"ended"`
	PositionMs  int64               `json:"positionMs"`
	DurationMs  int64               `json:"durationMs"`
	FramesShown int64               `json:"framesShown"`
	Painted     int64               `json:"painted"`
	FullScreen  bool                `json:"fullScreen"`
	Intro       bool                `json:"intro"`
	Swarms      int                 `json:"swarms"`
	Supports    int                 `json:"supports"`
	Error       string              `json:"error"`
	Places      map[string][4]int64 `json:"places"`
}

// reports are all lines so far.
func (w *window) reports() []shown {
	w.t.Helper()
	text, err := os.ReadFile(w.report)
	if err != nil {
		return nil // not begun
	}
	var list []shown
	for _, e := range eventsOf(w.t, string(text)) {
		var s shown
		e.into(w.t, &s)
		list = append(list, s)
	}
	return list
}

// until waits for a report that is written from now on, and returns it.
func (w *window) until(limit time.Duration, what string, holds func(shown) bool) shown {
	w.t.Helper()
	from := len(w.reports())
	var found shown
	within(w.t, limit, what, func() bool {
		select {
		case <-w.ended:
			w.t.Fatalf("the window ended with %d: %s", w.code, w.err)
		default:
		}
		list := w.reports()
		for i := from; i < len(list); i++ {
			if holds(list[i]) {
				found = list[i]
				return true
			}
		}
		return false
	})
	return found
}

// key presses a key.
func (w *window) key(keys ...string) {
	w.t.Helper()
	if _, err := w.display.run(w.home, "xdotool", append([]string{"windowfocus", "--sync", w.id, "key", "--clearmodifiers"}, keys...)...); err != nil {
		w.t.Fatalf("pressing %v: %v", keys, err)
	}
}

// click clicks into the middle of a place.
func (w *window) click(place [4]int64) {
	w.t.Helper()
	x, y := place[0]+place[2]/2, place[1]+place[3]/2
	if _, err := w.display.run(w.home, "xdotool", "mousemove", "--sync", "--window", w.id, strconv.FormatInt(x, 10), strconv.FormatInt(y, 10), "click", "1"); err != nil {
		w.t.Fatalf("clicking at %d,%d: %v", x, y, err)
	}
}

// picture is what the window shows.
func (w *window) picture() *image.RGBA {
	w.t.Helper()
	path := filepath.Join(w.home.dir, "window.png")
	w.shoot(path)
	f, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	img, err := png.Decode(f)
	if err != nil {
		w.t.Fatal(err)
	}
	rgba := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(rgba, rgba.Bounds(), img, img.Bounds().Min, draw.Src)
	return rgba
}

// shoot writes a picture of the window.
func (w *window) shoot(path string) {
	w.t.Helper()
	if _, err := w.display.run(w.home, "import", "-silent", "-window", w.id, "+repage", "-define", "png:color-type=2", path); err != nil {
		w.t.Fatalf("taking a picture: %v", err)
	}
}

// shootFor writes a picture beside the one that SHOAL_SCREENSHOT names, to be looked at.
func (w *window) shootFor(t testing.TB, name string) {
	t.Helper()
	path := os.Getenv("SHOAL_SCREENSHOT")
	if path == "" {
		return
	}
	w.until(shortWait, "what is drawn late is there", func(shown) bool { return true })
	w.shoot(strings.TrimSuffix(path, ".png") + "-" + name + ".png")
}

// differing is the part of a place's pixels that differ between two pictures, 0 to 1.
func differing(a, b *image.RGBA, place [4]int64) float64 {
	area := image.Rect(int(place[0]), int(place[1]), int(place[0]+place[2]), int(place[1]+place[3]))
	area = area.Intersect(a.Bounds()).Intersect(b.Bounds())
	if area.Empty() {
		return 0
	}
	n := 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				n++
			}
		}
	}
	return float64(n) / float64(area.Dx()*area.Dy())
}

// colors counts the colours in a place, up to a few hundred: a blank has one.
func colors(img *image.RGBA, place [4]int64) int {
	seen := make(map[[3]uint8]bool)
	area := image.Rect(int(place[0]), int(place[1]), int(place[0]+place[2]), int(place[1]+place[3])).Intersect(img.Bounds())
	for y := area.Min.Y; y < area.Max.Y && len(seen) < 500; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := img.RGBAAt(x, y)
			seen[[3]uint8{c.R, c.G, c.B}] = true
		}
	}
	return len(seen)
}
