// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/anacrolix/torrent/metainfo"
	"github.com/coder/websocket"
)

// wsTracker is a WebSocket tracker as WebTorrent speaks it, with no more than passing on offers
// and answers.
type wsTracker struct {
	*httptest.Server
	mu      sync.Mutex
	members map[string]map[string]*websocket.Conn // by infohash, by peer id
	events  []string
}

func newWSTracker(tb testing.TB) *wsTracker {
	tb.Helper()
	w := &wsTracker{members: map[string]map[string]*websocket.Conn{}}
	ctx, cancel := context.WithCancel(context.Background())
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(1 << 20)
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			m := map[string]any{}
			if json.Unmarshal(data, &m) == nil {
				w.take(ctx, conn, m)
			}
		}
	}))
	tb.Cleanup(func() {
		cancel()
		w.Close()
	})
	return w
}

func (w *wsTracker) url() string { return "ws" + strings.TrimPrefix(w.URL, "http") + "/announce" }

func (w *wsTracker) take(ctx context.Context, conn *websocket.Conn, m map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := func(key string) string { s, _ := m[key].(string); return s }
	send := func(to *websocket.Conn, m map[string]any) {
		data, err := json.Marshal(m)
		if err == nil && to != nil {
			_ = to.Write(ctx, websocket.MessageText, data)
		}
	}
	ih, id := text("info_hash"), text("peer_id")
	if w.members[ih] == nil {
		w.members[ih] = map[string]*websocket.Conn{}
	}
	if m["answer"] != nil {
		send(w.members[ih][text("to_peer_id")], map[string]any{
			"action": "announce", "info_hash": ih, "peer_id": id, "offer_id": m["offer_id"], "answer": m["answer"],
		})
		return
	}
	w.events = append(w.events, text("event"))
	if text("event") == "stopped" {
		delete(w.members[ih], id)
		return
	}
	w.members[ih][id] = conn
	send(conn, map[string]any{"action": "announce", "info_hash": ih, "interval": 120, "complete": 1, "incomplete": 1})
	offers, _ := m["offers"].([]any)
	for other, to := range w.members[ih] {
		if other == id || len(offers) == 0 {
			continue
		}
		offer, _ := offers[0].(map[string]any)
		offers = offers[1:]
		send(to, map[string]any{
			"action": "announce", "info_hash": ih, "peer_id": id, "offer_id": offer["offer_id"], "offer": offer["offer"],
		})
	}
}

func (w *wsTracker) heard(event string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e == event {
			n++
		}
	}
	return n
}

// member reports whether anybody is in a swarm.
func (w *wsTracker) member(h metainfo.Hash) bool {
	var ih strings.Builder
	for _, b := range h {
		ih.WriteRune(rune(b)) // as WebTorrent writes bytes in JSON
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.members[ih.String()]) > 0
}
