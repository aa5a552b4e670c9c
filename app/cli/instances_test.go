// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// served is an instance that runs in the test's process.
type served struct {
	t          *testing.T
	data, host string
	stop       func()
}

// lines is what a running command writes.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serveHere runs shoal serve until the test ends or stop is called.
func serveHere(t *testing.T) *served {
	t.Helper()
	s := &served{t: t, data: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	var out, errs lines
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, Env{Args: []string{"serve", "--dev", "--listen", "127.0.0.1:0", "--json", "--data", s.data}, Stdout: &out, Stderr: &errs})
	}()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			if code := <-done; code != 0 {
				t.Errorf("serve: exit code %d, stderr %q", code, errs.String())
			}
		})
	}
	t.Cleanup(s.stop)
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), "\n"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never ready: %q", errs.String())
		}
	}
	u, err := url.Parse(events(t, out.String())[0]["url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	s.host = u.Host
	return s
}

// try runs a command on the instance's folder.
func (s *served) try(args ...string) (code int, list []map[string]any, stderr string) {
	s.t.Helper()
	code, stdout, stderr := call(s.t, nil, append(args, "--json", "--data", s.data)...)
	return code, events(s.t, stdout), stderr
}

// do is try for a command that succeeds.
func (s *served) do(args ...string) []map[string]any {
	s.t.Helper()
	code, list, stderr := s.try(args...)
	if code != 0 {
		s.t.Fatalf("%s: exit code %d, stderr %q", strings.Join(args, " "), code, stderr)
	}
	return list
}

// one is do for a command with one event, whose values are given in pairs of key and value.
func (s *served) one(args []string, pairs ...any) {
	s.t.Helper()
	list := s.do(args...)
	if len(list) != 1 {
		s.t.Fatalf("%s: %v", strings.Join(args, " "), list)
	}
	for i := 0; i < len(pairs); i += 2 {
		if got := list[0][pairs[i].(string)]; got != pairs[i+1] {
			s.t.Errorf("%s: %v is %v, want %v", strings.Join(args, " "), pairs[i], got, pairs[i+1])
		}
	}
}

func words(text string) []string { return strings.Fields(text) }

func TestInstancesFollowEachOtherByCommands(t *testing.T) {
	t.Parallel()
	a, b := serveHere(t), serveHere(t)
	a.one(words("follow "+b.host), "event", "follow", "target", b.host, "state", "accepted", "reason", "")
	a.one(words("following"), "event", "following", "target", b.host, "state", "accepted", "auto", false)
	b.one(words("followers"), "event", "follower", "target", a.host, "state", "accepted")
	b.one(words("reject "+a.host), "event", "reject", "target", a.host, "state", "rejected")
	b.one(words("approve "+a.host), "event", "approve", "state", "accepted")
	if list := a.do("queue"); len(list) != 0 {
		t.Errorf("waiting: %v", list)
	}
	a.one(words("unfollow "+b.host), "event", "unfollow", "state", "unfollowed")
	if list := a.do("following"); len(list) != 0 {
		t.Errorf("still following %v", list)
	}
	code, list, stderr := a.try("follow", a.host)
	if code != 1 || len(list) != 2 || list[0]["state"] != "failed" || list[1]["event"] != "error" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("following itself: exit code %d, %v, stderr %q", code, list, stderr)
	}
	code, list, _ = a.try("follow", "127.0.0.1:1")
	if code != 1 || len(list) != 2 || list[1]["code"] != "unreachable" {
		t.Errorf("following nobody: exit code %d, %v", code, list)
	}
	b.stop()
	code, list, stderr = b.try("follow", a.host) // alone, on the folder
	if code != 0 || len(list) != 1 || list[0]["state"] != "accepted" {
		t.Errorf("alone: exit code %d, %v, stderr %q", code, list, stderr)
	}
}

func TestPolicyAndBlocksByCommands(t *testing.T) {
	t.Parallel()
	s := serveHere(t)
	for _, running := range []bool{true, false} {
		if !running {
			s.stop()
		}
		s.one(words("policy --follow-back on --followers approve"), "event", "policy", "followBack", true, "followers", "approve")
		s.one(words("policy"), "followBack", true, "followers", "approve")
		s.one(words("policy --follow-back off --followers reject --keep-existing"), "followBack", false, "followers", "reject")

		s.one(words("blacklist add Busy.Example"), "event", "blacklist", "state", "added")
		s.one(words("blacklist list"), "event", "blacklisted", "host", "busy.example")
		s.one(words("blacklist remove busy.example"), "state", "removed")
		if list := s.do("blacklist", "list"); len(list) != 0 {
			t.Errorf("the blacklist has %v", list)
		}

		s.one([]string{"block", "bad.example", "--reason", "spam"}, "event", "block", "target", "bad.example", "state", "blocked")
		s.one(words("blocks"), "event", "blocked", "host", "bad.example", "reason", "spam", "list", "")
		file := filepath.Join(t.TempDir(), "list.csv")
		s.one([]string{"blocks", "--export", file, "--format", "mastodon"}, "event", "exported", "file", file)
		if data, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(data), "#domain") || !strings.Contains(string(data), "bad.example") {
			t.Errorf("exported %q, %v", data, err)
		}
		s.one(words("unblock ann@bad.example"), "state", "unblocked")
		s.one([]string{"blocks", "--import", file}, "event", "imported", "blocked", 1.0, "known", 0.0)
		s.one(words("unblock bad.example"), "event", "unblock")

		if code, list, _ := s.try("blocks", "--import", filepath.Join(t.TempDir(), "none")); code != 1 || list[0]["code"] != "notFound" {
			t.Errorf("a missing file: exit code %d, %v", code, list)
		}
		if list := s.do("refused"); len(list) != 0 {
			t.Errorf("refused: %v", list)
		}
	}
}

func TestAccountsAndChannelsByCommands(t *testing.T) {
	t.Parallel()
	s := serveHere(t)
	s.one([]string{"account", "add", "ann", "--display-name", "Ann Angler"}, "event", "account", "name", "ann", "displayName", "Ann Angler")
	s.one(words("channel add films --account ann"), "event", "channel", "name", "films", "account", "ann")
	if list := s.do("account", "list"); len(list) != 2 || list[1]["name"] != "ann" {
		t.Errorf("accounts: %v", list)
	}
	if list := s.do("channel", "list"); len(list) != 3 {
		t.Errorf("channels: %v", list)
	}
	s.one(words("channel remove films"), "event", "removed", "kind", "channel", "name", "films")
	s.one(words("account remove ann"), "event", "removed", "kind", "account", "name", "ann")
	for _, args := range []string{"account remove root", "account add ann@x", "channel remove none", "edit none --title New", "delete none", "comments none"} {
		if code, list, stderr := s.try(words(args)...); code != 1 || len(list) != 1 || list[0]["event"] != "error" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %v, stderr %q", args, code, list, stderr)
		}
	}
	if list := s.do("videos"); len(list) != 0 {
		t.Errorf("videos: %v", list)
	}
}
