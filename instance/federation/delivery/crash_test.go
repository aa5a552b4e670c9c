// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The environment of the child process that TestKill kills.
const (
	childDir  = "SHOAL_DELIVERY_CHILD"
	childPort = "SHOAL_DELIVERY_PORT"
)

// child queues messages without end, says the number of each on stdout once it is queued, and
// delivers them to the parent.
func child(dir string) int {
	db, err := bolt.Open(filepath.Join(dir, "instance.db"), 0o600, &bolt.Options{Timeout: 10 * time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	client := &http.Client{}
	q, err := New(db, Config{Post: func(ctx context.Context, a Attempt) (int, string, time.Duration, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Inbox, bytes.NewReader(a.Body))
		if err != nil {
			return 0, "", 0, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, "", 0, err
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, "", 0, nil
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		// The parent asks for one message at a time; the end of its pipe is the end of the child.
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			var m Message
			if err := json.Unmarshal(in.Bytes(), &m); err != nil {
				break
			}
			if err := db.Update(func(tx *bolt.Tx) error { return q.Enqueue(tx, m) }); err != nil {
				break
			}
			fmt.Println(m.ID)
		}
		cancel()
	}()
	if err := q.Serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// The process is killed at any instant, over and over. What it said to have queued arrives at each
// inbox, with its own id and body, in order.
func TestKill(t *testing.T) {
	const hosts = 5
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	var mu sync.Mutex
	arrived := map[string][]string{} // path -> ids
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		mu.Lock()
		arrived[r.Host+r.URL.Path] = append(arrived[r.Host+r.URL.Path], string(b))
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	var inboxes []string
	for i := range hosts {
		inboxes = append(inboxes, fmt.Sprintf("http://127.0.0.%d%s/inbox", i+1, port))
	}
	// 127.0.0.2 and on are on loopback too, but not everywhere: then one host has to do.
	if resp, err := http.Get(inboxes[1]); err != nil {
		for i := range inboxes {
			inboxes[i] = fmt.Sprintf("%s/inbox%d", srv.URL, i)
		}
	} else {
		resp.Body.Close()
	}
	arrived = map[string][]string{}

	dir := t.TempDir()
	var acknowledged []string
	next := 0
	for round := range rounds {
		last := round == rounds-1
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), childDir+"="+dir, childPort+"="+port)
		cmd.Stderr = os.Stderr
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var acks atomic.Int32
		read := make(chan struct{})
		go func() {
			defer close(read)
			for s := bufio.NewScanner(out); s.Scan(); acks.Add(1) {
				acknowledged = append(acknowledged, s.Text())
			}
		}()
		if last {
			waitFor(t, "all that was acknowledged arrives", func() bool {
				mu.Lock()
				defer mu.Unlock()
				for _, inbox := range inboxes {
					have := map[string]bool{}
					for _, id := range arrived[strings.TrimPrefix(inbox, "http://")] {
						have[id] = true
					}
					for _, id := range acknowledged {
						if !have[id] {
							return false
						}
					}
				}
				return true
			})
		} else {
			life := time.Duration(20+rand.IntN(150)) * time.Millisecond
			for end := time.Now().Add(life); time.Now().Before(end) || acks.Load() == 0; {
				m := Message{ID: fmt.Sprint(next), Actor: "a", Body: []byte(fmt.Sprint(next)), Inboxes: inboxes, Order: "o"}
				next++
				line, _ := json.Marshal(m)
				if _, err := in.Write(append(line, '\n')); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			}
		}
		if last {
			in.Close() // an orderly end
		} else if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-read
		if err := cmd.Wait(); last && err != nil {
			t.Error(err)
		}
	}
	if len(acknowledged) < rounds-1 {
		t.Errorf("only %d messages were queued", len(acknowledged))
	}
	resent := 0
	for _, inbox := range inboxes {
		known, newest := map[string]bool{}, -1
		for _, id := range arrived[strings.TrimPrefix(inbox, "http://")] {
			var n int
			fmt.Sscan(id, &n)
			if known[id] {
				resent++
				continue
			}
			known[id] = true
			if n < newest {
				t.Errorf("%s got %d for the first time after %d", inbox, n, newest)
			}
			newest = max(newest, n)
		}
	}
	t.Logf("%d messages to %d inboxes, %d kills, %d sent again", len(acknowledged), len(inboxes), rounds-1, resent)
	db := openDB(t, filepath.Join(dir, "instance.db"))
	checkEmpty(t, newQueue(t, db, Config{Post: (&world{}).post}))
}

// The database goes away under the queue, at any step. Nothing is lost.
func TestDatabaseGoesAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "instance.db")
	w := &world{say: func(Attempt) answer {
		time.Sleep(time.Millisecond)
		return answer{status: 202}
	}}
	const messages = 300
	queued := false
	for round := range 40 {
		db := openDB(t, path)
		q := newQueue(t, db, Config{Post: w.post})
		if !queued {
			queued = true
			for i := range messages {
				m := note(fmt.Sprint(i), fmt.Sprintf("https://h%d.example/inbox", i%7), "https://all.example/inbox")
				m.Order = fmt.Sprint(i % 5)
				enqueue(t, q, m)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- q.Serve(ctx) }()
		if round < 30 {
			time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
			db.Close()
			select {
			case <-done: // with an error, if it had something to write
			case <-time.After(200 * time.Millisecond):
				cancel()
				<-done
			}
			cancel()
			continue
		}
		waitFor(t, "all delivered", drained(q))
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		checkEmpty(t, q)
		break
	}
	got := map[string]map[string]bool{}
	for _, s := range w.all() {
		if got[s.Inbox] == nil {
			got[s.Inbox] = map[string]bool{}
		}
		got[s.Inbox][s.ID] = true
	}
	if len(got["https://all.example/inbox"]) != messages || len(got["https://h0.example/inbox"]) != (messages+6)/7 {
		t.Errorf("%d and %d arrived", len(got["https://all.example/inbox"]), len(got["https://h0.example/inbox"]))
	}
}
