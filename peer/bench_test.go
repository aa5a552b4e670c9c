// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package peer

import (
	"io"
	"slices"
	"testing"
	"time"
)

const benchRuns = 7

// measure runs f a few times and reports the median in milliseconds.
func measure(b *testing.B, name string, f func() time.Duration) {
	b.Helper()
	var took []time.Duration
	for range benchRuns {
		took = append(took, f())
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, name+"-ms")
	b.ReportMetric(float64(took[0])/1e6, name+"-best-ms")
}

// latencies measures how long after Join the first MB is there, and how long after a seek to the
// middle the first bytes are.
func latencies(b *testing.B, target Target, config Config, f *fixture) {
	b.Helper()
	var seeks []time.Duration
	measure(b, "firstMB", func() time.Duration {
		e := newEngine(b, config)
		begin := time.Now()
		s := join(b, e, target, JoinOptions{})
		st := openStream(b, s)
		if _, err := io.ReadFull(st, make([]byte, 1<<20)); err != nil {
			b.Fatal(err)
		}
		first := time.Since(begin)
		begin = time.Now()
		if _, err := st.Seek(int64(len(f.data)/2), io.SeekStart); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(st, make([]byte, 64<<10)); err != nil {
			b.Fatal(err)
		}
		seeks = append(seeks, time.Since(begin))
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		return first
	})
	slices.Sort(seeks)
	b.ReportMetric(float64(seeks[len(seeks)/2])/1e6, "seek-ms")
	b.ReportMetric(float64(seeks[0])/1e6, "seek-best-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStreamWebSeed: the figures to beat are 22-35 ms to the first MB, 4-9 ms for a seek; at
// most twice that.
func BenchmarkStreamWebSeed(b *testing.B) {
	f := newFixture(b, 200<<20, 512<<10)
	w := newWebSeed(b, f, 0)
	target := f.target()
	target.WebSeeds = []string{w.url()}
	latencies(b, target, Config{Sources: Sources{SourceWebSeed}}, f)
}

// BenchmarkStreamWebRTC: 125-271 ms and 58-123 ms; at most twice that.
func BenchmarkStreamWebRTC(b *testing.B) {
	f := newFixture(b, 200<<20, 512<<10)
	tracker := newWSTracker(b)
	webRTCSeeder(b, f, tracker, Config{Sources: Sources{SourceWebRTC}})
	target := f.target()
	target.Trackers = []string{tracker.url()}
	latencies(b, target, Config{Sources: Sources{SourceWebRTC}}, f)
}

// throughput measures a download of the whole file, and a stream read from end to end.
func throughput(b *testing.B, target Target, config Config, f *fixture) {
	b.Helper()
	run := func(name string, fetch func(s *Swarm)) {
		var best float64
		for range 3 {
			e := newEngine(b, config)
			begin := time.Now()
			s := join(b, e, target, JoinOptions{})
			fetch(s)
			best = max(best, float64(len(f.data))/1e6/time.Since(begin).Seconds())
			if err := e.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(best, name+"-MB/s")
	}
	run("download", func(s *Swarm) {
		s.Download()
		for !s.Stats().Complete {
			time.Sleep(time.Millisecond)
		}
	})
	run("stream", func(s *Swarm) {
		st := openStream(b, s)
		if n, err := io.Copy(io.Discard, st); err != nil || n != st.Size() {
			b.Fatal(n, err)
		}
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(0, "ns/op")
}

// BenchmarkTCP: the figure to beat is 340-365 MB/s.
func BenchmarkTCP(b *testing.B) {
	f := newFixture(b, 200<<20, 512<<10)
	target := f.target()
	target.Peers = []string{newSeeder(b, f, Config{Sources: Sources{SourceTCP}}).addr()}
	throughput(b, target, Config{Sources: Sources{SourceTCP}}, f)
}

// BenchmarkWebSeed: 340-400 MB/s.
func BenchmarkWebSeed(b *testing.B) {
	f := newFixture(b, 200<<20, 512<<10)
	w := newWebSeed(b, f, 0)
	target := f.target()
	target.WebSeeds = []string{w.url()}
	throughput(b, target, Config{Sources: Sources{SourceWebSeed}}, f)
}

// BenchmarkWebRTC: 27-34 MB/s.
func BenchmarkWebRTC(b *testing.B) {
	f := newFixture(b, 100<<20, 512<<10)
	tracker := newWSTracker(b)
	webRTCSeeder(b, f, tracker, Config{Sources: Sources{SourceWebRTC}})
	target := f.target()
	target.Trackers = []string{tracker.url()}
	throughput(b, target, Config{Sources: Sources{SourceWebRTC}}, f)
}
