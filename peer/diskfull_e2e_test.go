// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e && linux

package peer

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRealDiskFull fetches onto a file system that is too small, until something else on it is deleted.
func TestRealDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatalf("mounting a small file system needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 10*mib), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, 9*mib, 256<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	config := Config{Dir: filepath.Join(dir, "videos"), Sources: Sources{SourceTCP}}
	config.times = timings{look: 20 * time.Millisecond, diskMin: 100 * time.Millisecond, diskMax: time.Second}
	e := newEngine(t, config)
	target := f.target()
	target.Peers = []string{seeder.addr()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "full") })
	kept := s.Stats().Completed
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
	if st := s.Stats(); st.Problem != "" || st.Completed < kept {
		t.Fatalf("%+v, with %d bytes before", st, kept)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "videos", ".probe-*")); len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
}
