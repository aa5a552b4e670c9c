// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// maxLoops bounds the loops; one serves some hundred thousand messages a second.
	maxLoops = 4
	// sendBuffer is what the kernel holds for one connection, in bytes: a slow reader shall not fill
	// the kernel's memory either.
	sendBuffer = 128 << 10
	// batch is how many ready connections are handled before what they caused is written.
	batch = 128
)

// loop serves many connections with one goroutine: it waits for those that are ready (epoll(7)),
// handles what they sent and then writes, so that what goes to one connection goes in one write. An
// idle connection has no stack and no buffer.
type loop struct {
	t    *Tracker
	ep   int
	wake [2]int // a pipe

	mu     sync.Mutex
	conns  map[int32]*conn
	fresh  []*conn // sent something with the handshake
	ending bool
	over   bool // ep and wake are closed, or will be in a moment
}

// startLoops starts a loop for every other processor. Without any, connections get a goroutine each.
func (t *Tracker) startLoops() {
	for range min(max(runtime.GOMAXPROCS(0)/2, 1), maxLoops) {
		l, err := newLoop(t)
		if err != nil {
			t.log.Warn("no loop for the tracker's sockets", "error", err)
			return
		}
		t.loops = append(t.loops, l)
		t.wg.Go(l.run)
	}
}

func newLoop(t *Tracker) (*loop, error) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	l := &loop{t: t, ep: ep, conns: map[int32]*conn{}}
	if err := syscall.Pipe2(l.wake[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		return nil, errors.Join(fmt.Errorf("making a pipe: %w", err), syscall.Close(ep))
	}
	if err := l.watch(syscall.EPOLL_CTL_ADD, l.wake[0], syscall.EPOLLIN); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *loop) close() {
	for _, fd := range []int{l.ep, l.wake[0], l.wake[1]} {
		if err := syscall.Close(fd); err != nil {
			l.t.log.Warn("a descriptor cannot be closed", "error", err)
		}
	}
}

func (l *loop) watch(op, fd int, events uint32) error {
	err := syscall.EpollCtl(l.ep, op, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)}) //nolint:gosec // descriptors are small
	if err != nil {
		return fmt.Errorf("watching a socket: %w", err)
	}
	return nil
}

// nudge lets the loop look at fresh and ending. The caller holds mu.
func (l *loop) nudge() {
	if !l.over {
		_, _ = syscall.Write(l.wake[1], []byte{0}) // a full pipe wakes as well
	}
}

func (t *Tracker) stopLoops() {
	for _, l := range t.loops {
		l.mu.Lock()
		l.ending = true
		l.nudge()
		l.mu.Unlock()
	}
}

// attach makes the connection's link. What is no socket of the system, such as TLS, gets a goroutine.
func (t *Tracker) attach(c *conn, nc net.Conn) (serve func(bool) error, err error) {
	sc, ok := nc.(syscall.Conn)
	if !ok || len(t.loops) == 0 {
		return newStream(c, nc), nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("finding a socket: %w", err)
	}
	fd, errno := -1, syscall.Errno(0)
	if err := raw.Control(func(s uintptr) {
		var n uintptr
		n, _, errno = syscall.Syscall(syscall.SYS_FCNTL, s, syscall.F_DUPFD_CLOEXEC, 0)
		fd = int(n)
	}); err != nil {
		return nil, fmt.Errorf("finding a socket: %w", err)
	}
	if errno != 0 {
		return nil, fmt.Errorf("taking over a socket: %w", errno)
	}
	// The copy stays open; the runtime's own poller has to let go of the connection.
	if err := nc.Close(); err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	l := t.loops[t.next.Add(1)%uint32(len(t.loops))] //nolint:gosec // few
	s := &socket{l: l, c: c, fd: fd}
	c.link = s
	return s.serve, nil
}

// socket is a link of a loop.
type socket struct {
	l     *loop
	c     *conn
	fd    int  // -1 once it is closed
	armed bool // the loop is told when it takes more
}

func (s *socket) serve(ok bool) error {
	fd, l, early := s.fd, s.l, len(s.c.in) > 0
	if !ok {
		return syscall.Close(fd)
	}
	// Without it the kernel takes its own bound.
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer)
	if err := l.enter(s, early); err != nil {
		l.leave(s)
		l.t.log.Warn("a socket cannot be served", "error", err)
	}
	return nil
}

// enter takes a connection in, which may have sent something already.
func (l *loop) enter(s *socket, early bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return errClosed
	}
	if err := l.watch(syscall.EPOLL_CTL_ADD, s.fd, syscall.EPOLLIN); err != nil {
		return err
	}
	l.conns[int32(s.fd)] = s.c //nolint:gosec // descriptors are small
	if early {
		l.fresh = append(l.fresh, s.c)
		l.nudge()
	}
	return nil
}

func (s *socket) write(b []byte) (int, error) {
	n, err := 0, error(nil)
	if s.fd < 0 {
		return 0, errClosed
	}
	for n < len(b) && err == nil {
		var m int
		if m, err = syscall.Write(s.fd, b[n:]); err == nil {
			n += m
		} else if errors.Is(err, syscall.EINTR) {
			err = nil
		}
	}
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		return n, fmt.Errorf("writing: %w", err)
	}
	if full := n < len(b); full != s.armed {
		events := uint32(syscall.EPOLLIN)
		if full {
			events |= syscall.EPOLLOUT
		}
		if err := s.l.watch(syscall.EPOLL_CTL_MOD, s.fd, events); err != nil {
			return n, err
		}
		s.armed = full
	}
	return n, nil
}

func (s *socket) finish() {
	if s.fd >= 0 {
		_ = syscall.Shutdown(s.fd, syscall.SHUT_WR) // a connection that is broken ends by itself
	}
}

// drop wakes the loop, whose read then ends.
func (s *socket) drop() {
	if s.fd >= 0 {
		_ = syscall.Shutdown(s.fd, syscall.SHUT_RDWR)
	}
}

// leave closes the descriptor, after which its number may be another connection's.
func (l *loop) leave(s *socket) {
	l.mu.Lock()
	delete(l.conns, int32(s.fd)) //nolint:gosec // descriptors are small
	l.mu.Unlock()
	s.c.leave()
	s.c.mu.Lock()
	fd := s.fd
	s.fd = -1
	s.c.mu.Unlock()
	if err := syscall.Close(fd); err != nil {
		l.t.log.Warn("a socket cannot be closed", "error", err)
	}
}

// run serves until the tracker is closed and every connection has left.
func (l *loop) run() {
	defer l.close()
	w := newWorker()
	var events [batch]syscall.EpollEvent
	for {
		n, err := syscall.EpollWait(l.ep, events[:], -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			l.t.log.Error("waiting for the tracker's sockets failed", "error", err)
			l.mu.Lock()
			l.over = true
			l.mu.Unlock()
			return
		}
		w.now = time.Now()
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == l.wake[0] {
				l.woken(w)
				continue
			}
			l.mu.Lock()
			c := l.conns[e.Fd]
			l.mu.Unlock()
			if c == nil {
				continue
			}
			if e.Events&syscall.EPOLLOUT != 0 {
				c.flush()
			}
			if e.Events&^syscall.EPOLLOUT != 0 {
				l.read(w, c)
			}
		}
		w.flush()
		l.mu.Lock()
		l.over = l.ending && len(l.conns) == 0
		over := l.over
		l.mu.Unlock()
		if over {
			return
		}
	}
}

func (l *loop) woken(w *worker) {
	_, _ = syscall.Read(l.wake[0], w.in[:batch])
	l.mu.Lock()
	fresh := l.fresh
	l.fresh = nil
	l.mu.Unlock()
	for _, c := range fresh {
		if s, ok := c.link.(*socket); ok && s.fd >= 0 && !c.over(w, c.input(w, nil)) {
			l.leave(s)
		}
	}
}

// read handles what one connection has sent.
func (l *loop) read(w *worker, c *conn) {
	s := c.link.(*socket) //nolint:forcetypeassert // a loop has no other
	n, err := syscall.Read(s.fd, w.in)
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
	case err != nil || n == 0:
		l.leave(s)
	case !c.over(w, c.input(w, w.in[:n])):
		l.leave(s)
	}
}
