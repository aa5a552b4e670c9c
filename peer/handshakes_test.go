// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// idle is a connection that says nothing.
type idle struct {
	net.Conn
	from   string
	closed bool
}

func (i *idle) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(i.from)) }

func (i *idle) Close() error {
	i.closed = true
	return nil
}

// TestTooManyHandshakes: the oldest of the same address goes, or the oldest of those that have most.
func TestTooManyHandshakes(t *testing.T) {
	var h handshakes
	enter := func(a, b int) *idle {
		c := &idle{from: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(a), byte(b)}), 1).String()}
		h.enter(c)
		return c
	}
	var same []*idle
	for range maxHandshakesFrom + 3 {
		same = append(same, enter(0, 1))
	}
	for i, c := range same {
		if c.closed != (i < 3) {
			t.Errorf("connection %d of one address is closed: %t", i, c.closed)
		}
	}
	var others []*idle
	for i := range maxHandshakes - 1 {
		others = append(others, enter(1+i/256, i%256))
	}
	if len(h.open) != maxHandshakes {
		t.Errorf("%d are open", len(h.open))
	}
	left := 0
	for _, c := range same {
		if !c.closed {
			left++
		}
	}
	if left != 1 {
		t.Errorf("the address that had most has %d", left)
	}
	for i := range 2 { // the first takes the place of the one that is left
		enter(3, i)
	}
	if !others[0].closed || others[1].closed {
		t.Error("where all have one, the oldest does not go")
	}
	six := &idle{from: "[2001:db8::1]:1"}
	for range maxHandshakesFrom {
		h.enter(&idle{from: "[2001:db8::2]:1"})
	}
	h.enter(six)
	if h.enter(&idle{from: "[2001:db8::3]:1"}); six.closed {
		t.Error("a /64 is not one address")
	}
	for len(h.open) > 0 {
		h.open[0].over()
	}
}

// TestSilentConnectionsKeepNobodyOut has an address open a thousand connections, again and again, that
// never say a word. Few of them are kept at one time, and a peer from another address comes through.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("needs 127.0.0.2; only Linux has it without being asked")
		return
	}
	f := newFixture(t, mib, 256<<10)
	sources := Sources{SourceTCP}
	if haveUTP {
		sources = append(sources, SourceUTP)
	}
	seeder := newSeeder(t, f, Config{Sources: sources})
	handshaking := func() (n int) {
		for _, d := range seeder.doors {
			d.arrived.mu.Lock()
			n = max(n, len(d.arrived.open))
			d.arrived.mu.Unlock()
		}
		return n
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 10 * time.Second}
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range 1000 {
		c, err := dialer.Dial("tcp4", seeder.addr())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		if n := handshaking(); n > maxHandshakesFrom {
			t.Fatalf("%d silent connections of one address are kept", n)
		}
	}
	for _, source := range sources {
		e := newEngine(t, Config{Sources: Sources{source}})
		target := f.target()
		target.Peers = []string{seeder.addr()}
		s := join(t, e, target, JoinOptions{})
		s.Download()
		waitComplete(t, s)
	}
	waitUntil(t, "the handshakes to be over", func() bool { return handshaking() == 0 })
}
