// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"testing"
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
