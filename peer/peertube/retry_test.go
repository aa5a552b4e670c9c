// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"shoal/peer/foreign"
)

// A broken connection and 502, 503, 504 are asked again, twice at most.
func TestRetries(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	answer := func(status int, retryAfter string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(status)
		}
	}
	for name, tc := range map[string]struct {
		fail     func(http.ResponseWriter)
		failures int32
		asked    int32
		code     Code
		text     string
	}{
		"503 once":         {answer(http.StatusServiceUnavailable, ""), 1, 2, "", ""},
		"503 always":       {answer(http.StatusServiceUnavailable, ""), 99, 3, CodeServer, "HTTP 503"},
		"502 twice":        {answer(http.StatusBadGateway, ""), 2, 3, "", ""},
		"503 for long":     {answer(http.StatusServiceUnavailable, "3600"), 99, 1, CodeServer, "try again later"},
		"reset once":       {hangUp, 1, 2, "", ""},
		"reset always":     {hangUp, 99, 3, CodeUnreachable, "broke off the connection"},
		"429 now":          {answer(http.StatusTooManyRequests, "1"), 1, 2, "", ""},
		"429 always":       {answer(http.StatusTooManyRequests, "1"), 99, 2, CodeRateLimited, "try again in 1s"},
		"429 for long":     {answer(http.StatusTooManyRequests, "120"), 99, 1, CodeRateLimited, "try again in 2m0s"},
		"429 without word": {answer(http.StatusTooManyRequests, ""), 99, 1, CodeRateLimited, "in a minute"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := readCapture(t, "config.json").Body
			var asked atomic.Int32
			c, instance := start(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) <= tc.failures {
					tc.fail(w)
					return
				}
				w.Write(body)
			})
			_, err := c.Config(t.Context(), instance)
			if tc.code == "" && err != nil {
				t.Fatal(err)
			}
			if tc.code != "" {
				wantCode(t, err, tc.code, tc.text)
			}
			if n := asked.Load(); n != tc.asked {
				t.Errorf("asked %d times, want %d", n, tc.asked)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999999": 0,
		"Sun, 22 Nov 2026 15:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 14:00:00 GMT": 0,
	} {
		if got := foreign.RetryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q is %v, want %v", in, got, want)
		}
	}
}

func TestRedirects(t *testing.T) {
	body := readCapture(t, "config.json").Body
	c, instance := start(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		switch n, _ := strconv.Atoi(r.URL.Query().Get("left")); {
		case r.URL.Path == "/api/v1/config":
			http.Redirect(w, r, "/hop?left=4", http.StatusMovedPermanently)
		case r.URL.Path == "/api/v1/videos":
			http.Redirect(w, r, "/hop?left=99", http.StatusFound)
		case r.URL.Path == "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case r.URL.Path == "/user":
			http.Redirect(w, r, "http://a:b@"+r.Host+"/", http.StatusFound)
		case n > 0:
			http.Redirect(w, r, "/hop?left="+strconv.Itoa(n-1), http.StatusFound)
		default:
			w.Write(body)
		}
	})
	if _, err := c.Config(t.Context(), instance); err != nil {
		t.Errorf("five redirects: %v", err)
	}
	_, err := c.Videos(t.Context(), instance, ListOptions{})
	wantCode(t, err, CodeRedirect, "in circles")
	for _, path := range []string{"/file", "/user"} {
		_, err = c.Get(t.Context(), instance, path, 0)
		wantCode(t, err, CodeRedirect, "no web address")
	}
}
