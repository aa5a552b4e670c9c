// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"net"
	"time"
)

// stream is a link over any net.Conn: a goroutine that reads, and one that writes as long as something
// is queued.
type stream struct {
	c       *conn
	nc      net.Conn
	writing bool
	last    bool
}

// newStream makes a link whose reader runs once serve is called.
func newStream(c *conn, nc net.Conn) (serve func(bool) error) {
	s := &stream{c: c, nc: nc}
	c.link = s
	return func(ok bool) error {
		if !ok {
			return nc.Close()
		}
		go s.read()
		return nil
	}
}

func (s *stream) read() {
	defer s.c.leave()
	b := make([]byte, 4<<10)
	for n, err := 0, error(nil); ; n, err = s.nc.Read(b) {
		if n > 0 || len(s.c.in) > 0 { // at first, what came with the handshake
			w := s.c.t.workers.Get().(*worker) //nolint:forcetypeassert // the pool holds nothing else
			w.now = time.Now()
			bad := s.c.input(w, b[:n])
			ok := s.c.over(w, bad)
			w.flush()
			s.c.t.workers.Put(w)
			if !ok {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *stream) write(b []byte) (int, error) {
	if s.writing {
		return 0, nil
	}
	s.writing = true
	go s.put(append([]byte(nil), b...))
	return len(b), nil
}

// put writes, then what was queued meanwhile.
func (s *stream) put(b []byte) {
	err := s.nc.SetWriteDeadline(time.Now().Add(s.c.t.cfg.HangTimeout))
	if err == nil {
		_, err = s.nc.Write(b)
	}
	s.c.mu.Lock()
	s.writing = false
	if err != nil {
		s.c.dropLocked()
	}
	if s.last {
		s.finish()
	}
	s.c.mu.Unlock()
	s.c.flush()
}

func (s *stream) finish() {
	if s.writing {
		s.last = true
		return
	}
	if half, ok := s.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // a connection that is broken ends by itself
	} else {
		_ = s.nc.Close()
	}
}

func (s *stream) drop() { _ = s.nc.Close() }
