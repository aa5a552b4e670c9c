// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFaultHalfOpen leaves connections open that say nothing, or half of something. Each is closed,
// with its peer.
func TestFaultHalfOpen(t *testing.T) {
	tr, base := serve(t, Config{HangTimeout: time.Second, SilentTimeout: time.Second, PeerTTL: 3 * time.Second})
	for name, sent := range map[string][]byte{
		"nothing":        nil,
		"half a frame":   masked(0x81, announceText("k", id(1), ""))[:40],
		"half a message": masked(0x01, announceText("k", id(1), "")[:40]),
		"one announce":   masked(0x81, announceText("k", id(2), "")),
		"a close":        masked(0x88, "\x03\xe8"), // and never closes
	} {
		c := rawDial(t, base, "")
		c.write(sent)
		if code := c.closing(); code == -1 {
			t.Errorf("%s: the connection stayed open", name)
		}
	}
	eventually(t, "the peers are forgotten", func() bool { return tr.Stats(Hash([]byte(strings.Repeat("k", 20)))) == Stats{} })
	works(t, tr, base)
}

// TestFaultNeverReads lets others send offers to a client that takes none. It is dropped, what is
// held for it stays bounded, and the others are served meanwhile.
func TestFaultNeverReads(t *testing.T) {
	const most = 300_000
	tr, base := serve(t, Config{MaxQueue: most})
	deaf, fast := rawDial(t, base, ""), dial(t, base)
	deaf.write(masked(0x81, announceText("k", id(1), "")))
	eventually(t, "it is in the swarm", func() bool { return tr.Stats(Hash([]byte(strings.Repeat("k", 20)))).Leechers == 1 })
	big := []object{{"offer_id": hash("o"), "offer": object{"type": "offer", "sdp": strings.Repeat("x", 60<<10)}}}
	eventually(t, "it is dropped", func() bool {
		fast.send(announce(hash("k"), id(2), object{"offers": big}))
		fast.receive()
		if held := tr.heldOut.Load(); held > most {
			t.Errorf("%d bytes are held", held)
		}
		return tr.Conns() == 1
	})
	_ = fast.ws.CloseNow()
	works(t, tr, base)
}

// TestFaultManyReadersHang lets what is held for all slow readers reach its bound: those that hold
// much are dropped.
func TestFaultManyReadersHang(t *testing.T) {
	const most = 1 << 20
	tr, base := serve(t, Config{MaxHeld: most})
	for i := range 40 {
		rawDial(t, base, "").write(masked(0x81, announceText("k", id(i), "")))
	}
	eventually(t, "they are in the swarm", func() bool { return tr.Stats(Hash([]byte(strings.Repeat("k", 20)))).Leechers == 40 })
	var big []object
	for i := range maxOffers {
		big = append(big, object{"offer_id": hash(fmt.Sprint(i)), "offer": object{"type": "offer", "sdp": strings.Repeat("x", 20<<10)}})
	}
	fast := dial(t, base)
	eventually(t, "some are dropped", func() bool {
		fast.send(announce(hash("k"), id(99), object{"offers": big}))
		fast.receive()
		if held := tr.heldOut.Load(); held > most+DefaultMaxQueue {
			t.Errorf("%d bytes are held", held)
		}
		return tr.Conns() < 20
	})
}

// TestFaultThousandConnections opens 1,000 connections from one address, of which the bound is
// taken; an address beside it is served.
func TestFaultThousandConnections(t *testing.T) {
	tr, base := serve(t, Config{ClientIP: func(r *http.Request) netip.Addr {
		if r.Header.Get("Origin") != "" {
			return netip.MustParseAddr("192.0.2.2")
		}
		return netip.MustParseAddr("192.0.2.1")
	}})
	host, refused := strings.TrimPrefix(base, "http://"), 0
	var open []*rawClient
	for range 1000 {
		c := rawDial(t, base, upgradeRequest(host))
		res, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusTooManyRequests {
			refused++
			_ = c.nc.Close()
			continue
		}
		open = append(open, c)
	}
	if tr.Conns() != DefaultMaxPerIP || refused != 1000-DefaultMaxPerIP {
		t.Errorf("%d are open, %d were refused", tr.Conns(), refused)
	}
	other := rawDial(t, base, strings.Replace(upgradeRequest(host), "\r\n\r\n", "\r\nOrigin: https://other.example\r\n\r\n", 1))
	other.upgraded()
	other.write(masked(0x81, announceText("k", id(1), "")))
	if _, answer, err := other.frame(); err != nil || !strings.Contains(answer, `"incomplete":1`) {
		t.Errorf("another address got %q, %v", answer, err)
	}
	for _, c := range append(open, other) {
		_ = c.nc.Close()
	}
	works(t, tr, base)
}

// TestFaultFlood announces as fast as it goes on one connection: it is told why, and closed.
func TestFaultFlood(t *testing.T) {
	tr, base := serve(t, Config{})
	flood, other := rawDial(t, base, ""), dial(t, base)
	sent := make(chan int, 1)
	go func() {
		b := masked(0x81, announceText("k", id(1), ""))
		for n := 0; ; n++ {
			if _, err := flood.nc.Write(b); err != nil {
				sent <- n
				return
			}
		}
	}()
	answers, told := 0, false
	for {
		op, payload, err := flood.frame()
		if err != nil || op == opClose {
			break
		}
		answers++
		told = told || strings.Contains(payload, tooMany)
	}
	other.send(announce(hash("k"), id(2), nil))
	other.receive()
	_ = flood.nc.Close()
	if n := <-sent; answers > maxBurst+n || !told || answers < maxBurst {
		t.Errorf("%d announces got %d answers, told: %v", n, answers, told)
	}
	_ = other.ws.CloseNow()
	works(t, tr, base)
}

// TestFaultReconnectStorm lets peers join, leave, cut their connection and come back, 10,000 times:
// memory, goroutines, descriptors and swarms are then as after the first thousand.
func TestFaultReconnectStorm(t *testing.T) {
	cycles := 10_000
	if testing.Short() {
		cycles = 3000
	}
	tr, base := serve(t, Config{PeerTTL: time.Second})
	storm := func(n int) {
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for i := worker; i < n && !t.Failed(); i += 8 {
					if err := cycle(t, base, i); err != nil {
						t.Errorf("cycle %d: %v", i, err)
					}
				}
			})
		}
		wg.Wait()
		eventually(t, "nothing is left", func() bool { return tr.Conns() == 0 && held(tr) == 0 && swarms(tr) == 0 })
	}
	storm(1000)
	before := use(t)
	storm(cycles - 1000)
	eventually(t, "goroutines and descriptors are as before", func() bool {
		after := use(t)
		return after.goroutines <= before.goroutines+2 && after.files <= before.files+2
	})
	if after := use(t); after.heap > before.heap+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before.heap, after.heap)
	}
	works(t, tr, base)
}

// cycle is one peer that joins and goes, in one of four ways.
func cycle(t *testing.T, base string, i int) error {
	host := strings.TrimPrefix(base, "http://")
	nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		return err
	}
	defer func() { _ = nc.Close() }()
	if err := nc.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	// The announce comes along with the handshake.
	swarm := string(rune('a' + i%20))
	text := append([]byte(upgradeRequest(host)), masked(0x81, announceText(swarm, id(i%500), ""))...)
	if _, err := nc.Write(text); err != nil {
		return err
	}
	var got []byte
	for b := make([]byte, 4096); !strings.Contains(string(got), `"interval":`); {
		n, err := nc.Read(b)
		if err != nil {
			return fmt.Errorf("after %q: %w", got, err)
		}
		got = append(got, b[:n]...)
	}
	switch i % 4 {
	case 0:
		_, err = nc.Write(masked(0x81, announceText(swarm, id(i%500), `,"event":"stopped"`)))
	case 1:
		_, err = nc.Write(masked(0x88, "\x03\xe8"))
	case 2: // cut
		if tcp, ok := nc.(*net.TCPConn); ok {
			err = tcp.SetLinger(0)
		}
	}
	return err
}

func swarms(tr *Tracker) int {
	n := 0
	for i := range tr.shards {
		tr.shards[i].mu.Lock()
		n += len(tr.shards[i].swarms)
		tr.shards[i].mu.Unlock()
	}
	return n
}

type used struct{ goroutines, files, heap int }

// use is what the process holds; files are 0 where they cannot be counted.
func use(t *testing.T) used {
	t.Helper()
	runtime.GC()
	runtime.GC() // the pools' victims too
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := used{goroutines: runtime.NumGoroutine(), heap: int(m.HeapAlloc)} //nolint:gosec // small
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.files = len(entries)
	}
	return u
}
