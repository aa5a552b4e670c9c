// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build unix

package publish

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAFIFOIsRefusedAtOnce(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "video.mp4")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, use := range map[string]func() error{
		"finding it":    func() error { _, err := source(fifo); return err },
		"opening it":    func() error { _, err := open(fifo); return err },
		"sharing it":    func() error { return clone(fifo, fifo+".clone") },
		"its container": func() error { return checkContainer(fifo, Media{}) },
		"a device":      func() error { _, err := source("/dev/null"); return err },
	} {
		done := make(chan error, 1)
		go func() { done <- use() }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "is no file") && what != "sharing it" {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s waits for a writer", what)
		}
	}
}
