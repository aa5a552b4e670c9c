// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anacrolix/torrent/metainfo"
)

// holding is what a process holds.
type holding struct {
	Heap       int64 // bytes in use after a collection
	RSS        int64 // bytes; 0 where the platform does not tell
	Goroutines int
	Files      int // open files, sockets among them
	Sockets    int
}

func holdingNow() (h holding) {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.Heap, h.Goroutines, h.Files = int64(m.HeapAlloc), runtime.NumGoroutine(), openFiles()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return h
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			h.Sockets++
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return h
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			_, _ = fmt.Sscanf(kb, "%d", &h.RSS)
			h.RSS <<= 10
		}
	}
	return h
}

// grown says what is more than it was, by more than chance. goroutines is how many more may be busy at
// the moment.
func (h holding) grown(before holding, goroutines int64) error {
	var errs []error
	for _, c := range []struct {
		name        string
		was, is, by int64
	}{
		{"bytes of heap", before.Heap, h.Heap, 6 * mib},
		{"bytes of RSS", before.RSS, h.RSS, max(32*mib, before.RSS/4)},
		{"goroutines", int64(before.Goroutines), int64(h.Goroutines), goroutines},
		{"files", int64(before.Files), int64(h.Files), 6},
		{"sockets", int64(before.Sockets), int64(h.Sockets), 6},
	} {
		if c.is > c.was+c.by {
			errs = append(errs, fmt.Errorf("%d %s became %d", c.was, c.name, c.is))
		}
	}
	return errors.Join(errs...)
}

// seedUntilTold is a child process: it seeds the torrents in a folder and says, for each line that it
// reads, what it holds.
func seedUntilTold() {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	dir := os.Getenv("SHOAL_TEST_DIR")
	scratch, err := os.MkdirTemp(dir, "seeder-*")
	check(err)
	config := Config{Dir: scratch, PiecesDB: filepath.Join(scratch, "pieces.db"), ListenHost: "127.0.0.1", Sources: Sources{SourceTCP, SourceWebRTC}}
	config.WebRTC.Loopback = true
	e, err := New(config)
	check(err)
	torrents, err := filepath.Glob(filepath.Join(dir, "*.torrent"))
	check(err)
	for _, path := range torrents {
		mi, err := metainfo.LoadFromFile(path)
		check(err)
		_, err = e.Seed(e.ctx, SeedFile{MetaInfo: mi, Path: strings.TrimSuffix(path, ".torrent"), Trackers: []string{os.Getenv("SHOAL_TEST_TRACKER")}})
		check(err)
	}
	fmt.Println(e.Port())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		eventuallyStable(runtime.NumGoroutine)
		check(json.NewEncoder(os.Stdout).Encode(holdingNow()))
	}
	check(e.Close())
}

// seedingChild is that process, seen from the test.
type seedingChild struct {
	tb   testing.TB
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	addr string
}

func startSeedingChild(tb testing.TB, dir, tracker string) *seedingChild {
	tb.Helper()
	c := &seedingChild{tb: tb, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), "SHOAL_TEST_CHILD=seed", "SHOAL_TEST_DIR="+dir, "SHOAL_TEST_TRACKER="+tracker)
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.kill)
	c.out = bufio.NewScanner(stdout)
	c.addr = "127.0.0.1:" + c.line()
	return c
}

func (c *seedingChild) line() string {
	c.tb.Helper()
	if !c.out.Scan() {
		c.tb.Fatal("the seeding process ended")
	}
	return c.out.Text()
}

// holds asks the child what it holds.
func (c *seedingChild) holds() (h holding) {
	c.tb.Helper()
	if _, err := c.in.Write([]byte("\n")); err != nil {
		c.tb.Fatal(err)
	}
	if err := json.Unmarshal([]byte(c.line()), &h); err != nil {
		c.tb.Fatal(err)
	}
	return h
}

// kill ends the child without a word to anybody.
func (c *seedingChild) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// cutter passes TCP connections on and cuts them off at once when it is told to.
type cutter struct {
	net.Listener
	mu    sync.Mutex
	conns map[*net.TCPConn]struct{}
	wg    sync.WaitGroup
}

func newCutter(tb testing.TB, to string) *cutter {
	tb.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	c := &cutter{Listener: l, conns: map[*net.TCPConn]struct{}{}}
	c.wg.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.pass(from, to) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		c.cut()
		c.wg.Wait()
	})
	return c
}

func (c *cutter) pass(from net.Conn, to string) {
	other, err := net.Dial("tcp4", to)
	if err != nil {
		_ = from.Close()
		return
	}
	ends := []*net.TCPConn{from.(*net.TCPConn), other.(*net.TCPConn)}
	c.mu.Lock()
	for _, e := range ends {
		c.conns[e] = struct{}{}
	}
	c.mu.Unlock()
	var both sync.WaitGroup
	for i := range ends {
		both.Go(func() {
			_, _ = io.Copy(ends[i], ends[1-i])
			_, _ = ends[0].Close(), ends[1].Close()
		})
	}
	both.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range ends {
		delete(c.conns, e)
	}
}

// cut resets every connection.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
}

// cycler runs cycles of join, transfer, cut, reconnect and leave against a seeding process.
type cycler struct {
	tb      testing.TB
	e       *Engine
	child   *seedingChild
	tracker string
	films   []*fixture
	cutters []*cutter
}

const (
	tcpWorkers    = 3
	webRTCWorkers = 2
	// unanswered is how many goroutines the seeder's offers may keep busy that nobody has answered yet:
	// up to five a swarm go out with an announce, and live for 50 s.
	unanswered = 5 * 10 * (tcpWorkers + webRTCWorkers)
)

func newCycler(tb testing.TB, tracker string) *cycler {
	tb.Helper()
	dir := tb.TempDir()
	c := &cycler{tb: tb, tracker: tracker}
	for i := range tcpWorkers + webRTCWorkers {
		f := newFixture(tb, 256<<10+i, 32<<10)
		path := filepath.Join(dir, fmt.Sprintf("film%d", i))
		out, err := os.Create(path + ".torrent")
		if err != nil {
			tb.Fatal(err)
		}
		if err := errors.Join(f.mi.Write(out), out.Close(), os.WriteFile(path, f.data, 0o644)); err != nil {
			tb.Fatal(err)
		}
		c.films = append(c.films, f)
	}
	c.child = startSeedingChild(tb, dir, tracker)
	for range tcpWorkers {
		c.cutters = append(c.cutters, newCutter(tb, c.child.addr))
	}
	c.e = newEngine(tb, Config{Sources: Sources{SourceTCP, SourceWebRTC}})
	return c
}

// overTCP is a cycle over TCP: every second one is cut off in the middle and goes on after it.
func (c *cycler) overTCP(worker int, cut bool) error {
	f := c.films[worker]
	peers := Target{Peers: []string{c.cutters[worker].Addr().String()}}
	target := f.target()
	target.Peers = peers.Peers
	return c.cycle(target, SourceTCP, func(s *Swarm, st *Stream) error {
		if !cut {
			return c.read(f, st, 0, 128<<10)
		}
		if err := c.read(f, st, 0, 48<<10); err != nil {
			return err
		}
		c.cutters[worker].cut()
		for s.peersBy.sum() > 0 && st.ctx.Err() == nil { // it is told of the peer too early else
			time.Sleep(time.Millisecond)
		}
		if err := s.merge(peers); err != nil { // sooner than the engine looks for it by itself
			return err
		}
		return c.read(f, st, 128<<10, 128<<10)
	})
}

// overWebRTC is a cycle over WebRTC, by the tracker.
func (c *cycler) overWebRTC(worker int) error {
	f := c.films[tcpWorkers+worker]
	target := f.target()
	target.Trackers = []string{c.tracker}
	return c.cycle(target, SourceWebRTC, func(_ *Swarm, st *Stream) error { return c.read(f, st, 0, 128<<10) })
}

func (c *cycler) cycle(target Target, source Source, transfer func(s *Swarm, st *Stream) error) error {
	s, err := c.e.Join(c.tb.Context(), target, JoinOptions{Sources: Sources{source}})
	if err != nil {
		return err
	}
	st, err := s.Stream(c.tb.Context(), 0)
	if err != nil {
		return err
	}
	stop := time.AfterFunc(testPatience, st.Cancel)
	defer stop.Stop()
	err = transfer(s, st)
	if err != nil {
		err = fmt.Errorf("over %s: %w; %+v", source, err, s.Stats())
	}
	return errors.Join(err, st.Close(), s.Leave(c.tb.Context(), true))
}

func (c *cycler) read(f *fixture, st *Stream, at int64, n int) error {
	if _, err := st.Seek(at, io.SeekStart); err != nil {
		return err
	}
	got := make([]byte, n)
	if _, err := io.ReadFull(st, got); err != nil {
		return err
	}
	if string(got) != string(f.data[at:at+int64(n)]) {
		return errors.New("wrong bytes")
	}
	return nil
}

// run runs cycles, of which every fifth is over WebRTC.
func (c *cycler) run(cycles int) {
	c.tb.Helper()
	var tcp, rtc atomic.Int64
	tcp.Store(int64(cycles - cycles/5))
	rtc.Store(int64(cycles / 5))
	errs := make(chan error, tcpWorkers+webRTCWorkers)
	for i := range tcpWorkers {
		go func() {
			var err error
			for n := tcp.Add(-1); n >= 0 && err == nil; n = tcp.Add(-1) {
				err = c.overTCP(i, n%2 == 0)
			}
			errs <- err
		}()
	}
	for i := range webRTCWorkers {
		go func() {
			var err error
			for rtc.Add(-1) >= 0 && err == nil {
				err = c.overWebRTC(i)
			}
			errs <- err
		}()
	}
	var all []error
	for range tcpWorkers + webRTCWorkers {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		c.tb.Fatal(err)
	}
}

// flat runs cycles, after some that warm up, and fails if this process or the seeding one holds more
// after them. It returns what both hold in the end.
func (c *cycler) flat(warmUp, cycles int) (here, child holding) {
	c.tb.Helper()
	c.run(warmUp)
	here, child = c.settled(holding{}), c.child.holds()
	c.run(cycles)
	after, childAfter := c.settled(here), c.child.holds()
	if err := after.grown(here, 12); err != nil {
		c.tb.Errorf("this process: %v", err)
	}
	if err := childAfter.grown(child, unanswered); err != nil {
		c.tb.Errorf("the seeding process: %v", err)
	}
	if n := len(c.e.Swarms()); n != 0 {
		c.tb.Errorf("%d swarms are left", n)
	}
	c.tb.Logf("this process: %+v, then %+v", here, after)
	c.tb.Logf("the seeding process: %+v, then %+v", child, childAfter)
	return after, childAfter
}

// settled waits until what is closing is closed.
func (c *cycler) settled(before holding) (h holding) {
	eventuallyStable(runtime.NumGoroutine)
	if before != (holding{}) {
		eventually(func() bool { return runtime.NumGoroutine() <= before.Goroutines+3 && openFiles() <= before.Files+3 })
	}
	return holdingNow()
}

// TestCycles is BenchmarkCycles in small.
func TestCycles(t *testing.T) {
	c := newCycler(t, newWSTracker(t).url())
	c.flat(50, 200)
}
