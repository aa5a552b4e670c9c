// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFilesThatAreNoVideo publishes what cannot be published; what was there stays.
func TestFilesThatAreNoVideo(t *testing.T) {
	h := newHome(t)
	s := serve(t, h, filepath.Join(h.dir, "a"))
	good := s.publish(t, small(t), "Good")
	before := media(t, s.data)

	whole, err := os.ReadFile(small(t))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(h.dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	atEnd := filepath.Join(h.dir, "whole.mp4")
	ffmpeg(t, "-i", small(t), "-c", "copy", atEnd) // its index comes last
	unfinished, err := os.ReadFile(atEnd)
	if err != nil {
		t.Fatal(err)
	}
	sound := filepath.Join(h.dir, "sound.mp4")
	ffmpeg(t, "-i", small(t), "-vn", "-c", "copy", sound)

	for name, path := range map[string]string{
		"text":              write("text.mp4", []byte(strings.Repeat("this is no video\n", 100))),
		"empty":             write("empty.mp4", nil),
		"cut off":           write("cut.mp4", whole[:len(whole)/2]),
		"without its index": write("unfinished.mp4", unfinished[:len(unfinished)-len(unfinished)/4]),
		"noise":             write("noise.mp4", whole[len(whole)/2:]),
		"sound alone":       sound,
		"a folder":          h.dir,
		"missing":           filepath.Join(h.dir, "none.mp4"),
	} {
		t.Run(name, func(t *testing.T) {
			r := call(t, h, "publish", path, "--title", "Bad", "--json", "--data", s.data)
			message := checkFailure(t, r, "failed")
			if !strings.Contains(message, filepath.Base(path)) {
				t.Errorf("the file is not named: %q", message)
			}
		})
	}
	if n := s.total(t); n != 1 {
		t.Errorf("%d videos are listed", n)
	}
	if after := media(t, s.data); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("files are %v, they were %v", after, before)
	}
	if got := get(t, good.FileURLs[0], http.StatusOK); hexSum(got) != sumOf(t, small(t)) {
		t.Error("the good video is not what it was")
	}
	s.publish(t, small(t), "Good again")
}

// media lists the files of an instance's videos, with their sizes.
func media(t testing.TB, data string) (list []string) {
	t.Helper()
	for _, dir := range []string{"media", "torrents", "thumbnails", "previews"} {
		err := filepath.WalkDir(filepath.Join(data, dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				list = append(list, fmt.Sprint(path, sizeOf(t, path)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// answer is a handler of a few words.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the client may be gone
	}
}

// TestInstancesThatAreNone watches at servers that answer anything but PeerTube's API.
func TestInstancesThatAreNone(t *testing.T) {
	quit := make(chan struct{})
	t.Cleanup(func() { close(quit) })
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		block := []byte(`{"name":"` + strings.Repeat("x", 64<<10))
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-quit:
				return
			case <-r.Context().Done():
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	video := func(fields string) http.HandlerFunc {
		return answer(http.StatusOK, "application/json", `{"id":1,"uuid":"5d52ad5c-6a70-4b6c-a0ab-cd1f0b1dcb09","shortUUID":"cBm5m3dCNtT6cGjHcC5Mnz","name":"A video","duration":3`+fields+`}`)
	}
	const file = `{"id":1,"resolution":{"id":720,"label":"720p"},"size":1000,"fps":30`
	for _, test := range []struct {
		name, code string
		handler    http.HandlerFunc
	}{
		{"a web page", "notPeerTube", answer(http.StatusOK, "text/html", "<!doctype html><title>Hello</title>")},
		{"not found", "notFound", answer(http.StatusNotFound, "application/json", `{"status":404,"detail":"Video not found"}`)},
		{"an error", "server", answer(http.StatusInternalServerError, "text/plain", "oops")},
		{"nothing at all", "timeout", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-quit:
			case <-r.Context().Done():
			}
		}},
		{"a body that never ends", "tooLarge", endless},
		{"a body that trickles", "timeout", slow},
		{"a circle", "redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }},
		{"a connection that breaks", "unreachable", func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		}},
		{"half a document", "notPeerTube", answer(http.StatusOK, "application/json", `{"uuid":"5d52`)},
		{"a list", "notPeerTube", answer(http.StatusOK, "application/json", `[1,2,3]`)},
		{"a video without files", "notPlayable", video(`,"files":[],"streamingPlaylists":[]`)},
		{"a magnet without infohash", "notPlayable", video(`,"files":[` + file + `,"magnetUri":"magnet:?dn=x"}]`)},
		{"a torrent that is a page", "notPlayable", video(`,"files":[` + file + `,"torrentUrl":"/t.torrent"}]`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.CloseClientConnections)
			h := newHome(t)
			r := call(t, h, "watch", server.URL+"/w/cBm5m3dCNtT6cGjHcC5Mnz", "--timeout", "6s", "--json", "--data", filepath.Join(h.dir, "b"))
			checkFailure(t, r, test.code)
			if list := swarms(t, h, filepath.Join(h.dir, "b")); len(list) != 0 {
				t.Errorf("the folder holds %+v", list)
			}
		})
	}
}

// TestLinksThatLeadNowhere gives what cannot be a link.
func TestLinksThatLeadNowhere(t *testing.T) {
	h := newHome(t)
	for name, test := range map[string]struct{ address, code string }{
		"a magnet without infohash":    {"magnet:?dn=x&tr=ws://127.0.0.1:1/", "badInput"},
		"a magnet with half of one":    {"magnet:?xt=urn:btih:0123456789", "badInput"},
		"a magnet that is no magnet":   {"magnet:", "badInput"},
		"another protocol":             {"ftp://example.org/video", "badURL"},
		"a torrent file that is none":  {filepath.Join(h.dir, "bad.torrent"), "badInput"},
		"a torrent file that is empty": {filepath.Join(h.dir, "empty.torrent"), "notMedia"},
	} {
		t.Run(name, func(t *testing.T) {
			for file, text := range map[string]string{"bad.torrent": "d8:announce", "empty.torrent": ""} {
				if err := os.WriteFile(filepath.Join(h.dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			checkFailure(t, call(t, h, "watch", test.address, "--json", "--timeout", "20s", "--data", filepath.Join(h.dir, "b")), test.code)
		})
	}
	t.Run("out to nowhere", func(t *testing.T) {
		r := call(t, h, "watch", "magnet:?xt=urn:btih:0123456789012345678901234567890123456789", "--out", filepath.Join(h.dir, "none", "x.mp4"),
			"--json", "--timeout", "20s", "--data", filepath.Join(h.dir, "b"))
		checkFailure(t, r, "badInput")
	})
}

// TestServeRefuses starts instances that cannot be; the folders still work afterwards.
func TestServeRefuses(t *testing.T) {
	h := newHome(t)
	a := filepath.Join(h.dir, "a")
	refused := func(t *testing.T, code string, args ...string) string {
		t.Helper()
		return checkFailure(t, call(t, h, append([]string{"serve", "--json"}, args...)...), code)
	}
	t.Run("development for the public", func(t *testing.T) {
		refused(t, "failed", "--dev", "--url", "https://video.example.org", "--listen", "127.0.0.1:0", "--data", a)
	})
	t.Run("no secure address", func(t *testing.T) {
		refused(t, "failed", "--url", "http://video.example.org", "--listen", "127.0.0.1:0", "--data", a)
	})
	t.Run("no address", func(t *testing.T) {
		refused(t, "failed", "--url", "video", "--listen", "127.0.0.1:0", "--data", a)
	})
	s := serve(t, h, a) // the folder belongs to no address yet
	v := s.publish(t, small(t), "Mine")

	t.Run("port taken", func(t *testing.T) {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		if m := refused(t, "failed", "--dev", "--listen", l.Addr().String(), "--data", filepath.Join(h.dir, "other")); !strings.Contains(m, l.Addr().String()) {
			t.Errorf("the port is not named: %q", m)
		}
	})
	t.Run("folder in use", func(t *testing.T) {
		refused(t, "inUse", "--dev", "--listen", "127.0.0.1:0", "--data", a)
	})
	t.Run("folder is a file", func(t *testing.T) {
		file := filepath.Join(h.dir, "file")
		if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, "folder", "--dev", "--listen", "127.0.0.1:0", "--data", file)
		if data, err := os.ReadFile(file); err != nil || string(data) != "kept" {
			t.Errorf("the file holds %q, %v", data, err)
		}
	})
	t.Run("settings that are none", func(t *testing.T) {
		bad := filepath.Join(h.dir, "bad")
		settings(t, bad, "listen = [\n")
		refused(t, "badConfig", "--dev", "--listen", "127.0.0.1:0", "--data", bad)
	})
	t.Run("database that is none", func(t *testing.T) {
		bad := filepath.Join(h.dir, "broken")
		settings(t, bad, "")
		text := []byte(strings.Repeat("no database ", 4000))
		if err := os.WriteFile(filepath.Join(bad, "instance.db"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, "failed", "--dev", "--listen", "127.0.0.1:0", "--data", bad)
		if data, err := os.ReadFile(filepath.Join(bad, "instance.db")); err != nil || string(data) != string(text) {
			t.Error("the file was changed")
		}
	})
	if code := s.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	t.Run("another address", func(t *testing.T) {
		refused(t, "failed", "--dev", "--url", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--data", a)
	})
	again := serve(t, h, a)
	if got := get(t, v.FileURLs[0], http.StatusOK); again.total(t) != 1 || hexSum(got) != sumOf(t, small(t)) {
		t.Error("the video is not what it was")
	}
}

// TestReadOnlyFolder starts the program as a user who may not write to the data folder.
func TestReadOnlyFolder(t *testing.T) {
	h := newHome(t)
	data, used := filepath.Join(h.dir, "b"), filepath.Join(h.dir, "used")
	for _, dir := range []string{data, used} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if r := call(t, h, "watch", "magnet:?xt=urn:btih:0123456789012345678901234567890123456789", "--timeout", "1s", "--data", used); r.code != 1 {
		t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
	}
	for name, dir := range map[string]string{"new": data, "used before": used, "to be made": filepath.Join(data, "deeper")} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(program, "watch", "magnet:?xt=urn:btih:0123456789012345678901234567890123456789", "--timeout", "5s", "--json", "--data", dir)
			cmd.Env, cmd.Dir = h.environ(), "/"
			asNobody(t, cmd, h.dir, data, used)
			p := startCommand(t, cmd)
			code := p.wait(shortWait)
			checkFailure(t, result{code: code, stdout: p.out.String(), stderr: p.err.String(), events: p.events()}, "folder")
		})
	}
}

// asNobody lets a child run without the right to write to folders: root has it everywhere.
func asNobody(t testing.TB, cmd *exec.Cmd, parent string, dirs ...string) {
	t.Helper()
	if os.Geteuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		// The folders' names can be looked up on the way.
		for dir := parent; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, dir := range dirs {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	}
}

// TestUsage checks that wrong usage is 2 and harms nothing.
func TestUsage(t *testing.T) {
	h := newHome(t)
	for _, args := range [][]string{{"publish"}, {"serve", "--nonsense"}, {"watch", "x", "--sources", "pigeon"}} {
		r := call(t, h, append(args, "--json", "--data", filepath.Join(h.dir, "b"))...)
		if r.code != 2 || strings.Count(r.stderr, "\n") != 1 || len(r.events) != 1 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, r.code, r.stdout, r.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(h.dir, "b")); err == nil {
		t.Error("wrong usage made a data folder")
	}
}
