// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && linux

package tracker

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"shoal/peer/testpeer"
)

const (
	benchRate   = 300 // announces a second at which response times are compared
	benchTime   = 5 * time.Second
	benchWindow = 64 // announces under way when the tracker is driven as fast as it goes
)

// BenchmarkTrackers drives this tracker, the npm package bittorrent-tracker and PeerTube's fork of it,
// each a process of its own, with the same peers in swarms of 50 that make 5 offers an announce and
// answer each offer they get. It prints announces a second of the tracker's processor time, the
// response times at one rate for all, and the memory, with the ratios to the npm package.
func BenchmarkTrackers(b *testing.B) {
	trackers := []struct {
		name  string
		start func(testing.TB) (string, int)
	}{
		{"bittorrent-tracker", func(t testing.TB) (string, int) { return testpeer.Tracker(t, "bittorrent-tracker") }},
		{"@peertube/…-server", func(t testing.TB) (string, int) {
			return testpeer.Tracker(t, "@peertube/bittorrent-tracker-server")
		}},
		{"Shoal", startChild},
	}
	for range b.N {
		var lines []string
		for _, peers := range []int{1000, 5000, 10000} {
			var base loadFigures
			for i, tr := range trackers {
				if peers > 5000 && tr.name != "Shoal" {
					continue
				}
				var f loadFigures
				if !b.Run(fmt.Sprintf("%s/%d", tr.name, peers), func(b *testing.B) {
					url, pid := tr.start(b)
					f = measure(b, url, pid, peers)
					b.ReportMetric(f.perCore, "announces/CPU-s")
					b.ReportMetric(f.p99.Seconds()*1000, "p99-ms")
					b.ReportMetric(f.rss/1e6, "RSS-MB")
				}) {
					b.Fatalf("%s failed", tr.name)
				}
				if i == 0 {
					base = f
				}
				lines = append(lines, f.line(tr.name, peers, base))
			}
		}
		fmt.Printf("\n%-20s %6s %20s %18s %18s %9s %20s\n%s\n\n", "WebSocket tracker", "peers", "announces/s a core",
			"p50 p99 at "+strconv.Itoa(benchRate)+"/s", "p50 p99 at most", "RSS MB", "RSS KB/peer", strings.Join(lines, "\n"))
	}
}

// loadFigures are what one tracker did with one number of peers.
type loadFigures struct {
	perCore          float64 // announces a second of processor time, as fast as it goes
	most             float64 // announces a second then
	p50, p99         time.Duration
	mostP50, mostP99 time.Duration
	rss, rssPerPeer  float64 // bytes
}

func (f loadFigures) line(name string, peers int, base loadFigures) string {
	ratio := func(a, b float64) string {
		if b == 0 {
			return ""
		}
		return fmt.Sprintf("(%.2f)", a/b)
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	return fmt.Sprintf("%-20s %6d %12.0f %7s %8.1f %5.1f ms %8.1f %5.1f ms %9.0f %12.1f %7s", name, peers,
		f.perCore, ratio(f.perCore, base.perCore), ms(f.p50), ms(f.p99), ms(f.mostP50), ms(f.mostP99),
		f.rss/1e6, f.rssPerPeer/1e3, ratio(f.rssPerPeer, base.rssPerPeer))
}

func measure(b *testing.B, url string, pid, peers int) loadFigures {
	b.Helper()
	before := rss(b, pid)
	l, err := newLoad(url, peers)
	if err != nil {
		b.Fatal(err)
	}
	defer l.close()
	check := func(err error) {
		b.Helper()
		if err != nil || l.failures > 0 {
			b.Fatalf("%v; %d refusals", err, l.failures)
		}
	}
	check(l.all())
	if l.offers == 0 || l.answers == 0 {
		b.Fatalf("the tracker relayed %d offers and %d answers", l.offers, l.answers)
	}
	check(l.paced(benchRate, benchTime))
	f := loadFigures{p50: l.quantile(0.5), p99: l.quantile(0.99)}
	if l.offers != l.responses*loadOffers || l.answers != l.offers {
		b.Fatalf("%d announces, %d offers and %d answers came through", l.responses, l.offers, l.answers)
	}
	used, start := testpeer.CPU(b, pid), time.Now()
	check(l.closed(benchWindow, benchTime))
	f.perCore = float64(l.responses) / (testpeer.CPU(b, pid) - used).Seconds()
	f.most = float64(l.responses) / time.Since(start).Seconds()
	f.mostP50, f.mostP99 = l.quantile(0.5), l.quantile(0.99)
	f.rss = rss(b, pid)
	f.rssPerPeer = (f.rss - before) / float64(peers)
	b.Logf("%.0f announces/s, %d offers, %d answers", f.most, l.offers, l.answers)
	return f
}

// rss is the resident memory of a process, in bytes.
func rss(t testing.TB, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return float64(pages * os.Getpagesize())
}

// startChild runs this tracker as a process of its own until the test ends.
func startChild(t testing.TB) (string, int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the tracker ended with %v: %s", err, stderr.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the tracker said nothing: %v %s", err, stderr.String())
	}
	return "ws" + strings.TrimPrefix(strings.TrimSpace(line), "http") + "/tracker/socket", cmd.Process.Pid
}
