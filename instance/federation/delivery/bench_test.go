// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && unix

package delivery

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	benchFollowers = 10000
	benchHosts     = 2000
	benchBad       = 100
	benchLatency   = 50 * time.Millisecond
)

// BenchmarkAnnounce sends one announcement to 10,000 followers on 2,000 hosts, from a database on
// disk. deliveries/s and cpu-µs/delivery are of the hosts that work; in the cases with bad hosts 50
// of them never answer and 50 take two seconds.
func BenchmarkAnnounce(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	latency := func(ctx context.Context, _ Attempt) (int, string, time.Duration, error) {
		return 202, "", 0, sleep(ctx, benchLatency)
	}
	b.Run("own-inboxes", func(b *testing.B) { announce(b, followers(false), 0, latency) })
	b.Run("own-inboxes-100-bad-hosts", func(b *testing.B) { announce(b, followers(false), benchBad, latency) })
	b.Run("shared-inboxes", func(b *testing.B) { announce(b, followers(true), 0, latency) })
	b.Run("shared-inboxes-100-bad-hosts", func(b *testing.B) { announce(b, followers(true), benchBad, latency) })
	b.Run("shared-inboxes-http", func(b *testing.B) { announce(b, followers(true), 0, overHTTP(b, nil)) })
	b.Run("shared-inboxes-http-signed", func(b *testing.B) { announce(b, followers(true), 0, overHTTP(b, key)) })
	b.Run("shared-inboxes-http-100-bad-hosts", func(b *testing.B) { announce(b, followers(true), benchBad, overHTTP(b, nil)) })
}

func followers(shared bool) []string {
	inboxes := make([]string, benchFollowers)
	for i := range inboxes {
		inboxes[i] = fmt.Sprintf("https://h%d.example/accounts/follower%d/inbox", i%benchHosts, i)
		if shared {
			inboxes[i] = fmt.Sprintf("https://h%d.example/inbox", i%benchHosts)
		}
	}
	return inboxes
}

type postFunc func(context.Context, Attempt) (int, string, time.Duration, error)

// overHTTP posts to one server on loopback that stands for all hosts.
func overHTTP(b *testing.B, key *rsa.PrivateKey) postFunc {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(srv.Close)
	transport := &http.Transport{MaxIdleConns: 128, IdleConnTimeout: 30 * time.Second, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}}
	b.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	return func(ctx context.Context, a Attempt) (int, string, time.Duration, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.Replace(a.Inbox, "https:", "http:", 1), bytes.NewReader(a.Body))
		if err != nil {
			return 0, "", 0, err
		}
		if key != nil {
			digest := sha256.Sum256(a.Body)
			sum := sha256.Sum256([]byte(a.Inbox + string(digest[:])))
			s, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
			if err != nil {
				return 0, "", 0, err
			}
			req.Header.Set("Signature", base64.StdEncoding.EncodeToString(s))
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, "", 0, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, "", 0, nil
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func announce(b *testing.B, inboxes []string, bad int, post postFunc) {
	var queued, sent, cpu time.Duration
	var before, peak uint64
	deliveries := 0
	for range b.N {
		r := announceOnce(b, inboxes, bad, post)
		queued += r.queued
		sent += r.sent
		cpu += r.cpu
		before, peak = r.before, max(peak, r.peak)
		deliveries += r.deliveries
	}
	b.ReportMetric(float64(queued.Microseconds())/1000/float64(b.N), "ms-to-queue")
	b.ReportMetric(float64(sent.Milliseconds())/float64(b.N), "ms-to-last-good-host")
	b.ReportMetric(float64(deliveries)/sent.Seconds(), "deliveries/s")
	b.ReportMetric(float64(cpu.Microseconds())/float64(deliveries), "cpu-µs/delivery")
	b.ReportMetric(float64(before)/(1<<20), "heap-MiB-before")
	b.ReportMetric(float64(peak)/(1<<20), "heap-MiB-peak")
}

type announced struct {
	queued, sent, cpu time.Duration
	before, peak      uint64
	deliveries        int
}

func announceOnce(b *testing.B, inboxes []string, bad int, post postFunc) announced {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "instance.db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	isBad, isSlow := map[string]bool{}, map[string]bool{}
	for i := range bad {
		host := fmt.Sprintf("h%d.example", i)
		isBad[host], isSlow[host] = true, i%2 == 0
	}
	good, seenInbox := 0, map[string]bool{}
	for _, inbox := range inboxes {
		host, _ := hostOf(inbox)
		if !seenInbox[inbox] && !isBad[host] {
			good++
		}
		seenInbox[inbox] = true
	}
	var left atomic.Int64
	left.Store(int64(good))
	all := make(chan struct{})
	q, err := New(db, Config{
		Post: func(ctx context.Context, a Attempt) (int, string, time.Duration, error) {
			host, _ := hostOf(a.Inbox)
			if !isBad[host] {
				return post(ctx, a)
			}
			if isSlow[host] {
				return 202, "", 0, sleep(ctx, 2*time.Second)
			}
			<-ctx.Done()
			return 0, "", 0, ctx.Err()
		},
		OnResult: func(r Result) {
			if host, _ := hostOf(r.Inbox); r.Done && !isBad[host] && left.Add(-1) == 0 {
				close(all)
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	m := Message{ID: "https://own.example/announces/1", Actor: "https://own.example/accounts/a", Order: "https://own.example/v/1", Body: bytes.Repeat([]byte("x"), 8<<10), Inboxes: inboxes}
	res := announced{before: inUse(), deliveries: good}
	start := time.Now()
	if err := db.Update(func(tx *bolt.Tx) error { return q.Enqueue(tx, m) }); err != nil {
		b.Fatal(err)
	}
	res.queued = time.Since(start)

	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	cpu := cpuTime()
	start = time.Now()
	go func() { done <- q.Serve(ctx) }()
	for ticker := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ticker.C:
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			res.peak = max(res.peak, mem.HeapAlloc)
			continue
		case <-all:
		}
		ticker.Stop()
		break
	}
	res.sent, res.cpu = time.Since(start), cpuTime()-cpu
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	return res
}

// inUse is what is in use after a collection, in bytes.
func inUse() uint64 {
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return mem.HeapAlloc
}

// cpuTime is what the process used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
