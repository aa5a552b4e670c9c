// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package webrtc

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"shoal/peer/testpeer"
)

// BenchmarkPairs moves a file over WebRTC from one process to another, for each pair of Chromium
// with webtorrent 3 and us, side by side, and prints MB/s and CPU seconds a GB of either side with
// the ratio to Chromium to Chromium. SHOAL_BENCH_MB is the file's size (100), SHOAL_BENCH_ROUNDS how
// often each pair runs (3); what is printed is the median. With SHOAL_BENCH_PROFILE, a folder, our
// processes leave CPU profiles there.
func BenchmarkPairs(b *testing.B) {
	size, rounds := setting(b, "SHOAL_BENCH_MB", 100)*1000*1000, setting(b, "SHOAL_BENCH_ROUNDS", 3)
	c := newBenchClip(b, size)
	pairs := []struct {
		name string
		run  func(*testing.B, *clip) figures
	}{
		{"Chromium to Chromium", chromiumToChromium},
		{"Go to Go", goToGo},
		{"Go to Chromium", goToChromium},
		{"Chromium to Go", chromiumToGo},
	}
	for range b.N {
		all := make([][]figures, len(pairs))
		for round := range rounds {
			for i, p := range pairs {
				ok := b.Run(fmt.Sprintf("%s/%d", p.name, round+1), func(b *testing.B) {
					f := p.run(b, c)
					all[i] = append(all[i], f)
					b.ReportMetric(f.rate, "MB/s")
					b.ReportMetric(f.seeder, "seeder-CPU-s/GB")
					b.ReportMetric(f.leecher, "leecher-CPU-s/GB")
				})
				if !ok {
					b.Fatalf("%s failed", p.name)
				}
			}
		}
		if slices.ContainsFunc(all, func(of []figures) bool { return len(of) == 0 }) {
			return // -bench names some pairs only
		}
		fmt.Printf("\n%-22s %8s %7s %18s %19s\n", "WebRTC, one pair", "MB/s", "ratio", "seeder CPU s/GB", "leecher CPU s/GB")
		base := median(all[0])
		for i, p := range pairs {
			m := median(all[i])
			fmt.Printf("%-22s %8.1f %7.2f %11.1f (%.2f) %12.1f (%.2f)\n", p.name,
				m.rate, m.rate/base.rate, m.seeder, m.seeder/base.seeder, m.leecher, m.leecher/base.leecher)
		}
		fmt.Println()
	}
}

// figures are of one transfer: MB/s, and CPU seconds a GB.
type figures struct{ rate, seeder, leecher float64 }

func median(all []figures) figures {
	of := func(get func(figures) float64) float64 {
		var v []float64
		for _, f := range all {
			v = append(v, get(f))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return figures{
		rate:    of(func(f figures) float64 { return f.rate }),
		seeder:  of(func(f figures) float64 { return f.seeder }),
		leecher: of(func(f figures) float64 { return f.leecher }),
	}
}

func setting(b *testing.B, name string, otherwise int) int {
	b.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		b.Fatalf("%s is %q, want a number", name, s)
	}
	return n
}

const benchPiece = 1 << 20

func newBenchClip(t testing.TB, size int) *clip {
	t.Helper()
	c := newClip(t, "clip", size)
	dir := t.TempDir()
	c.write(t, dir)
	info := metainfo.Info{PieceLength: benchPiece}
	if err := info.BuildFromFilePath(filepath.Join(dir, c.name)); err != nil {
		t.Fatal(err)
	}
	encoded, err := bencode.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	c.mi = &metainfo.MetaInfo{InfoBytes: encoded}
	return c
}

// meter measures what two processes use for a transfer.
type meter struct {
	t               testing.TB
	seeder, leecher int
	before          [2]time.Duration
}

func startMeter(t testing.TB, seeder, leecher int) *meter {
	return &meter{t: t, seeder: seeder, leecher: leecher, before: [2]time.Duration{testpeer.CPU(t, seeder), testpeer.CPU(t, leecher)}}
}

func (m *meter) stop(size int, took time.Duration) figures {
	gb := float64(size) / 1e9
	return figures{
		rate:    float64(size) / 1e6 / took.Seconds(),
		seeder:  (testpeer.CPU(m.t, m.seeder) - m.before[0]).Seconds() / gb,
		leecher: (testpeer.CPU(m.t, m.leecher) - m.before[1]).Seconds() / gb,
	}
}

func chromiumToChromium(b *testing.B, c *clip) figures {
	tracker := testpeer.NPMTracker(b)
	seeder, leecher := testpeer.Chromium(b, "3"), testpeer.Chromium(b, "3")
	c = c.as(b, seeder.Seed(c.name, c.data, tracker))
	return toChromium(b, c, seeder.PID(), leecher, tracker)
}

func goToChromium(b *testing.B, c *clip) figures {
	tracker := testpeer.NPMTracker(b)
	leecher := testpeer.Chromium(b, "3")
	seeder := startGo(b, "seed", c, tracker)
	return toChromium(b, c, seeder.pid(), leecher, tracker)
}

func toChromium(b *testing.B, c *clip, seeder int, leecher *testpeer.Browser, tracker string) figures {
	m := startMeter(b, seeder, leecher.PID())
	d := leecher.Download(c.torrent(b), c.infohash(), tracker)
	f := m.stop(len(c.data), d.Wait(b))
	if got := d.Done(b); got != c.sha256 {
		b.Fatal("the file differs from the one that was seeded")
	}
	return f
}

func goToGo(b *testing.B, c *clip) figures {
	tracker := testpeer.NPMTracker(b)
	seeder := startGo(b, "seed", c, tracker)
	return toGo(b, c, seeder.pid(), tracker)
}

func chromiumToGo(b *testing.B, c *clip) figures {
	tracker := testpeer.NPMTracker(b)
	seeder := testpeer.Chromium(b, "3")
	c = c.as(b, seeder.Seed(c.name, c.data, tracker))
	return toGo(b, c, seeder.PID(), tracker)
}

func toGo(b *testing.B, c *clip, seeder int, tracker string) figures {
	leecher := startGo(b, "download", c, tracker)
	m := startMeter(b, seeder, leecher.pid())
	leecher.tell()
	e := leecher.next("done")
	return m.stop(len(c.data), time.Duration(e.Nanoseconds))
}

// goPeer is a process of this test program that runs TestBenchPeer.
type goPeer struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	events *json.Decoder
}

type goEvent struct {
	Event       string
	Nanoseconds int64
}

func startGo(t testing.TB, role string, c *clip, tracker string) *goPeer {
	t.Helper()
	dir := t.TempDir()
	torrent := filepath.Join(dir, "a.torrent")
	if err := os.WriteFile(torrent, c.torrent(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if role == "seed" {
		c.write(t, dir)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &goPeer{t: t, cmd: exec.Command(self, "-test.run", "^TestBenchPeer$", "-test.timeout", "10m")}
	p.cmd.Env = append(os.Environ(), "SHOAL_BENCH_PEER="+role, "SHOAL_BENCH_DIR="+dir, "SHOAL_BENCH_TRACKER="+tracker)
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.stdin.Close()
		kill := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
		_ = p.cmd.Wait()
		kill.Stop()
	})
	p.events = json.NewDecoder(stdout)
	p.next("ready")
	return p
}

func (p *goPeer) pid() int { return p.cmd.Process.Pid }

func (p *goPeer) tell() {
	if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *goPeer) next(want string) goEvent {
	p.t.Helper()
	var e goEvent
	if err := p.events.Decode(&e); err != nil || e.Event != want {
		p.t.Fatalf("peer said %+v (%v), want %s", e, err, want)
	}
	return e
}

// TestBenchPeer is one side of a benchmark, in a process of its own.
func TestBenchPeer(t *testing.T) {
	role, dir := os.Getenv("SHOAL_BENCH_PEER"), os.Getenv("SHOAL_BENCH_DIR")
	if role == "" {
		return
	}
	mi, err := metainfo.LoadFromFile(filepath.Join(dir, "a.torrent"))
	if err != nil {
		t.Fatal(err)
	}
	say := func(e goEvent) {
		if err := json.NewEncoder(os.Stdout).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	e := newEngineIn(t, dir)
	tt := e.add(&clip{mi: mi})
	defer profile(t, role)()
	in := bufio.NewReader(os.Stdin)
	if role == "seed" {
		s := e.join(tt, os.Getenv("SHOAL_BENCH_TRACKER"))
		eventually(t, "announced", func() bool { return s.Trackers()[0].Connected && !s.Trackers()[0].LastAnnounce.IsZero() })
		say(goEvent{Event: "ready"})
		_, _ = in.ReadString(0)
		return
	}
	say(goEvent{Event: "ready"})
	if _, err := in.ReadString('\n'); err != nil {
		return
	}
	tt.DownloadAll()
	e.join(tt, os.Getenv("SHOAL_BENCH_TRACKER"))
	var first time.Time
	for tt.BytesMissing() > 0 {
		if first.IsZero() && received(tt) > 0 {
			first = time.Now()
		}
		time.Sleep(5 * time.Millisecond)
	}
	say(goEvent{Event: "done", Nanoseconds: int64(time.Since(first))})
	_, _ = in.ReadString(0)
}

// profile writes a CPU profile of what happens until the function that it returns is called.
func profile(t *testing.T, role string) (stop func()) {
	dir := os.Getenv("SHOAL_BENCH_PROFILE")
	if dir == "" {
		return func() {}
	}
	f, err := os.CreateTemp(dir, role+"-*.cpu")
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}
}
