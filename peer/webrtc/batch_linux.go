// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	be "encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// batchBytes and batchPackets are what goes out at once: the kernel takes a datagram of 64 KiB and
	// 64 packets.
	batchBytes   = 60 << 10
	batchPackets = 32
	// batchFrom is from what size in bytes on a packet may wait for more of its size: SCTP fills its
	// packets while it has something to send.
	batchFrom = 1000
	// batchWait is for how long. The runtime's timers take up to a millisecond in an idle process.
	batchWait = 100 * time.Microsecond
	// maxBatches bounds to how many addresses packets wait at a time.
	maxBatches = 32
	// readBuffer holds the largest datagram.
	readBuffer = 64 << 10
)

// batcher is a UDP socket that takes many packets of one peer in a system call: bursts are sent as
// one datagram that the kernel cuts up (UDP_SEGMENT, Linux 4.18), and received the same way
// (UDP_GRO, Linux 5.0). Without it each packet of 1.2 KB costs a system call and a walk through the
// network stack on either side. Moving 600 MB between two engines of one process took 15.2 s of CPU
// without and 14.2 s with it, 3.2 s and 2.1 s of that in the kernel; the rest is cryptography,
// SCTP and garbage collection.
type batcher struct {
	net.PacketConn // the socket, for what is not batched
	socket         *net.UDPConn
	logger         *slog.Logger

	// Of the mux's reading goroutine.
	buffer, control []byte
	rest            []byte // packets of the datagram read last
	segment         int    // their size; the last may be smaller
	from            netip.AddrPort

	mu       sync.Mutex // held while sending, too, which keeps the order
	segments bool       // UDP_SEGMENT works
	open     map[netip.AddrPort]*batch
	spare    []*batch
	timer    *time.Timer // flushes what is open
	armed    bool
	closed   bool
}

// batch is packets to one address, back to back, all of the same size.
type batch struct {
	size int
	data []byte
}

// batchUDP wraps a socket. The caller uses the socket itself no more.
func batchUDP(socket *net.UDPConn, logger *slog.Logger) net.PacketConn {
	b := &batcher{
		PacketConn: socket, socket: socket, logger: logger,
		buffer: make([]byte, readBuffer), control: make([]byte, unix.CmsgSpace(4)),
		open: make(map[netip.AddrPort]*batch),
	}
	b.timer = time.AfterFunc(time.Hour, b.flush)
	b.timer.Stop()
	var segmentErr, groErr error
	raw, err := socket.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			_, segmentErr = unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
			groErr = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1)
		})
	}
	b.segments = err == nil && segmentErr == nil
	if err := errors.Join(err, segmentErr, groErr); err != nil {
		logger.Debug("UDP packets are not batched", "error", err)
	}
	return b
}

// ReadFromAddrPort reads one packet. Only one goroutine may read.
func (b *batcher) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	if len(b.rest) == 0 {
		n, controls, _, from, err := b.socket.ReadMsgUDPAddrPort(b.buffer, b.control)
		if err != nil || n == 0 {
			return 0, from, err
		}
		b.rest, b.from, b.segment = b.buffer[:n], from, n
		if size := segmentSize(b.control[:controls]); size > 0 {
			b.segment = size
		}
	}
	packet := b.rest[:min(b.segment, len(b.rest))]
	b.rest = b.rest[len(packet):]
	return copy(p, packet), b.from, nil
}

// ReadFrom reads one packet.
func (b *batcher) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := b.ReadFromAddrPort(p)
	return n, net.UDPAddrFromAddrPort(from), err
}

// WriteToAddrPort sends a packet. A large DTLS record may wait for more to the same address, and an
// error of the network is then for DTLS and SCTP to find out, as with any packet that gets lost.
func (b *batcher) WriteToAddrPort(p []byte, to netip.AddrPort) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, net.ErrClosed
	}
	x := b.open[to]
	switch {
	case !b.segments || !isDTLS(p):
	case x != nil && len(p) == x.size:
		x.data = append(x.data, p...)
		if len(x.data) >= batchPackets*x.size || len(x.data)+x.size > batchBytes {
			b.send(to, x)
		}
		return len(p), nil
	case x != nil && len(p) < x.size:
		x.data = append(x.data, p...) // the last of a batch may be smaller
		b.send(to, x)
		return len(p), nil
	case len(p) >= batchFrom && len(p) <= batchBytes:
		b.begin(p, to)
		return len(p), nil
	}
	if x != nil {
		b.send(to, x)
	}
	return b.socket.WriteToUDPAddrPort(p, to)
}

// isDTLS tells DTLS from STUN, by RFC 7983 §7.
func isDTLS(p []byte) bool { return len(p) > 0 && p[0] >= 20 && p[0] <= 63 }

// begin opens a batch. The caller holds mu.
func (b *batcher) begin(p []byte, to netip.AddrPort) {
	if x := b.open[to]; x != nil {
		b.send(to, x)
	}
	if len(b.open) == maxBatches {
		b.sendAll()
	}
	x := &batch{}
	if n := len(b.spare); n > 0 {
		x, b.spare = b.spare[n-1], b.spare[:n-1]
	}
	x.size, x.data = len(p), append(x.data[:0], p...)
	b.open[to] = x
	if !b.armed {
		b.armed = true
		b.timer.Reset(batchWait)
	}
}

// flush sends what waits.
func (b *batcher) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = false
	b.sendAll()
}

func (b *batcher) sendAll() {
	for to, x := range b.open {
		b.send(to, x)
	}
}

// send closes a batch and sends it. The caller holds mu.
func (b *batcher) send(to netip.AddrPort, x *batch) {
	delete(b.open, to)
	b.spare = append(b.spare, x)
	if x.size < len(x.data) {
		_, _, err := b.socket.WriteMsgUDPAddrPort(x.data, segmentControl(x.size), to)
		if err == nil {
			return
		}
		// EIO is for ever: the network card cannot do its part. Else the path may take smaller packets
		// than these only, which then go out in fragments.
		b.segments = !errors.Is(err, unix.EIO)
		b.logger.Debug("sending a batch of UDP packets failed", "error", err)
	}
	for rest := x.data; len(rest) > 0; {
		packet := rest[:min(x.size, len(rest))]
		rest = rest[len(packet):]
		if _, err := b.socket.WriteToUDPAddrPort(packet, to); err != nil {
			b.logger.Debug("sending a UDP packet failed", "error", err)
			return
		}
	}
}

// WriteTo sends a packet at once.
func (b *batcher) WriteTo(p []byte, to net.Addr) (int, error) { return b.socket.WriteTo(p, to) }

// Close sends what waits and closes the socket.
func (b *batcher) Close() error {
	b.mu.Lock()
	b.closed = true
	b.timer.Stop()
	b.sendAll()
	b.mu.Unlock()
	return b.socket.Close()
}

// segmentSize reads how large the packets are of which a datagram was made up; 0 if it is one.
func segmentSize(control []byte) int {
	for len(control) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return 0
		}
		if header.Level == unix.SOL_UDP && header.Type == unix.UDP_GRO && len(data) >= 4 {
			return int(int32(be.NativeEndian.Uint32(data)))
		}
		control = rest
	}
	return 0
}

// segmentControl makes the control message that has the kernel cut a datagram into packets of a
// size.
func segmentControl(size int) []byte {
	header := unix.Cmsghdr{Level: unix.SOL_UDP, Type: unix.UDP_SEGMENT}
	header.SetLen(unix.CmsgLen(2))
	control := make([]byte, 0, unix.CmsgSpace(2))
	control, _ = be.Append(control, be.NativeEndian, header) // no error: its size is fixed
	control = be.NativeEndian.AppendUint16(control, uint16(size))
	return control[:cap(control)]
}
