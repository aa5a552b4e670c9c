// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is what a proxy leads to: names that no DNS knows.
type world struct {
	mu    sync.Mutex
	hosts map[string]string // name to address
	asked map[string]int
}

func (w *world) dial(name string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(name)
	w.mu.Lock()
	to, ok := w.hosts[host]
	w.asked[host]++
	w.mu.Unlock()
	if !ok {
		return nil, errors.New("no such host")
	}
	return net.Dial("tcp", to)
}

func (w *world) count(host string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[host]
}

// splice carries bytes both ways until one side ends.
func splice(a net.Conn, from io.Reader, b net.Conn) {
	go func() {
		_, _ = io.Copy(b, from)
		_ = b.Close()
	}()
	_, _ = io.Copy(a, b)
	_ = a.Close()
	_ = b.Close()
}

// socks5 is a SOCKS5 proxy that takes names alone (RFC 1928).
func (w *world) socks5(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.serveSOCKS(c)
		}
	}()
	return "socks5://" + l.Addr().String()
}

func (w *world) serveSOCKS(c net.Conn) {
	defer c.Close()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil || head[0] != 5 {
		return
	}
	if _, err := io.ReadFull(c, make([]byte, head[1])); err != nil {
		return
	}
	_, _ = c.Write([]byte{5, 0})
	request := make([]byte, 5)
	if _, err := io.ReadFull(c, request); err != nil || request[1] != 1 || request[3] != 3 {
		return
	}
	rest := make([]byte, int(request[4])+2)
	if _, err := io.ReadFull(c, rest); err != nil {
		return
	}
	port := binary.BigEndian.Uint16(rest[len(rest)-2:])
	to, err := w.dial(net.JoinHostPort(string(rest[:len(rest)-2]), strconv.Itoa(int(port))))
	if err != nil {
		_, _ = c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	splice(c, c, to)
}

// http is an HTTP proxy: CONNECT, and plain requests.
func (w *world) http(t *testing.T) string {
	t.Helper()
	transport := &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return w.dial(address) }}
	t.Cleanup(transport.CloseIdleConnections)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || r.Header.Get("Upgrade") != "" {
			w.tunnel(rw, r)
			return
		}
		r.RequestURI = ""
		res, err := transport.RoundTrip(r)
		if err != nil {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		for k, v := range res.Header {
			rw.Header()[k] = v
		}
		rw.WriteHeader(res.StatusCode)
		_, _ = io.Copy(rw, res.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (w *world) tunnel(rw http.ResponseWriter, r *http.Request) {
	host := r.Host
	if !strings.Contains(host, ":") {
		host += ":80"
	}
	to, err := w.dial(host)
	if err != nil {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	c, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		_ = to.Close()
		return
	}
	if r.Method == http.MethodConnect {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	} else {
		var b bytes.Buffer
		_ = r.Write(&b)
		_, _ = to.Write(b.Bytes())
	}
	splice(c, buffered, to)
}

// TestEveryByteGoesThroughTheProxy: the names of tracker, WebSeed and WebSocket tracker are known to the
// proxy alone, so what goes beside it does not arrive.
func TestEveryByteGoesThroughTheProxy(t *testing.T) {
	for _, kind := range []string{"socks5", "http"} {
		t.Run(kind, func(t *testing.T) {
			f := newFixture(t, 2*mib, 256<<10)
			files := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				http.ServeContent(rw, r, "film.mp4", time.Time{}, bytes.NewReader(f.data))
			}))
			defer files.Close()
			announced := make(chan struct{}, 10)
			trackers := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				select {
				case announced <- struct{}{}:
				default:
				}
				_, _ = io.WriteString(rw, "d8:intervali900e5:peers0:e")
			}))
			defer trackers.Close()
			sockets := newWSTracker(t)
			silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			w := &world{asked: map[string]int{}, hosts: map[string]string{
				"seed.example": files.Listener.Addr().String(), "tracker.example": trackers.Listener.Addr().String(),
				"socket.example": sockets.Listener.Addr().String(),
			}}
			address := w.http
			if kind == "socks5" {
				address = w.socks5
			}
			proxy, err := url.Parse(address(t))
			if err != nil {
				t.Fatal(err)
			}
			e := newEngine(t, Config{Proxy: http.ProxyURL(proxy), Proxied: func() bool { return true }})
			udp := "udp://" + silent.LocalAddr().String() + "/announce"
			target := f.target()
			target.WebSeeds = []string{"http://seed.example/film.mp4"}
			target.Trackers = []string{"http://tracker.example/announce", "ws://socket.example/", udp}
			s := join(t, e, target, JoinOptions{})
			s.Download()
			waitComplete(t, s)
			checkFile(t, s, f)
			<-announced
			waitUntil(t, "the WebSocket tracker to hear", func() bool { return sockets.heard("started") > 0 })
			waitUntil(t, "the UDP tracker to be left alone, and why", func() bool {
				for _, tr := range s.Stats().Trackers {
					if tr.URL == udp {
						return strings.Contains(tr.LastError, "while a proxy is set")
					}
				}
				return false
			})
			if err := silent.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			if n, _, err := silent.ReadFrom(make([]byte, 100)); err == nil {
				t.Errorf("%d bytes went to the UDP tracker", n)
			}
			for host := range w.hosts {
				if w.count(host) == 0 {
					t.Errorf("the proxy was never asked for %s", host)
				}
			}
		})
	}
}
