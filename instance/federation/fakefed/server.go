// SPDX-License-Identifier: AGPL-3.0-or-later

package fakefed

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"shoal/assets/contexts"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
)

// NameInstance is the username of an instance's own actor, as PeerTube has it.
const NameInstance = "peertube"

// Server is one remote instance. Its methods are safe for concurrent use.
type Server struct {
	// URL is its scheme://host:port; Host the host:port.
	URL, Host string

	t        testing.TB
	suite    *ldsig.Suite
	key      *rsa.PrivateKey
	keyPEM   string
	mu       sync.Mutex
	docs     map[string]doc
	handlers map[string]http.HandlerFunc
	received []Received
	asked    map[string]int
	status   int
	changed  chan struct{}
}

type doc struct {
	status int
	typ    string
	body   []byte
}

// Received is one activity that an inbox of the server got.
type Received struct {
	At time.Time
	// Path is the inbox's.
	Path     string
	Header   http.Header
	Body     []byte
	Activity map[string]any
	// Status is what was answered.
	Status int
}

// Get returns the activity's member as text: the id where it is an object.
func (r Received) Get(member string) string { return text(r.Activity[member]) }

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		s, _ := v["id"].(string)
		return s
	}
	return ""
}

// New starts an instance with an instance actor; it ends with the test. The whole server shares one
// key, so that many actors cost nothing.
func New(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(t, l)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newServer(t testing.TB, l net.Listener) (*Server, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	suite, err := ldsig.New(ldsig.Options{Contexts: contexts.Files()})
	if err != nil {
		return nil, err
	}
	s := &Server{
		t: t, suite: suite, key: key, keyPEM: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		Host: l.Addr().String(), URL: "http://" + l.Addr().String(),
		docs: map[string]doc{}, handlers: map[string]http.HandlerFunc{}, asked: map[string]int{}, status: http.StatusNoContent,
		changed: make(chan struct{}),
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}}
	server.Start()
	t.Cleanup(server.Close)
	s.Actor("Application", NameInstance)
	s.Serve("/.well-known/nodeinfo", map[string]any{"links": []any{
		map[string]any{"rel": "https://www.w3.org/ns/activitystreams#Application", "href": s.URL + "/accounts/" + NameInstance},
	}})
	return s, nil
}

// Serve answers GETs of a path with a JSON document, as activity+json with a status of 200.
func (s *Server) Serve(path string, document any) {
	b, err := json.Marshal(document)
	if err != nil {
		s.t.Errorf("encoding %s: %v", path, err)
		return
	}
	s.ServeRaw(path, http.StatusOK, "application/activity+json; charset=utf-8", b)
}

// ServeRaw answers GETs of a path with anything.
func (s *Server) ServeRaw(path string, status int, contentType string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs[path] = doc{status, contentType, body}
}

// Handle puts a handler on a path: slow, endless, looping or worse.
func (s *Server) Handle(path string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[path] = h
}

// Gone makes a path answer 410.
func (s *Server) Gone(path string) {
	s.ServeRaw(path, http.StatusGone, "application/activity+json", []byte(`{"type":"Tombstone"}`))
}

// Answer sets the status that all inboxes answer with from now on.
func (s *Server) Answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Asked counts the GETs of a path.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// Received returns what the inboxes got, in order.
func (s *Server) Received() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.received...)
}

// Await waits until the inboxes got an accepted activity of a type with an object (any when empty),
// and returns the first one. It ends the test after 20 s.
func (s *Server) Await(activityType, object string) Received {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		for _, r := range s.received {
			if r.Status < 300 && r.Get("type") == activityType && (object == "" || r.Get("object") == object) {
				s.mu.Unlock()
				return r
			}
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			s.t.Fatalf("%s never got %s of %q", s.Host, activityType, object)
		}
	}
}

// maxBody bounds what an inbox reads.
const maxBody = 1 << 20

// ServeHTTP answers as the instance.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.handlers[r.URL.Path]
	d, found := s.docs[r.URL.Path]
	s.asked[r.URL.Path]++
	status := s.status
	s.mu.Unlock()
	switch {
	case h != nil:
		h(w, r)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "inbox"):
		s.inbox(w, r, status)
	case r.URL.Path == "/.well-known/webfinger":
		s.webfinger(w, r)
	case found:
		w.Header().Set("Content-Type", d.typ)
		w.WriteHeader(d.status)
		_, _ = w.Write(d.body)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) inbox(w http.ResponseWriter, r *http.Request, status int) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	got := Received{At: time.Now(), Path: r.URL.Path, Header: r.Header.Clone(), Body: body, Status: status}
	if err := json.Unmarshal(body, &got.Activity); err != nil {
		http.Error(w, "the body is no JSON object", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.received = append(s.received, got)
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	w.WriteHeader(status)
}

// webfinger answers for each actor served under /accounts and /video-channels (RFC 7033).
func (s *Server) webfinger(w http.ResponseWriter, r *http.Request) {
	resource := r.URL.Query().Get("resource")
	name, host, _ := strings.Cut(strings.TrimPrefix(resource, "acct:"), "@")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range []string{"/accounts/" + name, "/video-channels/" + name} {
		if s.docs[path].status == http.StatusOK && host == s.Host {
			w.Header().Set("Content-Type", "application/jrd+json")
			_ = json.NewEncoder(w).Encode(map[string]any{"subject": resource, "links": []any{
				map[string]any{"rel": "self", "type": "application/activity+json", "href": s.URL + path},
			}})
			return
		}
	}
	http.NotFound(w, r)
}

// sign signs a GET or POST with the server's key, by an actor.
func (s *Server) sign(r *http.Request, keyID string, body []byte) error {
	return httpsig.Sign(r, keyID, s.key, body, time.Now())
}

// ld adds the LD signature of an actor.
func (s *Server) ld(ctx context.Context, body []byte, creator string) ([]byte, error) {
	return s.suite.Sign(ctx, body, creator, s.key, time.Now())
}
