// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package testpeer

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// NPMTracker starts the npm package bittorrent-tracker as a WebSocket tracker and returns its URL.
func NPMTracker(t testing.TB) (url string) {
	t.Helper()
	url, _ = Tracker(t, "bittorrent-tracker")
	return url
}

// Tracker starts the server of an npm package, bittorrent-tracker or its fork
// @peertube/bittorrent-tracker-server, as a WebSocket tracker and returns its URL and its process.
func Tracker(t testing.TB, pkg string) (url string, pid int) {
	t.Helper()
	s := run(t, "tracker.mjs", pkg)
	e, _ := s.wait("listening", 0, func(e Event) bool { return e.Event == "ready" })
	return e.URL, s.Process.PID()
}

// Announce runs the cases of announce.mjs, the npm package bittorrent-tracker's client against a
// tracker, and returns what each came to.
func Announce(t testing.TB, args ...string) []Event {
	t.Helper()
	s := run(t, "announce.mjs", args...)
	_, n := s.wait("done", 0, func(e Event) bool { return e.Event == "ready" })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[:n]
}

// Peer is webtorrent in Node, with WebRTC alone.
type Peer struct{ s *script }

// WebTorrentNode starts webtorrent of a major version, "3" or "1", in Node.
func WebTorrentNode(t testing.TB, version string) *Peer {
	t.Helper()
	s := run(t, "node.mjs", version)
	s.wait("started", 0, func(e Event) bool { return e.Event == "started" })
	return &Peer{s: s}
}

// PID is the process.
func (p *Peer) PID() int { return p.s.Process.PID() }

func (p *Peer) add(command string, torrent []byte, dir, tracker string) {
	p.s.t.Helper()
	file := filepath.Join(p.s.t.TempDir(), "a.torrent")
	if err := os.WriteFile(file, torrent, 0o600); err != nil {
		p.s.t.Fatal(err)
	}
	p.s.Send(map[string]any{"command": command, "torrent": file, "dir": dir, "announce": []string{tracker}})
}

// Seed seeds a torrent whose file lies in dir, and returns once its bytes are checked.
func (p *Peer) Seed(torrent []byte, infohash [20]byte, dir, tracker string) {
	p.s.t.Helper()
	p.add("seed", torrent, dir, tracker)
	p.s.wait("seeding", 0, func(e Event) bool {
		return e.Event == "ready" && e.Infohash == hex.EncodeToString(infohash[:])
	})
}

// Download begins to download a torrent to a folder.
func (p *Peer) Download(torrent []byte, dir, tracker string) {
	p.s.t.Helper()
	p.add("download", torrent, dir, tracker)
}

// Done waits until a download is complete and returns the SHA-256 of its file, in hex.
func (p *Peer) Done(infohash [20]byte) string {
	p.s.t.Helper()
	e, _ := p.s.wait("complete", 0, func(e Event) bool {
		return e.Event == "done" && e.Infohash == hex.EncodeToString(infohash[:])
	})
	return e.SHA256
}

// Received is how many bytes of a torrent's pieces have come in, good or bad.
func (p *Peer) Received(infohash [20]byte) int64 {
	p.s.t.Helper()
	p.s.mu.Lock()
	from := len(p.s.events)
	p.s.mu.Unlock()
	p.s.Send(map[string]any{"command": "stats"})
	e, _ := p.s.wait("telling", from, func(e Event) bool {
		return e.Event == "stats" && e.Infohash == hex.EncodeToString(infohash[:])
	})
	return max(e.Received, e.Downloaded)
}
