// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Deadlines. None is a measure of speed: they end a test that hangs.
const (
	shortWait = 60 * time.Second
	longWait  = 150 * time.Second
	// endWait is the contract's: SIGTERM ends the program within it.
	endWait = 10 * time.Second
)

// home is where a child's own files go; no test touches those of whoever runs it.
type home struct{ dir string }

func newHome(t testing.TB) home {
	t.Helper()
	return home{t.TempDir()}
}

// environ is the environment of a child: that of the test without Shoal's variables and displays.
func (h home) environ(more ...string) []string {
	drop := []string{"SHOAL_", "DISPLAY=", "WAYLAND_DISPLAY=", "XDG_", "HOME=", "TMPDIR=", "FYNE_"}
	var env []string
next:
	for _, kv := range os.Environ() {
		for _, prefix := range drop {
			if strings.HasPrefix(kv, prefix) {
				continue next
			}
		}
		env = append(env, kv)
	}
	env = append(env, "HOME="+h.dir, "XDG_RUNTIME_DIR="+h.dir, "TMPDIR="+h.dir)
	return append(env, more...)
}

// process is a started child.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{} // closed once it has ended and all its output was read
	code  int           // valid after ended
	quiet bool          // a command that was read already

	out, err *recording
}

// recording keeps what a child writes.
type recording struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps p.
func (r *recording) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *recording) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// start starts the program.
func start(t testing.TB, h home, args ...string) *process {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir = h.environ(), h.dir
	return startCommand(t, cmd)
}

// startCommand starts a child that does not outlive the test.
func startCommand(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, ended: make(chan struct{}), out: &recording{}, err: &recording{}}
	cmd.Stdout, cmd.Stderr = p.out, p.err
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd, err)
	}
	go func() {
		defer close(p.ended)
		err := cmd.Wait()
		p.code = cmd.ProcessState.ExitCode()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.code = -2
		}
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() && !p.quiet {
			t.Logf("%s: exit code %d\nstdout: %s\nstderr: %s", cmd, p.code, tail(p.out.String()), tail(p.err.String()))
		}
	})
	return p
}

func tail(text string) string {
	const most = 3000
	if len(text) > most {
		return "… " + text[len(text)-most:]
	}
	return text
}

// kill ends the child at once, as a crash would.
func (p *process) kill() {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Kill() // it may have ended meanwhile
		<-p.ended
	}
}

// wait returns the exit code.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.t.Fatalf("%s has not ended after %s", p.cmd, limit)
	}
	return p.code
}

// terminate sends SIGTERM and returns the exit code.
func (p *process) terminate() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("%s: %v", p.cmd, err)
	}
	return p.wait(endWait)
}

// events are the JSON lines so far. Anything else on stdout fails the test.
func (p *process) events() []event {
	p.t.Helper()
	return eventsOf(p.t, p.out.String())
}

// event waits for a line of a kind.
func (p *process) event(name string, limit time.Duration) event {
	p.t.Helper()
	var found event
	within(p.t, limit, "the event "+name+" of "+p.cmd.String(), func() bool {
		over := false
		select {
		case <-p.ended:
			over = true
		default:
		}
		for _, e := range p.events() {
			if e.name() == name {
				found = e
				return true
			}
		}
		if over {
			p.t.Fatalf("%s ended with %d before the event %s", p.cmd, p.code, name)
		}
		return false
	})
	return found
}

// event is a line of --json.
type event struct{ raw json.RawMessage }

func (e event) name() string {
	var head struct {
		Event string `json:"event"`
	}
	_ = json.Unmarshal(e.raw, &head) // "" is no event's name
	return head.Event
}

// into decodes an event.
func (e event) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(e.raw, v); err != nil {
		t.Fatalf("reading %s: %v", e.raw, err)
	}
}

// keys are the fields that an event has.
func (e event) keys(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	e.into(t, &m)
	return m
}

// eventsOf splits whole lines.
func eventsOf(t testing.TB, text string) []event {
	t.Helper()
	var list []event
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			break // still being written
		}
		e := event{json.RawMessage(strings.TrimSpace(line))}
		if !json.Valid(e.raw) || e.name() == "" {
			t.Fatalf("stdout holds a line that is no event: %q", line)
		}
		list = append(list, e)
	}
	return list
}

// result is what a command that ended left.
type result struct {
	code           int
	stdout, stderr string
	events         []event
}

// call runs a command to its end; with --json its stdout is read.
func call(t testing.TB, h home, args ...string) result {
	t.Helper()
	p := start(t, h, args...)
	p.quiet = true
	r := result{code: p.wait(longWait), stdout: p.out.String(), stderr: p.err.String()}
	for _, arg := range args {
		if arg == "--json" {
			r.events = eventsOf(t, r.stdout)
		}
	}
	return r
}

// last returns the last event of a kind.
func (r result) last(t testing.TB, name string) event {
	t.Helper()
	for i := len(r.events) - 1; i >= 0; i-- {
		if r.events[i].name() == name {
			return r.events[i]
		}
	}
	t.Fatalf("no event %s: exit code %d, stdout %q, stderr %q", name, r.code, tail(r.stdout), tail(r.stderr))
	return event{}
}

// within waits until a condition holds.
func within(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", limit, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
