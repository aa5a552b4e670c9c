// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shoal/app/config"
)

// open opens a program on a folder of the test, on the loopback alone.
func open(t *testing.T, dir string, o Options) *App {
	t.Helper()
	store, err := config.Load(filepath.Join(dir, config.FileName), nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Config, o.DataDir, o.Local, o.Version = store, dir, true, "test"
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// serve runs a program until the test ends.
func serve(t *testing.T, a *App) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("running: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the program does not end")
		}
	})
}

func TestServicesEndInReverseOrder(t *testing.T) {
	var mu sync.Mutex
	var order []string
	service := func(name string) Service {
		return Service{Name: name, Serve: func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return nil
		}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := supervise(ctx, slog.New(slog.DiscardHandler), []Service{service("a"), service("b"), service("c")}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"c", "b", "a"}) {
		t.Errorf("ended in the order %v", order)
	}
}

func TestAServiceThatFailsEndsTheProgram(t *testing.T) {
	broken := errors.New("broken")
	wait := Service{Name: "wait", Serve: func(ctx context.Context) error { <-ctx.Done(); return nil }}
	for name, test := range map[string]struct {
		err  error
		want string
	}{"with an error": {broken, "broken"}, "by itself": {nil, "ended by itself"}} {
		t.Run(name, func(t *testing.T) {
			failing := Service{Name: "failing", Serve: func(context.Context) error { return test.err }}
			err := supervise(t.Context(), slog.New(slog.DiscardHandler), []Service{wait, failing, wait})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOneProcessOnAFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := takeLock(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(dir); !errors.Is(err, ErrInUse) || CodeOf(err) != CodeInUse || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	second, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.release(); err != nil {
		t.Error(err)
	}
}

func TestAFileIsNoDataFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(path); CodeOf(err) != CodeFolder || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("got %v", err)
	}
}

func TestOnThisMachine(t *testing.T) {
	for addr, want := range map[string]bool{
		"http://127.0.0.1:9000/w/x": true, "localhost:9000": true, "http://[::1]/": true, "127.0.0.2": true,
		"https://video.example.org": false, "video.example.org": false, "192.168.1.1:9000": false, "": false,
		"magnet:?xt=urn:btih:0&tr=ws%3A%2F%2F127.0.0.1%3A9000%2Ftracker%2Fsocket": true,
		"magnet:?xt=urn:btih:0&tr=wss%3A%2F%2Fa.example%2F":                       false,
	} {
		if got := OnThisMachine(addr); got != want {
			t.Errorf("%q: got %v", addr, got)
		}
	}
}

func TestLocalPath(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clip.mp4")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"clip.mp4": file, "./clip.mp4": file, file: file, "file://" + file: file, "none.mp4": filepath.Join(dir, "none.mp4"),
		"video.example.org": "", "https://video.example.org/x.mp4": "", "magnet:?xt=urn:btih:x": "",
		"0123456789012345678901234567890123456789": "",
	} {
		got, ok := LocalPath(arg, dir)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, %v", arg, got, ok)
		}
	}
}

func TestResolveWithoutAnInstance(t *testing.T) {
	dir := t.TempDir()
	a := open(t, filepath.Join(dir, "data"), Options{})
	serve(t, a)
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct{ arg, code string }{
		"empty":          {" ", CodeBadInput},
		"no infohash":    {"magnet:?dn=x", CodeBadInput},
		"text":           {write("text.mp4", "hello there"), CodeNotMedia},
		"empty file":     {write("empty.mp4", ""), CodeNotMedia},
		"broken torrent": {write("x.torrent", "d4:infoe"), CodeBadInput},
		"missing":        {filepath.Join(dir, "none.mp4"), CodeNotFound},
		"folder":         {dir, CodeBadInput},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Resolve(t.Context(), test.arg)
			if CodeOf(err) != test.code || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, %v", CodeOf(err), err)
			}
		})
	}
	r, err := a.Resolve(t.Context(), "0123456789012345678901234567890123456789")
	if err != nil || r.Kind != KindSwarm {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestALocalFilePlaysAndStreamsOnTheLoopback(t *testing.T) {
	dir := t.TempDir()
	a := open(t, filepath.Join(dir, "data"), Options{})
	serve(t, a)
	path := filepath.Join(dir, "clip.mp4")
	content := append([]byte{0, 0, 0, 16}, "ftypisom00000000 the rest of the video"...)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := a.Watch(t.Context(), path, WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	media, err := s.OpenVideo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(media); err != nil || string(got) != string(content) || media.Size() != int64(len(content)) {
		t.Errorf("read %q, %v", got, err)
	}
	media.Cancel()
	if _, err := media.Read(make([]byte, 1)); err == nil {
		t.Error("a cancelled file is read")
	}
	if err := media.Close(); err != nil {
		t.Error(err)
	}
	address, err := a.StreamURL(s)
	if err != nil {
		t.Fatal(err)
	}
	body := func(url string) (int, string) {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("any web page may read the stream")
		}
		return resp.StatusCode, string(data)
	}
	if code, data := body(address); code != http.StatusOK || data != string(content) {
		t.Errorf("the loopback gives %d %q", code, data)
	}
	if code, _ := body(strings.Replace(address, s.token, "guess", 1)); code != http.StatusNotFound {
		t.Errorf("a guessed path gives %d", code)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if code, _ := body(address); code != http.StatusNotFound {
		t.Errorf("a closed session gives %d", code)
	}
}

func TestWhatIsHandedOverWaitsForTheWindow(t *testing.T) {
	a := &App{options: Options{Window: true}}
	if err := a.Show("early"); err != nil {
		t.Fatal(err)
	}
	var got []string
	a.OnOpen(func(arg string) { got = append(got, arg) })
	if err := a.Show("late"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []string{"early", "late"}) {
		t.Errorf("the window got %v", got)
	}
	if err := (&App{}).Show("x"); CodeOf(err) != CodeInUse {
		t.Errorf("got %v", err)
	}
}
