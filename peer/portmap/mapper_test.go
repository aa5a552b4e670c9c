// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came to this: %s", what)
}

// start runs a mapper until stop is called, which waits for its end.
func start(t *testing.T, m *Mapper) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

var tcp, udp = Port{TCP, 42069}, Port{UDP, 42070}

// TestEachMethod maps ports by each protocol, learns the outside address, takes away what is not wanted
// any more, and everything at the end.
func TestEachMethod(t *testing.T) {
	for _, c := range []struct {
		method  Method
		version byte
		upnp    bool
	}{{PCP, 2, true}, {NATPMP, 0, true}, {UPnP, 255, true}} {
		t.Run(string(c.method), func(t *testing.T) {
			f := newFakeRouter(t, c.version, c.upnp)
			m := f.mapper()
			m.Set([]Port{tcp, udp})
			stop := start(t, m)
			for _, p := range []Port{tcp, udp} {
				eventually(t, "mapped", func() bool { _, ok := m.Mapping(p); return ok })
				got, _ := m.Mapping(p)
				if want := netip.AddrPortFrom(netip.AddrFrom4(f.address), uint16(p.Number)); got.Method != c.method || got.External != want {
					t.Fatalf("%+v, want %s", got, want)
				}
				if outside, ok := f.outside(p); !ok || int(outside) != p.Number {
					t.Fatalf("the router maps %d to %v", outside, p)
				}
			}
			m.Set([]Port{udp})
			eventually(t, "one taken away", func() bool { _, ok := f.outside(tcp); return !ok })
			eventually(t, "forgotten", func() bool { _, ok := m.Mapping(tcp); return !ok })
			if err := m.Err(); err != nil {
				t.Fatal(err)
			}
			stop()
			if _, ok := f.outside(udp); ok {
				t.Fatal("the port is still mapped after the end")
			}
		})
	}
}

func TestLeasesAreRenewedAtHalfTheirLife(t *testing.T) {
	f := newFakeRouter(t, 2, false)
	m := f.mapper()
	m.times.lease = 2 * time.Second // the protocol has whole seconds
	m.Set([]Port{udp})
	start(t, m)
	eventually(t, "renewed twice", func() bool { return f.added() >= 3 })
}

// TestAShortLease: a router that maps for less than was asked for is not asked over and over.
func TestAShortLease(t *testing.T) {
	f := newFakeRouter(t, 2, false)
	f.mu.Lock()
	f.answer = func(request []byte) []byte {
		b := f.speak(request)
		binary.BigEndian.PutUint32(b[4:], 600)
		return b
	}
	f.mu.Unlock()
	m := f.mapper()
	m.Set([]Port{udp})
	start(t, m)
	eventually(t, "mapped", func() bool { _, ok := m.Mapping(udp); return ok })
	if wait := (&run{m: m}).next(); wait <= 0 {
		t.Fatal("the router is asked again at once")
	}
}

// TestNetworkChange: the new router is asked.
func TestNetworkChange(t *testing.T) {
	f := newFakeRouter(t, 0, false)
	m := f.mapper()
	m.times.look = 10 * time.Millisecond
	var moved atomic.Bool
	m.cfg.Gateway = func() (Gateway, error) {
		g := Gateway{Router: netip.MustParseAddr("127.0.0.1"), Local: netip.MustParseAddr("127.0.0.1")}
		if moved.Load() {
			g.Local = netip.MustParseAddr("127.0.0.2")
		}
		return g, nil
	}
	m.Set([]Port{udp})
	start(t, m)
	eventually(t, "mapped", func() bool { _, ok := m.Mapping(udp); return ok })
	m.Check(t.Context()) // what Set asked for is done
	before := f.added()
	moved.Store(true)
	eventually(t, "mapped for the new address", func() bool { return f.added() > before })
}

func TestARouterThatComesLateIsFoundOnRequest(t *testing.T) {
	f := newFakeRouter(t, 0, false)
	f.mu.Lock()
	f.answer = func([]byte) []byte { return nil }
	f.mu.Unlock()
	m := f.mapper()
	m.Set([]Port{udp})
	start(t, m)
	eventually(t, "given up", func() bool { return errors.Is(m.Err(), ErrNoRouter) })
	f.mu.Lock()
	f.answer = nil
	f.mu.Unlock()
	eventually(t, "mapped", func() bool {
		m.Check(t.Context())
		_, ok := m.Mapping(udp)
		return ok
	})
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestUPnPOddities: leases that must be for ever, a port that is taken.
func TestUPnPOddities(t *testing.T) {
	f := newFakeRouter(t, 255, true)
	f.mu.Lock()
	f.permanent, f.taken = true, udp.Number
	f.mu.Unlock()
	m := f.mapper()
	m.Set([]Port{udp})
	start(t, m)
	eventually(t, "mapped", func() bool { _, ok := m.Mapping(udp); return ok })
	if got, _ := m.Mapping(udp); int(got.External.Port()) == udp.Number {
		t.Fatalf("got the port that is taken: %+v", got)
	}
}

// TestUPnPKeepsItsPort: the port outside that was chosen because the own number was taken stays the same
// when the router fails for a while, though the number is free then, and for a program that starts anew
// after one that took nothing away.
func TestUPnPKeepsItsPort(t *testing.T) {
	f := newFakeRouter(t, 255, true)
	f.mu.Lock()
	f.taken = udp.Number
	f.mu.Unlock()
	change := func(taken int, body func(http.ResponseWriter)) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.taken, f.body = taken, body
	}
	m := f.mapper()
	m.Set([]Port{udp})
	start(t, m)
	eventually(t, "mapped", func() bool { _, ok := m.Mapping(udp); return ok })
	first, _ := m.Mapping(udp)

	anew := f.mapper()
	anew.Set([]Port{udp})
	start(t, anew)
	eventually(t, "mapped anew", func() bool { _, ok := anew.Mapping(udp); return ok })
	if got, _ := anew.Mapping(udp); got.External != first.External {
		t.Errorf("%s became %s after a restart", first.External, got.External)
	}

	change(0, func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) })
	m.Check(t.Context())
	eventually(t, "the failure to be noticed", func() bool { _, ok := m.Mapping(udp); return !ok && m.Err() != nil })
	change(0, nil)
	m.Check(t.Context())
	eventually(t, "mapped again", func() bool { _, ok := m.Mapping(udp); return ok })
	if got, _ := m.Mapping(udp); got.External != first.External {
		t.Errorf("%s became %s after a failure", first.External, got.External)
	}
}

// TestBadRouters: none of them maps, hangs, or leads to another machine.
func TestBadRouters(t *testing.T) {
	var asked atomic.Int64
	other, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	victim := &httptest.Server{Listener: other, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}}
	victim.Start()
	defer victim.Close()
	for name, change := range map[string]func(*fakeRouter){
		"garbage over UDP": func(f *fakeRouter) { f.answer = func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 1500) } },
		"an echo":          func(f *fakeRouter) { f.answer = func(b []byte) []byte { return b } },
		"refuses": func(f *fakeRouter) {
			f.answer = func(b []byte) []byte { return []byte{0, 0x80 | b[1], 0, 2, 0, 0, 0, 0} }
		},
		"leads elsewhere": func(f *fakeRouter) { f.location = victim.URL + "/root.xml" },
		"redirects": func(f *fakeRouter) {
			f.body = func(w http.ResponseWriter) {
				w.Header().Set("Location", victim.URL)
				w.WriteHeader(http.StatusFound)
			}
		},
		"another control URL": func(f *fakeRouter) {
			f.body = func(w http.ResponseWriter) {
				_, _ = w.Write([]byte(strings.Replace(description, "/control", victim.URL+"/control", 1)))
			}
		},
		"no XML": func(f *fakeRouter) { f.body = func(w http.ResponseWriter) { _, _ = w.Write([]byte("<<<<&&&")) } },
		"too long": func(f *fakeRouter) {
			f.body = func(w http.ResponseWriter) { _, _ = w.Write(bytes.Repeat([]byte("<a>"), 2*maxDocument)) }
		},
		"slow": func(f *fakeRouter) {
			f.body = func(w http.ResponseWriter) {
				for range 200 {
					_, _ = w.Write([]byte(" "))
					w.(http.Flusher).Flush()
					time.Sleep(5 * time.Millisecond)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeRouter(t, 255, true)
			f.mu.Lock()
			change(f)
			f.mu.Unlock()
			if f.location == "" && f.body == nil {
				f.mu.Lock()
				f.location = "none"
				f.mu.Unlock()
			}
			m := f.mapper()
			m.times.call = 300 * time.Millisecond
			m.Set([]Port{udp})
			start(t, m)
			eventually(t, "given up", func() bool { return m.Err() != nil })
			if got, ok := m.Mapping(udp); ok {
				t.Fatalf("mapped: %+v", got)
			}
		})
	}
	if n := asked.Load(); n > 0 {
		t.Fatalf("another machine was asked %d times", n)
	}
}

func TestAPublicRouterIsNotAsked(t *testing.T) {
	m := New(Config{})
	if _, err := m.discover(t.Context(), Gateway{Router: netip.MustParseAddr("8.8.8.8"), Local: netip.MustParseAddr("127.0.0.1")}, nil); err == nil || errors.Is(err, ErrNoRouter) {
		t.Fatal(err)
	}
}
