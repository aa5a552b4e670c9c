// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/sctp"
)

const (
	// readBufferSize holds any message that the SDP allows the other side to send.
	readBufferSize = maxMessage
	// writeMessage is the size in bytes that longer writes are cut into. Every WebTorrent client
	// takes 64 KiB, which is also what RFC 8841 §6.1 has for a peer that names no size.
	writeMessage = 64 << 10
	// writeHigh is how many bytes may wait to be sent; a Write past it blocks until writeLow wait.
	writeHigh = 1 << 20
	writeLow  = writeHigh / 2
)

// channel is what is used of a detached data channel.
type channel interface {
	datachannel.ReadWriteCloserDeadliner
	BufferedAmount() uint64
	SetBufferedAmountLowThreshold(uint64)
	OnBufferedAmountLow(func())
}

// conn is a data channel as a net.Conn: a stream of bytes instead of messages.
//
// WebTorrent peers both send their handshake at once, while a torrent client waits for the other's
// on an accepted connection. So start sends the handshake, and Write swallows the client's own.
type conn struct {
	ch      channel
	remote  addr
	local   addr
	buffers *sync.Pool
	onClose func(error) // called once, with errPeerClosed if the peer ended it and nil if we did

	handshake [handshakeSize]byte

	readMu    sync.Mutex
	buffer    *[]byte // from buffers, while rest is in it
	rest      []byte  // of the message read last
	readLimit deadline

	writeMu    sync.Mutex
	swallowed  int           // bytes of the client's handshake so far
	drained    chan struct{} // tells that writeLow is reached
	late       chan struct{} // tells that the write deadline passed
	writeLimit deadline

	ended   atomic.Bool // the peer has closed the channel
	closing atomic.Bool
	closed  chan struct{}
}

var errPeerClosed = errors.New("peer closed the connection")

// handshakeSize is the length of BEP 3's handshake in bytes.
const handshakeSize = 68

const protocol = "\x13BitTorrent protocol"

func handshake(cfg *SwarmConfig) (h [handshakeSize]byte) {
	n := copy(h[:], protocol)
	n += copy(h[n:], cfg.Extensions[:])
	n += copy(h[n:], cfg.Infohash[:])
	copy(h[n:], cfg.PeerID[:])
	return h
}

func newConn(ch channel, hs [handshakeSize]byte, remote, local addr, buffers *sync.Pool, onClose func(error)) *conn {
	c := &conn{
		ch:        ch,
		remote:    remote,
		local:     local,
		buffers:   buffers,
		onClose:   onClose,
		handshake: hs,
		drained:   make(chan struct{}, 1),
		late:      make(chan struct{}, 1),
		closed:    make(chan struct{}),
	}
	c.readLimit.passed = c.wakeReader
	c.writeLimit.passed = func() { notify(c.late) }
	ch.SetBufferedAmountLowThreshold(writeLow)
	ch.OnBufferedAmountLow(func() { notify(c.drained) })
	return c
}

// start sends the handshake.
func (c *conn) start() error {
	if _, err := c.ch.Write(c.handshake[:]); err != nil {
		return fmt.Errorf("sending handshake: %w", err)
	}
	return nil
}

// Read reads what is there of a message, or waits for the next.
func (c *conn) Read(p []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if err := c.readable(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.rest) == 0 {
		n, err := c.next(p)
		if err != nil || n > 0 {
			return n, err
		}
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.putBuffer()
	}
	return n, nil
}

// next waits for a message and reads it into p where it fits (it returns its size then), or else
// into c.rest.
func (c *conn) next(p []byte) (int, error) {
	// A short p would be filled in vain: a message is read whole or not at all.
	if direct := len(p) >= writeMessage; direct {
		n, err := c.ch.Read(p)
		if !errors.Is(err, io.ErrShortBuffer) {
			return n, c.readError(err)
		}
	}
	if c.buffer == nil {
		b, ok := c.buffers.Get().(*[]byte)
		if !ok {
			fresh := make([]byte, readBufferSize)
			b = &fresh
		}
		c.buffer = b
	}
	n, err := c.ch.Read(*c.buffer)
	if err = c.readError(err); err != nil || n == 0 {
		c.putBuffer()
		return 0, err
	}
	c.rest = (*c.buffer)[:n]
	return 0, nil
}

func (c *conn) putBuffer() {
	if c.buffer != nil {
		c.buffers.Put(c.buffer)
		c.buffer, c.rest = nil, nil
	}
}

func (c *conn) readable() error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
	}
	if c.readLimit.over() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// readError makes of the channel's error what a net.Conn returns; nil for a deadline that has been
// moved meanwhile, after which reading goes on.
func (c *conn) readError(err error) error {
	if err == nil {
		return nil
	}
	if broken := c.readable(); broken != nil {
		return broken
	}
	switch {
	case errors.Is(err, sctp.ErrReadDeadlineExceeded):
		return c.ch.SetReadDeadline(time.Time{})
	case errors.Is(err, io.ErrShortBuffer):
		return fmt.Errorf("reading data channel: message of more than %d bytes", readBufferSize)
	default:
		c.ended.Store(true)
		return io.EOF // the other side closed the channel, or aborted the association
	}
}

// wakeReader makes a Read that waits look at its deadline and at whether the conn is closed.
func (c *conn) wakeReader() { _ = c.ch.SetReadDeadline(time.Unix(1, 0)) }

// Write sends p, waiting while too much is on its way.
func (c *conn) Write(p []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	written, err := c.swallow(p)
	for err == nil && written < len(p) {
		if err = c.waitWritable(); err != nil {
			break
		}
		var n int
		n, err = c.ch.Write(p[written:min(len(p), written+writeMessage)])
		written += n
		if err != nil {
			err = c.writeError(err)
		}
	}
	return written, err
}

// swallow drops the client's own handshake, which start has sent already, and checks that it is one
// for this swarm.
func (c *conn) swallow(p []byte) (int, error) {
	n := min(len(p), handshakeSize-c.swallowed)
	for i, b := range p[:n] {
		at := c.swallowed + i
		if fixed := at < len(protocol) || (at >= 28 && at < 48); fixed && b != c.handshake[at] {
			_ = c.Close()
			return 0, errors.New("torrent client began with something else than its handshake for this swarm")
		}
	}
	c.swallowed += n
	return n, nil
}

func (c *conn) waitWritable() error {
	for {
		select {
		case <-c.closed:
			return net.ErrClosed
		default:
		}
		if c.writeLimit.over() {
			return os.ErrDeadlineExceeded
		}
		if c.ch.BufferedAmount() < writeHigh {
			return nil
		}
		select {
		case <-c.drained:
		case <-c.late:
		case <-c.closed:
		}
	}
}

func (c *conn) writeError(err error) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
		c.ended.Store(true) // the torrent client closes it now, and it is the peer who has gone
		return fmt.Errorf("writing to data channel: %w", err)
	}
}

// Close ends the connection at once; what was written and not sent yet is lost.
func (c *conn) Close() error {
	if c.closing.Swap(true) {
		return nil
	}
	close(c.closed)
	c.readLimit.stop()
	c.writeLimit.stop()
	c.wakeReader()
	c.onClose(c.whyClosed())
	return nil
}

// whyClosed is errPeerClosed if the peer ended the connection, nil if we did.
func (c *conn) whyClosed() error {
	if c.ended.Load() {
		return errPeerClosed
	}
	return nil
}

// LocalAddr is a placeholder.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's synthetic address.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline makes a Read that waits past t fail with os.ErrDeadlineExceeded.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readLimit, t) }

// SetWriteDeadline makes a Write that waits past t fail with os.ErrDeadlineExceeded.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeLimit, t) }

// setDeadline does nothing to a connection that is closed: the torrent client panics on an error here,
// and the peer may have hung up just before.
func (c *conn) setDeadline(d *deadline, t time.Time) error {
	select {
	case <-c.closed:
	default:
		d.set(t)
	}
	return nil
}

// notify leaves a token for whoever waits.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
