// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// fakeMachine is a machine whose clock and addresses a test changes.
type fakeMachine struct {
	mu    sync.Mutex
	ahead time.Duration
	addrs []string
}

func (m *fakeMachine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Round(0).Add(m.ahead) // the monotonic clock stands still during sleep
}

func (m *fakeMachine) addresses() (out []net.Addr, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.addrs {
		out = append(out, &net.IPNet{IP: net.ParseIP(a), Mask: net.CIDRMask(24, 32)})
	}
	return out, nil
}

func (m *fakeMachine) jump(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += d
}

func (m *fakeMachine) move(addrs ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.addrs = addrs
}

func (m *fakeMachine) config(c Config) Config {
	c.now, c.addresses = m.now, m.addresses
	c.times = timings{network: 20 * time.Millisecond, refresh: time.Millisecond}
	return c
}

// countingTracker answers every announce with an interval of an hour, and no peers.
func countingTracker(tb testing.TB) (url string, announces *atomic.Int64) {
	tb.Helper()
	announces = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		announces.Add(1)
		_, _ = w.Write([]byte("d8:intervali3600e5:peers0:e"))
	}))
	tb.Cleanup(s.Close)
	return s.URL + "/announce", announces
}

// TestSleepAndMoves puts a machine to sleep, in mid-download, sets its clock, and moves it to another
// network. Trackers are told at once, dead connections are dropped, and the download completes.
func TestSleepAndMoves(t *testing.T) {
	m := &fakeMachine{addrs: []string{"192.0.2.1"}}
	f := newFixture(t, 24*mib, 256<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 3 * mib}})
	tracker, announces := countingTracker(t)
	ws := newWSTracker(t)
	e := newEngine(t, m.config(Config{Sources: Sources{SourceTCP, SourceWebRTC}}))
	target := f.target()
	target.Peers = []string{seeder.addr()}
	target.Trackers = []string{tracker, ws.url()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	var hooks atomic.Int64
	e.onNetworkChange(func() { hooks.Add(1) })
	waitUntil(t, "the first announces", func() bool { return announces.Load() == 1 && ws.heard("started") == 1 })
	mute := dialWire(t, e, f, "mute") // as a peer that is not there any more
	for i, change := range []struct {
		name  string
		do    func()
		drops bool
	}{
		{"sleep of a night", func() { m.jump(8 * time.Hour) }, true},
		{"another network", func() { m.move("198.51.100.7") }, true},
		{"one more address", func() { m.move("198.51.100.7", "2001:db8::1") }, false},
		{"sleep again", func() { m.jump(100 * 24 * time.Hour) }, true},
	} {
		before := s.Stats().Completed
		change.do()
		waitUntil(t, change.name+": announces", func() bool {
			return announces.Load() >= int64(i+2) && ws.heard("started") >= i+2
		})
		waitUntil(t, change.name+": the hook", func() bool { return hooks.Load() >= int64(i+1) })
		if change.drops {
			waitUntil(t, change.name+": the dead connection to be dropped", func() bool {
				_, err := mute.await(-2)
				return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
			})
			mute = dialWire(t, e, f, "mute")
		}
		if st := s.Stats(); st.Down > 1<<30 || st.Up > 1<<30 || st.Down < 0 || st.Up < 0 {
			t.Fatalf("%s: %f and %f bytes a second", change.name, st.Down, st.Up)
		}
		waitUntil(t, change.name+": more bytes", func() bool { return s.Stats().Completed > before || s.Stats().Complete })
	}
	if n := announces.Load(); n > 8 {
		t.Fatalf("%d announces", n)
	}
	waitComplete(t, s)
	checkFile(t, s, f)
}

// TestClockSetBack sets the clock back by years: nothing happens, and nothing stops.
func TestClockSetBack(t *testing.T) {
	m := &fakeMachine{addrs: []string{"192.0.2.1"}}
	f := newFixture(t, 2*mib, 64<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	tracker, announces := countingTracker(t)
	e := newEngine(t, m.config(Config{Sources: Sources{SourceTCP}}))
	target := f.target()
	target.Trackers = []string{tracker}
	s := join(t, e, target, JoinOptions{})
	waitUntil(t, "the first announce", func() bool { return announces.Load() == 1 })
	m.jump(-10 * 365 * 24 * time.Hour)
	s.Download()
	if err := s.merge(Target{Peers: []string{seeder.addr()}}); err != nil {
		t.Fatal(err)
	}
	waitComplete(t, s)
	if n := announces.Load(); n > 2 { // and "completed"
		t.Fatalf("%d announces", n)
	}
	for _, d := range []time.Duration{-time.Hour, time.Hour, 0} {
		s.poll(time.Now().Add(d))
		if st := s.Stats(); st.Down < 0 || st.Up < 0 || st.Down > 1<<30 {
			t.Fatalf("%f and %f bytes a second", st.Down, st.Up)
		}
	}
}

// TestDiskFullHeals goes on by itself once there is room.
func TestDiskFullHeals(t *testing.T) {
	f := newFixture(t, 12*mib, 256<<10)
	seeder := newSeeder(t, f, Config{Sources: Sources{SourceTCP}})
	var room, probes atomic.Int64
	room.Store(5 * mib)
	config := Config{Sources: Sources{SourceTCP}}
	config.times = timings{look: 10 * time.Millisecond, diskMin: 50 * time.Millisecond, diskMax: 200 * time.Millisecond}
	config.writable = func(path string) error {
		if strings.Contains(path, ".probe-") {
			probes.Add(1)
		}
		if room.Add(-16<<10) < 0 {
			return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
		}
		return nil
	}
	e := newEngine(t, config)
	target := f.target()
	target.Peers = []string{seeder.addr()}
	s := join(t, e, target, JoinOptions{})
	s.Download()
	waitUntil(t, "the problem", func() bool { return strings.Contains(s.Stats().Problem, "full") })
	waitUntil(t, "some tries", func() bool { return probes.Load() > 3 })
	if p := s.Stats().Problem; !strings.Contains(p, "full") {
		t.Fatalf("problem: %q", p)
	}
	room.Store(1 << 40)
	waitComplete(t, s)
	checkFile(t, s, f)
	if p := s.Stats().Problem; p != "" {
		t.Fatalf("problem: %s", p)
	}
}
