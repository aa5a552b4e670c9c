// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// loopback serves sessions to other programs of this machine. Every local program and web page can
// reach it, so each session has an unguessable path and there is no CORS header.
type loopback struct {
	mu       sync.Mutex
	listener net.Listener
	server   *http.Server
	sessions map[string]*Session
	closed   bool
}

// StreamURL returns an address on the loopback, with an unguessable path, at which another player
// or a browser reads the session's picture (with the sound unless that lies in another file) until
// the session is closed.
func (a *App) StreamURL(s *Session) (string, error) {
	l := &a.loopback
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.start(); err != nil {
		return "", err
	}
	if s.token == "" {
		s.token = rand.Text()
		l.sessions[s.token] = s
	}
	return "http://" + l.listener.Addr().String() + "/" + s.token + "/" + url.PathEscape(s.fileName()), nil
}

func (s *Session) fileName() string {
	if s.Path != "" {
		return filepath.Base(s.Path)
	}
	for _, f := range s.Main.Files() {
		if f.Index == s.MainFile {
			return path.Base(f.Path)
		}
	}
	return "video"
}

// start opens the listener at the first use; l.mu is held.
func (l *loopback) start() error {
	if l.closed {
		return errors.New("the program is ending")
	}
	if l.listener != nil {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening the loopback stream: %w", err)
	}
	l.listener, l.sessions = listener, make(map[string]*Session)
	l.server = &http.Server{Handler: http.HandlerFunc(l.handle), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = l.server.Serve(listener) }() // ends with ErrServerClosed
	return nil
}

// serve closes the listener when ctx ends.
func (l *loopback) serve(ctx context.Context) error {
	<-ctx.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.server == nil {
		return nil
	}
	if err := l.server.Close(); err != nil {
		return fmt.Errorf("closing the loopback stream: %w", err)
	}
	return nil
}

func (l *loopback) remove(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, token)
}

func (l *loopback) handle(w http.ResponseWriter, r *http.Request) {
	token, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	l.mu.Lock()
	session := l.sessions[token]
	l.mu.Unlock()
	if session == nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		http.NotFound(w, r)
		return
	}
	// A seek of the player opens a new request while the old one may still wait for bytes: each
	// reader ends with its own request.
	media, err := session.OpenVideo(r.Context())
	if err != nil {
		http.Error(w, "the video cannot be opened", http.StatusServiceUnavailable)
		return
	}
	stop := context.AfterFunc(r.Context(), media.Cancel)
	defer func() {
		stop()
		_ = media.Close() // nothing was written
	}()
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, session.fileName(), time.Time{}, media)
}
