// SPDX-License-Identifier: AGPL-3.0-or-later

package handoff_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shoal/player"
	"shoal/player/handoff"
	"shoal/player/internal/playertest"
)

const limit = 20 * time.Second

func serve(t *testing.T, open player.Opener) *handoff.Server {
	t.Helper()
	s, err := handoff.Serve(handoff.Options{Name: "Ein Film/../x.mp4", Open: open})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t *testing.T, method, url string, change func(*http.Request)) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func TestServesWholeAndRanges(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := playertest.NewFile(bytes.Repeat([]byte("0123456789"), 100000))
	s, err := handoff.Serve(handoff.Options{Name: "film.webm", Open: f.Opener()})
	if err != nil {
		t.Fatal(err)
	}
	resp, body := get(t, http.MethodGet, s.URL(), nil)
	if resp.StatusCode != http.StatusOK || !bytes.Equal(body, f.Data) || resp.Header.Get("Content-Type") != "video/webm" {
		t.Errorf("%v %v, %d bytes", resp.Status, resp.Header, len(body))
	}
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("CORS header %s", name)
		}
	}
	resp, body = get(t, http.MethodGet, s.URL(), func(r *http.Request) { r.Header.Set("Range", "bytes=123456-123465") })
	if resp.StatusCode != http.StatusPartialContent || string(body) != "6789012345" {
		t.Errorf("%v %q", resp.Status, body)
	}
	resp, body = get(t, http.MethodHead, s.URL(), nil)
	if resp.StatusCode != http.StatusOK || resp.ContentLength != int64(len(f.Data)) || len(body) != 0 {
		t.Errorf("%v %d", resp.Status, resp.ContentLength)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if f.Open() != 0 {
		t.Errorf("%d media left open", f.Open())
	}
}

func TestRefusesStrangers(t *testing.T) {
	f := playertest.NewFile([]byte("secret"))
	s := serve(t, f.Opener())
	host := strings.TrimPrefix(s.URL(), "http://")
	host, _, _ = strings.Cut(host, "/")
	if ip := net.ParseIP(strings.Split(host, ":")[0]); ip == nil || !ip.IsLoopback() {
		t.Errorf("listens on %s", host)
	}
	for name, c := range map[string]struct {
		method, url string
		change      func(*http.Request)
		status      int
	}{
		"root":         {http.MethodGet, "http://" + host + "/", nil, http.StatusNotFound},
		"wrong path":   {http.MethodGet, "http://" + host + "/x.mp4", nil, http.StatusNotFound},
		"other name":   {http.MethodGet, s.URL(), func(r *http.Request) { r.Host = "evil.example" }, http.StatusNotFound},
		"localhost":    {http.MethodGet, s.URL(), func(r *http.Request) { r.Host = "localhost" }, http.StatusNotFound},
		"wrong method": {http.MethodPost, s.URL(), nil, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := get(t, c.method, c.url, c.change)
			if resp.StatusCode != c.status || bytes.Contains(body, []byte("secret")) {
				t.Errorf("%v %q", resp.Status, body)
			}
		})
	}
	if f.Opens() != 0 {
		t.Error("a stranger opened the file")
	}
	other := serve(t, f.Opener())
	if a, b := s.URL(), other.URL(); a[strings.LastIndex(a, ":"):] == b[strings.LastIndex(b, ":"):] || len(a) < 50 {
		t.Errorf("guessable: %s and %s", a, b)
	}
}

func TestFailingOpener(t *testing.T) {
	s := serve(t, func(context.Context) (player.Media, error) { return nil, errors.New("no peers") })
	if resp, body := get(t, http.MethodGet, s.URL(), nil); resp.StatusCode != http.StatusBadGateway || bytes.Contains(body, []byte("peers")) {
		t.Errorf("%v %q", resp.Status, body)
	}
}

// A client that goes, and Close, end Reads of bytes that never come.
func TestBytesThatNeverCome(t *testing.T) {
	for _, closeServer := range []bool{true, false} {
		f := playertest.NewFile(make([]byte, 1<<20))
		f.Block(1000, 1<<20)
		s := serve(t, f.Opener())
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 1000) // what is there comes at once
		if _, err := io.ReadFull(resp.Body, first); err != nil {
			t.Fatal(err)
		}
		playertest.Until(t, limit, "a blocked read", func() bool { return f.Blocked() == 1 })
		if closeServer {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else {
			cancel()
		}
		playertest.Until(t, limit, "media closed", func() bool { return f.Open() == 0 })
		resp.Body.Close()
		cancel()
	}
}

func TestBoundsRequests(t *testing.T) {
	f := playertest.NewFile(make([]byte, 1<<20))
	f.Block(10, 1<<20)
	s := serve(t, f.Opener())
	var bodies []io.Closer
	for range 16 {
		resp, err := http.Get(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
	}
	if resp, _ := get(t, http.MethodGet, s.URL(), nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the seventeenth: %v", resp.Status)
	}
	for _, b := range bodies {
		b.Close()
	}
	playertest.Until(t, limit, "all closed", func() bool { return f.Open() == 0 })
}
