// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEventsAreAnnouncedWithTrueLeft(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	left := int64(1000)
	cfg := swarmOf("a", f.URL)
	progress := make(chan int64, 1)
	progress <- left
	cfg.Progress = func() (int64, int64, int64) {
		l := <-progress
		progress <- l
		return 7, 8, l
	}
	s := tr.Join(cfg)
	eventually(t, "started announced", func() bool { return f.events(cfg.PeerID) == "started" })
	<-progress
	progress <- 0
	s.Completed()
	eventually(t, "completed announced", func() bool { return f.events(cfg.PeerID) == "started,completed" })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "stopped announced", func() bool { return f.events(cfg.PeerID) == "started,completed,stopped" })
	for i, want := range []int64{1000, 0, 0} {
		m := f.announces(cfg.PeerID)[i]
		if m.Left.value() != want || m.Left == nil || m.Uploaded.value() != 7 || m.Downloaded.value() != 8 {
			t.Errorf("%s: left %d, uploaded %d, downloaded %d", m.Event, m.Left.value(), m.Uploaded.value(), m.Downloaded.value())
		}
	}
	if got := f.announces(cfg.PeerID); len(got[0].Offers) != 5 || len(got[2].Offers) != 0 {
		t.Errorf("%d offers with started, %d with stopped", len(got[0].Offers), len(got[2].Offers))
	}
	eventually(t, "WebSocket closed after the last swarm", func() bool { return f.open() == 0 })
}

// TestStatusDoesNotAskForProgress: the torrent client may hold the lock that Progress takes.
func TestStatusDoesNotAskForProgress(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	cfg := swarmOf("a", f.URL)
	var lock sync.Mutex
	cfg.Progress = func() (int64, int64, int64) {
		lock.Lock()
		defer lock.Unlock()
		return 0, 0, 1
	}
	lock.Lock()
	s := tr.Join(cfg)
	s.AddTrackers([]string{f.URL})
	_, _ = s.Trackers(), s.Peers()
	s.Completed()
	s.Announce()
	lock.Unlock()
	eventually(t, "announced", func() bool { return len(f.announces(cfg.PeerID)) > 0 })
}

func TestUnknownLeftIsLeftOut(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	cfg := swarmOf("a", f.URL)
	cfg.Progress = nil
	tr.Join(cfg)
	eventually(t, "announced", func() bool { return len(f.announces(cfg.PeerID)) > 0 })
	if m := f.announces(cfg.PeerID)[0]; m.Left != nil {
		t.Fatalf("left is %d", m.Left.value())
	}
}

func TestSwarmsShareAWebSocket(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	for i := range 5 {
		cfg := swarmOf("a", f.URL, "udp://127.0.0.1:1", "http://127.0.0.1/announce", f.URL)
		cfg.Infohash[19] = byte(i)
		if n := len(tr.Join(cfg).Trackers()); n != 1 {
			t.Fatalf("swarm has %d trackers", n)
		}
	}
	eventually(t, "all announced", func() bool { return len(f.announces(id("a"))) == 5 })
	if n := f.dialed(); n != 1 {
		t.Fatalf("%d WebSockets", n)
	}
}

func TestFailureReasonIsHonoured(t *testing.T) {
	f := newFakeTracker(t)
	f.response = func(m *message) string {
		ih, _ := json.Marshal(m.Infohash)
		return `{"action":"announce","info_hash":` + string(ih) + `,"failure reason":"not tracked here","warning message":"really"}`
	}
	times := quickTimes()
	times.failure = 100 * time.Millisecond
	tr := testTransport(t, times)
	s := tr.Join(swarmOf("a", f.URL))
	eventually(t, "failure shown", func() bool {
		st := s.Trackers()[0]
		return st.LastError == "not tracked here" && st.Warning == "really" && st.Connected
	})
	// The pause doubles: 100, 200, 400 ms.
	eventually(t, "announced again", func() bool { return len(f.announces(id("a"))) >= 3 })
	f.set(func() { f.response = nil })
	eventually(t, "failure gone", func() bool { return s.Trackers()[0].LastError == "" })
}

func TestFailureReasonWithoutInfohashCounts(t *testing.T) {
	f := newFakeTracker(t)
	f.response = func(*message) string { return `{"failure reason":"full","retry in":"never"}` }
	tr := testTransport(t, quickTimes())
	s := tr.Join(swarmOf("a", f.URL))
	eventually(t, "failure shown", func() bool { return s.Trackers()[0].LastError == "full" })
	eventually(t, "next announce far away", func() bool {
		return time.Until(s.Trackers()[0].NextAnnounce) > 20*time.Hour
	})
}

func TestLyingTrackerIsBounded(t *testing.T) {
	for name, interval := range map[string]string{
		"zero": `0`, "negative": `-7`, "huge": `1e300`, "string": `"9999999999999"`, "nonsense": `[]`, "tiny": `0.001`, "none": `null`,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeTracker(t)
			f.response = func(m *message) string {
				ih, _ := json.Marshal(m.Infohash)
				return `{"action":"announce","info_hash":` + string(ih) + `,"interval":` + interval + `,"min interval":` + interval +
					`,"complete":1e99,"incomplete":-5,"tracker id":{}}`
			}
			tr := testTransport(t, defaultTimings())
			s := tr.Join(swarmOf("a", f.URL))
			eventually(t, "answer taken", func() bool { return s.Trackers()[0].Seeders > 0 })
			st := s.Trackers()[0]
			if st.Interval < 15*time.Second || st.Interval > 15*time.Minute || st.Seeders < 0 || st.Leechers < 0 {
				t.Fatalf("status is %+v", st)
			}
			if n := len(f.announces(id("a"))); n != 1 {
				t.Fatalf("%d announces", n)
			}
		})
	}
}

// TestTrackerThatDoesNotCountUs tells a seed of a leecher and of no seeder: it makes its offer, once, and no
// storm.
func TestTrackerThatDoesNotCountUs(t *testing.T) {
	f := newFakeTracker(t)
	f.response = func(m *message) string {
		ih, _ := json.Marshal(m.Infohash)
		return `{"action":"announce","info_hash":` + string(ih) + `,"interval":120,"complete":0,"incomplete":1}`
	}
	tr := testTransport(t, defaultTimings())
	cfg := swarmOf("a", f.URL)
	cfg.Progress = func() (int64, int64, int64) { return 0, 0, 0 }
	s := tr.Join(cfg)
	eventually(t, "the offer", func() bool {
		heard := f.announces(cfg.PeerID)
		return len(heard) >= 2 && len(heard[len(heard)-1].Offers) == 1
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end", func() bool { return strings.HasSuffix(f.events(cfg.PeerID), "stopped") })
	if n := len(f.announces(cfg.PeerID)); n > 4 {
		t.Fatalf("%d announces", n)
	}
}

func TestGarbageFromTheTrackerIsPassedOver(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	cfg := swarmOf("a", f.URL)
	s := tr.Join(cfg)
	eventually(t, "announced", func() bool { return len(f.announces(cfg.PeerID)) == 1 })
	ih, _ := json.Marshal(binary(cfg.Infohash[:]))
	stranger := id("x")
	peer, _ := json.Marshal(binary(stranger[:]))
	for _, text := range []string{
		``, `null`, `[]`, `{`, `"x"`, `{"info_hash":5}`, strings.Repeat(`[`, 10000),
		`{"action":"announce","info_hash":` + string(ih) + `,"offer":{"type":"offer","sdp":"nonsense"},"offer_id":"o","peer_id":` + string(peer) + `}`,
		`{"action":"announce","info_hash":` + string(ih) + `,"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"o","peer_id":"short"}`,
		`{"action":"announce","info_hash":` + string(ih) + `,"answer":{"type":"answer","sdp":"v=0"},"offer_id":"unknown","peer_id":` + string(peer) + `}`,
	} {
		f.tellAll(text)
	}
	s.Completed()
	eventually(t, "still announcing", func() bool { return f.events(cfg.PeerID) == "started,completed" })
	if n := f.dialed(); n != 1 {
		t.Fatalf("%d WebSockets", n)
	}
	// A message over the limit costs the tracker its connection, and nothing else.
	f.tellAll(`"` + strings.Repeat("a", maxTrackerMessage) + `"`)
	eventually(t, "connected anew", func() bool { return f.events(cfg.PeerID) == "started,completed,started" })
}

func TestReconnectBacksOffAndCanBeCancelled(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	cfg := swarmOf("a", f.URL)
	s := tr.Join(cfg)
	eventually(t, "announced", func() bool { return f.events(cfg.PeerID) == "started" })
	f.set(func() { f.refuse = true })
	f.dropAll()
	eventually(t, "failure shown", func() bool {
		st := s.Trackers()[0]
		return !st.Connected && st.LastError != ""
	})
	eventually(t, "tried again", func() bool { return f.dialed() > 3 })
	f.set(func() { f.refuse = false })
	eventually(t, "announced anew", func() bool { return f.events(cfg.PeerID) == "started,started" })

	for n := range 40 {
		if d := backoff(time.Second, time.Minute, n); d < time.Second/2 || d > time.Minute {
			t.Fatalf("pause %d is %s", n, d)
		}
	}
	times := defaultTimings()
	times.backoffMin, times.backoffMax = time.Hour, time.Hour
	slow := testTransport(t, times)
	broken := slow.Join(swarmOf("b", "ws://127.0.0.1:1/"))
	eventually(t, "failure shown", func() bool { return broken.Trackers()[0].LastError != "" })
	began := time.Now()
	if err := slow.Close(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Fatalf("closing took %s", d)
	}
}

func TestUnansweredOffersAreDropped(t *testing.T) {
	f := newFakeTracker(t)
	f.swallow = true
	times := quickTimes()
	times.offer = 300 * time.Millisecond
	tr := testTransport(t, times)
	s := tr.Join(swarmOf("a", f.URL))
	eventually(t, "offers made", func() bool { return len(f.announces(id("a"))) == 1 })
	eventually(t, "offers dropped", func() bool {
		tr.mu.Lock()
		inAll := tr.offers
		tr.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.offers) == 0 && inAll == 0
	})
}

func TestNoOffersWhereNobodyIs(t *testing.T) {
	f := newFakeTracker(t)
	times := quickTimes()
	times.intervalMin, times.intervalMax = 20*time.Millisecond, 20*time.Millisecond
	tr := testTransport(t, times)
	tr.Join(swarmOf("a", f.URL))
	eventually(t, "announced at the interval", func() bool { return len(f.announces(id("a"))) > 3 })
	for i, m := range f.announces(id("a"))[1:] {
		if len(m.Offers) != 0 {
			t.Fatalf("%d offers with announce %d to an empty swarm", len(m.Offers), i+1)
		}
	}
}

func TestASecondConnectionToAPeerIsRefused(t *testing.T) {
	f, g := newFakeTracker(t), newFakeTracker(t)
	times := quickTimes()
	ta, tb := testTransport(t, times), testTransport(t, times)
	ca, cb := swarmOf("a", f.URL, g.URL), swarmOf("b", f.URL, g.URL)
	sa, sb := ta.Join(ca), tb.Join(cb)
	a, _ := accept(t, ta, ca)
	accept(t, tb, cb)
	more := make(chan net.Conn, 1)
	go func() {
		if c, err := ta.Listener().Accept(); err == nil {
			more <- c
		}
	}()
	// Both trackers have passed offers on, both ways.
	for range 5 {
		before := len(f.announces(id("a"))) + len(g.announces(id("b")))
		sa.Completed()
		sb.Completed()
		eventually(t, "announced again", func() bool {
			return len(f.announces(id("a")))+len(g.announces(id("b"))) > before
		})
	}
	if sa.Peers() != 1 || sb.Peers() != 1 {
		t.Fatalf("%d and %d connections, want one each", sa.Peers(), sb.Peers())
	}
	select {
	case <-more:
		t.Fatal("a second connection was made")
	default:
	}
	_ = a.Close()
}

func TestNoConnectionToOurselves(t *testing.T) {
	f := newFakeTracker(t)
	tr := testTransport(t, quickTimes())
	cfg := swarmOf("a", f.URL)
	s := tr.Join(cfg)
	eventually(t, "announced", func() bool { return len(f.announces(cfg.PeerID)) == 1 })
	o := f.announces(cfg.PeerID)[0].Offers[0]
	echo, err := (&message{Action: "announce", Infohash: cfg.Infohash[:], PeerID: cfg.PeerID[:], OfferID: o.OfferID, Offer: &o.Offer}).encode()
	if err != nil {
		t.Fatal(err)
	}
	f.tellAll(string(echo))
	s.Completed()
	eventually(t, "message passed over", func() bool { return f.events(cfg.PeerID) == "started,completed" })
	if n := f.answers(); n != 0 {
		t.Fatalf("%d answers to our own offer", n)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	f := newFakeTracker(t)
	hub := testTransport(t, quickTimes(), func(c *Config) { c.MaxConnsPerSwarm = 2 })
	hubCfg := swarmOf("hub", f.URL)
	s := hub.Join(hubCfg)
	eventually(t, "announced", func() bool { return len(f.announces(hubCfg.PeerID)) == 1 })
	for i := range 4 {
		tr := testTransport(t, quickTimes())
		cfg := swarmOf(fmt.Sprint("p", i), f.URL)
		// Peers see the hub alone.
		f.set(func() { f.deaf[string(cfg.PeerID[:])] = true })
		tr.Join(cfg)
		go func() {
			for {
				if _, err := tr.Listener().Accept(); err != nil {
					return
				}
			}
		}()
	}
	accept(t, hub, hubCfg)
	accept(t, hub, hubCfg)
	eventually(t, "two look for peers in vain", func() bool {
		n := 0
		for i := range 4 {
			if len(f.announces(id(fmt.Sprint("p", i)))) >= 4 {
				n++
			}
		}
		return n >= 2
	})
	if n := s.Peers(); n > 2 {
		t.Fatalf("%d connections, want 2 at most", n)
	}
}

func TestALostConnectionIsReplacedSoon(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	ta.Join(ca)
	tb.Join(cb)
	a, _ := accept(t, ta, ca)
	accept(t, tb, cb)
	_ = a.Close()
	accept(t, ta, ca)
	accept(t, tb, cb)
}

func TestAPeerThatIsNotWantedIsLeftAloneForAWhile(t *testing.T) {
	f := newFakeTracker(t)
	times := quickTimes()
	times.unwanted, times.refuse = time.Hour, time.Hour
	ta, tb := testTransport(t, times), testTransport(t, times)
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	sa := ta.Join(ca)
	tb.Join(cb)
	a, _ := accept(t, ta, ca)
	accept(t, tb, cb)
	_ = a.Close()
	eventually(t, "it looked for peers again", func() bool { return len(f.announces(id("a"))) > 5 })
	if n := sa.Peers(); n != 0 {
		t.Fatalf("%d connections to the peer that was not wanted", n)
	}
}

func TestConnectionsEndWithTheSwarm(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	sa := ta.Join(ca)
	tb.Join(cb)
	a, _ := accept(t, ta, ca)
	b, _ := accept(t, tb, cb)
	if err := sa.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Fatal("the connection outlived its swarm")
	}
	if _, err := b.Read(make([]byte, 1)); err == nil {
		t.Fatal("the other end does not know")
	}
	again := ta.Join(ca)
	if again == sa {
		t.Fatal("a swarm that was left cannot be joined again")
	}
	accept(t, ta, ca)
}

func TestAPortInUseIsSaidPlainly(t *testing.T) {
	tr := testTransport(t, quickTimes())
	_, err := New(Config{UDPPort: tr.Port()})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("UDP port %d is in use", tr.Port())) {
		t.Fatalf("got %v", err)
	}
}

// TestPeersThatMeetInSeveralSwarms: both have one port, so the connections need more to be told apart.
func TestPeersThatMeetInSeveralSwarms(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	const swarms = 4
	var joined []*Swarm
	for i := range swarms {
		ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
		ca.Infohash[19], cb.Infohash[19] = byte(i), byte(i)
		joined = append(joined, ta.Join(ca), tb.Join(cb))
	}
	exchange := func(tr *Transport, name string, done chan<- error) {
		for range swarms {
			c, err := tr.Listener().Accept()
			if err != nil {
				done <- err
				return
			}
			go func() {
				var theirs [handshakeSize]byte
				if _, err := io.ReadFull(c, theirs[:]); err != nil {
					done <- err
					return
				}
				cfg := swarmOf(name)
				copy(cfg.Infohash[:], theirs[28:48])
				ours := handshake(&cfg)
				if _, err := c.Write(append(ours[:], cfg.Infohash[:]...)); err != nil {
					done <- err
					return
				}
				var ih [20]byte
				_, err := io.ReadFull(c, ih[:])
				if err == nil && ih != cfg.Infohash {
					err = errors.New("bytes of another swarm arrived")
				}
				done <- err
			}()
		}
	}
	done := make(chan error, 2*swarms)
	go exchange(ta, "a", done)
	go exchange(tb, "b", done)
	for range 2 * swarms {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("a swarm has no connection")
		}
	}
	for _, s := range joined {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "extra ports closed", func() bool {
		for _, tr := range []*Transport{ta, tb} {
			tr.ports.mu.Lock()
			n := len(tr.ports.extra)
			tr.ports.mu.Unlock()
			if n > 0 {
				return false
			}
		}
		return true
	})
}

// TestPeersThatCannotBeReachedLeaveNothingBehind: no packet gets through, and connections are tried
// again and again.
func TestPeersThatCannotBeReachedLeaveNothingBehind(t *testing.T) {
	f := newFakeTracker(t)
	f.change = func(_ binary, d *description) {
		d.SDP, _ = cleanSDP(strings.ReplaceAll(d.SDP, "a=candidate:", "a=candidate:x"), false)
		d.SDP = strings.ReplaceAll(d.SDP, "a=ice-pwd:", "a=ice-pwd:wrong")
	}
	times := quickTimes()
	times.connect, times.stale = 300*time.Millisecond, 100*time.Millisecond
	ta, tb := testTransport(t, times), testTransport(t, times)
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	goroutines := runtime.NumGoroutine()
	sa, sb := ta.Join(ca), tb.Join(cb)
	eventually(t, "answered several times", func() bool { return f.answers() >= 5 })
	if n := sa.Peers() + sb.Peers(); n != 0 {
		t.Fatalf("%d connections", n)
	}
	if err := errors.Join(sa.Close(), sb.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "goroutines back to where they were", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// TestJoiningAndLeavingLeavesNothingBehind joins and leaves 100 times with a peer to connect to.
func TestJoiningAndLeavingLeavesNothingBehind(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	round := func() {
		sa, sb := ta.Join(ca), tb.Join(cb)
		acceptOnce(t, ta, ca)
		acceptOnce(t, tb, cb)
		if err := sa.Close(); err != nil {
			t.Fatal(err)
		}
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range 5 {
		round()
	}
	settled := func() int {
		eventually(t, "WebSockets closed", func() bool { return f.open() == 0 })
		return runtime.NumGoroutine()
	}
	f.set(func() { f.heard = nil })
	goroutines, files, memory := settled(), openFiles(t), heap()
	for range 100 {
		round()
	}
	f.set(func() { f.heard = nil })
	t.Cleanup(func() {
		if t.Failed() {
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		}
	})
	eventually(t, "goroutines back to where they were", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "sockets back to where they were", func() bool { return openFiles(t) <= files })
	if now := heap(); now > memory+4<<20 {
		t.Fatalf("heap grew from %d to %d bytes", memory, now)
	}
}
