// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
)

// TestMetadataFromExactSource has only a magnet link's xs to go by: the WebSeed's address comes
// with the .torrent file.
func TestMetadataFromExactSource(t *testing.T) {
	f := newFixture(t, 2*mib, 256<<10)
	w := newWebSeed(t, f, 0)
	mi := *f.mi
	mi.UrlList = []string{w.url()}
	data, err := bencode.Marshal(mi)
	if err != nil {
		t.Fatal(err)
	}
	var tries int
	var mu sync.Mutex
	mux := http.NewServeMux()
	mux.HandleFunc("/good.torrent", func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if tries++; tries == 1 {
			http.Error(rw, "not yet", http.StatusServiceUnavailable)
			return
		}
		_, _ = rw.Write(data)
	})
	mux.HandleFunc("/moved", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/good.torrent", http.StatusFound)
	})
	mux.HandleFunc("/circle", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/circle", http.StatusFound)
	})
	mux.HandleFunc("/html", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "<html>") })
	mux.HandleFunc("/endless", func(rw http.ResponseWriter, r *http.Request) {
		block := make([]byte, 64<<10)
		for r.Context().Err() == nil {
			if _, err := rw.Write(block); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}})
	target := Target{Infohash: f.hash, Name: "a film"}
	for _, path := range []string{"/missing", "/html", "/circle", "/endless", "/moved"} {
		target.ExactSources = append(target.ExactSources, server.URL+path)
	}
	s := join(t, e, target, JoinOptions{})
	if s.Name() != "a film" || s.Files() != nil {
		t.Fatalf("%q %v", s.Name(), s.Files())
	}
	readFull(t, openStream(t, s), mib, 1000, f)
	got := s.Target()
	if s.Name() != "film.mp4" || got.MetaInfo == nil || len(got.WebSeeds) != 1 {
		t.Fatalf("%q %+v", s.Name(), got)
	}
	again, err := ParseMagnet(got.Magnet())
	if err != nil || again.Infohash != f.hash {
		t.Fatal(again, err)
	}
}

// TestMetadataFromPeer gets the info from a peer (ut_metadata), which joined with it.
func TestMetadataFromPeer(t *testing.T) {
	f := newFixture(t, mib, 16<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	s := join(t, e, Target{Infohash: f.hash, Peers: []string{seeder.addr()}}, JoinOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if err := s.Wait(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	readFull(t, openStream(t, s), 0, mib, f)
}

// TestBadMetadataFromPeer has a magnet link whose metadata, when it comes, leads out of the folder.
func TestBadMetadataFromPeer(t *testing.T) {
	info, err := bencode.Marshal(metainfo.Info{
		Name: "evil", PieceLength: 16 << 10, Pieces: make([]byte, 20),
		Files: []metainfo.FileInfo{{Length: 10, Path: []string{"..", "..", "passwd"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write([]byte("d4:info" + string(info) + "e"))
	}))
	defer server.Close()
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	s := join(t, e, Target{Infohash: metainfo.HashBytes(info)}, JoinOptions{})
	if err := s.loaded().SetInfoBytes(info); err == nil { // as the client does with a peer's
		t.Fatal("accepted")
	}
	if err := s.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "is no file name") {
		t.Fatalf("%v", err)
	}
	if p := s.Stats().Problem; !strings.Contains(p, "cannot be opened") {
		t.Fatalf("%q", p)
	}
	if err := s.Leave(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

// httpTracker is an HTTP tracker (BEP 3, BEP 23) of one swarm.
type httpTracker struct {
	*httptest.Server
	mu     sync.Mutex
	heard  []url.Values
	peers  []string
	answer string // instead of the usual
}

func newHTTPTracker(tb testing.TB) *httpTracker {
	tb.Helper()
	h := &httpTracker{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		q := r.URL.Query()
		h.heard = append(h.heard, q)
		if h.answer != "" {
			fmt.Fprint(rw, h.answer)
			return
		}
		var compact []byte
		for _, p := range h.peers {
			compact = append(compact, compactPeer(p)...)
		}
		if q.Get("event") != "stopped" {
			h.peers = append(h.peers, "127.0.0.1:"+q.Get("port"))
		}
		fmt.Fprintf(rw, "d8:completei3e10:incompletei2e8:intervali120e5:peers%d:%s15:warning message7:be nicee", len(compact), compact)
	}))
	tb.Cleanup(h.Close)
	return h
}

func compactPeer(addr string) []byte {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return binary.BigEndian.AppendUint16(net.ParseIP(host).To4(), uint16(n))
}

// events returns what was announced with each "left".
func (h *httpTracker) events(port int) (events []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.heard {
		if q.Get("port") == strconv.Itoa(port) {
			events = append(events, q.Get("event")+":"+q.Get("left"))
		}
	}
	return events
}

func TestHTTPTracker(t *testing.T) {
	f := newFixture(t, mib, 64<<10)
	h := newHTTPTracker(t)
	seeder := newEngine(t, Config{Sources: Sources{SourceTCP}})
	if _, err := seeder.Seed(t.Context(), SeedFile{MetaInfo: f.mi, Path: f.path, Trackers: []string{h.URL + "/announce?pass=key"}}); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the seeder", func() bool { return len(h.events(seeder.Port())) > 0 })
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	target.Trackers = []string{h.URL + "/announce?pass=key"}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	waitUntil(t, "completed", func() bool { return len(h.events(e.Port())) == 2 })
	st := s.Stats()
	if st.Seeders != 3 || st.Leechers != 2 || st.Trackers[0].Warning != "be nice" || !st.Trackers[0].Connected {
		t.Fatalf("%+v", st)
	}
	if err := s.Leave(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(h.events(e.Port())), fmt.Sprintf("[started:%d completed:0 stopped:0]", mib); got != want {
		t.Fatalf("announced %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(h.events(seeder.Port())), "[started:0]"; got != want {
		t.Fatalf("the seeder announced %s, want %s", got, want)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heard[0].Get("pass") != "key" || h.heard[0].Get("info_hash") != string(f.hash[:]) {
		t.Fatalf("%v", h.heard[0])
	}
}

func TestTrackerThatRefuses(t *testing.T) {
	f := newFixture(t, mib, 64<<10)
	for answer, want := range map[string]string{
		"d14:failure reason7:go awaye":         "go away",
		"<html>":                               "reading the tracker's answer",
		"d8:intervali1e5:peersi7ee":            "reading the tracker's answer",
		"d5:peers" + strings.Repeat("l", 5000): "reading the tracker's answer",
	} {
		h := newHTTPTracker(t)
		h.answer = answer
		e := newEngine(t, Config{Sources: Sources{SourceTCP}})
		target := f.target()
		target.Trackers = []string{h.URL + "/announce"}
		s := join(t, e, target, JoinOptions{})
		waitUntil(t, "the problem with "+answer[:6], func() bool { return strings.Contains(s.Stats().Problem, want) })
	}
}

// TestUDPTracker announces by BEP 15.
func TestUDPTracker(t *testing.T) {
	f := newFixture(t, mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			if n < 16 {
				continue
			}
			var answer []byte
			switch action := binary.BigEndian.Uint32(b[8:]); action {
			case 0:
				answer = append(binary.BigEndian.AppendUint32(nil, 0), b[12:16]...)
				answer = binary.BigEndian.AppendUint64(answer, 42)
			case 1:
				answer = append(binary.BigEndian.AppendUint32(nil, 1), b[12:16]...)
				for _, v := range []uint32{120, 2, 5} { // interval, leechers, seeders
					answer = binary.BigEndian.AppendUint32(answer, v)
				}
				answer = append(answer, compactPeer(seeder.addr())...)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	defer func() {
		_ = conn.Close()
		<-done
	}()
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target := f.target()
	target.Trackers = []string{"udp://" + conn.LocalAddr().String() + "/announce"}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitComplete(t, s)
	if st := s.Stats(); st.Seeders != 5 || st.Leechers != 2 {
		t.Fatalf("%+v", st)
	}
	if err := s.Leave(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}
