// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && unix

package instance

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"shoal/instance/publish"
)

const (
	benchRuns        = 7
	benchSeconds     = 5
	benchConnections = 32
	benchSize        = 512 << 20 // of the video, in bytes
)

// BenchmarkWebSeed asks a whole instance for random ranges of 1 MiB of a published video in the page
// cache, with wrk on 32 connections, by turns with nginx on the same file. It reports the medians of
// the rates and of the slowest hundredth, and their ratios: above 1 in "ratio", this gives more; above
// 1 in "p99-ratio", this is slower.
func BenchmarkWebSeed(b *testing.B) {
	dir := b.TempDir()
	url := publishedURL(b, dir)
	other := startNginx(b, dir) + url[strings.LastIndexByte(url, '/'):]
	script := filepath.Join(b.TempDir(), "ranges.lua")
	if err := os.WriteFile(script, []byte(fmt.Sprintf(rangesLua, benchSize)), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, u := range []string{url, other} { // into the page cache
		if n, err := fetchAll(u); err != nil || n < benchSize {
			b.Fatalf("%s: %d bytes, %v", u, n, err)
		}
	}
	for b.Loop() {
		var ours, theirs []wrkResult
		for range benchRuns {
			ours = append(ours, runWrk(b, script, url))
			theirs = append(theirs, runWrk(b, script, other))
		}
		our, their := medians(ours), medians(theirs)
		b.ReportMetric(our.rate/1e6, "MB/s")
		b.ReportMetric(their.rate/1e6, "nginx-MB/s")
		b.ReportMetric(our.rate/their.rate, "ratio")
		b.ReportMetric(our.p99.Seconds()*1e3, "p99-ms")
		b.ReportMetric(their.p99.Seconds()*1e3, "nginx-p99-ms")
		b.ReportMetric(our.p99.Seconds()/their.p99.Seconds(), "p99-ratio")
	}
	b.ReportMetric(0, "ns/op")
}

// rangesLua is wrk's script.
const rangesLua = `
local size, length, threads = %d, 1048576, 0
function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end
function init() math.randomseed(seed) end
function request()
  local at = math.random(0, size - length)
  wrk.headers["Range"] = "bytes=" .. at .. "-" .. at + length - 1
  return wrk.format("GET")
end
`

// publishedURL publishes a video of benchSize on an instance of its own and returns its address.
func publishedURL(b *testing.B, dir string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "clip.mp4")
	cmd := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=3:size=640x360:rate=30",
		"-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
	// A box that players skip makes it as large as it is to be (ISO/IEC 14496-12 §8.1.2).
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.Write(append(binary.BigEndian.AppendUint32(nil, benchSize), "free"...)); err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for n := range benchSize >> 20 {
		if n == 0 {
			_, err = f.Write(block[8:])
		} else {
			_, err = f.Write(block)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	p, err := start(b, Config{Dir: dir}, nil).Publish(b.Context(), PublishRequest{File: path, Title: "A large video"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return p.FileURLs[0]
}

// startNginx serves a data directory's media at the address it returns, until the benchmark ends.
func startNginx(b *testing.B, dir string) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	user := "" // the workers of root would be somebody else, who may not read the folder
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	temp := b.TempDir()
	conf := filepath.Join(temp, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, user, temp, address, filepath.Join(dir, publish.MediaDir)), 0o600); err != nil {
		b.Fatal(err)
	}
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx" // not in everybody's PATH
	}
	cmd := exec.Command(program, "-p", temp, "-e", filepath.Join(temp, "error.log"), "-c", conf)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatalf("nginx: %v", err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return "http://" + address
		}
		if time.Now().After(deadline) {
			b.Fatalf("nginx does not listen: %v", err)
		}
	}
}

const nginxConf = `%[1]s
daemon off;
worker_processes 2;
pid %[2]s/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  types { video/mp4 mp4; }
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  server { listen %[3]s; root %[4]s; }
}
`

func fetchAll(url string) (int64, error) {
	res, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return io.Copy(io.Discard, res.Body)
}

// wrkResult is bytes per second and what 99 of 100 requests took at most.
type wrkResult struct {
	rate float64
	p99  time.Duration
}

func runWrk(b *testing.B, script, url string) wrkResult {
	b.Helper()
	out, err := exec.Command("wrk", "-t", "2", "-c", strconv.Itoa(benchConnections), "-d", strconv.Itoa(benchSeconds)+"s",
		"--timeout", "10s", "--latency", "-s", script, url).CombinedOutput()
	if err != nil || strings.Contains(string(out), "Socket errors") || strings.Contains(string(out), "Non-2xx") {
		b.Fatalf("wrk: %v: %s", err, out)
	}
	requests := regexp.MustCompile(`Requests/sec:\s+([\d.]+)`).FindSubmatch(out)
	slow := regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`).FindSubmatch(out)
	if requests == nil || slow == nil {
		b.Fatalf("wrk says %s", out)
	}
	perSecond, err := strconv.ParseFloat(string(requests[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	p99, err := time.ParseDuration(string(slow[1]) + string(slow[2]))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%s: %.0f requests/s, p99 %s", url[:strings.LastIndexByte(url, '/')], perSecond, p99)
	return wrkResult{perSecond * (1 << 20), p99}
}

func medians(all []wrkResult) wrkResult {
	rates, slow := make([]float64, len(all)), make([]time.Duration, len(all))
	for n, r := range all {
		rates[n], slow[n] = r.rate, r.p99
	}
	slices.Sort(rates)
	slices.Sort(slow)
	return wrkResult{rates[len(all)/2], slow[len(all)/2]}
}
