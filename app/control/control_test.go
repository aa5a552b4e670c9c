// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves a data folder until the test ends; stop ends it earlier.
func start(t *testing.T, dir string, h Handler) (stop func()) {
	t.Helper()
	s, err := Listen(dir, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, h) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("serving: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the server does not end")
		}
	}
	t.Cleanup(stop)
	return stop
}

func dial(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRunStreamsOutputAndExitCode(t *testing.T) {
	dir := t.TempDir()
	big := bytes.Repeat([]byte("0123456789abcdef"), 20_000) // more than a frame and a line hold
	start(t, dir, Handler{Run: func(_ context.Context, r Request, stdout, stderr io.Writer) int {
		fmt.Fprintf(stderr, "%s in %s with %s\n", strings.Join(r.Args, " "), r.Cwd, r.Env["SHOAL_JSON"])
		_, _ = stdout.Write(big)
		return 7
	}})
	var stdout, stderr bytes.Buffer
	code, err := dial(t, dir).Run(t.Context(), Request{Args: []string{"status", "--json"}, Cwd: "/x", Env: map[string]string{"SHOAL_JSON": "1"}}, &stdout, &stderr)
	if err != nil || code != 7 {
		t.Fatalf("got code %d, error %v", code, err)
	}
	if stderr.String() != "status --json in /x with 1\n" || !bytes.Equal(stdout.Bytes(), big) {
		t.Errorf("output came out wrong: %q, %d bytes", stderr.String(), stdout.Len())
	}
}

func TestCancelReachesTheCommand(t *testing.T) {
	dir := t.TempDir()
	running := make(chan struct{})
	start(t, dir, Handler{Run: func(ctx context.Context, _ Request, stdout, _ io.Writer) int {
		close(running)
		<-ctx.Done()
		fmt.Fprint(stdout, "flushed")
		return 1
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-running; cancel() }()
	var stdout bytes.Buffer
	code, err := dial(t, dir).Run(ctx, Request{}, &stdout, io.Discard)
	if err != nil || code != 1 || stdout.String() != "flushed" {
		t.Errorf("got code %d, error %v, output %q", code, err, stdout.String())
	}
}

func TestHangingUpCancelsTheCommand(t *testing.T) {
	dir := t.TempDir()
	running, ended := make(chan struct{}), make(chan struct{})
	start(t, dir, Handler{Run: func(ctx context.Context, _ Request, _, _ io.Writer) int {
		close(running)
		<-ctx.Done()
		close(ended)
		return 1
	}})
	c := dial(t, dir)
	go func() { <-running; _ = c.Close() }()
	if _, err := c.Run(t.Context(), Request{}, io.Discard, io.Discard); err == nil {
		t.Error("no error after hanging up")
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the command goes on")
	}
}

func TestStoppingTheServerCancelsCommandsAndRemovesTheSocket(t *testing.T) {
	dir := t.TempDir()
	running := make(chan struct{})
	stop := start(t, dir, Handler{Run: func(ctx context.Context, _ Request, _, _ io.Writer) int {
		close(running)
		<-ctx.Done()
		return 1
	}})
	go func() { <-running; stop() }()
	code, err := dial(t, dir).Run(t.Context(), Request{}, io.Discard, io.Discard)
	if err != nil || code != 1 {
		t.Errorf("got code %d, error %v", code, err)
	}
	stop()
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNoHolder) {
		t.Errorf("dialling a stopped holder: %v", err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	got := make(chan string, 1)
	start(t, dir, Handler{Open: func(arg string) error {
		if arg == "bad" {
			return errors.New("this is no address")
		}
		got <- arg
		return nil
	}})
	if code, err := dial(t, dir).Open(t.Context(), "magnet:?xt=x", io.Discard); err != nil || code != 0 {
		t.Errorf("got code %d, error %v", code, err)
	}
	if arg := <-got; arg != "magnet:?xt=x" {
		t.Errorf("the window got %q", arg)
	}
	var stderr bytes.Buffer
	if code, err := dial(t, dir).Open(t.Context(), "bad", &stderr); err != nil || code != 1 || stderr.String() != "this is no address\n" {
		t.Errorf("got code %d, error %v, %q", code, err, stderr.String())
	}
}

func TestOpenWithoutAWindowSaysSo(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, Handler{})
	var stderr bytes.Buffer
	code, err := dial(t, dir).Open(t.Context(), "", &stderr)
	if err != nil || code != 1 || !strings.Contains(stderr.String(), "without a window") {
		t.Errorf("got code %d, error %v, %q", code, err, stderr.String())
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNoHolder) {
		t.Errorf("dialling a stale socket: %v", err)
	}
	start(t, dir, Handler{})
	dial(t, dir)
}

func TestALongPathGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	runtimeDir, err := os.MkdirTemp("", "rt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtimeDir) })
	// What a killed holder left is cleaned up.
	if _, err := place(dir, runtimeDir); err != nil {
		t.Fatal(err)
	}
	s, err := Listen(dir, runtimeDir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if socket := find(dir); len(socket) > maxSocketPath || filepath.Dir(filepath.Dir(socket)) != runtimeDir {
		t.Errorf("the socket is at %q", socket)
	}
	c := dial(t, dir)
	_ = c.Close()
	if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(runtimeDir); len(left) != 0 {
		t.Errorf("%d entries are left in the runtime folder", len(left))
	}
}

func TestTheSocketIsPrivate(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, Handler{})
	info, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
}

func TestGarbageIsAnswered(t *testing.T) {
	for name, line := range map[string]string{
		"no JSON":      "hello\n",
		"two requests": `{"run":{"args":[]},"open":{"argument":""}}` + "\n",
		"unknown":      `{"fly":true}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			start(t, dir, Handler{})
			conn, err := net.Dial("unix", find(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, line); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.Contains(string(answer), `"exit":2`) {
				t.Errorf("got %q, error %v", answer, err)
			}
		})
	}
}

func TestAnEndlessLineIsHungUpOn(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, Handler{})
	conn, err := net.Dial("unix", find(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	chunk := bytes.Repeat([]byte("a"), 64<<10)
	for range 64 {
		if _, err := conn.Write(chunk); err != nil {
			return // hung up
		}
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the server goes on listening: %v", err)
	}
}
