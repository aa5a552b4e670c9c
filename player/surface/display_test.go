// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package surface_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

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
