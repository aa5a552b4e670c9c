// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a condition may take; a loaded machine is slow, and so are Node and Chromium on it.
const patience = 2 * time.Minute

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came to this: %s", what)
}

// quickTimes are for tests in which waiting would be long.
func quickTimes() timings {
	times := defaultTimings()
	times.backoffMin = 20 * time.Millisecond
	times.backoffMax = 200 * time.Millisecond
	times.quick = 50 * time.Millisecond
	times.unwanted = 0
	times.stale = 500 * time.Millisecond
	times.linger = 100 * time.Millisecond
	return times
}

func testTransport(t testing.TB, times timings, change ...func(*Config)) *Transport {
	t.Helper()
	cfg := Config{Loopback: true}
	for _, c := range change {
		c(&cfg)
	}
	tr, err := newTransport(cfg, times)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func id(name string) (out [20]byte) {
	copy(out[:], "-SH0000-------------")
	copy(out[8:], name)
	return out
}

// swarmOf is the configuration of a peer who lacks everything.
func swarmOf(name string, trackers ...string) SwarmConfig {
	return SwarmConfig{
		Infohash:   [20]byte{0x00, 0x01, 0x7f, 0x80, 0xff, '"', '\\', '<'},
		PeerID:     id(name),
		Extensions: [8]byte{5: 0x10, 7: 0x01},
		Trackers:   trackers,
		Progress:   func() (int64, int64, int64) { return 1, 2, 1000 },
	}
}

// accept takes a connection and plays the torrent client: it reads the other's handshake, then
// writes its own, which must not arrive.
func accept(t testing.TB, tr *Transport, cfg SwarmConfig) (net.Conn, [handshakeSize]byte) {
	t.Helper()
	c, theirs := acceptOnce(t, tr, cfg)
	t.Cleanup(func() { _ = c.Close() })
	return c, theirs
}

// acceptOnce is accept without the connection being kept until the test ends.
func acceptOnce(t testing.TB, tr *Transport, cfg SwarmConfig) (net.Conn, [handshakeSize]byte) {
	t.Helper()
	type result struct {
		c   net.Conn
		err error
	}
	got := make(chan result, 1)
	go func() {
		c, err := tr.Listener().Accept()
		got <- result{c, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			t.Fatal(r.err)
		}
		var theirs [handshakeSize]byte
		if err := r.c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r.c, theirs[:]); err != nil {
			t.Fatal(err)
		}
		ours := handshake(&cfg)
		for _, part := range [][]byte{ours[:20], ours[20:28], ours[28:48], ours[48:]} {
			if _, err := r.c.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.c.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		return r.c, theirs
	case <-time.After(patience):
		t.Fatal("no connection came")
		return nil, [handshakeSize]byte{}
	}
}

// pair connects two peers by a tracker.
func pair(t testing.TB, times timings) (a, b net.Conn) {
	t.Helper()
	f := newFakeTracker(t)
	ta, tb := testTransport(t, times), testTransport(t, times)
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	ta.Join(ca)
	tb.Join(cb)
	a, _ = accept(t, ta, ca)
	b, _ = accept(t, tb, cb)
	return a, b
}
