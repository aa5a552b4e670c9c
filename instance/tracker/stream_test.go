// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestSocketOverTLS uses connections that are no sockets of the system, so that each has goroutines.
func TestSocketOverTLS(t *testing.T) {
	tr := New(Config{Known: func(h Hash) bool { return h != unknownHash }, MaxQueue: 300_000})
	srv := httptest.NewTLSServer(handlers(tr))
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	open := func() *client {
		t.Helper()
		ws, _, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(srv.URL, "https")+"/tracker/socket", &websocket.DialOptions{HTTPClient: srv.Client()})
		if err != nil {
			t.Fatal(err)
		}
		ws.SetReadLimit(1 << 20)
		t.Cleanup(func() { _ = ws.CloseNow() })
		return &client{t, ws}
	}
	a, b := open(), open()
	a.send(announce(hash("k"), id(1), nil))
	a.receive()
	b.send(announce(hash("k"), id(2), object{"offers": offers(1), "numwant": 1}))
	if got := b.receive(); got["incomplete"] != 2.0 {
		t.Errorf("got %v", got)
	}
	got := a.receive()
	if got["peer_id"] != id(2) {
		t.Errorf("got %v", got)
	}
	a.send(object{
		"action": "announce", "info_hash": hash("k"), "peer_id": id(1), "to_peer_id": id(2),
		"offer_id": got["offer_id"], "answer": object{"type": "answer", "sdp": "x"},
	})
	if got := b.receive(); got["peer_id"] != id(1) || got["answer"] == nil {
		t.Errorf("got %v", got)
	}

	// A refusal arrives before the end.
	c := open()
	c.send(announce(str(string(unknownHash[:])), id(3), nil))
	if got := c.receive(); got["failure reason"] == nil {
		t.Errorf("got %v", got)
	}
	c.closed()
	eventually(t, "the refused connection is gone", func() bool { return tr.Conns() == 2 })

	// A reader that stops is dropped, and the other one is not.
	big := []object{{"offer_id": hash("o"), "offer": object{"type": "offer", "sdp": strings.Repeat("x", 60<<10)}}}
	eventually(t, "the slow reader is dropped", func() bool {
		b.send(announce(hash("k"), id(2), object{"offers": big}))
		b.receive()
		return tr.Conns() == 1
	})
	_ = b.ws.CloseNow()
	eventually(t, "nothing is left", func() bool { return tr.Conns() == 0 && held(tr) == 0 })
}
