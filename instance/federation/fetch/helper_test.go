// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shoal/peer/safedial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quick() timing {
	return timing{
		attempt: 20 * time.Second, whole: time.Minute, unknown: 20 * time.Second, post: 20 * time.Second,
		retries: 2, pause: time.Millisecond, maxPause: 50 * time.Millisecond,
	}
}

// public serves h as https://example.com, outside development: every other name and address is
// dialled as ever.
func public(t *testing.T, o Options, h http.Handler) *Client {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host == "example.com" || host == "www.example.com" {
			return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
		}
		return safedial.Context(o.Dev)(ctx, network, address)
	}
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := newClient(o, quick(), dial, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	t.Cleanup(func() { c.Close(); srv.Close() })
	return c
}

// dev serves h over http on loopback, in development.
func dev(t *testing.T, o Options, h http.Handler) (*Client, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	o.Dev = true
	c := newClient(o, quick(), safedial.Context(true), &tls.Config{MinVersion: tls.VersionTLS12})
	t.Cleanup(func() { c.Close(); srv.Close() })
	return c, srv.URL
}

func wantCode(t *testing.T, err error, code Code, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if e.Code != code || !strings.Contains(e.Text, text) {
		t.Errorf("got %s: %s\n(cause: %v); want %s: … %s …", e.Code, e.Text, e.Err, code, text)
	}
	if !strings.HasSuffix(e.Text, ".") {
		t.Errorf("no sentence: %s", e.Text)
	}
}

// object answers with an ActivityPub object.
func object(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", `application/activity+json; charset=utf-8`)
	io.WriteString(w, body)
}
