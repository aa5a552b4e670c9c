// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"shoal/app/core"
	"shoal/peer"
)

// demoPeer is a viewer of the demo: a child process with a data folder of its own.
type demoPeer struct {
	demo *demo
	name string
	args []string

	cancel context.CancelFunc
	ended  chan struct{}
	once   sync.Once

	done     chan doneEvent // gets one, unless the child fails
	failure  string         // valid once ended is closed, as are the next two
	stderr   capture
	uploaded peer.Bytes
}

func newDemoPeer(d *demo, name string, args ...string) *demoPeer {
	return &demoPeer{demo: d, name: name, args: args, ended: make(chan struct{}), done: make(chan doneEvent, 1)}
}

// watch starts the child and waits until it has the whole clip.
func (p *demoPeer) watch(ctx context.Context) (doneEvent, error) {
	if err := p.start(ctx); err != nil {
		return doneEvent{}, err
	}
	select {
	case e := <-p.done:
		if e.Complete {
			return e, nil
		}
		<-p.ended
	case <-p.ended:
		select {
		case e := <-p.done:
			if e.Complete {
				return e, nil
			}
		default:
		}
	}
	if ctx.Err() != nil {
		return doneEvent{}, ctx.Err()
	}
	reason := p.failure
	if reason == "" {
		reason = p.stderr.line()
	}
	return doneEvent{}, &core.Error{Code: core.CodeFailed, Message: fmt.Sprintf("the %s peer failed: %s", p.name, reason)}
}

func (p *demoPeer) start(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	ctx, p.cancel = context.WithCancel(ctx)
	args := append([]string{
		"watch", p.demo.pub.WatchPage, "--json", "--headless", "--sources", "webrtc",
		"--data", filepath.Join(p.demo.dir, p.name), "--timeout", demoTimeout.String(),
		"--log-level", p.demo.r.flags.LogLevel,
	}, p.args...)
	cmd := exec.CommandContext(ctx, program, args...)
	detach(cmd)
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Stderr = &p.stderr
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SHOAL_") { // settings of this process are not the child's
			cmd.Env = append(cmd.Env, kv)
		}
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting the %s peer: %w", p.name, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the %s peer: %w", p.name, err)
	}
	go func() {
		defer close(p.ended)
		p.read(stdout)
		if err := cmd.Wait(); err != nil && p.failure == "" && len(p.stderr.text) == 0 {
			p.failure = err.Error()
		}
	}()
	return nil
}

// read follows the child's events.
func (p *demoPeer) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e struct {
			Event      string     `json:"event"`
			Message    string     `json:"message"`
			Bytes      int64      `json:"bytes"`
			Total      int64      `json:"total"`
			PositionMs int64      `json:"positionMs"`
			Uploaded   peer.Bytes `json:"uploaded"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue
		}
		switch e.Event {
		case "progress":
			p.demo.r.out.progress("  %d %% here, playing at %.1f s", percent(e.Bytes, e.Total), float64(e.PositionMs)/1000)
		case "done":
			var d doneEvent
			if err := json.Unmarshal(lines.Bytes(), &d); err == nil {
				select {
				case p.done <- d:
				default:
				}
			}
		case "seeded":
			p.uploaded = e.Uploaded
		case "error":
			p.failure = e.Message
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, os.ErrClosed) {
		p.failure = err.Error()
		_, _ = io.Copy(io.Discard, r) // so that the child can end
	}
}

// stop ends the child and returns what it gave away.
func (p *demoPeer) stop() peer.Bytes {
	if p.cancel == nil {
		return peer.Bytes{}
	}
	p.once.Do(func() {
		p.cancel()
		<-p.ended
	})
	return p.uploaded
}
