// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

const (
	maxClients  = 64               // connections at one time; more are hung up on
	requestWait = 10 * time.Second // for the first line
	flushWait   = 5 * time.Second  // for commands and their output once cancelled
)

// Handler does what clients ask.
type Handler struct {
	// Run runs a command until it is done or ctx ends and returns its exit code.
	Run func(ctx context.Context, r Request, stdout, stderr io.Writer) int
	// Open shows an address in the window, or the window alone for "". nil: there is no window.
	Open func(argument string) error
}

// Server listens on the socket of one data folder.
type Server struct {
	dataDir  string
	listener net.Listener
	logger   *slog.Logger
}

// Listen opens the socket. The caller holds the data folder's lock: what lies there of an earlier
// process is removed.
func Listen(dataDir, runtimeDir string, logger *slog.Logger) (*Server, error) {
	socket, err := place(dataDir, runtimeDir)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("opening control socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protecting control socket: %w", err), listener.Close())
	}
	return &Server{dataDir: dataDir, listener: listener, logger: logger}, nil
}

// Close closes the socket where Serve was never called.
func (s *Server) Close() error {
	return errors.Join(s.listener.Close(), removeStale(s.dataDir))
}

// Serve answers clients until ctx ends. Then it cancels the commands in progress and waits a few
// seconds for them.
func (s *Server) Serve(ctx context.Context, h Handler) error {
	var clients sync.WaitGroup
	slots := make(chan struct{}, maxClients)
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		if err := s.listener.Close(); err != nil {
			s.logger.Warn("closing control socket failed", "error", err)
		}
	})
	defer stop()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				<-closed
				clients.Wait()
				return removeStale(s.dataDir)
			}
			return fmt.Errorf("accepting on control socket: %w", err)
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = conn.Close() // too many: hanging up says so
			continue
		}
		clients.Go(func() {
			defer func() { <-slots }()
			s.serve(ctx, conn, h)
		})
	}
}

func (s *Server) serve(ctx context.Context, conn net.Conn, h Handler) {
	defer func() { _ = conn.Close() }() // the client may have hung up first
	if err := sameUser(conn); err != nil {
		s.logger.Warn("refusing control client", "error", err)
		return
	}
	if err := conn.SetReadDeadline(time.Now().Add(requestWait)); err != nil {
		return
	}
	in := newReader(conn)
	line, err := readLine(in)
	if err != nil {
		return
	}
	out := &output{conn: conn}
	m, err := parseMessage(line)
	if err != nil {
		s.logger.Debug("refusing control request", "error", err)
		out.finish(2, "the running Shoal does not understand this request: use the same version of the program for both\n")
		return
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return
	}
	switch {
	case m.Open != nil:
		s.open(m.Open.Argument, h, out)
	case m.Run != nil:
		s.run(ctx, *m.Run, h, in, out)
	}
}

func (s *Server) open(argument string, h Handler, out *output) {
	if h.Open == nil {
		out.finish(1, "Shoal runs on this data folder without a window: stop it first, or name another folder with --data\n")
		return
	}
	if err := h.Open(argument); err != nil {
		out.finish(1, err.Error()+"\n")
		return
	}
	out.finish(0, "")
}

func (s *Server) run(ctx context.Context, r Request, h Handler, in *bufio.Reader, out *output) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A client that stops reading must not hold a cancelled command.
	stop := context.AfterFunc(ctx, func() {
		_ = out.conn.SetWriteDeadline(time.Now().Add(flushWait)) // fails on a closed connection only
	})
	defer stop()
	listening := make(chan struct{})
	go func() { // ends when conn closes
		defer close(listening)
		defer cancel()
		for {
			line, err := readLine(in)
			if err != nil {
				return
			}
			if m, err := parseMessage(line); err != nil || m.Cancel {
				cancel()
			}
		}
	}()
	code := h.Run(ctx, r, out.stream(false), out.stream(true))
	out.finish(code, "")
	_ = out.conn.Close() // ends the goroutine
	<-listening
}

// output writes frames.
type output struct {
	mu   sync.Mutex
	conn net.Conn
}

func (o *output) send(f frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return writeLine(o.conn, f)
}

// finish sends the last frames. A client that has gone does not hear them.
func (o *output) finish(code int, stderr string) {
	if stderr != "" {
		_ = o.send(frame{Stderr: []byte(stderr)})
	}
	_ = o.send(frame{Exit: &code})
}

func (o *output) stream(stderr bool) io.Writer { return stream{o, stderr} }

// stream is one of a command's two outputs.
type stream struct {
	out    *output
	stderr bool
}

// Write sends p in frames.
func (s stream) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		chunk := p[sent:min(sent+maxChunk, len(p))]
		f := frame{Stdout: chunk}
		if s.stderr {
			f = frame{Stderr: chunk}
		}
		if err := s.out.send(f); err != nil {
			return sent, err
		}
		sent += len(chunk)
	}
	return len(p), nil
}
