// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzMessage holds the scanner to encoding/json: what it accepts is valid JSON, it reads the same
// values, and what is relayed from it is valid JSON in UTF-8.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"action":"announce","info_hash":"kkkkkkkkkkkkkkkkkkkk","peer_id":"\u00e9\u00e9\u00e9\u00e9\u00e9éééééééééééééé\n","left":0,"numwant":5,` +
		`"offers":[{"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"12345678901234567890"}]}`))
	f.Add([]byte(`{"action":"announce","info_hash":"kkkkkkkkkkkkkkkkkkkk","peer_id":"pppppppppppppppppppp","to_peer_id":"qqqqqqqqqqqqqqqqqqqq","offer_id":"o","answer":{"sdp":"x"}}`))
	f.Add([]byte(`{"action":"scrape","info_hash":["kkkkkkkkkkkkkkkkkkkk","llllllllllllllllllll"]}`))
	f.Add([]byte(`{"\u0061ction":"bogus","n":[-1.5e+3,true,null,{"a":""}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		if parseMessage(b, &m) != nil {
			return
		}
		if !utf8.Valid(b) {
			t.Fatalf("accepted what is no UTF-8: %q", b)
		}
		var ref map[string]json.RawMessage
		if err := json.Unmarshal(b, &ref); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %q: %v", b, err)
		}
		if string(m.action) == "scrape" {
			return
		}
		for key, got := range map[string][20]byte{"info_hash": m.infohash, "peer_id": m.peerID} {
			var s string
			if err := json.Unmarshal(ref[key], &s); err != nil {
				t.Fatalf("%s of %q: %v", key, b, err)
			}
			var want []byte
			for _, r := range s {
				want = append(want, byte(r))
			}
			if !bytes.Equal(got[:], want) {
				t.Fatalf("%s of %q: got %q, want %q", key, b, got, want)
			}
		}
		for _, o := range m.offers {
			checkRelay(t, relay(nil, "offer", o.offer, o.id, &m))
		}
		if m.answer != nil {
			checkRelay(t, relay(nil, "answer", m.answer, m.offerID, &m))
		}
	})
}

func checkRelay(t *testing.T, b []byte) {
	t.Helper()
	if !json.Valid(b) || !utf8.Valid(b) {
		t.Fatalf("relays %q", b)
	}
}

// FuzzAnnounce checks that what is read of an announce says the same when written and read again.
func FuzzAnnounce(f *testing.F) {
	f.Add(httpAnnounce("k", 1, "left=5&compact=1&numwant=3&event=started"))
	f.Add(httpAnnounce("\xaa;", 2, "left=0&no_peer_id=1&numwant=-1&event=stopped"))
	f.Fuzz(func(t *testing.T, raw string) {
		req, err := parseAnnounce(raw)
		if err != nil {
			return
		}
		q := url.Values{
			"info_hash": {string(req.infohash[:])}, "peer_id": {string(req.peerID[:])}, "event": {req.event},
			"port": {strconv.Itoa(int(req.port))}, "numwant": {strconv.Itoa(req.numwant)}, "left": {"0"},
		}
		if req.left {
			q.Set("left", "1")
		}
		if req.compact {
			q.Set("compact", "1")
		}
		if req.noPeerIDs {
			q.Set("no_peer_id", "1")
		}
		if len(q.Encode()) > maxQuery {
			return
		}
		again, err := parseAnnounce(q.Encode())
		if err != nil || again != req {
			t.Fatalf("%q: %+v, then %+v, %v", raw, req, again, err)
		}
	})
}

// FuzzFrames feeds a connection at once and in two parts: both have to come to the same messages and
// the same end, and no more than a message's bound may be kept.
func FuzzFrames(f *testing.F) {
	f.Add(masked(0x81, announceText("k", id(1), "")), 3)
	f.Add(append(masked(0x01, `{"action":`), append(masked(0x89, "ping"), masked(0x80, `"x"}`)...)...), 20)
	f.Add(append(masked(0x82, "{}"), masked(0x88, "\x03\xe8")...), 1)
	f.Add([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5}, 9)
	f.Add(masked(0x81, strings.Repeat("x", 300)), 200)
	f.Add(append(masked(0x01, "x"), bytes.Repeat(masked(0x00, strings.Repeat("x", 125)), 20)...), 5)
	tr := New(Config{Known: func(Hash) bool { return true }, MaxMessage: 1000})
	f.Cleanup(func() { _ = tr.Close() })
	run := func(t *testing.T, parts ...[]byte) string {
		t.Helper()
		out := &sink{}
		c := &conn{t: tr, link: out}
		w := newWorker()
		w.now = time.Unix(1, 0)
		for _, p := range parts {
			open := c.over(w, c.input(w, p))
			w.flush()
			if n := len(c.in) + len(c.part); n > 1000+14 {
				t.Fatalf("%d bytes are kept", n)
			}
			if !open {
				break
			}
		}
		for _, p := range c.peers {
			c.forget(p)
		}
		_ = c.hold(&tr.heldIn, &c.heldIn, 0)
		return string(out.b)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if cut < 0 || cut > len(b) {
			return
		}
		whole := run(t, bytes.Clone(b))
		if halves := run(t, bytes.Clone(b[:cut]), bytes.Clone(b[cut:])); halves != whole {
			t.Fatalf("%x at once: %q, cut at %d: %q", b, whole, cut, halves)
		}
	})
}

// sink is a link that takes everything.
type sink struct{ b []byte }

func (s *sink) write(b []byte) (int, error) { s.b = append(s.b, b...); return len(b), nil }
func (s *sink) finish()                     {}
func (s *sink) drop()                       {}
