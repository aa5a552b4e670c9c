// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the built program's path.
var program string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "shoal-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	clips.dir = dir
	if program = os.Getenv("SHOAL_PROGRAM"); program == "" {
		program = filepath.Join(dir, "shoal")
		// The flags are the Makefile's, so that what is compiled already is taken from the cache.
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "nosqlite", "-o", program, "shoal/app")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "building the program: %v\n", err)
			return 1
		}
	}
	// One test starts the program as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
