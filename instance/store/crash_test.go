// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

const crashDir = "SHOAL_STORE_CRASH_DIR"

// TestCrashWriter is no test by itself: TestKilledWriterLosesNothing runs it as another process. It
// writes and says what is on disk until it is killed.
func TestCrashWriter(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return
	}
	s := federated(t, dir)
	var n int
	read(t, s, func(tx *Tx) error {
		c, err := tx.Counts("v")
		n = c.Likes
		return err
	})
	for ; ; n++ {
		kind := s.Write
		if n%2 == 0 {
			kind = s.Batch
		}
		err := kind("writing", func(tx *Tx) error {
			v := remote("far.example", n)
			_, err := tx.SetRate("v", fmt.Sprint("https://far.example/", n), 1, "l")
			return errors.Join(err, tx.PutRemoteVideo(v), tx.PutInbox(&InboxItem{Received: now, Body: []byte("b")}), tx.AddChange(Change{Kind: Viewed, Subject: v.ID}))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Printf("done %d\n", n+1); err != nil {
			return
		}
	}
}

// TestKilledWriterLosesNothing kills a process that writes, at random instants, and checks that what
// it said is there and that each write is there as a whole.
func TestKilledWriterLosesNothing(t *testing.T) {
	dir := t.TempDir()
	for range 8 {
		said := runWriter(t, dir)
		s := federated(t, dir)
		read(t, s, func(tx *Tx) error {
			n, err := tx.Counts("v")
			changes, err2 := tx.Changes(1 << 20)
			waiting := len(inboxOf(t, tx))
			if n.Likes < said || n.Likes > said+1 || waiting != n.Likes || len(changes) != n.Likes || len(s.list.lines) != n.Likes {
				t.Errorf("said %d; there are %d rates, %d inbox items, %d changes, %d videos", said, n.Likes, waiting, len(changes), len(s.list.lines))
			}
			return errors.Join(err, err2)
		})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runWriter runs a writer, kills it and returns what it said last.
func runWriter(t *testing.T, dir string) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashWriter$") //nolint:gosec // this program
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	said, kill := 0, time.Time{}
	for lines.Scan() {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "done "+"%d", &n); err != nil {
			t.Errorf("the writer says %s", strconv.Quote(lines.Text()))
			continue
		}
		if said = n; kill.IsZero() {
			kill = time.Now().Add(time.Duration(rand.IntN(100)) * time.Millisecond)
		}
		if !time.Now().Before(kill) {
			_ = cmd.Process.Kill() // it goes on to say what it said before
		}
	}
	_ = cmd.Wait() // killed
	return said
}
