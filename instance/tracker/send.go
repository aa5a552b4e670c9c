// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"
)

// outBuffer is what waits to be written to one connection. Its capacity is what it costs, and what is
// counted.
type outBuffer struct{ b []byte }

// grow makes room for need bytes in all. The capacity doubles, and is never more than most for it.
func (o *outBuffer) grow(need, most int) {
	if need <= cap(o.b) {
		return
	}
	b := make([]byte, len(o.b), max(need, min(2*cap(o.b), most)))
	copy(b, o.b)
	o.b = b
}

// rest keeps what begins at n: in another buffer where this one is large and would be nearly empty, so
// that who reads all but a little holds little.
func (o *outBuffer) rest(n int) {
	left := o.b[n:]
	if cap(o.b) > keptSize && cap(o.b) > 4*len(left) {
		o.b = append([]byte(nil), left...)
		return
	}
	o.b = o.b[:copy(o.b, left)]
}

// send queues a text message and never blocks; w writes it when it has handled its input, together
// with what else is queued by then. A connection that takes messages slower than they come is
// dropped.
func (c *conn) send(w *worker, b []byte) { c.queue(w, opText, b) }

func (c *conn) queue(w *worker, op byte, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last {
		return
	}
	if c.out == nil {
		c.out = c.t.outs.Get().(*outBuffer) //nolint:forcetypeassert // the pool holds nothing else
	}
	need := len(c.out.b) + maxHead + len(payload)
	if need > c.t.cfg.MaxQueue {
		c.t.log.Debug("dropped a slow connection", "ip", c.ip)
		c.dropLocked()
		return
	}
	c.out.grow(need, c.t.cfg.MaxQueue)
	c.out.b = appendFrame(c.out.b, op, payload)
	if !c.dirty {
		c.dirty = true
		w.dirty = append(w.dirty, c)
	}
}

// end closes the connection once what is queued is written. Only the connection's reader calls it.
func (c *conn) end(w *worker, code uint16) {
	c.queue(w, opClose, binary.BigEndian.AppendUint16(nil, code))
	c.ended = true
	c.mu.Lock()
	c.last = true
	c.mu.Unlock()
}

// flush writes what is queued, as far as the connection takes it without blocking; the link calls it
// again when it takes more.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dirty = false
	if c.out == nil {
		return
	}
	n, err := c.link.write(c.out.b)
	if err != nil {
		c.dropLocked()
		return
	}
	if n < len(c.out.b) {
		c.out.rest(n)
		if c.stuck.Load() == 0 || n > 0 {
			c.stuck.Store(time.Now().Unix())
		}
		if c.hold(&c.t.heldOut, &c.heldOut, cap(c.out.b)) != nil {
			c.dropLocked()
		}
		return
	}
	c.discard()
	c.stuck.Store(0)
	if c.last { // the client's own close ends the reader
		c.stuck.Store(time.Now().Unix())
		c.link.finish()
	}
}

// discard gives the buffer back.
func (c *conn) discard() {
	o := c.out
	if c.out = nil; o == nil {
		return
	}
	_ = c.hold(&c.t.heldOut, &c.heldOut, 0)
	if cap(o.b) <= keptSize {
		o.b = o.b[:0]
		c.t.outs.Put(o)
	}
}

// errFull drops the connection that holds much when all hold too much.
var errFull = errors.New("too much waits to be read or written")

// hold notes that n bytes of this connection wait now, of which *part did before.
func (c *conn) hold(all *atomic.Int64, part *int, n int) error {
	if n == *part {
		return nil
	}
	sum := all.Add(int64(n - *part))
	*part = n
	if n > keptSize && sum > c.t.cfg.MaxHeld {
		return errFull
	}
	return nil
}

// drop closes at once. It may be called often and from anywhere.
func (c *conn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropLocked()
}

func (c *conn) dropLocked() {
	c.discard()
	if !c.gone {
		c.last, c.gone = true, true
		c.link.drop()
	}
}
