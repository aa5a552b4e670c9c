// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e || bench

package testpeer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// maxLine bounds a line that a script prints.
const maxLine = 4 << 20

// Process is a running Node script that reads and prints JSON objects, one a line.
type Process struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

// Start runs the script at a path until the test ends, with the npm packages' folder in
// $SHOAL_NPM_DIR. It hands each line of the output to line, and calls ended after the last. The script
// has to end with its input; what it says on standard error is shown when the test fails.
func Start(t testing.TB, path string, line func([]byte), ended func(), args ...string) *Process {
	t.Helper()
	p := &Process{t: t, name: filepath.Base(path)}
	stderr := &tail{}
	p.cmd = exec.Command(Node(t), append([]string{path}, args...)...)
	p.cmd.Env = append(os.Environ(), "SHOAL_NPM_DIR="+filepath.Dir(Modules(t)))
	p.cmd.Stderr = stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			line(lines.Bytes())
		}
		ended()
	}()
	t.Cleanup(func() {
		_ = p.stdin.Close()
		kill := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
		<-read
		ended := p.cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("%s ended: %v", p.name, ended) // it kills itself when its input ends
		}
		if text := stderr.String(); t.Failed() && text != "" {
			t.Logf("%s said: %s", p.name, text)
		}
	})
	return p
}

// PID is the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Send hands a command to the script.
func (p *Process) Send(command any) {
	p.t.Helper()
	data, err := json.Marshal(command)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.stdin.Write(append(data, '\n')); err != nil {
		p.t.Fatalf("telling %s: %v", p.name, err)
	}
}

// tail keeps the last of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > 64<<10 {
		t.buf.Next(t.buf.Len() - 32<<10)
	}
	return t.buf.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
