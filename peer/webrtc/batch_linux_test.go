// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"
)

// packetReader is a socket as the mux reads it.
type packetReader interface {
	ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
	SetReadDeadline(time.Time) error
}

type plainReader struct{ *net.UDPConn }

func (r plainReader) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	return r.ReadFromUDPAddrPort(p)
}

func listenLoopback(t *testing.T, network, ip string) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP(network, &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, netip.MustParseAddrPort(c.LocalAddr().String())
}

// newBatcher is on a port of every address, as the transport's.
func newBatcher(t *testing.T) *batcher {
	t.Helper()
	socket, err := listenUDP(0, Config{})
	if err != nil {
		t.Fatal(err)
	}
	b, ok := batchUDP(socket, slog.New(slog.DiscardHandler)).(*batcher)
	if !ok {
		t.Fatal("not batched")
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// testPackets are what a busy connection sends: full packets, the ends of messages, acknowledgements,
// and connectivity checks in between.
func testPackets() (packets [][]byte) {
	for i, size := range []int{1225, 1225, 1225, 300, 65, 1225, 65, 65, 1100, 1225, 1225, 1100, 1100, 108, 1225, 1} {
		for range 1 + i*7%80 {
			p := make([]byte, size)
			for j := range p {
				p[j] = byte(rand.Uint32())
			}
			if p[0] = 23; size == 108 {
				p[0] = 0 // STUN
			}
			packets = append(packets, p)
		}
	}
	return packets
}

func expectPackets(t *testing.T, r packetReader, want [][]byte) {
	t.Helper()
	// STUN may overtake what waits; what is of one kind keeps its order.
	var rest [2][][]byte
	kind := func(p []byte) int {
		if isDTLS(p) {
			return 0
		}
		return 1
	}
	for _, p := range want {
		rest[kind(p)] = append(rest[kind(p)], p)
	}
	if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 8192)
	for i := range want {
		n, _, err := r.ReadFromAddrPort(buffer)
		if err != nil {
			t.Fatalf("packet %d of %d: %v", i, len(want), err)
		}
		k := kind(buffer[:n])
		if len(rest[k]) == 0 || !bytes.Equal(rest[k][0], buffer[:n]) {
			t.Fatalf("packet %d of %d bytes is not the one that was sent", i, n)
		}
		rest[k] = rest[k][1:]
	}
}

// TestBatchesArriveAsPackets sends to two sockets at once, one that knows nothing of batches and one
// that takes them, with and without the kernel's help.
func TestBatchesArriveAsPackets(t *testing.T) {
	for name, segments := range map[string]bool{"batched": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			for network, ip := range map[string]string{"udp4": "127.0.0.1", "udp6": "::1"} {
				b := newBatcher(t)
				b.segments = b.segments && segments
				plain, toPlain := listenLoopback(t, network, ip)
				socket, toBatcher := listenLoopback(t, network, ip)
				other, ok := batchUDP(socket, slog.New(slog.DiscardHandler)).(*batcher)
				if !ok {
					t.Fatal("not batched")
				}
				for _, c := range []*net.UDPConn{plain, socket} {
					if err := c.SetReadBuffer(socketBuffer); err != nil {
						t.Fatal(err)
					}
				}
				packets := testPackets()
				for from := 0; from < len(packets); from += 100 { // a receive buffer is small
					some := packets[from:min(from+100, len(packets))]
					for _, p := range some {
						for _, to := range []netip.AddrPort{toPlain, toBatcher} {
							if n, err := b.WriteToAddrPort(p, to); err != nil || n != len(p) {
								t.Fatal(n, err)
							}
						}
					}
					expectPackets(t, plainReader{plain}, some)
					expectPackets(t, other, some)
				}
			}
		})
	}
}

// TestBatchIsOneCall has a burst come out of one read where the kernel batches.
func TestBatchIsOneCall(t *testing.T) {
	b, other := newBatcher(t), newBatcher(t)
	if !b.segments {
		t.Fatal("this kernel is older than Linux 4.18")
	}
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddrPort(other.LocalAddr().String()).Port())
	packet := append([]byte{23}, make([]byte, 1224)...)
	b.mu.Lock()
	b.armed = true // no timer disturbs
	b.mu.Unlock()
	for range batchPackets {
		if _, err := b.WriteToAddrPort(packet, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := other.ReadFromAddrPort(make([]byte, 8192)); err != nil || n != len(packet) {
		t.Fatal(n, err)
	}
	if got, want := len(other.rest), (batchPackets-1)*len(packet); got != want {
		t.Fatalf("%d bytes came with the first packet, want %d", got, want)
	}
}

// TestBatcherCloses has the last packets go out, and no more after them.
func TestBatcherCloses(t *testing.T) {
	b := newBatcher(t)
	plain, to := listenLoopback(t, "udp4", "127.0.0.1")
	packet := append([]byte{23}, make([]byte, 1224)...)
	if _, err := b.WriteToAddrPort(packet, to); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	expectPackets(t, plainReader{plain}, [][]byte{packet})
	if _, err := b.WriteToAddrPort(packet, to); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
}
