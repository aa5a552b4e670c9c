// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// fakeTracker is a WebSocket tracker in memory that passes on offers and answers, remembers what it
// heard, and misbehaves as told.
type fakeTracker struct {
	URL    string
	server *httptest.Server

	mu       sync.Mutex
	sockets  map[*websocket.Conn]context.CancelFunc
	dials    int
	members  map[string]map[string]*fakeMember // by infohash, by peer id
	heard    []message
	response func(m *message) string           // JSON to answer announces with; nil: the usual
	refuse   bool                              // no WebSocket for anybody
	swallow  bool                              // pass on nothing
	deaf     map[string]bool                   // peer ids that get no offers
	change   func(from binary, d *description) // what happens to descriptions on their way
}

type fakeMember struct {
	conn     *websocket.Conn
	id       string
	complete bool
}

func newFakeTracker(t testing.TB) *fakeTracker {
	t.Helper()
	f := &fakeTracker{
		sockets: make(map[*websocket.Conn]context.CancelFunc),
		members: make(map[string]map[string]*fakeMember),
		deaf:    make(map[string]bool),
	}
	f.server = httptest.NewServer(f)
	f.URL = "ws" + strings.TrimPrefix(f.server.URL, "http") + "/announce"
	t.Cleanup(func() {
		f.dropAll()
		f.server.Close()
	})
	return f
}

func (f *fakeTracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.dials++
	refuse := f.refuse
	f.mu.Unlock()
	if refuse {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	conn.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.mu.Lock()
	f.sockets[conn] = cancel
	f.mu.Unlock()
	defer f.gone(conn)
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(data, &m) == nil {
			f.take(conn, &m)
		}
	}
}

func (f *fakeTracker) gone(conn *websocket.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sockets, conn)
	for _, members := range f.members {
		for id, m := range members {
			if m.conn == conn {
				delete(members, id)
			}
		}
	}
	_ = conn.CloseNow()
}

func (f *fakeTracker) take(conn *websocket.Conn, m *message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ih, id := string(m.Infohash), string(m.PeerID)
	if f.members[ih] == nil {
		f.members[ih] = make(map[string]*fakeMember)
	}
	members := f.members[ih]
	f.heard = append(f.heard, *m)
	if f.change != nil {
		if m.Answer != nil {
			f.change(m.PeerID, m.Answer)
		}
		for i := range m.Offers {
			f.change(m.PeerID, &m.Offers[i].Offer)
		}
	}
	if m.Answer != nil {
		if to := members[string(m.ToPeerID)]; to != nil && !f.swallow {
			f.tell(to.conn, &message{Action: "announce", Infohash: m.Infohash, PeerID: m.PeerID, OfferID: m.OfferID, Answer: m.Answer})
		}
		return
	}
	if m.Event == "stopped" {
		delete(members, id)
	} else {
		members[id] = &fakeMember{conn: conn, id: id, complete: m.Left != nil && *m.Left == 0}
	}
	if f.response != nil {
		if text := f.response(m); text != "" {
			f.write(conn, []byte(text))
		}
	} else {
		seeders := 0
		for _, o := range members {
			if o.complete {
				seeders++
			}
		}
		f.tell(conn, &message{
			Action: "announce", Infohash: m.Infohash, Interval: newNumber(120),
			Complete: newNumber(int64(seeders)), Incomplete: newNumber(int64(len(members) - seeders)),
		})
	}
	if f.swallow {
		return
	}
	offers := m.Offers
	for _, to := range members {
		if to.id == id || f.deaf[to.id] || len(offers) == 0 {
			continue
		}
		f.tell(to.conn, &message{Action: "announce", Infohash: m.Infohash, PeerID: m.PeerID, OfferID: offers[0].OfferID, Offer: &offers[0].Offer})
		offers = offers[1:]
	}
}

func (f *fakeTracker) tell(conn *websocket.Conn, m *message) {
	if data, err := m.encode(); err == nil {
		f.write(conn, data)
	}
}

func (f *fakeTracker) write(conn *websocket.Conn, data []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = conn.Write(ctx, websocket.MessageText, data)
}

// tellAll sends text to everybody.
func (f *fakeTracker) tellAll(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.sockets {
		f.write(conn, []byte(text))
	}
}

// dropAll breaks every WebSocket.
func (f *fakeTracker) dropAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, cancel := range f.sockets {
		cancel()
	}
}

// set changes how the tracker behaves.
func (f *fakeTracker) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// announces are those heard from a peer, in order; of anybody if id is zero.
func (f *fakeTracker) announces(id [20]byte) []message {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []message
	for _, m := range f.heard {
		if m.Answer == nil && (id == [20]byte{} || string(m.PeerID) == string(id[:])) {
			out = append(out, m)
		}
	}
	return out
}

func (f *fakeTracker) events(id [20]byte) string {
	var events []string
	for _, m := range f.announces(id) {
		events = append(events, m.Event)
	}
	return strings.Join(events, ",")
}

func (f *fakeTracker) answers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, m := range f.heard {
		if m.Answer != nil {
			n++
		}
	}
	return n
}

func (f *fakeTracker) open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sockets)
}

func (f *fakeTracker) dialed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}
