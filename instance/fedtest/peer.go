// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package fedtest

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"shoal/peer/testpeer"
)

// timeout is how long an instance may take for what it is asked; a loaded machine is slow.
const timeout = time.Minute

// The actors of a Peer, as their names and as the last part of their ids.
const (
	Instance = "instance" // Application
	Person   = "alice"    // Person, who owns the videos and writes the comments
	Channel  = "channel"  // Group of that person
)

// Options are what a Peer is started with.
type Options struct {
	// Proofs makes it sign with Ed25519 object integrity proofs (FEP-8b32) as well, and list those
	// keys in its actors, as Fedify does by default.
	Proofs bool
}

// Peer is a small instance on Fedify, at an address of 127.0.0.1. It accepts every follow until it is
// told otherwise with Answer.
type Peer struct {
	t    testing.TB
	p    *testpeer.Process
	base string

	mu      sync.Mutex
	calls   int
	replies map[int]json.RawMessage
	events  []Event
	more    chan struct{} // closed and replaced when something comes
	ended   bool
}

// Fedify starts an instance that ends with the test.
func Fedify(t testing.TB, o Options) *Peer {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the folder of the instance's script is unknown")
	}
	settings, err := json.Marshal(map[string]any{"proofs": o.Proofs, "icon": icon(t)})
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{t: t, replies: make(map[int]json.RawMessage), more: make(chan struct{})}
	p.p = testpeer.Start(t, filepath.Join(filepath.Dir(file), "peer.mjs"), p.line, p.over, string(settings))
	p.base = p.Wait("ready", func(e Event) bool { return e.Event == "ready" }).URL
	return p
}

// icon writes the thumbnail of all its videos.
func icon(t testing.TB) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 280, 157)), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "icon.jpg")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// URL is where the instance answers, without a slash at the end.
func (p *Peer) URL() string { return p.base }

// Host is its address and port.
func (p *Peer) Host() string {
	u, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.Host
}

// Actor is the id of one of its actors.
func (p *Peer) Actor(who string) string { return p.base + "/actors/" + who }

// Handle is name@host of one of its actors.
func (p *Peer) Handle(who string) string { return who + "@" + p.Host() }

// PID is its process.
func (p *Peer) PID() int { return p.p.PID() }

func (p *Peer) line(line []byte) {
	var head struct {
		Reply int `json:"reply"`
	}
	var e Event
	if json.Unmarshal(line, &head) != nil || json.Unmarshal(line, &e) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if head.Reply != 0 {
		p.replies[head.Reply] = bytes.Clone(line)
	} else {
		p.events = append(p.events, e)
	}
	close(p.more)
	p.more = make(chan struct{})
}

func (p *Peer) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	close(p.more)
	p.more = make(chan struct{})
}

// until waits for ok, which is called with the lock held.
func (p *Peer) until(what string, ok func() bool) {
	p.t.Helper()
	late := time.NewTimer(timeout)
	defer late.Stop()
	for {
		p.mu.Lock()
		done, more, ended, events := ok(), p.more, p.ended, p.events
		p.mu.Unlock()
		switch {
		case done:
			return
		case ended:
			p.t.Fatalf("the Fedify instance ended while waiting for: %s", what)
		}
		select {
		case <-more:
		case <-late.C:
			for _, e := range events {
				p.t.Logf("it had %s", e)
			}
			p.t.Fatalf("the Fedify instance never had: %s", what)
		}
	}
}

// ask tells the instance to do something and reads its answer into out, which may be nil. Its refusal
// is returned as text.
func (p *Peer) ask(do string, args map[string]any, out any) (refusal string) {
	p.t.Helper()
	p.mu.Lock()
	p.calls++
	n := p.calls
	p.mu.Unlock()
	command := map[string]any{"n": n, "do": do}
	maps.Copy(command, args)
	p.p.Send(command)
	var reply json.RawMessage
	p.until("an answer to "+do, func() bool {
		reply = p.replies[n]
		delete(p.replies, n)
		return reply != nil
	})
	var bad struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(reply, &bad); err != nil {
		p.t.Fatalf("reading the answer to %s: %v", do, err)
	}
	if bad.Error == "" && out != nil {
		if err := json.Unmarshal(reply, out); err != nil {
			p.t.Fatalf("reading the answer to %s: %v", do, err)
		}
	}
	return bad.Error
}

// must is ask for what has to work.
func (p *Peer) must(do string, args map[string]any, out any) {
	p.t.Helper()
	if refusal := p.ask(do, args, out); refusal != "" {
		p.t.Fatalf("Fedify instance, %s: %s", do, refusal)
	}
}
