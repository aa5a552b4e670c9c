// SPDX-License-Identifier: AGPL-3.0-or-later

// Package handoff lets another program play a stream when libmpv is missing: it serves one file over
// HTTP on the loopback interface and starts a player for it. Only app imports it.
package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"shoal/player"
)

// Bounds on what a client may take.
const (
	maxRequests   = 16               // at the same time
	headerTimeout = 10 * time.Second // for a request's header
	maxHeader     = 16 << 10         // bytes of it
	idleTimeout   = time.Minute
	writeTimeout  = 10 * time.Minute // for one piece of the answer; a paused player reads nothing
	maxName       = 100              // bytes of the file's name in the URL
)

// Server serves one file on the loopback interface, to whoever knows its URL.
type Server struct {
	name     string
	mimeType string
	path     string
	host     string
	open     player.Opener
	log      *slog.Logger

	http   *http.Server
	slots  chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
	err    error
}

// Options of a server.
type Options struct {
	// Name of the file; its ending decides the content type.
	Name string
	// Open opens the file, once for each request; its context is the request's.
	Open player.Opener
	// Logger hears why a request failed; nil for silence.
	Logger *slog.Logger
}

// Serve offers the file under a URL nobody can guess, until Close.
func Serve(o Options) (*Server, error) {
	if o.Open == nil {
		return nil, errors.New("serving a stream: no opener")
	}
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		return nil, fmt.Errorf("serving a stream: %w", err)
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	name := fileName(o.Name)
	s := &Server{
		name:     name,
		mimeType: contentType(name),
		path:     "/" + rand.Text() + "/" + name, // 128 bits and more
		host:     listener.Addr().String(),
		open:     o.Open,
		log:      log,
		slots:    make(chan struct{}, maxRequests),
		ctx:      ctx,
		cancel:   cancel,
		done:     make(chan struct{}),
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("serving a stream ended", "error", err)
		}
	}()
	return s, nil
}

// URL of the file.
func (s *Server) URL() string {
	return (&url.URL{Scheme: "http", Host: s.host, Path: s.path}).String()
}

// Close ends every transfer and waits for it. It is safe to call twice.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.cancel()
		if err := s.http.Close(); err != nil {
			s.err = fmt.Errorf("closing stream server: %w", err)
		}
		<-s.done
		for range maxRequests { // until no request holds a place
			s.slots <- struct{}{}
		}
	})
	return s.err
}

// serve answers with the file (RFC 9110 §14, ranges). There is no CORS header, so that no web page reads
// it, and the Host must be ours, so that none reaches it by a name of its own (DNS rebinding).
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Host != s.host || r.URL.Path != s.path {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		http.Error(w, "too many requests", http.StatusServiceUnavailable)
		return
	}
	media, err := s.open(r.Context())
	if err != nil {
		s.log.Warn("opening a stream failed", "error", err)
		http.Error(w, "the video cannot be opened", http.StatusBadGateway)
		return
	}
	// The request's context ends when the client goes or Close is called; a seek in the client is a new
	// request while the old one may still wait for bytes.
	stop := context.AfterFunc(r.Context(), media.Cancel)
	defer func() {
		stop()
		if err := media.Close(); err != nil {
			s.log.Warn("closing a stream failed", "error", err)
		}
	}()
	h := w.Header()
	h.Set("Content-Type", s.mimeType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(&patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}, r, s.name, time.Time{}, seeker{media})
}

// patientWriter gives every piece of the answer its own time.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (w *patientWriter) Write(b []byte) (int, error) {
	if err := w.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, fmt.Errorf("setting deadline: %w", err)
	}
	n, err := w.ResponseWriter.Write(b)
	if err == nil {
		err = w.control.Flush() // what came late should not wait for more
	}
	return n, err
}

// seeker hides all but reading and seeking, and answers questions for the size without a Seek of the media.
type seeker struct{ media player.Media }

// Read implements io.Reader.
func (s seeker) Read(b []byte) (int, error) { return s.media.Read(b) }

// Seek implements io.Seeker.
func (s seeker) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekEnd && offset == 0 {
		return s.media.Size(), nil // http.ServeContent goes back to a place from the start next
	}
	return s.media.Seek(offset, whence)
}

// fileName makes a last element of a URL's path of any name, keeping its ending.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		}
		return '_'
	}, name)
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	if name = strings.TrimLeft(name, "."); name == "" {
		return "video"
	}
	return name
}

// contentType guesses from the name's ending.
func contentType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".mp4", ".m4v":
		return "video/mp4"
	case ".m4a":
		return "audio/mp4"
	case ".webm":
		return "video/webm"
	case ".mkv":
		return "video/x-matroska"
	case ".ogv":
		return "video/ogg"
	case ".ts":
		return "video/mp2t"
	case ".mov":
		return "video/quicktime"
	}
	// Nothing that a browser would run as a page.
	if t := mime.TypeByExtension(path.Ext(name)); strings.HasPrefix(t, "video/") || strings.HasPrefix(t, "audio/") {
		return t
	}
	return "application/octet-stream"
}
