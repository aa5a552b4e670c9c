// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shoal/peer/safedial"
)

func TestObject(t *testing.T) {
	var signed []string
	sign := func(r *http.Request) error {
		signed = append(signed, r.URL.String())
		r.Header.Set("Signature", "of "+r.URL.Path)
		return nil
	}
	c := public(t, Options{UserAgent: "Shoal/1 (+https://own.example)", Sign: sign}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Signature") != "of "+r.URL.Path || r.Header.Get("User-Agent") != "Shoal/1 (+https://own.example)" ||
			r.Header.Get("Accept") != acceptObject || r.Header.Get("Cookie") != "" {
			t.Errorf("headers: %v", r.Header)
		}
		w.Header().Set("Set-Cookie", "a=b")
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "https://www.example.com/a?b#c", http.StatusMovedPermanently)
		default:
			object(w, ` {"id":"x"}`)
		}
	}))
	body, final, err := c.Object(t.Context(), "https://example.com/a#main-key")
	if err != nil || string(body) != ` {"id":"x"}` || final != "https://example.com/a" {
		t.Errorf("%s, %s, %v", body, final, err)
	}
	if _, final, err = c.Object(t.Context(), "https://example.com/moved"); err != nil || final != "https://www.example.com/a?b" {
		t.Errorf("%s, %v", final, err)
	}
	if want := []string{"https://example.com/a", "https://example.com/moved", "https://www.example.com/a?b"}; !slices.Equal(signed, want) {
		t.Errorf("signed %q", signed)
	}
	c.opts.Sign = func(*http.Request) error { return errors.New("no key") }
	_, _, err = c.Object(t.Context(), "https://example.com/a")
	wantCode(t, err, CodeUnreachable, "could not be signed")
}

func TestObjectTypes(t *testing.T) {
	for contentType, ok := range map[string]bool{
		"application/activity+json":                                                  true,
		"application/activity+json; charset=utf-8":                                   true,
		"Application/Activity+JSON":                                                  true,
		"application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"":     true,
		"application/ld+json; profile=\"a https://www.w3.org/ns/activitystreams\"":   true,
		"application/ld+json":                                                        false,
		"application/ld+json; profile=\"https://www.w3.org/ns/activitystreams-not\"": false,
		"application/json":                                                           false,
		"text/html":                                                                  false,
		"text/plain":                                                                 false,
		"image/jpeg":                                                                 false,
		"":                                                                           false,
		"application/activity+json; charset":                                         false,
	} {
		if err := checkType(contentType); (err == nil) != ok {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/upload.json": // what a user put there
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"id":"https://example.com/actor"}`)
		case "/array":
			object(w, `[{}]`)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<html>")
		}
	}))
	for _, path := range []string{"/", "/upload.json", "/array"} {
		_, _, err := c.Object(t.Context(), "https://example.com"+path)
		wantCode(t, err, CodeWrongType, "something else")
	}
}

func TestStatuses(t *testing.T) {
	var hits atomic.Int32
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
	}))
	for _, tc := range []struct {
		status    int
		code      Code
		text      string
		tries     int32
		temporary bool
	}{
		{404, CodeNotFound, "no such thing", 1, false},
		{410, CodeGone, "deleted", 1, false},
		{401, CodeStatus, "may block", 1, false},
		{403, CodeStatus, "may block", 1, false},
		{429, CodeStatus, "pause", 1, true},
		{500, CodeStatus, "problem of its own", 3, true},
		{503, CodeStatus, "problem of its own", 3, true},
		{418, CodeStatus, "HTTP 418", 1, false},
		{300, CodeStatus, "HTTP 300", 1, false},
	} {
		hits.Store(0)
		_, _, err := c.Object(t.Context(), fmt.Sprintf("https://example.com/%d", tc.status))
		wantCode(t, err, tc.code, tc.text)
		var e *Error
		if !errors.As(err, &e) || e.Status != tc.status || e.Temporary() != tc.temporary {
			t.Errorf("%d: %+v", tc.status, e)
		}
		if n := hits.Load(); n != tc.tries {
			t.Errorf("%d: asked %d times", tc.status, n)
		}
	}
}

func TestTriesAgain(t *testing.T) {
	var hits atomic.Int32
	var dates sync.Map
	sign := func(r *http.Request) error {
		r.Header.Set("Date", fmt.Sprint("signature ", hits.Load()))
		return nil
	}
	c := public(t, Options{Sign: sign}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := hits.Add(1)
		dates.Store(r.Header.Get("Date"), true)
		switch {
		case r.URL.Path == "/breaks" && n < 3:
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/hangs" && n < 2:
			<-r.Context().Done()
		case r.URL.Path == "/busy" && n < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/later":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/soon" && n < 2:
			w.Header().Set("Retry-After", time.Now().Add(-time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			object(w, "{}")
		}
	}))
	for path, tries := range map[string]int32{"/busy": 3, "/breaks": 3, "/hangs": 2, "/soon": 2} {
		hits.Store(0)
		dates.Clear()
		c.gets.SetTimeout(20 * time.Second)
		if path == "/hangs" {
			c.gets.SetTimeout(time.Second)
		}
		if _, _, err := c.Object(t.Context(), "https://example.com"+path); err != nil || hits.Load() != tries {
			t.Errorf("%s: %v after %d", path, err, hits.Load())
		}
		n := int32(0)
		dates.Range(func(any, any) bool { n++; return true })
		// The transport itself repeats a GET once if an open connection turns out to be closed.
		if n != tries && (path != "/breaks" || n < 2) {
			t.Errorf("%s: %d signatures for %d attempts", path, n, tries)
		}
	}
	hits.Store(0)
	_, _, err := c.Object(t.Context(), "https://example.com/later")
	wantCode(t, err, CodeStatus, "problem of its own")
	if hits.Load() != 1 {
		t.Errorf("asked %d times where the server wanted an hour", hits.Load())
	}
}

func TestRedirects(t *testing.T) {
	private, secret := newSecret(t)
	var hits atomic.Int32
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		to := map[string]string{
			"/loop": "/loop", "/ping": "/pong", "/pong": "/ping", "/3": "/2", "/4": "/3", "/2": "/1", "/1": "/end",
			"/http": "http://example.com/end", "/loopback": "https://127.0.0.1" + private + "/", "/localhost": "https://localhost" + private + "/",
			"/metadata": "https://169.254.169.254/latest/meta-data", "/zero": "https://[::]/", "/mapped": "https://[::ffff:127.0.0.1]/",
			"/file": "file:///etc/passwd", "/credentials": "https://a:b@example.com/end", "/gopher": "gopher://example.com/", "/empty": "",
		}
		if r.URL.Path == "/end" {
			object(w, "{}")
			return
		}
		w.Header().Set("Location", to[r.URL.Path])
		w.WriteHeader(http.StatusFound)
	}))
	for path, want := range map[string]Code{
		"/3": "", "/4": CodeRedirect, "/loop": CodeRedirect, "/ping": CodeRedirect, "/http": CodeInsecure, "/loopback": CodeBlockedAddress,
		"/localhost": CodeBlockedAddress, "/metadata": CodeBlockedAddress, "/zero": CodeBlockedAddress, "/mapped": CodeBlockedAddress,
		"/file": CodeBlockedAddress, "/credentials": CodeBlockedAddress, "/gopher": CodeBlockedAddress, "/empty": CodeRedirect,
	} {
		hits.Store(0)
		_, _, err := c.Object(t.Context(), "https://example.com"+path)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		wantCode(t, err, want, "")
		if n := hits.Load(); n > maxRedirects+1 {
			t.Errorf("%s: %d hops", path, n)
		}
		// Bytes and webfinger go the same way.
		_, _, err = c.Bytes(t.Context(), "https://example.com"+path, "*/*", 100)
		wantCode(t, err, want, "")
	}
	if n := secret.Load(); n != 0 {
		t.Errorf("the private server was asked %d times", n)
	}
}

// newSecret serves TLS on loopback; nobody may ask it.
func newSecret(t *testing.T) (port string, hits *atomic.Int32) {
	t.Helper()
	hits = &atomic.Int32{}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ConnState = func(net.Conn, http.ConnState) { hits.Add(1) }
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, p, _ := net.SplitHostPort(srv.Listener.Addr().String())
	return ":" + p, hits
}

// A name that is public when it is looked at and private when it is connected to.
func TestRebinding(t *testing.T) {
	port, secret := newSecret(t)
	c := New(Options{})
	defer c.Close()
	c.gets.SetRetryCount(0)
	// The URL is not suspicious; what its name resolves to is.
	c.transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return safedial.Context(false)(ctx, network, "localhost"+port)
	}
	_, _, err := c.Object(t.Context(), "https://rebinds.example.com/")
	wantCode(t, err, CodeBlockedAddress, "not on the public Internet")
	if secret.Load() != 0 {
		t.Error("connected")
	}
}

func TestHostileBodies(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	io.Copy(z, io.LimitReader(zeros{}, 20<<20))
	z.Close()
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/activity+json")
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
					return
				}
			}
		case "/slow":
			io.WriteString(w, "{")
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		case "/notgzip":
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "{}{}{}{}{}{}{}{}{}{}")
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, "{}")
			z.Close()
		case "/headers":
			for i := range 2000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 100))
			}
			io.WriteString(w, "{}")
		case "/exact":
			io.WriteString(w, "{"+strings.Repeat(" ", MaxObject-2)+"}")
		case "/short":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{}")
		}
	}))
	for path, want := range map[string]Code{
		"/endless": CodeTooLarge, "/slow": CodeTimeout, "/bomb": CodeTooLarge, "/notgzip": CodeWrongType, "/gzip": "",
		"/headers": CodeUnreachable, "/exact": "", "/short": CodeUnreachable,
	} {
		c.gets.SetTimeout(20 * time.Second)
		if path == "/slow" {
			c.gets.SetTimeout(200 * time.Millisecond)
		}
		_, _, err := c.Object(t.Context(), "https://example.com"+path)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		wantCode(t, err, want, "")
	}
	_, _, err := c.Bytes(t.Context(), "https://example.com/endless", "*/*", 1000)
	wantCode(t, err, CodeTooLarge, "1000 bytes")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBytes(t *testing.T) {
	c := public(t, Options{Sign: func(*http.Request) error { return errors.New("signed") }}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		io.WriteString(w, r.Header.Get("Accept"))
	}))
	b, h, err := c.Bytes(t.Context(), "https://example.com/list", "text/csv", 100)
	if err != nil || string(b) != "text/csv" || h.Get("Content-Type") != "text/csv" {
		t.Errorf("%s, %v, %v", b, h, err)
	}
}

func TestCanceled(t *testing.T) {
	c := public(t, Options{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, _, err := c.Object(ctx, "https://example.com/")
	wantCode(t, err, CodeCanceled, "stopped")
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	c, base := dev(t, Options{}, http.NotFoundHandler())
	_, _, err = c.Object(t.Context(), "http://"+closed+"/")
	wantCode(t, err, CodeUnreachable, "cannot be reached")
	_, _, err = c.Object(t.Context(), strings.Replace(base, "http:", "https:", 1))
	wantCode(t, err, CodeInsecure, "")
	strict := public(t, Options{}, http.NotFoundHandler())
	_, _, err = strict.Object(t.Context(), "https://127.0.0.1/")
	wantCode(t, err, CodeBlockedAddress, "not on the public Internet")
	e := explain(t.Context(), "https://no.example/", 1, &net.DNSError{Err: "no such host", Name: "no.example", IsNotFound: true})
	wantCode(t, e, CodeUnreachable, "no server named no.example")
	e = explain(t.Context(), "https://no.example/", 1, &net.DNSError{Err: "server misbehaving", Name: "no.example"})
	wantCode(t, e, CodeUnreachable, "could not be looked up")
}

// A certificate that nobody vouches for is no failure to try again.
func TestBadCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	defer srv.Close()
	c := New(Options{Dev: true})
	defer c.Close()
	_, _, err := c.Object(t.Context(), srv.URL)
	wantCode(t, err, CodeInsecure, "certificate")
}

func TestGate(t *testing.T) {
	g := newGate(atOnce)
	var leaves []func()
	for range perParty {
		leave, err := g.enter(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := g.enter(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one too many: %v", err)
	}
	leave, err := g.enter(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	leave()
	for _, leave := range leaves {
		leave()
	}
	if len(g.keys) != 0 || len(g.all) != 0 {
		t.Errorf("left: %v", g.keys)
	}
}

func TestPerHostConcurrency(t *testing.T) {
	var now, most atomic.Int32
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		object(w, "{}")
	}))
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, _, err := c.Object(t.Context(), "https://example.com/"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n > perParty {
		t.Errorf("%d at once", n)
	}
}
