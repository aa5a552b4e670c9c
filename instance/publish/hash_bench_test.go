// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && linux

package publish

import (
	"errors"
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
	f := cachedFile(b, b.TempDir(), size)
	path := f.Name()
	var err error
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
		cmd := mktorrent(b, torrent, path)
		theirs += time.Since(start)
		theirCPU += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	checkPieces(b, torrent, pieces)
	rate := func(d time.Duration) float64 { return float64(b.N) * size / 1e6 / d.Seconds() }
	b.ReportMetric(rate(ours), "MB/s")
	b.ReportMetric(rate(theirs), "mktorrent-MB/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	gigabytes := float64(b.N) * size / 1e9
	b.ReportMetric(ourCPU.Seconds()/gigabytes, "cpu-s/GB")
	b.ReportMetric(theirCPU.Seconds()/gigabytes, "mktorrent-cpu-s/GB")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCopyHash copies and hashes 128 MiB in one pass, as a publication does of a file on another
// disk, by turns with cp and mktorrent on the copy, and reports both rates and their ratio (above 1:
// this is faster). The files are in memory, so that no disk's speed is measured.
func BenchmarkCopyHash(b *testing.B) {
	const size, copies = 128 << 20, 9
	dir, err := os.MkdirTemp("/dev/shm", "shoal-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	f := cachedFile(b, dir, size)
	to, torrent := filepath.Join(dir, "copy"), filepath.Join(dir, "copy.torrent")
	var ours, theirs time.Duration
	var sums []byte
	remove := func() {
		if err := errors.Join(os.RemoveAll(to), os.RemoveAll(torrent)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		for range copies {
			remove()
			start := time.Now()
			err := copyAs(f, to, func(r io.ReaderAt) (err error) {
				sums, err = Pieces(b.Context(), r, size, 1<<20, nil)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			ours += time.Since(start)
			remove()
			start = time.Now()
			if out, err := exec.Command("cp", f.Name(), to).CombinedOutput(); err != nil {
				b.Fatalf("cp: %v: %s", err, out)
			}
			mktorrent(b, torrent, to)
			theirs += time.Since(start)
		}
	}
	checkPieces(b, torrent, sums)
	rate := func(d time.Duration) float64 { return copies * float64(b.N) * size / 1e6 / d.Seconds() }
	b.ReportMetric(rate(ours), "MB/s")
	b.ReportMetric(rate(theirs), "cp+mktorrent-MB/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// cachedFile is a file of a size in dir, in the page cache.
func cachedFile(b *testing.B, dir string, size int) *os.File {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
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
	return f
}

// mktorrent hashes a file in pieces of 1 MiB on all cores.
func mktorrent(b *testing.B, torrent, path string) *exec.Cmd {
	b.Helper()
	cmd := exec.Command("mktorrent", "-l", "20", "-t", strconv.Itoa(runtime.GOMAXPROCS(0)), "-o", torrent, path)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("mktorrent: %v: %s", err, out)
	}
	return cmd
}

// checkPieces compares the pieces with those of mktorrent.
func checkPieces(b *testing.B, torrent string, pieces []byte) {
	b.Helper()
	mi, err := metainfo.LoadFromFile(torrent)
	if err != nil {
		b.Fatal(err)
	}
	info, err := mi.UnmarshalInfo()
	if err != nil || string(info.Pieces) != string(pieces) {
		b.Fatalf("mktorrent has other pieces: %v", err)
	}
}

// cpuTime is the processor time of this process so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
