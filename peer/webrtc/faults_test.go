// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// passedOn is an offer or answer as a tracker passes it on.
func passedOn(cfg SwarmConfig, peer [20]byte, kind, offerID, sdp string) string {
	ih, _ := json.Marshal(binary(cfg.Infohash[:]))
	from, _ := json.Marshal(binary(peer[:]))
	text, _ := json.Marshal(sdp)
	return fmt.Sprintf(`{"action":"announce","info_hash":%s,"peer_id":%s,"offer_id":%q,%q:{"type":%q,"sdp":%s}}`,
		ih, from, offerID, kind, kind, text)
}

// TestHugeDescriptions passes on offers and answers of 100 KB, and offers with 5,000 candidates: none is
// answered at length, none costs the WebSocket.
func TestHugeDescriptions(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	sa := ta.Join(ca)
	eventually(t, "announced", func() bool { return len(f.announces(ca.PeerID)) == 1 })
	offer := f.announces(ca.PeerID)[0].Offers[0]
	for i, sdp := range []string{
		offer.Offer.SDP + strings.Repeat("a=x:"+strings.Repeat("y", 96)+"\r\n", 1000),
		offer.Offer.SDP + strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 700),
		strings.Repeat("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 600),
		strings.Repeat("v=0\r\n", 6000),
	} {
		f.tellAll(passedOn(ca, id(fmt.Sprint("x", i)), "offer", fmt.Sprint("o", i), sdp))
		f.tellAll(passedOn(ca, id(fmt.Sprint("x", i)), "answer", string(offer.OfferID), sdp))
	}
	tb.Join(cb)
	accept(t, ta, ca)
	accept(t, tb, cb)
	if n := f.dialed(); n != 2 {
		t.Fatalf("%d WebSockets", n)
	}
	if n := sa.Peers(); n != 1 {
		t.Fatalf("%d connections", n)
	}
}

// TestFloodOfOffers passes on thousands of offers from peers that are not there, and answers to offers that
// nobody made: few are tried at a time, nothing is left of them, and a peer that is there connects.
func TestFloodOfOffers(t *testing.T) {
	f := newFakeTracker(t)
	times := quickTimes()
	times.connect = 300 * time.Millisecond
	const most = 10
	ta := testTransport(t, times, func(c *Config) { c.MaxConnsPerSwarm = most })
	tb := testTransport(t, quickTimes())
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	sa := ta.Join(ca)
	eventually(t, "announced", func() bool { return len(f.announces(ca.PeerID)) == 1 })
	sdp := f.announces(ca.PeerID)[0].Offers[0].Offer.SDP
	answer := strings.Replace(sdp, "a=setup:actpass", "a=setup:active", 1)
	goroutines, peak := runtime.NumGoroutine(), 0
	for i := range 3000 {
		peer := id(fmt.Sprint("flood", i))
		f.tellAll(passedOn(ca, peer, "offer", fmt.Sprint("offer", i), sdp))
		f.tellAll(passedOn(ca, peer, "answer", fmt.Sprint("answer", i), answer))
		sa.mu.Lock()
		peak = max(peak, len(sa.links))
		sa.mu.Unlock()
	}
	if peak > most {
		t.Fatalf("%d connections at a time", peak)
	}
	eventually(t, "nothing left of them", func() bool {
		sa.mu.Lock()
		defer sa.mu.Unlock()
		return len(sa.links) == 0 && runtime.NumGoroutine() < goroutines+100
	})
	if n := f.dialed(); n != 1 {
		t.Fatalf("%d WebSockets", n)
	}
	tb.Join(cb)
	accept(t, ta, ca)
	accept(t, tb, cb)
}

// TestTrackerThatHangsUpAtOnce opens the WebSocket and closes it: the next try waits, as after a refusal.
func TestTrackerThatHangsUpAtOnce(t *testing.T) {
	var dials atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dials.Add(1)
		if c, err := websocket.Accept(w, r, nil); err == nil {
			_ = c.CloseNow()
		}
	}))
	defer server.Close()
	times := quickTimes()
	times.backoffMin, times.backoffMax = time.Hour, time.Hour
	tr := testTransport(t, times)
	s := tr.Join(swarmOf("a", "ws"+strings.TrimPrefix(server.URL, "http")))
	eventually(t, "the failure is shown", func() bool { return s.Trackers()[0].LastError != "" })
	if n := dials.Load(); n != 1 {
		t.Fatalf("%d WebSockets", n)
	}
	if st := s.Trackers()[0]; st.Connected {
		t.Fatalf("%+v", st)
	}
}

// TestTrackerWithOtherAnswers answers the dial with what is no WebSocket.
func TestTrackerWithOtherAnswers(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect in a ring": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"a page":               func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"an endless page": func(w http.ResponseWriter, r *http.Request) {
			for page := make([]byte, 64<<10); r.Context().Err() == nil; {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			defer server.CloseClientConnections()
			tr := testTransport(t, quickTimes())
			s := tr.Join(swarmOf("a", "ws"+strings.TrimPrefix(server.URL, "http")))
			eventually(t, "the failure is shown", func() bool { return s.Trackers()[0].LastError != "" })
			if e := s.Trackers()[0].LastError; len(e) > 1000 {
				t.Fatalf("an error of %d bytes", len(e))
			}
		})
	}
}

// TestPeersThatHangUpAtOnce open a data channel and close it in the instant in which the torrent client takes
// it: the client panicked when it could not set the deadline for the handshake.
func TestPeersThatHangUpAtOnce(t *testing.T) {
	f := newFakeTracker(t)
	c := newClip(t, "clip", 1<<20)
	seeder := newEngine(t)
	seeder.seed(c, f.URL)
	for i := range 30 {
		tr := testTransport(t, quickTimes())
		cfg := swarmOf(fmt.Sprint("x", i), f.URL)
		cfg.Infohash = c.infohash()
		s := tr.Join(cfg)
		conn, err := tr.Listener().Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	leecher := newEngine(t)
	tt := leecher.add(c)
	leecher.join(tt, f.URL)
	leecher.complete(tt, c)
}
