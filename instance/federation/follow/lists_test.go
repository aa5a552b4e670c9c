// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"shoal/instance/fault"
	"shoal/instance/federation/delivery"
	"shoal/instance/store"
)

// world is what a Service sees in a test: a clock, one document, and an empty queue.
type world struct {
	now  time.Time
	body string
	err  error
	read int

	waiting []delivery.Host
	drop    func(host string)
	onHosts func() // the queue is looked at
	queued  []delivery.Message
}

func (w *world) Object(context.Context, string) ([]byte, string, error) { return nil, "", w.err }

func (w *world) Bytes(context.Context, string, string, int64) ([]byte, http.Header, error) {
	w.read++
	return []byte(w.body), nil, w.err
}

func (w *world) Hosts() ([]delivery.Host, error) {
	if w.onHosts != nil {
		w.onHosts()
	}
	return w.waiting, nil
}

func (w *world) Retry(string) error { return nil }

func (w *world) Enqueue(_ *bolt.Tx, m delivery.Message) error {
	w.queued = append(w.queued, m)
	return nil
}

func (w *world) Drop(host string) error {
	w.drop(host)
	return nil
}

func (w *world) Sign(context.Context, string, any) ([]byte, error) { return []byte("{}"), nil }

func newService(t testing.TB) (*Service, *world) {
	t.Helper()
	db, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	return New(Config{Store: db, Queue: w, Author: w, Fetch: w, Base: "https://own.example", Now: func() time.Time { return w.now }}), w
}

const listURL = "https://lists.example/blocks.txt"

func TestSubscribedListsAreReadEveryDay(t *testing.T) {
	s, w := newService(t)
	state := func() (store.Subscription, []string) {
		lists, err := s.Subscriptions()
		blocks, err2 := s.Blocks()
		if err := errors.Join(err, err2); err != nil || len(lists) != 1 {
			t.Fatalf("subscriptions %+v, %v", lists, err)
		}
		var hosts []string
		for _, b := range blocks {
			hosts = append(hosts, b.Host)
		}
		return lists[0], hosts
	}
	w.body = "a.example\nb.example\nown.example\n"
	if n, err := s.Subscribe(t.Context(), listURL); err != nil || n != (Imported{Blocked: 2, Skipped: 1}) {
		t.Fatalf("got %+v, %v", n, err)
	}
	if err := s.Block(t.Context(), "a.example", "by hand as well"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(23 * time.Hour)
	s.readDue(t.Context())
	if w.read != 1 {
		t.Errorf("read %d times within a day", w.read)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.body = "b.example\nc.example\n"
	s.readDue(t.Context())
	if l, hosts := state(); !slices.Equal(hosts, []string{"a.example", "b.example", "c.example"}) || !l.Checked.Equal(w.now) || l.Hosts != 2 {
		t.Errorf("got %+v, %v", l, hosts)
	}
	// A list that cannot be read, or is suddenly empty, unblocks nobody and is asked for again soon.
	for _, trouble := range []struct {
		body string
		err  error
	}{{"", errors.New("its server is down")}, {"<html>", nil}} {
		w.now, w.body, w.err = w.now.Add(25*time.Hour), trouble.body, trouble.err
		s.readDue(t.Context())
		if l, hosts := state(); len(hosts) != 3 || l.Error == "" {
			t.Errorf("%+v: got %+v, %v", trouble, l, hosts)
		}
	}
	w.now, w.body, w.err = w.now.Add(time.Hour), "c.example", nil
	s.readDue(t.Context())
	if l, hosts := state(); !slices.Equal(hosts, []string{"a.example", "c.example"}) || l.Error != "" {
		t.Errorf("got %+v, %v", l, hosts)
	}
	if err := errors.Join(s.Unsubscribe(t.Context(), listURL), s.Unblock("a.example")); err != nil {
		t.Fatal(err)
	}
	if blocks, err := s.Blocks(); err != nil || len(blocks) > 0 {
		t.Errorf("blocks %+v, %v", blocks, err)
	}
	if s.Unsubscribe(t.Context(), listURL) == nil || s.Unblock("a.example") == nil {
		t.Error("what is not there was taken away")
	}
}

// TestAnInterruptedSubscriptionCannotBeUndone checks that what ends while a list is stored can be taken
// away, and goes on where it was not.
func TestAnInterruptedSubscriptionCannotBeUndone(t *testing.T) {
	s, w := newService(t)
	var text strings.Builder
	for n := range 3 * blockStep / 2 {
		fmt.Fprintf(&text, "h%d.example\n", n)
	}
	w.body = text.String()
	begin := func() {
		t.Helper()
		ctx, end := context.WithCancel(t.Context())
		w.now = w.now.Add(time.Second)
		w.onHosts = end // after the first step
		if _, err := s.Subscribe(ctx, listURL); !errors.Is(err, context.Canceled) {
			t.Fatalf("it was not interrupted: %v", err)
		}
		w.onHosts = nil
	}
	blocked := func() int {
		t.Helper()
		all, err := s.Blocks()
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	begin()
	if n := blocked(); n != blockStep {
		t.Errorf("%d hosts are blocked", n)
	}
	if err := s.Unsubscribe(t.Context(), listURL); err != nil || blocked() != 0 {
		t.Errorf("%d hosts are left, %v", blocked(), err)
	}
	begin()
	s.readDue(t.Context())
	if lists, err := s.Subscriptions(); err != nil || len(lists) != 1 || lists[0].Hosts != 3*blockStep/2 || blocked() != 3*blockStep/2 {
		t.Errorf("it did not go on: %+v, %v, %d", lists, err, blocked())
	}
	// Also where the subscription alone is gone.
	if err := s.cfg.Store.Write("testing", func(tx *store.Tx) error { return tx.DeleteSubscription(listURL) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Unsubscribe(t.Context(), listURL); err != nil || blocked() != 0 || s.cfg.Store.Blocked("h1.example") {
		t.Errorf("%d hosts are left, %v", blocked(), err)
	}
	if err := s.Unsubscribe(t.Context(), listURL); !errors.Is(err, fault.ErrNotFound) || strings.Contains(err.Error(), "storing") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	s, w := newService(t)
	for _, text := range []string{"", "# nothing\n", "\x00\x01\xff\n\x8f\n", "\n <!DOCTYPE html>\nfoo.example\n", "#domain,#severity\nquiet.example,silence\n"} {
		if _, err := s.Import(t.Context(), strings.NewReader(text)); !errors.Is(err, fault.ErrBadInput) {
			t.Errorf("importing %q: %v", text, err)
		}
		w.body = text
		if _, err := s.Subscribe(t.Context(), listURL); !errors.Is(err, fault.ErrBadInput) {
			t.Errorf("subscribing to %q: %v", text, err)
		}
	}
	if lists, err := s.Subscriptions(); err != nil || len(lists) > 0 {
		t.Errorf("subscriptions %+v, %v", lists, err)
	}
	var many strings.Builder
	for n := range maxListHosts + 1 {
		fmt.Fprintf(&many, "h%d.example\n", n)
	}
	if _, err := s.Import(t.Context(), strings.NewReader(many.String())); !errors.Is(err, fault.ErrBadInput) || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a list of too many: %v", err)
	}
	// What is known is said to be, and keeps since when.
	if n, err := s.Import(t.Context(), strings.NewReader("a.example\nb.example\n")); err != nil || n != (Imported{Blocked: 2}) {
		t.Fatalf("got %+v, %v", n, err)
	}
	since := w.now
	w.now = w.now.Add(time.Hour)
	if n, err := s.Import(t.Context(), strings.NewReader("b.example\nc.example\nno host\n")); err != nil || n != (Imported{Blocked: 1, Known: 1, Skipped: 1}) {
		t.Fatalf("got %+v, %v", n, err)
	}
	if all, err := s.Blocks(); err != nil || len(all) != 3 || !all[1].Since.Equal(since) {
		t.Errorf("blocks %+v, %v", all, err)
	}
}

func BenchmarkSubscribe(b *testing.B) {
	var text strings.Builder
	for n := range 200_000 {
		fmt.Fprintf(&text, "h%x.bad.example\n", uint32(n)*2654435761)
	}
	for b.Loop() {
		s, w := newService(b)
		w.body = text.String()
		if _, err := s.Subscribe(b.Context(), listURL); err != nil {
			b.Fatal(err)
		}
		if err := s.Unsubscribe(b.Context(), listURL); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBlocksCoverPortsAndSubdomains(t *testing.T) {
	for _, c := range []struct {
		blocked, host string
		want          bool
	}{
		{"a.example", "a.example", true},
		{"a.example", "a.example:8080", true},
		{"a.example", "x.y.a.example", true},
		{"a.example", "x.a.example:1", true},
		{"a.example", "ba.example", false},
		{"x.a.example", "a.example", false},
		{"a.example:1", "a.example:2", false},
		{"127.0.0.1", "127.0.0.1:9001", true},
		{"0.0.1", "127.0.0.1", false},
		{"[::1]", "[::1]:9001", true},
		{"[::1]", "[0:0::1]:9001", true},
		{"a.example", "a.example.:443", true},
	} {
		if got := covers(c.blocked, c.host); got != c.want {
			t.Errorf("%s blocks %s: %v", c.blocked, c.host, got)
		}
	}
	s, _ := newService(t)
	if err := s.Block(t.Context(), "example", ""); err == nil {
		t.Error("a host blocked itself with its own domain")
	}
	if err := s.Block(t.Context(), "bad.example", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Unblock("x.bad.example"); err == nil {
		t.Error("a subdomain was unblocked alone")
	}
}

// TestTheQueueOfAHostWasEmptiedBeforeItWasBlocked checks the order: the block is on disk first, then what
// waits goes, then those who followed are told.
func TestTheQueueOfAHostWasEmptiedBeforeItWasBlocked(t *testing.T) {
	s, w := newService(t)
	follower := store.Follow{ID: "https://bad.example/f", Local: s.cfg.Base.Actor(), Remote: "https://bad.example/u", Host: "bad.example", State: store.FollowAccepted, Inbox: "https://bad.example/inbox"}
	if err := s.cfg.Store.Write("testing", func(tx *store.Tx) error { return tx.PutFollower(&follower) }); err != nil {
		t.Fatal(err)
	}
	w.waiting = []delivery.Host{{Host: "x.bad.example:8443", Depth: 3}, {Host: "fine.example", Depth: 1}}
	var dropped []string
	w.drop = func(host string) {
		if dropped = append(dropped, host); !s.cfg.Store.Blocked(host) || len(w.queued) > 0 {
			t.Errorf("the queue of %s is emptied too early or too late", host)
		}
	}
	if err := s.Block(t.Context(), "bad.example", ""); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(dropped, []string{"x.bad.example:8443"}) || len(w.queued) != 1 || w.queued[0].Inboxes[0] != follower.Inbox {
		t.Errorf("dropped %v, queued %+v", dropped, w.queued)
	}
	if all, err := s.Followers(); err != nil || len(all) > 0 {
		t.Errorf("followers %+v, %v", all, err)
	}
}

func TestWhatBecomesOfAFollow(t *testing.T) {
	s, _ := newService(t)
	follow := func(state store.FollowState, reason string) known {
		return known{follower: &store.Follow{State: state, Reason: reason}, rejected: reason == reasonByHand}
	}
	for _, c := range []struct {
		name   string
		old    known
		policy store.FollowerPolicy
		want   store.FollowState
	}{
		{"a new one", known{}, store.FollowersAccept, store.FollowAccepted},
		{"a new one to approve", known{}, store.FollowersApprove, store.FollowPending},
		{"a new one of nobody", known{}, store.FollowersReject, store.FollowRejected},
		{"one who follows already", follow(store.FollowAccepted, ""), store.FollowersReject, store.FollowAccepted},
		{"one who waits, after the policy opened", follow(store.FollowPending, ""), store.FollowersAccept, store.FollowAccepted},
		{"one rejected by hand", follow(store.FollowRejected, reasonByHand), store.FollowersAccept, store.FollowRejected},
		{"one rejected by hand whose follow is gone", known{rejected: true}, store.FollowersAccept, store.FollowRejected},
		{"one rejected by the policy, after it opened", follow(store.FollowRejected, reasonPolicy), store.FollowersAccept, store.FollowAccepted},
		{"one rejected by the policy, to approve now", follow(store.FollowRejected, reasonPolicy), store.FollowersApprove, store.FollowPending},
	} {
		if got, _ := s.decide(c.old, c.policy); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
