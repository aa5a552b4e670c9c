// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

// Package testpeer runs other people's WebTorrent programs for end-to-end tests and benchmarks: the
// npm package bittorrent-tracker, and webtorrent in Node and in Chromium. Only test code imports it.
//
// A part that is missing fails the test; nothing is skipped. install.sh installs the npm packages.
package testpeer

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// timeout is how long a peer may take for what it is asked; a loaded machine is slow.
const timeout = 2 * time.Minute

// Event is a line that a Node script printed.
type Event struct {
	Event      string `json:"event"`
	URL        string `json:"url"`
	Infohash   string `json:"infohash"`
	SHA256     string `json:"sha256"`
	Message    string `json:"message"`
	Name       string `json:"name"`       // of a case
	OK         bool   `json:"ok"`         // the case passed
	Downloaded int64  `json:"downloaded"` // bytes of verified pieces
	Received   int64  `json:"received"`   // bytes of pieces, verified or not
	Peers      int    `json:"peers"`
}

// oldestNode is the major version that the npm packages take.
const oldestNode = 22

// Node is the path of the node program: the one on the PATH, or where that is missing or too old the
// one that .ci/node.sh puts into .build/node.
func Node(t testing.TB) string {
	t.Helper()
	own := filepath.Join(Dir(t), "..", "..", ".build", "node", "bin", "node")
	for _, name := range []string{"node", own} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "-p", "process.versions.node.split('.')[0]").Output()
		if major, bad := strconv.Atoi(strings.TrimSpace(string(out))); err == nil && bad == nil && major >= oldestNode {
			return path
		}
	}
	t.Fatalf("Node.js %d or later is missing: install it, or run .ci/node.sh", oldestNode)
	return ""
}

// Dir is the folder of this package's files.
func Dir(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the folder of the test peers is unknown")
	}
	return filepath.Dir(file)
}

// Modules is the folder of the npm packages, made by install.sh: $SHOAL_NPM_DIR/node_modules, or
// .build/npm/node_modules in the repository.
func Modules(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SHOAL_NPM_DIR")
	if dir == "" {
		dir = filepath.Join(Dir(t), "..", "..", ".build", "npm")
	}
	dir, err := filepath.Abs(filepath.Join(dir, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "webtorrent", "package.json")); err != nil {
		t.Fatalf("npm packages are missing (%v): run peer/testpeer/install.sh", err)
	}
	return dir
}

// script is a running Node script of this folder.
type script struct {
	*Process
	t    testing.TB
	name string

	mu     sync.Mutex
	events []Event
	more   chan struct{} // closed and replaced when an event comes
	ended  bool
}

// run starts a script of this folder, which ends with the test.
func run(t testing.TB, name string, args ...string) *script {
	t.Helper()
	s := &script{t: t, name: name, more: make(chan struct{})}
	s.Process = Start(t, filepath.Join(Dir(t), name), s.line, s.over, args...)
	return s
}

func (s *script) line(line []byte) {
	var e Event
	if json.Unmarshal(line, &e) != nil {
		return
	}
	s.mu.Lock()
	s.events = append(s.events, e)
	close(s.more)
	s.more = make(chan struct{})
	s.mu.Unlock()
}

func (s *script) over() {
	s.mu.Lock()
	s.ended = true
	close(s.more)
	s.more = make(chan struct{})
	s.mu.Unlock()
}

// wait waits for the first event after the first from ones that ok accepts, and returns its place.
func (s *script) wait(what string, from int, ok func(Event) bool) (Event, int) {
	s.t.Helper()
	late := time.NewTimer(timeout)
	defer late.Stop()
	for {
		s.mu.Lock()
		events, more, ended := s.events, s.more, s.ended
		s.mu.Unlock()
		for i := from; i < len(events); i++ {
			if ok(events[i]) {
				return events[i], i
			}
			if events[i].Event == "error" {
				s.t.Fatalf("%s failed: %s", s.name, events[i].Message)
			}
		}
		from = len(events)
		if ended {
			s.t.Fatalf("%s ended before it was %s", s.name, what)
		}
		select {
		case <-more:
		case <-late.C:
			s.t.Fatalf("%s was never %s", s.name, what)
		}
	}
}

// CPU is the processor time that a process and those it started have used so far.
func CPU(t testing.TB, pid int) time.Duration {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatalf("reading processor times: %v", err)
	}
	parents := make(map[int]int)
	used := make(map[int]time.Duration)
	for _, e := range entries {
		p, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// The name, in brackets, may hold spaces; utime and stime are fields 14 and 15 (proc(5)).
		f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(f) < 13 {
			continue
		}
		parents[p], _ = strconv.Atoi(f[1])
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		used[p] = time.Duration(user+system) * 10 * time.Millisecond
	}
	var sum time.Duration
	for p := range used {
		for q := p; q > 1; q = parents[q] {
			if q == pid {
				sum += used[p]
				break
			}
		}
	}
	return sum
}
