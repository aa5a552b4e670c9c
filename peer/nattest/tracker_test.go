// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e && linux

package nattest

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/coder/websocket"
)

// relay is a WebSocket tracker that does no more than pass on offers and answers.
type relay struct {
	mu      sync.Mutex
	members map[string]*websocket.Conn // by peer id
}

// serveTracker serves at a ws:// URL for ever, and calls ready once it listens.
func serveTracker(address string, ready func()) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp4", u.Host)
	if err != nil {
		return err
	}
	ready()
	r := &relay{members: map[string]*websocket.Conn{}}
	return http.Serve(l, r)
}

// ServeHTTP takes one peer.
func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	conn, err := websocket.Accept(w, req, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		m := map[string]any{}
		if json.Unmarshal(data, &m) == nil {
			r.take(conn, m)
		}
	}
}

func (r *relay) take(from *websocket.Conn, m map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	send := func(to *websocket.Conn, more map[string]any) {
		more["action"], more["info_hash"] = "announce", m["info_hash"]
		if data, err := json.Marshal(more); err == nil && to != nil {
			_ = to.Write(context.Background(), websocket.MessageText, data) // it may be gone
		}
	}
	id, _ := m["peer_id"].(string)
	if m["answer"] != nil {
		to, _ := m["to_peer_id"].(string)
		send(r.members[to], map[string]any{"peer_id": id, "offer_id": m["offer_id"], "answer": m["answer"]})
		return
	}
	r.members[id] = from
	send(from, map[string]any{"interval": 120, "complete": 1, "incomplete": 1})
	offers, _ := m["offers"].([]any)
	for other, to := range r.members {
		if other == id || len(offers) == 0 {
			continue
		}
		offer, _ := offers[0].(map[string]any)
		offers = offers[1:]
		send(to, map[string]any{"peer_id": id, "offer_id": offer["offer_id"], "offer": offer["offer"]})
	}
}
