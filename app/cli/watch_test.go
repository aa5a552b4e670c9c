// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
)

// webSeed serves content as a video with a torrent; it returns the .torrent file's path and the
// content's SHA-256.
func webSeed(t *testing.T, content []byte) (torrent, sum string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clip.mp4"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	info := metainfo.Info{PieceLength: 64 << 10}
	if err := info.BuildFromFilePath(filepath.Join(dir, "clip.mp4")); err != nil {
		t.Fatal(err)
	}
	raw, err := bencode.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	mi := metainfo.MetaInfo{InfoBytes: raw, UrlList: []string{server.URL + "/clip.mp4"}}
	if err := mi.Write(&file); err != nil {
		t.Fatal(err)
	}
	torrent = filepath.Join(t.TempDir(), "clip.torrent")
	if err := os.WriteFile(torrent, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(content)
	return torrent, hex.EncodeToString(hash[:])
}

func noise(n int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	content := make([]byte, n)
	_, _ = random.Read(content) // never fails
	return content
}

func TestWatchStreamsAndReports(t *testing.T) {
	content := noise(2_500_000)
	torrent, sum := webSeed(t, content)
	data := t.TempDir()
	out := filepath.Join(t.TempDir(), "out.mp4")
	code, stdout, stderr := call(t, nil, "watch", torrent, "--json", "--out", out, "--sources", "webseed", "--data", data)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	list := events(t, stdout)
	if first := list[0]; first["event"] != "metadata" || first["bytes"] != 2_500_000.0 || first["name"] != "clip.mp4" {
		t.Errorf("began with %v", first)
	}
	done := list[len(list)-1]
	by, _ := done["bySource"].(map[string]any)
	if done["event"] != "done" || done["complete"] != true || done["sha256"] != sum || done["bytes"] != 2_500_000.0 ||
		by["webseed"] != 2_500_000.0 || by["webrtc"] != 0.0 || by["tcp"] != 0.0 || by["utp"] != 0.0 {
		t.Errorf("ended with %v", done)
	}
	for _, key := range []string{"infohash", "firstByteMs", "firstMegabyteMs", "stalls", "stalledMs", "wasted"} {
		if _, ok := done[key]; !ok {
			t.Errorf("done has no %s", key)
		}
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, content) {
		t.Errorf("--out holds %d bytes, %v", len(got), err)
	}
	// What is here is not fetched again, and the folder tells what it holds.
	code, stdout, _ = call(t, nil, "watch", torrent, "--json", "--data", data)
	list = events(t, stdout)
	done = list[len(list)-1]
	if by, _ := done["bySource"].(map[string]any); code != 0 || done["sha256"] != sum || by["webseed"] != 0.0 {
		t.Errorf("exit code %d, %v", code, done)
	}
	_, stdout, _ = call(t, nil, "status", "--json", "--data", data)
	swarms, _ := events(t, stdout)[0]["swarms"].([]any)
	if len(swarms) != 1 || swarms[0].(map[string]any)["complete"] != true {
		t.Errorf("the status holds %v", swarms)
	}
}

func TestWatchToStdout(t *testing.T) {
	content := noise(300_000)
	torrent, _ := webSeed(t, content)
	code, stdout, stderr := call(t, nil, "watch", torrent, "--out", "-", "--data", t.TempDir())
	if code != 0 || stdout != string(content) {
		t.Errorf("exit code %d, %d bytes, stderr %q", code, len(stdout), stderr)
	}
}

func TestWatchFromTheMiddleWithoutTimesIsSaid(t *testing.T) {
	torrent, _ := webSeed(t, noise(300_000))
	code, stdout, stderr := call(t, nil, "watch", torrent, "--json", "--from", "10", "--data", t.TempDir())
	list := events(t, stdout)
	if last := list[len(list)-1]; code != 1 || last["code"] != "notMedia" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, %v, stderr %q", code, last, stderr)
	}
}

func TestASwarmWithoutAVideoIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	info := metainfo.Info{PieceLength: 64 << 10}
	if err := info.BuildFromFilePath(filepath.Join(dir, "notes.txt")); err != nil {
		t.Fatal(err)
	}
	raw, err := bencode.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := (&metainfo.MetaInfo{InfoBytes: raw}).Write(&file); err != nil {
		t.Fatal(err)
	}
	torrent := filepath.Join(dir, "notes.torrent")
	if err := os.WriteFile(torrent, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := call(t, nil, "watch", torrent, "--json", "--data", t.TempDir())
	if list := events(t, stdout); code != 1 || list[0]["code"] != "notMedia" {
		t.Errorf("exit code %d, %v", code, list)
	}
}

// shared is a buffer that is read while it is written.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func TestCommandsRunInTheProcessThatHoldsTheFolder(t *testing.T) {
	torrent, sum := webSeed(t, noise(700_000))
	data := t.TempDir()
	var stdout, stderr shared
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, Env{Args: []string{"seed", torrent, "--json", "--data", data}, Stdout: &stdout, Stderr: &stderr, Cwd: data})
	}()
	waitFor(t, func() bool { return strings.Contains(stdout.String(), `"event":"ready"`) })
	// These find the folder in use and reach its holder over the socket.
	waitFor(t, func() bool {
		code, out, errs := call(t, nil, "status", "--json", "--data", data)
		if code != 0 {
			t.Fatalf("exit code %d, stderr %q", code, errs)
		}
		s := events(t, out)[0]
		swarms, _ := s["swarms"].([]any)
		return s["mode"].([]any)[0] == "viewer" && len(swarms) == 1 && swarms[0].(map[string]any)["complete"] == true
	})
	code, out, errs := call(t, nil, "watch", torrent, "--json", "--data", data)
	list := events(t, out)
	if last := list[len(list)-1]; code != 0 || last["sha256"] != sum {
		t.Errorf("exit code %d, %v, stderr %q", code, last, errs)
	}
	code, _, errs = call(t, nil, "publish", torrent, "--title", "Nope", "--data", data)
	if code != 1 || !strings.Contains(errs, "no instance") {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	code, _, errs = call(t, nil, "serve", "--listen", "127.0.0.1:0", "--dev", "--data", data)
	if code != 1 || !strings.Contains(errs, "in use") {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	code, _, errs = call(t, nil, torrent, "--data", data)
	if code != 1 || !strings.Contains(errs, "without a window") {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	cancel()
	select {
	case code := <-ended:
		if code != 0 || stderr.String() != "" {
			t.Errorf("seed ended with %d, stderr %q", code, stderr.String())
		}
	case <-time.After(20 * time.Second):
		t.Error("seed does not end")
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
