// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e && linux

package nattest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience ends a test that hangs; it is no measure of speed.
const patience = 50 * time.Second

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(child(role))
	}
	if err := canMakeNamespaces(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func canMakeNamespaces() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("these tests make network namespaces: run them as root")
	}
	for _, program := range []string{"ip", "iptables-legacy"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing: run .ci/deps.sh test", program)
		}
	}
	return nil
}

// serial makes names unique in this process; its id does so on the machine.
var serial atomic.Int64

// lab is a set of namespaces that go with the test.
type lab struct {
	t    *testing.T
	name string
}

func newLab(t *testing.T, spaces ...string) *lab {
	t.Helper()
	l := &lab{t: t, name: fmt.Sprintf("shoal%d-%d", os.Getpid(), serial.Add(1))}
	for _, space := range spaces {
		l.run("ip", "netns", "add", l.space(space))
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.space(space)).Run() }) // no more than untidy
		l.ip(space, "link", "set", "lo", "up")
	}
	return l
}

func (l *lab) space(name string) string { return l.name + "-" + name }

func (l *lab) run(args ...string) string {
	l.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// ip runs ip in a namespace, in runs another program there.
func (l *lab) ip(space string, args ...string) string {
	l.t.Helper()
	return l.run(append([]string{"ip", "-n", l.space(space)}, args...)...)
}

func (l *lab) in(space string, args ...string) string {
	l.t.Helper()
	return l.run(append([]string{"ip", "netns", "exec", l.space(space)}, args...)...)
}

// cable joins two namespaces. An end reads "space interface address/bits".
func (l *lab) cable(a, b string) {
	l.t.Helper()
	ends := [][]string{strings.Fields(a), strings.Fields(b)}
	l.run("ip", "link", "add", ends[0][1], "netns", l.space(ends[0][0]), "type", "veth", "peer", "name", ends[1][1], "netns", l.space(ends[1][0]))
	for _, end := range ends {
		if len(end) > 2 {
			l.ip(end[0], "addr", "add", end[2], "dev", end[1])
		}
		l.ip(end[0], "link", "set", end[1], "up")
	}
}

// process is this test's binary in a namespace, playing a role.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	lines chan report
	mu    sync.Mutex
	last  report
	log   []string
}

func (l *lab) start(space, role string, options roleOptions) *process {
	l.t.Helper()
	data, err := json.Marshal(options)
	if err != nil {
		l.t.Fatal(err)
	}
	// /sys is mounted anew by ip netns exec; the binary is the same.
	cmd := exec.Command("ip", "netns", "exec", l.space(space), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), roleVariable+"="+role, optionsVariable+"="+string(data), "SSL_CERT_FILE="+options.CertFile)
	cmd.Dir = l.t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	p := &process{t: l.t, name: space, cmd: cmd, lines: make(chan report, 1000)}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			var r report
			if json.Unmarshal(s.Bytes(), &r) == nil {
				p.lines <- r
			}
		}
	})
	reading.Go(func() {
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.mu.Lock()
			if p.log = append(p.log, s.Text()); len(p.log) > 40 {
				p.log = p.log[1:]
			}
			p.mu.Unlock()
		}
	})
	l.t.Cleanup(func() {
		_ = cmd.Process.Kill() // ip replaces itself by the program
		reading.Wait()
		_ = cmd.Wait()
		if l.t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			l.t.Logf("%s, last report %+v:\n%s", p.name, p.last, strings.Join(p.log, "\n"))
		}
	})
	return p
}

// until waits for a report that is what is wanted.
func (p *process) until(what string, ok func(report) bool) report {
	p.t.Helper()
	return p.eitherUntil(&process{}, what, ok)
}

// eitherUntil waits until this process or another one reports what is asked for.
func (p *process) eitherUntil(other *process, what string, ok func(report) bool) report {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		var r report
		var open bool
		from := p
		select {
		case r, open = <-p.lines:
		case r, open = <-other.lines:
			from = other
		case <-timeout:
			p.t.Fatalf("%s never came to this: %s", p.name, what)
		}
		if !open {
			p.t.Fatalf("%s ended before: %s", from.name, what)
		}
		from.mu.Lock()
		from.last = r
		from.mu.Unlock()
		if ok(r) {
			return r
		}
	}
}
