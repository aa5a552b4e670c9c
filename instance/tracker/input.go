// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"encoding/binary"
	"errors"
	"time"
)

// worker is what handling input takes. Connections share few of them, so that an idle one holds
// little more than its place in its swarms.
type worker struct {
	in    []byte // what was read
	out   []byte // a message that is built
	msg   message
	dirty []*conn // have something to write
	now   time.Time
}

const (
	// readSize is what is read at once.
	readSize = 64 << 10
	// keptSize is how large an unused buffer may be to be kept.
	keptSize = 16 << 10
)

func newWorker() *worker { return &worker{in: make([]byte, readSize)} }

// flush writes what handling input left to write.
func (w *worker) flush() {
	for _, c := range w.dirty {
		c.flush()
	}
	clear(w.dirty)
	w.dirty = w.dirty[:0]
}

// input handles bytes that came in; it may change them. An error ends the connection. Only the
// connection's reader calls it.
func (c *conn) input(w *worker, b []byte) error {
	if c.ended {
		return nil
	}
	if len(c.in) > 0 {
		c.in = append(c.in, b...)
		b = c.in
	}
	for {
		f, n, err := parseFrame(b, c.t.cfg.MaxMessage-int64(len(c.part)))
		if err != nil {
			return err
		}
		if n == 0 {
			return c.keep(b, w.now)
		}
		if !c.spend(w.now) {
			c.fail(w, tooMany, nil)
			c.end(w, closeNormal)
		} else if err := c.frame(w, &f); err != nil {
			return err
		}
		if c.ended {
			return c.keep(nil, w.now)
		}
		b = b[n:]
	}
}

// keep holds an unfinished frame until the rest comes, for HangTimeout at most.
func (c *conn) keep(b []byte, now time.Time) error {
	switch {
	case len(b) == 0:
		c.in = nil
		if c.ended {
			c.part, c.inPart = nil, false
		}
	case len(c.in) == 0 || len(b) < len(c.in):
		c.in = append([]byte(nil), b...)
	}
	if len(c.in) == 0 && !c.inPart {
		c.unfinished.Store(0)
	} else if c.unfinished.Load() == 0 {
		c.unfinished.Store(now.Unix())
	}
	return c.hold(&c.t.heldIn, &c.heldIn, len(c.in)+len(c.part))
}

// frame handles one frame.
func (c *conn) frame(w *worker, f *frame) error {
	switch f.op {
	case opPing:
		c.queue(w, opPong, f.payload)
		return nil
	case opPong:
		return nil
	case opClose:
		code := uint16(closeNormal)
		if len(f.payload) >= 2 {
			code = binary.BigEndian.Uint16(f.payload)
		}
		c.end(w, code)
		return nil
	case opContinuation:
		if !c.inPart {
			return closeError(closeProtocol)
		}
		c.part = append(c.part, f.payload...)
		if !f.fin {
			return nil
		}
		b := c.part
		c.part, c.inPart = nil, false
		c.message(w, b)
		return nil
	}
	if c.inPart {
		return closeError(closeProtocol)
	}
	if !f.fin {
		c.part, c.inPart = append([]byte(nil), f.payload...), true
		return nil
	}
	c.message(w, f.payload)
	return nil
}

// message handles one message.
func (c *conn) message(w *worker, b []byte) {
	c.heard.Store(w.now.Unix())
	c.unfinished.Store(0)
	if err := parseMessage(b, &w.msg); err != nil {
		c.fail(w, err.Error(), nil)
		return
	}
	if string(w.msg.action) == "scrape" {
		c.scrape(w, &w.msg)
		return
	}
	c.announce(w, &w.msg)
}

const (
	// maxBurst is how many frames a connection may send at once: a seeder of many torrents announces
	// them all when it connects.
	maxBurst = 2*DefaultMaxSwarms + 1000
	// maxRate is how many frames a second a connection may send for long.
	maxRate = 100
	tooMany = "too many messages on one connection: announce at the interval you are told"
)

// spend takes one frame off what the connection may send.
func (c *conn) spend(now time.Time) bool {
	if s := now.Unix() - c.filled; s > 0 {
		c.filled += s
		c.spent = max(0, c.spent-int(min(s, maxBurst))*maxRate)
	}
	c.spent++
	return c.spent <= maxBurst
}

// over looks at what input returned. A broken protocol is answered with a close frame; it reports
// false where the connection has to be left at once.
func (c *conn) over(w *worker, err error) bool {
	var code closeError
	if errors.As(err, &code) {
		c.end(w, uint16(code))
		return c.keep(nil, w.now) == nil
	}
	return err == nil
}
