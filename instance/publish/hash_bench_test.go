// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && unix

package publish

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/anacrolix/torrent/metainfo"
)

// BenchmarkHash hashes 1 GiB from the page cache, by turns with mktorrent on the same file, piece
// length and cores, and reports both rates, their ratio (above 1: this is faster), and the processor
// time of both, which says more where other programs take turns on the cores.
func BenchmarkHash(b *testing.B) {
	const size = 1 << 30
	path := filepath.Join(b.TempDir(), "file")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := random(1 << 20)
	for i := range size >> 20 {
		block[i%len(block)]++
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, f); err != nil {
		b.Fatal(err)
	}
	var ours, theirs, ourCPU, theirCPU time.Duration
	var pieces []byte
	torrent := path + ".torrent"
	b.ResetTimer()
	for b.Loop() {
		start, cpu := time.Now(), cpuTime(b)
		if pieces, err = Pieces(b.Context(), f, size, PieceLength(size), nil); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		ourCPU += cpuTime(b) - cpu
		if err := os.RemoveAll(torrent); err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		cmd := exec.Command("mktorrent", "-l", "20", "-t", strconv.Itoa(runtime.GOMAXPROCS(0)), "-o", torrent, path)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("mktorrent: %v: %s", err, out)
		}
		theirs += time.Since(start)
		theirCPU += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	mi, err := metainfo.LoadFromFile(torrent)
	if err != nil {
		b.Fatal(err)
	}
	info, err := mi.UnmarshalInfo()
	if err != nil || string(info.Pieces) != string(pieces) {
		b.Fatalf("mktorrent has other pieces: %v", err)
	}
	rate := func(d time.Duration) float64 { return float64(b.N) * size / 1e6 / d.Seconds() }
	b.ReportMetric(rate(ours), "MB/s")
	b.ReportMetric(rate(theirs), "mktorrent-MB/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	gigabytes := float64(b.N) * size / 1e9
	b.ReportMetric(ourCPU.Seconds()/gigabytes, "cpu-s/GB")
	b.ReportMetric(theirCPU.Seconds()/gigabytes, "mktorrent-cpu-s/GB")
	b.ReportMetric(0, "ns/op")
}

// cpuTime is the processor time of this process so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
