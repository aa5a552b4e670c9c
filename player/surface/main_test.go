// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package surface_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
	"shoal/player/internal/playertest"
	"shoal/player/surface"
)

// The child of a benchmark plays the file named in childEnv.
const (
	childEnv = "SHOAL_BENCH_CLIP"
	warmUp   = 3 * time.Second // what starting costs is not playing's
	measured = 10 * time.Second
)

// TestMain runs the tests beside a Fyne application, which needs the main goroutine.
func TestMain(m *testing.M) {
	if clip := os.Getenv(childEnv); clip != "" {
		os.Exit(playInWindow(clip))
	}
	stop := startDisplay()
	a := app.NewWithID("shoal.surface.test")
	keep := a.NewWindow("keep") // an application ends with its last window
	keep.SetContent(widget.NewLabel(""))
	code := make(chan int, 1)
	a.Lifecycle().SetOnStarted(func() {
		go func() {
			code <- m.Run()
			fyne.Do(a.Quit)
		}()
	})
	a.Run()
	stop()
	select {
	case c := <-code:
		os.Exit(c)
	default:
		os.Exit(1)
	}
}

// playInWindow is the child: it says how many frames were painted at the start and end of the time measured.
func playInWindow(clip string) int {
	data, err := os.ReadFile(clip)
	if err != nil {
		fatal("%v", err)
	}
	p, err := player.New(player.Options{NullAudio: true})
	if err != nil {
		fatal("%v", err)
	}
	a := app.NewWithID("shoal.surface.bench")
	s := surface.New(p)
	w := a.NewWindow("bench")
	w.SetPadded(false)
	w.SetContent(container.NewStack(s))
	w.Resize(fyne.NewSize(1280, 720))
	a.Lifecycle().SetOnStarted(func() {
		go func() {
			if err := p.Load(context.Background(), playertest.NewFile(data).Opener(), nil); err != nil {
				fatal("%v", err)
			}
			time.Sleep(warmUp)
			fmt.Println("begin", s.Painted())
			time.Sleep(measured)
			fmt.Println("end", s.Painted())
		}()
	})
	w.ShowAndRun()
	return 0
}

// startDisplay starts an X server without a screen and points DISPLAY at it, unless the environment asks for
// the real one with SHOAL_TEST_DISPLAY.
func startDisplay() (stop func()) {
	if d := os.Getenv("SHOAL_TEST_DISPLAY"); d != "" {
		os.Setenv("DISPLAY", d)
		return func() {}
	}
	r, w, err := os.Pipe()
	if err != nil {
		fatal("making a pipe: %v", err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1600x1000x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		fatal("starting Xvfb (apt install xvfb): %v", err)
	}
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		fatal("Xvfb gave no display: %v", err)
	}
	os.Setenv("DISPLAY", ":"+strings.TrimSpace(line))
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		r.Close()
	}
}

func fatal(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// screenshot keeps a picture of the screen where SHOAL_SCREENSHOT says.
func screenshot(t testing.TB) {
	t.Helper()
	path := os.Getenv("SHOAL_SCREENSHOT")
	if path == "" {
		return
	}
	if out, err := exec.Command("import", "-window", "root", path).CombinedOutput(); err != nil {
		t.Errorf("taking a screenshot: %v\n%s", err, out)
	}
}
