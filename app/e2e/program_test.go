// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// clips are made once for all tests.
var clips struct {
	dir  string
	mu   sync.Mutex
	made map[string]string
}

// clip makes a video with ffmpeg: size as 640x360, so many seconds long, at a bitrate in bits per
// second that noise makes sure of. The index is at the front unless flags say otherwise.
func clip(t testing.TB, size string, seconds, bitrate int) string {
	t.Helper()
	clips.mu.Lock()
	defer clips.mu.Unlock()
	name := fmt.Sprintf("%s-%ds-%d.mp4", size, seconds, bitrate)
	if path := clips.made[name]; path != "" {
		return path
	}
	path, length, rate := filepath.Join(clips.dir, name), fmt.Sprint(seconds), fmt.Sprint(bitrate)
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size="+size+":rate=30:duration="+length,
		"-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000:duration="+length,
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-nal-hrd", "cbr",
		"-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-c:a", "aac", "-b:a", "96k",
		"-movflags", "+faststart", path)
	if clips.made == nil {
		clips.made = make(map[string]string)
	}
	clips.made[name] = path
	return path
}

func ffmpeg(t testing.TB, args ...string) {
	t.Helper()
	args = append([]string{"-nostdin", "-y", "-v", "error"}, args...)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

// small is a clip of 3 MB.
func small(t testing.TB) string { return clip(t, "640x360", 6, 4_000_000) }

func sumOf(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return hexSum(data)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func sizeOf(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// bySource counts bytes or peers by how they came.
type bySource struct {
	WebRTC  int64 `json:"webrtc"`
	TCP     int64 `json:"tcp"`
	UTP     int64 `json:"utp"`
	WebSeed int64 `json:"webseed"`
}

func (b bySource) sum() int64 { return b.WebRTC + b.TCP + b.UTP + b.WebSeed }

// of is the count of one source.
func (b bySource) of(source string) int64 {
	return map[string]int64{"webrtc": b.WebRTC, "tcp": b.TCP, "utp": b.UTP, "webseed": b.WebSeed}[source]
}

// done is the end of watch.
type done struct {
	Complete  bool     `json:"complete"`
	Infohash  string   `json:"infohash"`
	Bytes     int64    `json:"bytes"`
	SHA256    string   `json:"sha256"`
	BySource  bySource `json:"bySource"`
	FirstByte int64    `json:"firstByteMs"`
	FirstMB   int64    `json:"firstMegabyteMs"`
}

// problem is why a command failed.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// swarmStatus is a swarm in status.
type swarmStatus struct {
	Infohash   string   `json:"infohash"`
	Name       string   `json:"name"`
	Bytes      int64    `json:"bytes"`
	Completed  int64    `json:"completed"`
	Complete   bool     `json:"complete"`
	Peers      bySource `json:"peers"`
	Uploaded   bySource `json:"uploaded"`
	Downloaded bySource `json:"downloaded"`
}

// swarms asks a data folder for its swarms.
func swarms(t testing.TB, h home, data string) []swarmStatus {
	t.Helper()
	r := call(t, h, "status", "--json", "--data", data)
	if r.code != 0 {
		t.Fatalf("status: exit code %d, stderr %q", r.code, r.stderr)
	}
	var s struct {
		Swarms []swarmStatus `json:"swarms"`
	}
	r.last(t, "status").into(t, &s)
	return s.Swarms
}

// settings writes a data folder's settings file.
func settings(t testing.TB, data, toml string) {
	t.Helper()
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "config.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
}

// server is an instance.
type server struct {
	*process
	home home
	data string
	url  string
}

// serve starts an instance on the loopback and waits until it answers.
func serve(t testing.TB, h home, data string) *server {
	t.Helper()
	s := &server{home: h, data: data}
	s.process = start(t, h, "serve", "--listen", "127.0.0.1:0", "--dev", "--json", "--data", data)
	var ready struct{ URL, Listen, Actor, Account, Channel string }
	s.event("ready", shortWait).into(t, &ready)
	for name, v := range map[string]string{"url": ready.URL, "listen": ready.Listen, "actor": ready.Actor, "account": ready.Account, "channel": ready.Channel} {
		if v == "" {
			t.Errorf("ready has no %s", name)
		}
	}
	s.url = ready.URL
	return s
}

// video is a published video.
type video struct {
	UUID       string   `json:"uuid"`
	ShortUUID  string   `json:"shortUUID"`
	URL        string   `json:"url"`
	WatchPage  string   `json:"watchPage"`
	Magnet     string   `json:"magnet"`
	Infohash   string   `json:"infohash"`
	TorrentURL string   `json:"torrentUrl"`
	FileURLs   []string `json:"fileUrls"`
	Bytes      int64    `json:"bytes"`
}

// publish publishes a file.
func (s *server) publish(t testing.TB, file, title string) video {
	t.Helper()
	r := call(t, s.home, "publish", file, "--title", title, "--json", "--data", s.data)
	if r.code != 0 {
		t.Fatalf("publish: exit code %d, stderr %q", r.code, r.stderr)
	}
	var v video
	r.last(t, "published").into(t, &v)
	return v
}

// total is how many videos the instance lists.
func (s *server) total(t testing.TB) int {
	t.Helper()
	var list struct{ Total int }
	if err := json.Unmarshal(get(t, s.url+"/api/v1/videos", http.StatusOK), &list); err != nil {
		t.Fatal(err)
	}
	return list.Total
}

// get asks for a small document and checks the answer's status.
func get(t testing.TB, url string, status int) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shortWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: shortWait}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%s: status %d, %v, %q", url, resp.StatusCode, err, tail(string(body)))
	}
	return body
}

// since logs how long a part took.
func since(t testing.TB, what string, began time.Time) {
	t.Helper()
	t.Logf("%s: %s", what, time.Since(began).Round(10*time.Millisecond))
}
