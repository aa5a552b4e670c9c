// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPost(t *testing.T) {
	var hits atomic.Int32
	c := public(t, Options{UserAgent: "Shoal/1"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		b, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || string(b) != `{"a":1}` || r.Header.Get("Content-Type") != "application/activity+json" ||
			r.Header.Get("Signature") != "s" || r.ContentLength != 7 || r.Header.Get("User-Agent") != "Shoal/1" {
			t.Errorf("%s %q %v", r.Method, b, r.Header)
		}
		switch r.URL.Path {
		case "/ok":
			w.WriteHeader(http.StatusNoContent)
		case "/peertube":
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"type":"about:blank","title":"Forbidden","detail":"Invalid\nsignature","status":403}`)
		case "/mastodon":
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":"Verification failed"}`)
		case "/text":
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, strings.Repeat("no\x1b ", 10000))
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<html>")
		case "/pause":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/moved":
			http.Redirect(w, r, "https://www.example.com/ok", http.StatusPermanentRedirect)
		case "/hangs":
			<-r.Context().Done()
		case "/breaks":
			panic(http.ErrAbortHandler)
		}
	}))
	sign := func(r *http.Request) error {
		if r.Body == nil || r.Host == "" || r.Host != r.URL.Host {
			t.Errorf("nothing to sign: %+v", r)
		}
		r.Header.Set("Signature", "s")
		return nil
	}
	for _, tc := range []struct {
		path   string
		status int
		reason string
		after  time.Duration
	}{
		{"/ok", 204, "", 0},
		{"/peertube", 403, "Invalid signature", 0},
		{"/mastodon", 401, "Verification failed", 0},
		{"/page", 502, "", 0},
		{"/pause", 429, "", 2 * time.Minute},
		{"/moved", 308, "its inbox redirects to https://www.example.com/ok", 0},
	} {
		hits.Store(0)
		status, reason, after, err := c.Post(t.Context(), "https://example.com"+tc.path, []byte(`{"a":1}`), sign)
		if err != nil || status != tc.status || reason != tc.reason || after != tc.after {
			t.Errorf("%s: %d, %q, %s, %v", tc.path, status, reason, after, err)
		}
		if hits.Load() != 1 {
			t.Errorf("%s: %d requests", tc.path, hits.Load())
		}
	}
	if _, reason, _, err := c.Post(t.Context(), "https://example.com/text", []byte(`{"a":1}`), sign); err != nil || !strings.HasPrefix(reason, "no no") || len(reason) > 300 {
		t.Errorf("%q, %v", reason, err)
	}
	hits.Store(0)
	for path, code := range map[string]Code{"/hangs": CodeTimeout, "/breaks": CodeUnreachable} {
		c.timing.post = 20 * time.Second
		if path == "/hangs" {
			c.timing.post = 300 * time.Millisecond
		}
		status, _, _, err := c.Post(t.Context(), "https://example.com"+path, []byte(`{"a":1}`), sign)
		wantCode(t, err, code, "")
		if status != 0 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if hits.Load() != 2 {
		t.Errorf("%d requests", hits.Load())
	}
	for inbox, code := range map[string]Code{"http://example.com/": CodeInsecure, "https://127.0.0.1/": CodeBlockedAddress, "https://localhost.localdomain/": ""} {
		_, _, _, err := c.Post(t.Context(), inbox, []byte(`{"a":1}`), sign)
		if code != "" {
			wantCode(t, err, code, "")
		} else if err == nil {
			t.Errorf("%s: posted", inbox)
		}
	}
	c.timing.post = 20 * time.Second
	_, _, _, err := c.Post(t.Context(), "https://example.com/ok", []byte(`{"a":1}`), func(*http.Request) error { return fmt.Errorf("no key") })
	wantCode(t, err, CodeUnreachable, "could not be signed")
}
