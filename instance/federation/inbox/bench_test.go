// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"shoal/instance/federation/vocab"
)

// BenchmarkReceive posts Views from many servers at once, from the request to the 204: the signature
// is checked and the activity is on disk.
func BenchmarkReceive(b *testing.B) {
	h := newWorld(b, options{idle: true, limits: Limits{Rate: 1 << 30, Burst: 1 << 30, HostRate: 1 << 28, HostBurst: 1 << 28, HostConcurrent: 1 << 20, Concurrent: 1 << 20, MaxWaiting: 1 << 30, MaxWaitingOf: 1 << 30, MaxWaitingBytes: 1 << 50, MaxWaitingBytesOf: 1 << 50}})
	var n atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := encode(activity("View", goodInstance, fmt.Sprintf("%s/views/%d", good, n.Add(1)), oursVideo))
			if status, reason := h.post(signed(b, goodInstance, "/inbox", body)); status != http.StatusNoContent {
				b.Errorf("answered %d %s", status, reason)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkBacklog puts many items of one host in line and takes them off again.
func BenchmarkBacklog(b *testing.B) {
	const depth = 10_000
	for b.Loop() {
		l := newLines(1)
		now := time.Now()
		for i := range uint64(depth) {
			l.add(inboxItem(i, vocab.Host(good), now), fmt.Sprint(i%100), true)
		}
		for {
			w, _ := l.take(now)
			if w == nil {
				break
			}
			l.drop(w)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/depth, "ns/item")
}
