// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"shoal/peer/library"
	"shoal/peer/safedial"
)

// What a video names does not lead to private addresses; what a person named does.
func TestOnlyNamedHostsMayBePrivate(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	address := s.Listener.Addr().String()
	var n named
	if _, err := n.dial(t.Context(), "tcp", address); !errors.Is(err, safedial.ErrPrivate) {
		t.Errorf("nobody named it: %v", err)
	}
	n.add("http://192.0.2.1:9000/w/1")
	if _, err := n.dial(t.Context(), "tcp", address); !errors.Is(err, safedial.ErrPrivate) {
		t.Errorf("another was named: %v", err)
	}
	magnet := "magnet:?xt=urn:btih:2d91256d35b97546abaecdf472c7eedd4f18025f&tr=http%3A%2F%2F10.0.0.7%2Fannounce&ws=http%3A%2F%2F10.0.0.8%2Fclip.mp4"
	n.addEntries([]library.Entry{{Page: "http://192.0.2.2/w/1", Magnet: magnet}})
	if n.has("10.0.0.7") || n.has("10.0.0.8") {
		t.Errorf("a video's page names what the video names: %v", n.hosts)
	}
	n.addEntries([]library.Entry{{}, {Magnet: magnet}, {Page: s.URL + "/w/1"}})
	if !n.has("10.0.0.7") || !n.has("10.0.0.8") {
		t.Errorf("a magnet that was given names no host: %v", n.hosts)
	}
	c, err := n.dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// A proxy of the environment is usually a neighbour.
func TestProxiesAreNamed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "proxy.lan:3128")
	t.Setenv("HTTPS_PROXY", "http://user:secret@10.0.0.1:3128")
	var n named
	n.addProxies()
	if !n.has("PROXY.lan") || !n.has("10.0.0.1") || n.has("") {
		t.Errorf("named %v", n.hosts)
	}
}
