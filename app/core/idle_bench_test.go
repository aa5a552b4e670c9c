// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && linux

package core

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"shoal/app/config"
	"shoal/instance/tracker"
	"shoal/peer/library"
)

const (
	idleSeeds  = 1000
	idleSettle = 25 * time.Second
	idleWatch  = time.Minute
	idleChild  = "SHOAL_IDLE_CHILD" // the data folder of the child
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(idleChild); dir != "" {
		if err := beIdle(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beIdle is the child: the program without its faces, which seeds what its library holds.
func beIdle(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	store, err := config.Load(filepath.Join(dir, "config.toml"), nil)
	if err != nil {
		return err
	}
	a, err := Open(ctx, Options{Config: store, DataDir: dir, Local: true, Resume: true})
	if err != nil {
		return err
	}
	go func() {
		for {
			complete := 0
			for _, s := range a.Engine().Swarms() {
				if s.Stats().Complete {
					complete++
				}
			}
			if complete == idleSeeds {
				fmt.Println("ready")
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return a.Run(ctx)
}

// idler is a process, and what it takes.
type idler struct {
	pid    int
	stop   func()
	since  time.Time
	before float64 // seconds of CPU
	cpu    float64 // percent of a core
	rss    float64 // MB
	files  float64 // MB of rss that are mapped files: the program, its libraries and databases
}

func (i *idler) begin(b *testing.B) {
	b.Helper()
	i.since, i.before = time.Now(), processTime(b, i.pid)
}

func (i *idler) end(b *testing.B) {
	b.Helper()
	i.cpu = 100 * (processTime(b, i.pid) - i.before) / time.Since(i.since).Seconds()
	i.rss, i.files = processMemory(b, i.pid, "VmRSS:"), processMemory(b, i.pid, "RssFile:")
}

// idleTracker is a tracker's address without its path.
func idleTracker(b *testing.B) string {
	b.Helper()
	tr := tracker.New(tracker.Config{Known: func(tracker.Hash) bool { return true }})
	mux := http.NewServeMux()
	mux.HandleFunc("/announce", tr.Announce)
	mux.HandleFunc("/socket", tr.Socket)
	server := httptest.NewServer(mux)
	b.Cleanup(func() {
		tr.Close()
		server.Close()
	})
	return server.URL
}

// BenchmarkIdleSeeds holds 1,000 complete seeds in Shoal, and the same torrents in transmission-daemon,
// with one tracker for both. The goals: at most transmission's CPU and twice its memory, under 2 % of
// a core and 300 MB, and a start in under 3 s.
func BenchmarkIdleSeeds(b *testing.B) {
	if _, err := exec.LookPath("transmission-daemon"); err != nil {
		b.Fatal("transmission-daemon is missing: .ci/deps.sh bench installs it")
	}
	media, torrents := b.TempDir(), b.TempDir()
	small := idleVideos{size: 1 << 20, piece: 16 << 10} // transmission hashes them first
	small.make(b, media, torrents, idleTracker(b))
	entries := small.make(b, media, b.TempDir(), idleTracker(b)) // of its own, so that the two do not meet

	theirs := startTransmission(b, media, torrents)
	took, ours := startIdle(b, entries)
	time.Sleep(idleSettle)
	ours.begin(b)
	theirs.begin(b)
	time.Sleep(idleWatch)
	ours.end(b)
	theirs.end(b)
	ours.stop()
	theirs.stop()
	fmt.Printf("%d idle seeds        Shoal   transmission-daemon   ratio   goal\n", idleSeeds)
	fmt.Printf("  CPU, %% of a core   %5.2f   %19.2f   %5.2f   at most 1, and Shoal under 2 %%\n", ours.cpu, theirs.cpu, ours.cpu/theirs.cpu)
	fmt.Printf("  RSS, MB            %5.0f   %19.0f   %5.2f   at most 2, and Shoal under 300 MB\n", ours.rss, theirs.rss, ours.rss/theirs.rss)
	fmt.Printf("    of that no files %5.0f   %19.0f   %5.2f\n", ours.rss-ours.files, theirs.rss-theirs.files, (ours.rss-ours.files)/(theirs.rss-theirs.files))
	fmt.Printf("  start, s           %5.2f   %19s   %5s   under 3\n", took.Seconds(), "", "")
	b.ReportMetric(ours.cpu, "cpu-%")
	b.ReportMetric(ours.cpu/theirs.cpu, "cpu-ratio")
	b.ReportMetric(ours.rss, "rss-MB")
	b.ReportMetric(ours.rss/theirs.rss, "rss-ratio")
	b.ReportMetric(took.Seconds(), "start-s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkIdleFilms is BenchmarkIdleSeeds with films of 300 MiB in 1,200 pieces each, for Shoal alone:
// transmission would hash 300 GB first.
func BenchmarkIdleFilms(b *testing.B) {
	entries := idleVideos{size: 300 << 20, piece: 256 << 10}.make(b, b.TempDir(), b.TempDir(), idleTracker(b))
	took, ours := startIdle(b, entries)
	time.Sleep(idleSettle)
	ours.begin(b)
	time.Sleep(idleWatch)
	ours.end(b)
	ours.stop()
	fmt.Printf("%d idle films   %.2f %% of a core, %.0f MB (%.0f of them mapped files), start %.2f s   goals: 2 %%, 300 MB, 3 s\n",
		idleSeeds, ours.cpu, ours.rss, ours.files, took.Seconds())
	b.ReportMetric(ours.cpu, "cpu-%")
	b.ReportMetric(ours.rss, "rss-MB")
	b.ReportMetric(took.Seconds(), "start-s")
	b.ReportMetric(0, "ns/op")
}

// startIdle starts the child for the second time: at the first it writes down how the files look.
func startIdle(b *testing.B, entries []library.Entry) (time.Duration, *idler) {
	b.Helper()
	dir := idleLibrary(b, entries)
	_, first := startShoal(b, dir)
	first.stop()
	return startShoal(b, dir)
}

// idleVideos are files of zeros that take no room on the disk.
type idleVideos struct {
	size, piece int64 // bytes
}

// make makes the files and their torrents.
func (v idleVideos) make(b *testing.B, media, torrents, url string) (entries []library.Entry) {
	b.Helper()
	hash := sha1.Sum(make([]byte, v.piece))
	pieces := bytes.Repeat(hash[:], int(v.size/v.piece))
	for i := range idleSeeds {
		name := fmt.Sprintf("video-%04d.mp4", i)
		path := filepath.Join(media, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, v.size)); err != nil {
			b.Fatal(err)
		}
		info, err := bencode.Marshal(metainfo.Info{Name: name, Length: v.size, PieceLength: v.piece, Pieces: pieces})
		if err != nil {
			b.Fatal(err)
		}
		mi := metainfo.MetaInfo{InfoBytes: info, Announce: url + "/announce", AnnounceList: metainfo.AnnounceList{
			{url + "/announce"}, {"ws" + strings.TrimPrefix(url, "http") + "/socket"},
		}}
		torrent, err := encodeTorrent(&mi)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(torrents, name+".torrent"), torrent, 0o644); err != nil {
			b.Fatal(err)
		}
		entries = append(entries, library.Entry{
			Infohash: mi.HashInfoBytes().HexString(), Name: name, Torrent: torrent, Path: path, Dir: media,
			Added: time.Unix(int64(i), 0), Bytes: v.size, Complete: true,
		})
	}
	return entries
}

// idleLibrary makes a data folder that holds the entries.
func idleLibrary(b *testing.B, entries []library.Entry) string {
	b.Helper()
	dir := b.TempDir()
	lib, err := library.Open(filepath.Join(dir, "library.db"))
	if err != nil {
		b.Fatal(err)
	}
	if err := lib.Put(entries...); err != nil {
		b.Fatal(err)
	}
	if err := lib.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// startShoal starts the child and waits until all its seeds are complete. It returns how long that took.
func startShoal(b *testing.B, dir string) (time.Duration, *idler) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), idleChild+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop := stopper(b, cmd)
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin), &idler{pid: cmd.Process.Pid, stop: stop}
}

// stopper ends a child once, at the latest with the benchmark.
func stopper(b *testing.B, cmd *exec.Cmd) func() {
	b.Helper()
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		_ = cmd.Wait()
	})
	b.Cleanup(stop)
	return stop
}

func startTransmission(b *testing.B, media, torrents string) *idler {
	b.Helper()
	dir := b.TempDir()
	rpc := freePort(b)
	settings, err := json.Marshal(map[string]any{
		"download-dir": media, "watch-dir": torrents, "watch-dir-enabled": true, "start-added-torrents": true,
		"rpc-port": rpc, "rpc-bind-address": "127.0.0.1", "rpc-whitelist-enabled": false, "rpc-host-whitelist-enabled": false, "rpc-authentication-required": false,
		"peer-port": freePort(b), "dht-enabled": false, "lpd-enabled": false, "port-forwarding-enabled": false, "pex-enabled": true, "utp-enabled": true,
		"bind-address-ipv4": "0.0.0.0", "message-level": 1, "queue-stalled-enabled": false, "seed-queue-enabled": false, "download-queue-enabled": false,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "settings.json"), settings, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("transmission-daemon", "--foreground", "--config-dir", dir)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop := stopper(b, cmd)
	for transmissionSeeds(rpc) < idleSeeds {
		if time.Since(begin) > 5*time.Minute {
			b.Fatalf("transmission seeds %d torrents of %d", transmissionSeeds(rpc), idleSeeds)
		}
		time.Sleep(time.Second)
	}
	return &idler{pid: cmd.Process.Pid, stop: stop}
}

// transmissionSeeds asks how many torrents are seeding (status 6 of its RPC).
func transmissionSeeds(port int) (n int) {
	session := ""
	for range 2 {
		body := strings.NewReader(`{"method":"torrent-get","arguments":{"fields":["status"]}}`)
		req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/transmission/rpc", port), body)
		if err != nil {
			return 0
		}
		req.Header.Set("X-Transmission-Session-Id", session)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		session = res.Header.Get("X-Transmission-Session-Id")
		var answer struct {
			Arguments struct {
				Torrents []struct {
					Status int `json:"status"`
				} `json:"torrents"`
			} `json:"arguments"`
		}
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if err != nil {
			continue
		}
		for _, t := range answer.Arguments.Torrents {
			if t.Status == 6 {
				n++
			}
		}
		return n
	}
	return 0
}

func freePort(b *testing.B) int {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// processMemory is a figure of a process's memory in MB (proc(5), status).
func processMemory(b *testing.B, pid int, name string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name {
			kb, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024 / 1e6
		}
	}
	b.Fatal("this system does not tell how much memory a process has")
	return 0
}

// processTime is the CPU time that a process has taken, in seconds (proc(5), stat).
func processTime(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	var ticks float64
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ, on every Linux that Go runs on
	return ticks / perSecond
}
