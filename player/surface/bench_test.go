// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package surface_test

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"shoal/player/internal/playertest"
)

// The benchmark plays the same clip in a window of ours and in one of mpv's, each in a process of its
// own on the same display, and compares the processor time of the same seconds.
const clipSeconds = "20"

type figures struct{ fps, cpu float64 }

// BenchmarkPlay720p reports painted frames a second and processor seconds per played second. It fails when
// nothing is painted; how fast a machine is, it only reports.
func BenchmarkPlay720p(b *testing.B) { benchmark(b, image.Pt(1280, 720)) }

// BenchmarkPlay1080p is the same for 1920 x 1080, shown at 1280 x 720.
func BenchmarkPlay1080p(b *testing.B) { benchmark(b, image.Pt(1920, 1080)) }

func benchmark(b *testing.B, size image.Point) {
	args := append(playertest.Inputs(fmt.Sprintf("%dx%d", size.X, size.Y), clipSeconds), playertest.Codecs()...)
	clip := playertest.ClipPath(b, "clip.mp4", args...)
	var ours figures
	var theirs float64
	for b.Loop() {
		ours = playOurs(b, clip)
		theirs = playTheirs(b, clip)
	}
	if ours.fps == 0 {
		b.Fatal("nothing was painted")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours.fps, "painted-fps")
	b.ReportMetric(ours.cpu*100, "cpu-%")
	b.ReportMetric(theirs*100, "mpv-x11-cpu-%")
	b.ReportMetric(ours.cpu/theirs, "ratio")
}

// playOurs runs this program as a window and measures it from outside.
func playOurs(b *testing.B, clip string) figures {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+clip)
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	var f figures
	var from time.Time
	var before time.Duration
	var painted int64
	for lines.Scan() {
		word, count, _ := strings.Cut(lines.Text(), " ")
		n, _ := strconv.ParseInt(count, 10, 64)
		switch word {
		case "begin":
			from, before, painted = time.Now(), cpuTime(b, cmd.Process.Pid), n
		case "end":
			seconds := time.Since(from).Seconds()
			f = figures{float64(n-painted) / seconds, (cpuTime(b, cmd.Process.Pid) - before).Seconds() / seconds}
			_ = cmd.Process.Kill()
		}
	}
	return f
}

func playTheirs(b *testing.B, clip string) float64 {
	cmd := exec.Command("mpv", "--no-config", "--vo=x11", "--ao=null", "--really-quiet", "--geometry=1280x720+0+0", clip)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		b.Fatalf("starting mpv (apt install mpv): %v", err)
	}
	time.Sleep(warmUp)
	from, before := time.Now(), cpuTime(b, cmd.Process.Pid)
	time.Sleep(measured)
	share := (cpuTime(b, cmd.Process.Pid) - before).Seconds() / time.Since(from).Seconds()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return share
}

// cpuTime is the processor time a process has used (proc_pid_stat(5), fields 14 and 15, in ticks of 10 ms).
func cpuTime(b *testing.B, pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
