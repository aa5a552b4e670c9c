// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package peer

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"shoal/peer/testpeer"
)

// viewerSeeders is how many WebRTC seeders a viewer finds, beside one WebSeed.
const viewerSeeders = 5

// BenchmarkViewer watches a file in order, as fast as it comes, from a WebSeed and five WebRTC
// seeders: with us, and with webtorrent 3 in Chromium, in turns in the same swarm. It prints how
// long the first MiB and the whole took from when the torrent was added, with the ratio, and what
// share came to us from peers. The seeders are ours, in a process of their own.
//
// SHOAL_BENCH_MB is the file's size (100) and SHOAL_BENCH_ROUNDS how often each watches (3); what is
// printed is the median. The machine sets the speed unless SHOAL_BENCH_SEEDER_KB bounds what each
// seeder sends and SHOAL_BENCH_WEBSEED_KB what the WebSeed does, in kB/s.
func BenchmarkViewer(b *testing.B) {
	size := benchSetting(b, "SHOAL_BENCH_MB", 100) * 1000 * 1000
	rounds := benchSetting(b, "SHOAL_BENCH_ROUNDS", 3)
	f := newFixture(b, size, 512<<10)
	w := newWebSeed(b, f, benchSetting(b, "SHOAL_BENCH_WEBSEED_KB", 0)*1000)
	pages := httptest.NewServer(crossOrigin(w.Config.Handler))
	b.Cleanup(pages.Close)
	mi := *f.mi
	mi.UrlList = metainfo.UrlList{pages.URL + "/film.mp4"}
	torrent, err := bencode.Marshal(mi)
	if err != nil {
		b.Fatal(err)
	}
	tracker := testpeer.NPMTracker(b)
	startSeeders(b, f, tracker)
	for range b.N {
		var ours, theirs []testpeer.Watched
		var share []float64
		for range rounds {
			theirs = append(theirs, testpeer.Chromium(b, "3").Watch(torrent, int64(size), tracker))
			seen, fromPeers := watch(b, f, &mi, tracker)
			ours, share = append(ours, seen), append(share, fromPeers)
		}
		slices.Sort(share)
		fmt.Printf("\n%-40s %14s %14s\n", fmt.Sprintf("a viewer, WebSeed + %d WebRTC seeders", viewerSeeders), "first MiB ms", "all ms")
		us, them := medians(ours), medians(theirs)
		row := func(name string, w testpeer.Watched) {
			fmt.Printf("%-40s %7.0f (%.2f) %7.0f (%.2f)\n", name, w.First.Seconds()*1e3, w.First.Seconds()/them.First.Seconds(),
				w.End.Seconds()*1e3, w.End.Seconds()/them.End.Seconds())
		}
		row("webtorrent 3 in Chromium", them)
		row(fmt.Sprintf("Shoal (%.0f %% from peers)", 100*share[len(share)/2]), us)
		fmt.Println()
		b.ReportMetric(us.First.Seconds()/them.First.Seconds(), "firstMiB-ratio")
		b.ReportMetric(us.End.Seconds()/them.End.Seconds(), "all-ratio")
		b.ReportMetric(0, "ns/op")
	}
}

func benchSetting(b *testing.B, name string, otherwise int) int {
	b.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		b.Fatalf("%s is %q, want a number", name, s)
	}
	return n
}

func medians(all []testpeer.Watched) testpeer.Watched {
	of := func(get func(testpeer.Watched) time.Duration) time.Duration {
		var v []time.Duration
		for _, w := range all {
			v = append(v, get(w))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return testpeer.Watched{
		First: of(func(w testpeer.Watched) time.Duration { return w.First }),
		End:   of(func(w testpeer.Watched) time.Duration { return w.End }),
	}
}

// crossOrigin lets pages of other origins read ranges, as an instance does.
func crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "range, cache-control")
		w.Header().Set("Access-Control-Expose-Headers", "content-range, content-length")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// watch reads the file with an engine of ours, and returns the share of it that peers sent.
func watch(b *testing.B, f *fixture, mi *metainfo.MetaInfo, tracker string) (testpeer.Watched, float64) {
	b.Helper()
	e := newEngine(b, Config{})
	var seen testpeer.Watched
	begin := time.Now()
	s := join(b, e, Target{Infohash: f.hash, MetaInfo: mi, Trackers: []string{tracker}, WebSeeds: mi.UrlList}, JoinOptions{})
	st := openStream(b, s)
	if _, err := io.CopyN(io.Discard, st, 1<<20); err != nil {
		b.Fatal(err)
	}
	seen.First = time.Since(begin)
	if n, err := io.Copy(io.Discard, st); err != nil || n != st.Size()-1<<20 {
		b.Fatal(n, err)
	}
	seen.End = time.Since(begin)
	got := s.Stats().Downloaded
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	return seen, 1 - float64(got.WebSeed)/float64(got.Sum())
}

// startSeeders runs TestBenchSeeders in a process of its own until the benchmark ends.
func startSeeders(b *testing.B, f *fixture, tracker string) {
	b.Helper()
	torrent, err := bencode.Marshal(f.mi)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(f.path), "a.torrent"), torrent, 0o600); err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestBenchSeeders$", "-test.timeout", "30m")
	cmd.Env = append(os.Environ(), "SHOAL_BENCH_SEED="+f.path, "SHOAL_BENCH_TRACKER="+tracker)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
	})
	var ready struct{ Seeders int }
	if err := json.NewDecoder(stdout).Decode(&ready); err != nil || ready.Seeders != viewerSeeders {
		b.Fatalf("the seeders said %+v, %v", ready, err)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
}

// TestBenchSeeders is the seeders' process.
func TestBenchSeeders(t *testing.T) {
	path, tracker := os.Getenv("SHOAL_BENCH_SEED"), os.Getenv("SHOAL_BENCH_TRACKER")
	if path == "" {
		return
	}
	mi, err := metainfo.LoadFromFile(filepath.Join(filepath.Dir(path), "a.torrent"))
	if err != nil {
		t.Fatal(err)
	}
	limit, _ := strconv.ParseInt(os.Getenv("SHOAL_BENCH_SEEDER_KB"), 10, 64)
	for range viewerSeeders {
		e := newEngine(t, Config{Sources: Sources{SourceWebRTC}, Limits: Limits{Upload: limit * 1000}})
		s, err := e.Seed(t.Context(), SeedFile{MetaInfo: mi, Path: path, Trackers: []string{tracker}})
		if err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "the seeder to announce", func() bool {
			trackers := s.Stats().Trackers
			return len(trackers) == 1 && !trackers[0].LastAnnounce.IsZero()
		})
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]int{"seeders": viewerSeeders}); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
