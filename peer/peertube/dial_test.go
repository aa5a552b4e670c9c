// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

func TestUnreachable(t *testing.T) {
	c := newClient(Options{}, nil, fastRetry())
	defer c.Close()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	_, err = c.Config(t.Context(), "http://"+closed)
	wantCode(t, err, CodeUnreachable, closed+" cannot be reached: check that the instance is running")

	q := call{maxBytes: 1}
	u := &url.URL{Scheme: "https", Host: "no.example"}
	e := explain(t.Context(), q, u, &url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "no.example", IsNotFound: true}}})
	wantCode(t, e, CodeUnreachable, "There is no server named no.example")
	e = explain(t.Context(), q, u, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: "no.example"}})
	wantCode(t, e, CodeUnreachable, "could not be looked up")
}

// A server that speaks no HTTP at all.
func TestNoHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n\r\n")
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	c := newClient(Options{}, nil, fastRetry())
	defer c.Close()
	_, err = c.Config(t.Context(), "http://"+l.Addr().String())
	wantCode(t, err, CodeUnreachable, "")
}

func TestTLSFailures(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	defer srv.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	c := newClient(Options{}, nil, fastRetry())
	defer c.Close()

	_, err := c.Config(t.Context(), srv.URL)
	wantCode(t, err, CodeTLS, "certificate of 127.0.0.1")
	_, err = c.Config(t.Context(), strings.Replace(plain.URL, "http://", "https://", 1))
	wantCode(t, err, CodeTLS, "type http://")
}

// tlsPair serves h over https and returns a client that trusts it.
func tlsPair(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	c := newClient(Options{Dev: true}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, fastRetry())
	t.Cleanup(func() { c.Close(); srv.Close() })
	return c, srv.URL
}

func TestHTTPSStaysHTTPS(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("asked over http")
		w.WriteHeader(http.StatusNotFound)
	}))
	defer plain.Close()
	c, instance := tlsPair(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain.URL, http.StatusFound) })
	_, err := c.Config(t.Context(), instance)
	wantCode(t, err, CodeBlocked, "from https to http")
	_, err = c.Get(t.Context(), instance, plain.URL+"/a.jpg", 0)
	wantCode(t, err, CodeBlocked, "from https to http")
}

// The host that a person named may be on this machine; one that an answer names may
// not, and no open connection helps it there.
func TestAnswersDoNotLeadToPrivateAddresses(t *testing.T) {
	var hits atomic.Int32
	private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		io.WriteString(w, "secret")
	}))
	defer private.Close()
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok.jpg" {
			io.WriteString(w, "jpeg")
			return
		}
		http.Redirect(w, r, private.URL, http.StatusFound)
	}
	c, instance := start(t, Options{}, h)
	ctx := t.Context()

	if b, err := c.Get(ctx, instance, "/ok.jpg", 0); err != nil || string(b) != "jpeg" {
		t.Fatalf("own thumbnail: %q, %v", b, err)
	}
	if b, err := c.Get(ctx, instance, instance+"/ok.jpg", 0); err != nil || string(b) != "jpeg" {
		t.Fatalf("own thumbnail by its whole URL: %q, %v", b, err)
	}
	// A person asked this host himself, so a connection to it is open.
	if _, err := c.Get(ctx, private.URL, "/", 0); err != nil {
		t.Fatal(err)
	}
	_, err := c.Get(ctx, instance, private.URL+"/thumb.jpg", 0)
	wantCode(t, err, CodeBlocked, "not on the public Internet")
	_, err = c.Get(ctx, instance, strings.Replace(private.URL, "127.0.0.1", "localhost", 1), 0)
	wantCode(t, err, CodeBlocked, "not on the public Internet")
	_, err = c.Config(ctx, instance)
	wantCode(t, err, CodeBlocked, "not on the public Internet")
	if n := hits.Load(); n != 1 {
		t.Errorf("the private server was asked %d times", n)
	}
	for _, ref := range []string{"file:///etc/passwd", "data:image/png,x", "http://a:b@video.example/", "http://", "magnet:?x"} {
		_, err = c.Get(ctx, instance, ref, 0)
		wantCode(t, err, CodeBlocked, "not on the web")
	}

	dev, instance := start(t, Options{Dev: true}, h)
	if b, err := dev.Get(ctx, instance, "/redirects", 0); err != nil || string(b) != "secret" {
		t.Errorf("in development: %q, %v", b, err)
	}
}

func TestSameHost(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"https://v.example", "https://V.example/x", true},
		{"https://v.example", "https://v.example:443/", true},
		{"http://v.example", "https://v.example/", true},
		{"http://v.example:9000", "http://v.example:9000/", true},
		{"http://v.example:9000", "https://v.example/", false},
		{"https://v.example", "http://v.example/", false},
		{"https://v.example", "https://v.example:8443/", false},
		{"https://v.example", "https://w.v.example/", false},
	} {
		a, _ := url.Parse(tc.a)
		b, _ := url.Parse(tc.b)
		if got := sameHost(a, b); got != tc.want {
			t.Errorf("sameHost(%s, %s) = %v", tc.a, tc.b, got)
		}
	}
}
