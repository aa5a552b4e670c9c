// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

// openDB opens a database that is closed at the end of the test.
func openDB(t testing.TB, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 5 * time.Second, FreelistType: bolt.FreelistMapType, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func tempDB(t testing.TB) *bolt.DB {
	t.Helper()
	return openDB(t, filepath.Join(t.TempDir(), "instance.db"))
}

func newQueue(t testing.TB, db *bolt.DB, cfg Config) *Queue {
	t.Helper()
	q, err := New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// serve runs Serve until the returned function is called, or the test ends.
func serve(t testing.TB, q *Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func enqueue(t testing.TB, q *Queue, ms ...Message) {
	t.Helper()
	err := q.db.Update(func(tx *bolt.Tx) error {
		for _, m := range ms {
			if err := q.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// note is a message with a body that names it.
func note(id string, inboxes ...string) Message {
	return Message{ID: id, Actor: "https://own.example/a", Body: []byte("body of " + id), Inboxes: inboxes}
}

// waitFor polls until ok.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func drained(q *Queue) func() bool { return func() bool { return q.Depth() == 0 } }

// checkEmpty demands that nothing is left of anything that was queued.
func checkEmpty(t testing.TB, q *Queue) {
	t.Helper()
	if d := q.Depth(); d != 0 {
		t.Errorf("depth %d", d)
	}
	hosts, _ := q.Hosts()
	if len(hosts) != 0 {
		t.Errorf("hosts left: %v", hosts)
	}
	err := q.db.View(func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if n := tx.Bucket(name).Stats().KeyN; n != 0 && string(name) != string(bucketFailures) {
				t.Errorf("%s still has %d records", name, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// answer is what a fake server says.
type answer struct {
	status int
	reason string
	after  time.Duration
	err    error
}

var errRefused = errors.New("connection refused")

// world is a fake fediverse: it answers attempts and notes them.
type world struct {
	say func(a Attempt) answer // nil: 202

	mu       sync.Mutex
	attempts []seen
	active   map[string]int
	most     int // hosts at once
}

type seen struct {
	Attempt
	at time.Time
	ok bool
}

func (w *world) post(ctx context.Context, a Attempt) (int, string, time.Duration, error) {
	host, _ := hostOf(a.Inbox)
	w.mu.Lock()
	if w.active == nil {
		w.active = map[string]int{}
	}
	w.active[host]++
	if w.active[host] > 1 {
		w.mu.Unlock()
		return 0, "", 0, fmt.Errorf("two requests to %s at once: %w", host, ErrPermanent)
	}
	w.most = max(w.most, len(w.active))
	say := w.say
	w.mu.Unlock()
	ans := answer{status: 202}
	if say != nil {
		ans = say(a)
	}
	if ans.status == hang {
		<-ctx.Done()
		ans = answer{err: ctx.Err()}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.active, host)
	w.attempts = append(w.attempts, seen{a, time.Now(), ans.status/100 == 2})
	return ans.status, ans.reason, ans.after, ans.err
}

// hang is the status of a server that never answers.
const hang = -1

func (w *world) all() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.attempts)
}

// got returns the ids that an inbox accepted, in order.
func (w *world) got(inbox string) []string {
	var ids []string
	for _, s := range w.all() {
		if s.ok && s.Inbox == inbox {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// results collects what OnResult is told.
type results struct {
	mu sync.Mutex
	m  map[string]Result // of those that are over, by id and inbox
}

func (r *results) add(res Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[string]Result{}
	}
	if res.Done || res.Failed {
		r.m[res.ID+" "+res.Inbox] = res
	}
}

func (r *results) get() map[string]Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.m)
}
