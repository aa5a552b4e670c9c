// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serve runs a tracker on loopback for one test.
func serve(t *testing.T, cfg Config) (*Tracker, string) {
	t.Helper()
	if cfg.Known == nil {
		cfg.Known = func(h Hash) bool { return h != unknownHash }
	}
	tr := New(cfg)
	srv := httptest.NewServer(handlers(tr))
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return tr, srv.URL
}

var unknownHash = Hash([]byte(strings.Repeat("\xaa", 20)))

// client is a WebSocket peer.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

func dial(t *testing.T, base string) *client {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/tracker/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &client{t, ws}
}

func (c *client) send(v any) {
	c.t.Helper()
	b, ok := v.(string)
	if !ok {
		j, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		b = string(j)
	}
	if err := c.ws.Write(c.t.Context(), websocket.MessageText, []byte(b)); err != nil {
		c.t.Fatal(err)
	}
}

type object = map[string]any

func (c *client) receive() object {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, b, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatalf("receiving: %v", err)
	}
	var v object
	if err := json.Unmarshal(b, &v); err != nil {
		c.t.Fatalf("receiving %q: %v", b, err)
	}
	return v
}

// closed waits until the tracker closes the connection.
func (c *client) closed() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, _, err := c.ws.Read(ctx); err != nil {
			if ctx.Err() != nil {
				c.t.Fatal("the connection stayed open")
			}
			return
		}
	}
}

// str is a byte string as the protocol writes it: one character a byte.
func str(b string) string {
	r := make([]rune, len(b))
	for i := range len(b) {
		r[i] = rune(b[i])
	}
	return string(r)
}

func hash(s string) string { return str(strings.Repeat(s, 20)[:20]) }

func id(i int) string { return fmt.Sprintf("-TT0001-%012d", i) }

func announce(h, peer string, more object) object {
	m := object{"action": "announce", "info_hash": h, "peer_id": peer, "left": 1, "uploaded": 0, "downloaded": 0}
	for k, v := range more {
		m[k] = v
	}
	return m
}

func offers(n int) []object {
	var all []object
	for i := range n {
		all = append(all, object{"offer_id": hash(fmt.Sprint(i)), "offer": object{"type": "offer", "sdp": "v=0\r\né"}})
	}
	return all
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// TestCapturedSession replays what a PeerTube server was asked and compares each answer.
func TestCapturedSession(t *testing.T) {
	raw, err := os.ReadFile("testdata/session.json")
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Log [][]json.RawMessage }
	if err := json.Unmarshal(raw, &session); err != nil {
		t.Fatal(err)
	}
	_, base := serve(t, Config{})
	clients := map[string]*client{}
	text := func(v json.RawMessage) (s string) { _ = json.Unmarshal(v, &s); return s }
	replies := 0
	for _, e := range session.Log {
		name, what := text(e[1]), text(e[2])
		if text(e[0]) == "http" || strings.HasSuffix(name, "-unknown") {
			continue
		}
		if clients[name] == nil {
			clients[name] = dial(t, base)
		}
		switch what {
		case "send":
			clients[name].send(text(e[3]))
		case "recv":
			replies++
			var want object
			if err := json.Unmarshal([]byte(text(e[3])), &want); err != nil {
				t.Fatal(err)
			}
			if got := clients[name].receive(); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: got %v, want %v", name, got, want)
			}
		}
	}
	if replies != 24 {
		t.Errorf("compared %d replies, want 24", replies)
	}
}

func TestUnknownInfohash(t *testing.T) {
	_, base := serve(t, Config{})
	c := dial(t, base)
	c.send(announce(str(string(unknownHash[:])), id(1), nil))
	got := c.receive()
	want := "Unknown infoHash " + strings.Repeat("aa", 20) + " requested by ip 127.0.0.1"
	if got["failure reason"] != want || got["info_hash"] != str(string(unknownHash[:])) {
		t.Errorf("got %v", got)
	}
	c.closed()

	// A connection that tracks something known keeps it.
	c = dial(t, base)
	c.send(announce(hash("k"), id(1), nil))
	c.receive()
	c.send(announce(str(string(unknownHash[:])), id(1), nil))
	if got := c.receive(); got["failure reason"] != want {
		t.Errorf("got %v", got)
	}
	c.send(announce(hash("k"), id(1), nil))
	if got := c.receive(); got["incomplete"] != 1.0 {
		t.Errorf("got %v", got)
	}
}

func TestBadRequests(t *testing.T) {
	_, base := serve(t, Config{})
	c := dial(t, base)
	for request, want := range map[string]string{
		`{`:                     "invalid JSON in WS request",
		`[]`:                    "invalid JSON in WS request",
		"{\"action\":\"\xff\"}": "invalid JSON in WS request",
		`{"action":"bogus"}`:    "invalid action in WS request: bogus",
		`{"action":5}`:          "invalid action in WS request: ",
		`{"action":"announce"}`: "invalid info_hash",
		`{"action":"scrape"}`:   "invalid info_hash",
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`:                             "invalid JSON in WS request",
		`{"action":"announce","info_hash":"` + hash("k") + `"}`:                                       "invalid peer_id",
		`{"action":"announce","info_hash":"` + hash("k") + `","peer_id":"` + id(1) + `","answer":{}}`: "invalid `to_peer_id` (required with `answer`)",
	} {
		c.send(request)
		if got := c.receive(); got["failure reason"] != want {
			t.Errorf("%s: got %v, want %q", request, got, want)
		}
	}
}

func TestOffersGoToRandomOthers(t *testing.T) {
	tr, base := serve(t, Config{})
	others := make([]*client, 30)
	for i := range others {
		others[i] = dial(t, base)
		others[i].send(announce(hash("k"), id(i), nil))
		others[i].receive()
	}
	me := dial(t, base)
	me.send(announce(hash("k"), id(99), object{"offers": offers(14), "numwant": 14, "event": "started"}))
	if got := me.receive(); got["incomplete"] != 31.0 {
		t.Errorf("got %v", got)
	}
	// A second announce of each other peer tells whether an offer came before its answer.
	seen := map[string]bool{}
	for i, o := range others {
		o.send(announce(hash("k"), id(i), nil))
		for got := o.receive(); got["interval"] == nil; got = o.receive() {
			if got["peer_id"] != id(99) || got["offer"].(object)["sdp"] != "v=0\r\né" || seen[got["offer_id"].(string)] {
				t.Errorf("got %v", got)
			}
			seen[got["offer_id"].(string)] = true
			o.send(object{
				"action": "announce", "info_hash": hash("k"), "peer_id": id(i), "to_peer_id": id(99),
				"offer_id": got["offer_id"], "answer": object{"type": "answer", "sdp": "x"},
			})
			if got := me.receive(); got["peer_id"] != id(i) || got["answer"].(object)["sdp"] != "x" {
				t.Errorf("got %v", got)
			}
		}
	}
	if len(seen) != maxOffers {
		t.Errorf("%d offers were relayed, want %d", len(seen), maxOffers)
	}
	_ = me.ws.CloseNow()
	eventually(t, "a lost connection leaves the swarm", func() bool {
		return tr.Stats(Hash([]byte(strings.Repeat("k", 20)))).Leechers == 30
	})
}

func TestAnswersOfStrangersAreDropped(t *testing.T) {
	_, base := serve(t, Config{})
	a, b := dial(t, base), dial(t, base)
	a.send(announce(hash("k"), id(1), nil))
	a.receive()
	b.send(object{
		"action": "announce", "info_hash": hash("k"), "peer_id": id(2), "to_peer_id": id(1),
		"offer_id": hash("o"), "answer": object{"type": "answer", "sdp": "x"},
	})
	b.send(announce(hash("k"), id(2), nil))
	b.receive()
	a.send(announce(hash("k"), id(1), nil))
	if got := a.receive(); got["answer"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestSlowReaderIsDropped(t *testing.T) {
	tr, base := serve(t, Config{MaxQueue: 64 << 10, MaxPerIP: -1})
	slow, fast := dial(t, base), dial(t, base)
	slow.send(announce(hash("k"), id(1), nil))
	slow.receive()
	big := []object{{"offer_id": hash("o"), "offer": object{"type": "offer", "sdp": strings.Repeat("x", 60<<10)}}}
	eventually(t, "the slow reader is dropped", func() bool {
		fast.send(announce(hash("k"), id(2), object{"offers": big}))
		fast.receive()
		return tr.Conns() == 1
	})
}

func TestBounds(t *testing.T) {
	tr, base := serve(t, Config{MaxPerIP: 2, MaxMessage: 1000, MaxSwarms: 2})
	a, b := dial(t, base), dial(t, base)
	_, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/tracker/socket", nil)
	if err == nil || res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third connection got %v", err)
	}
	for i, h := range []string{"k", "l", "m"} {
		b.send(announce(hash(h), id(1), nil))
		if got := b.receive(); (got["failure reason"] != nil) != (i == 2) {
			t.Errorf("swarm %d: got %v", i, got)
		}
	}
	b.send(announce(hash("k"), id(1), object{"event": "stopped"}))
	b.receive()
	b.send(announce(hash("m"), id(1), nil))
	if got := b.receive(); got["failure reason"] != nil {
		t.Errorf("after leaving one: got %v", got)
	}
	a.send(announce(hash("k"), id(2), object{"x": strings.Repeat("x", 1000)}))
	a.closed()
	eventually(t, "a too big message ends the connection", func() bool { return tr.Conns() == 1 })
}

func TestPeersExpire(t *testing.T) {
	tr, base := serve(t, Config{PeerTTL: time.Second})
	c := dial(t, base)
	c.send(announce(hash("k"), id(1), object{"left": 0}))
	c.receive()
	get(t, base+"/tracker/announce?"+httpAnnounce("k", 7, "left=1"))
	h := Hash([]byte(strings.Repeat("k", 20)))
	if got := tr.Stats(h); got != (Stats{1, 1, 1}) {
		t.Errorf("got %+v", got)
	}
	eventually(t, "both peers expire", func() bool { return tr.Stats(h) == Stats{} && tr.Conns() == 0 })
}

func TestNewConnectionTakesOverItsPeer(t *testing.T) {
	tr, base := serve(t, Config{})
	a, b := dial(t, base), dial(t, base)
	a.send(announce(hash("k"), id(1), nil))
	a.receive()
	b.send(announce(hash("k"), id(1), object{"left": 0}))
	if got := b.receive(); got["complete"] != 1.0 || got["incomplete"] != 0.0 {
		t.Errorf("got %v", got)
	}
	_ = a.ws.CloseNow()
	eventually(t, "the old connection is gone", func() bool { return tr.Conns() == 1 })
	if got := tr.Stats(Hash([]byte(strings.Repeat("k", 20)))); got.Seeders != 1 {
		t.Errorf("the old connection took the peer along: %+v", got)
	}
}
