// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/anacrolix/torrent/tracker"
	"github.com/anacrolix/torrent/webtorrent"
	"github.com/pion/webrtc/v4"
)

// TestSocketDialects lets each kind of client announce five offers to a swarm that one peer is in,
// and answers one. What they do not say, or say in their own way, must not matter.
func TestSocketDialects(t *testing.T) {
	const five = `[{"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"00000000000000000001"},{"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"00000000000000000002"},` +
		`{"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"00000000000000000003"},{"offer_id":"00000000000000000004","offer":{"sdp":"v=0\r\n","type":"offer"}},` +
		`{"offer_id":"00000000000000000005","offer":{"type":"offer","sdp":"v=0\r\n"}}]`
	binary := hash("\xe9\x00\"\\\x7f\xff")
	description := func(n int) webtorrent.Offer {
		return webtorrent.Offer{OfferID: "0000000000000000000" + string(rune('0'+n)), Offer: webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: "v=0\r\n"}}
	}
	for _, c := range []struct {
		name, hash, peer string
		request          any
		seeder           bool
	}{
		{"webtorrent 1, a seeder", "k", "-WW0109-abcdefghijkl", `{"numwant":5,"uploaded":0,"downloaded":0,"left":0,"event":"started","action":"announce","info_hash":"` + hash("k") + `","peer_id":"-WW0109-abcdefghijkl","offers":` + five + `}`, true},
		{"webtorrent 3, the size unknown", "l", "-WW0300-abcdefghijkl", `{"numwant":5,"uploaded":0,"downloaded":0,"event":"started","action":"announce","info_hash":"` + hash("l") + `","peer_id":"-WW0300-abcdefghijkl","trackerid":"x","offers":` + five + `}`, false},
		{"p2p-media-loader 1", "m", "-WW0006-abcdefghijkl", `{"numwant":10,"uploaded":0,"downloaded":0,"left":null,"event":"started","action":"announce","info_hash":"` + hash("m") + `","peer_id":"-WW0006-abcdefghijkl","offers":` + five + `}`, false},
		{"p2p-media-loader 2, whose infohash is base64", "BxE/g+Zq1Nd5ay0n1tMx", "-PM0203-abcdefghijkl", `{"numwant":5,"uploaded":0,"downloaded":0,"action":"announce","info_hash":"BxE/g+Zq1Nd5ay0n1tMx","peer_id":"-PM0203-abcdefghijkl","offers":` + five + `}`, false},
		{"anacrolix, the size unknown", "\xe9\x00\"\\\x7f\xff", "-GT0003-abcdefghijkl", webtorrent.AnnounceRequest{
			Numwant: 5, Left: -1, Event: "started", Action: "announce", InfoHash: binary, PeerID: "-GT0003-abcdefghijkl",
			Offers: []webtorrent.Offer{description(1), description(2), description(3), description(4), description(5)},
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, base := serve(t, Config{})
			a, b := dial(t, base), dial(t, base)
			a.send(announce(hash(c.hash), id(1), nil))
			a.receive()
			b.send(c.request)
			want := Stats{Leechers: 2}
			if c.seeder {
				want = Stats{Seeders: 1, Leechers: 1, Downloads: 1}
			}
			got := b.receive()
			if got["complete"] != float64(want.Seeders) || got["incomplete"] != float64(want.Leechers) || got["info_hash"] != hash(c.hash) || got["interval"] != 120.0 {
				t.Errorf("got %v", got)
			}
			if st := tr.Stats(Hash([]byte(strings.Repeat(c.hash, 20)[:20]))); st != want {
				t.Errorf("got %+v, want %+v", st, want)
			}
			offer := a.receive()
			if offer["peer_id"] != c.peer || offer["offer"].(object)["sdp"] != "v=0\r\n" || offer["info_hash"] != hash(c.hash) {
				t.Errorf("the offer came as %v", offer)
			}
			a.send(object{
				"action": "announce", "info_hash": hash(c.hash), "peer_id": id(1), "to_peer_id": c.peer,
				"offer_id": offer["offer_id"], "answer": object{"type": "answer", "sdp": "x"},
			})
			if got := b.receive(); got["offer_id"] != offer["offer_id"] || got["peer_id"] != id(1) {
				t.Errorf("the answer came as %v", got)
			}
		})
	}
}

// TestAnacrolixHTTP asks with the client of anacrolix/torrent.
func TestAnacrolixHTTP(t *testing.T) {
	_, base := serve(t, Config{})
	h := Hash([]byte("\xe9\x00&=+ %#" + strings.Repeat("x", 12)))
	ask := func(peer int, left int64, event tracker.AnnounceEvent) tracker.AnnounceResponse {
		t.Helper()
		res, err := tracker.Announce{
			TrackerUrl: base + "/tracker/announce", Context: t.Context(),
			Request: tracker.AnnounceRequest{InfoHash: h, PeerId: [20]byte([]byte(id(peer))), Left: left, Event: event, NumWant: -1, Port: uint16(1000 + peer)}, //nolint:gosec // small
		}.Do()
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	ask(1, 0, tracker.Started)
	res := ask(2, -1, tracker.Started)
	if res.Seeders != 1 || res.Leechers != 1 || res.Interval != 600 || len(res.Peers) != 1 {
		t.Errorf("got %+v", res)
	}
	if addr, ok := netip.AddrFromSlice(res.Peers[0].IP.To4()); !ok || addr.String() != "127.0.0.1" || res.Peers[0].Port != 1001 {
		t.Errorf("got %+v", res.Peers[0])
	}
	if res := ask(2, 0, tracker.Stopped); res.Seeders != 1 || res.Leechers != 0 {
		t.Errorf("after it stopped: %+v", res)
	}
}
