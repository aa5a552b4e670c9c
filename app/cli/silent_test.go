// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// silent is the address of a server that takes connections and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String()
}

func TestASilentServerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := serveHere(t)
	mute := silent(t)
	for _, wait := range []string{"0", "1s"} {
		start := time.Now()
		s.one([]string{"follow", mute, "--wait", wait}, "event", "follow", "target", mute, "state", "pending")
		if took := time.Since(start); took > 10*time.Second { // looking it up alone would take 20 s
			t.Errorf("--wait %s took %v", wait, took)
		}
	}
	for _, args := range [][]string{
		{"like", "http://" + mute + "/videos/watch/1"},
		{"comment", "http://" + mute + "/videos/watch/1", "Well said"},
		{"blocks", "--subscribe", "http://" + mute + "/blocks.txt"},
		{"follow", mute, "--wait", "60s"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		done := make(chan int, 1)
		go func() {
			done <- Run(ctx, Env{Args: append(args, "--data", s.data), Stdout: &stdout, Stderr: &stderr, Cwd: t.TempDir()})
		}()
		time.AfterFunc(300*time.Millisecond, cancel)
		start := time.Now()
		if code := <-done; code != 1 || !strings.Contains(stderr.String(), "stopped") || time.Since(start) > 5*time.Second {
			t.Errorf("%v: exit code %d after %v, stderr %q", args, code, time.Since(start), stderr.String())
		}
	}
	s.stop()
	start := time.Now()
	code, list, _ := s.try("follow", mute, "--wait", "1s") // alone, on the folder
	if code != 1 || len(list) != 2 || list[1]["code"] != "timeout" || time.Since(start) > 10*time.Second {
		t.Errorf("alone: exit code %d after %v, %v", code, time.Since(start), list)
	}
}
