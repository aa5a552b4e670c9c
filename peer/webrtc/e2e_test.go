// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package webrtc

import (
	"testing"

	"shoal/peer/testpeer"
)

// size of the clips that go between us and other people's programs.
const e2eSize = 5<<20 + 321

// Every transport but WebRTC is off on both sides, and there is one seeder. Each test has a twin
// beside it in the same processes, at the same tracker and at the same time: a download for which
// our side has not joined over WebRTC. It must not get a byte.

func TestE2EWeSeedToNode(t *testing.T)            { weSeedToNode(t, "3") }
func TestE2EWeSeedToNodeWebTorrent1(t *testing.T) { weSeedToNode(t, "1") }

func weSeedToNode(t *testing.T, version string) {
	tracker := testpeer.NPMTracker(t)
	us := newEngine(t)
	c, twin := newClip(t, "clip", e2eSize), newClip(t, "twin", e2eSize)
	us.seed(c, tracker)
	us.seed(twin, "")
	them := testpeer.WebTorrentNode(t, version)
	them.Download(twin.torrent(t), t.TempDir(), tracker)
	them.Download(c.torrent(t), t.TempDir(), tracker)
	if got := them.Done(c.infohash()); got != c.sha256 {
		t.Fatalf("they have a file with SHA-256 %s, want %s", got, c.sha256)
	}
	if n := them.Received(twin.infohash()); n != 0 {
		t.Fatalf("%d bytes went to the twin", n)
	}
}

func TestE2ENodeSeedsToUs(t *testing.T)            { nodeSeedsToUs(t, "3") }
func TestE2ENodeWebTorrent1SeedsToUs(t *testing.T) { nodeSeedsToUs(t, "1") }

func nodeSeedsToUs(t *testing.T, version string) {
	tracker := testpeer.NPMTracker(t)
	c := newClip(t, "clip", e2eSize)
	dir := t.TempDir()
	c.write(t, dir)
	testpeer.WebTorrentNode(t, version).Seed(c.torrent(t), c.infohash(), dir, tracker)
	weDownload(t, c, tracker)
}

// weDownload downloads with one client that joins over WebRTC and one that does not.
func weDownload(t *testing.T, c *clip, tracker string) {
	t.Helper()
	us, off := newEngine(t), newEngine(t)
	twin := off.add(c)
	twin.DownloadAll()
	tt := us.add(c)
	us.join(tt, tracker)
	us.complete(tt, c)
	if n := received(twin); n != 0 {
		t.Fatalf("%d bytes came to the twin", n)
	}
}

func TestE2EWeSeedToChromium(t *testing.T)            { weSeedToChromium(t, "3") }
func TestE2EWeSeedToChromiumWebTorrent1(t *testing.T) { weSeedToChromium(t, "1") }

func weSeedToChromium(t *testing.T, version string) {
	tracker := testpeer.NPMTracker(t)
	us := newEngine(t)
	c, twin := newClip(t, "clip", e2eSize), newClip(t, "twin", e2eSize)
	us.seed(c, tracker)
	us.seed(twin, "")
	them := testpeer.Chromium(t, version)
	them.Download(twin.torrent(t), twin.infohash(), tracker)
	if got := them.Download(c.torrent(t), c.infohash(), tracker).Done(t); got != c.sha256 {
		t.Fatalf("they have a file with SHA-256 %s, want %s", got, c.sha256)
	}
	if n := them.Received(twin.infohash()); n != 0 {
		t.Fatalf("%d bytes went to the twin", n)
	}
}

func TestE2EChromiumSeedsToUs(t *testing.T)            { chromiumSeedsToUs(t, "3") }
func TestE2EChromiumWebTorrent1SeedsToUs(t *testing.T) { chromiumSeedsToUs(t, "1") }

func chromiumSeedsToUs(t *testing.T, version string) {
	tracker := testpeer.NPMTracker(t)
	c := newClip(t, "clip", e2eSize)
	torrent := testpeer.Chromium(t, version).Seed(c.name, c.data, tracker)
	c = c.as(t, torrent)
	weDownload(t, c, tracker)
}

// TestE2EASwarmOfAll: we, Node and Chromium, all of whom have the file from each other.
func TestE2EASwarmOfAll(t *testing.T) {
	tracker := testpeer.NPMTracker(t)
	c := newClip(t, "clip", e2eSize)
	us := newEngine(t)
	us.seed(c, tracker)
	node, chromium, second := testpeer.WebTorrentNode(t, "3"), testpeer.Chromium(t, "3"), newEngine(t)
	node.Download(c.torrent(t), t.TempDir(), tracker)
	page := chromium.Download(c.torrent(t), c.infohash(), tracker)
	tt := second.add(c)
	second.join(tt, tracker)
	second.complete(tt, c)
	if got := node.Done(c.infohash()); got != c.sha256 {
		t.Fatal("Node has another file")
	}
	if got := page.Done(t); got != c.sha256 {
		t.Fatal("Chromium has another file")
	}
}
