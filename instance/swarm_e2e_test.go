// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package instance

import (
	"bytes"
	"io"
	"os"
	"testing"

	"shoal/peer"
	"shoal/peer/webrtc"
)

// newEngine starts an engine on loopback with the given sources.
func newEngine(t *testing.T, sources ...peer.Source) *peer.Engine {
	t.Helper()
	e, err := peer.New(peer.Config{
		Dir: t.TempDir(), PiecesDB: t.TempDir() + "/pieces.db", Sources: sources, WebRTC: webrtc.Config{Loopback: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestAPeerGetsThePublishedFile publishes with a real engine; another engine joins by the magnet
// alone, once over each source, and streams the same bytes.
func TestAPeerGetsThePublishedFile(t *testing.T) {
	file := mp4(t)
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seeder := newEngine(t)
	r := start(t, Config{Dir: t.TempDir(), Engine: seeder}, seeder)
	p, err := r.Publish(t.Context(), PublishRequest{File: file, Title: "For everyone"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, ok := r.Local(p.Infohash)
	if !ok || l.Swarm == nil || !l.Swarm.Stats().Complete {
		t.Fatalf("the instance does not seed: %+v", l)
	}
	for _, source := range []peer.Source{peer.SourceWebRTC, peer.SourceTCP, peer.SourceWebSeed} {
		t.Run(string(source), func(t *testing.T) {
			target, err := peer.ParseMagnet(p.Magnet)
			if err != nil {
				t.Fatal(err)
			}
			s, err := newEngine(t, source).Join(t.Context(), target, peer.JoinOptions{})
			if err != nil {
				t.Fatal(err)
			}
			stream, err := s.Stream(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			got, err := io.ReadAll(stream)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of %d, %v", len(got), len(want), err)
			}
			eventually(t, "all bytes are counted for "+string(source), func() bool {
				b := s.Stats().Downloaded
				by := map[peer.Source]int64{peer.SourceWebRTC: b.WebRTC, peer.SourceTCP: b.TCP, peer.SourceWebSeed: b.WebSeed}
				return by[source] == int64(len(want)) && b.Sum() == int64(len(want))
			})
		})
	}
}
