// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"shoal/instance/federation/fetch"
	"shoal/instance/federation/httpsig"
	"shoal/instance/store"
)

// from sends a request as from an address.
func (h *house) from(address string, r *http.Request) (int, string) {
	h.Helper()
	r.RemoteAddr = address
	return h.post(r)
}

func like(t testing.TB, actor string, n int) *http.Request {
	return signed(t, actor, "/inbox", encode(activity("Like", actor, fmt.Sprintf("%s/likes/%d", actor, n), oursVideo)))
}

// Each address of a /64, which one customer has, counted as a client of its own.
func TestAddressesOfOneNetworkShareLimits(t *testing.T) {
	h := newWorld(t, options{idle: true, limits: Limits{HostRate: 1, HostBurst: 3}})
	taken := 0
	for n := range 10 {
		if status, _ := h.from(fmt.Sprintf("[2001:db8::%x]:1000", n+1), like(t, goodAlice, n)); status == http.StatusNoContent {
			taken++
		}
	}
	if taken != 3 {
		t.Errorf("%d were taken", taken)
	}
	if status, reason := h.from("[2001:db8:0:1::1]:1000", like(t, goodAlice, 10)); status != http.StatusNoContent {
		t.Errorf("another network's: %d %s", status, reason)
	}
}

// A request that was refused for all's sake cost its sender what it may send itself.
func TestRefusedForAllCostsNoToken(t *testing.T) {
	l := newLimits(rate.Every(time.Hour), 2, rate.Every(time.Hour), 1)
	if _, ok := l.allow("flood"); !ok {
		t.Fatal("the first is refused")
	}
	for range 5 {
		if _, ok := l.allow("honest"); ok {
			t.Fatal("all's limit does not hold")
		}
	}
	l.all = rate.NewLimiter(rate.Inf, 0)
	for n := range 2 {
		if _, ok := l.allow("honest"); !ok {
			t.Errorf("number %d of its own two is refused", n+1)
		}
	}
}

// PeerTube tries once: what a followed host sends in a burst is lost where it is refused. A flood of
// strangers must not have it refused either.
func TestBurstOfAFollowedHostIsTakenInAFlood(t *testing.T) {
	h := newWorld(t, options{idle: true, limits: Limits{Rate: 200, Burst: 200}})
	h.follower(ours+"/accounts/alice", goodAlice, good+"/inbox")
	flooded := 0
	for n := range 1000 {
		r := like(t, goodAlice, n)
		r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), "good.example", fmt.Sprintf("stranger%d.example", n%50)))
		if status, _ := h.from(fmt.Sprintf("198.51.100.%d:1000", n%20), r); status == http.StatusTooManyRequests {
			flooded++
		}
	}
	if flooded == 0 {
		t.Error("the flood is not bounded")
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	refused := map[int]int{}
	turns := make(chan struct{}, 60)
	for n := range 500 {
		r := like(t, goodAlice, n)
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if status, _ := h.from("192.0.2.1:1000", r); status != http.StatusNoContent {
				mu.Lock()
				refused[status]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(refused) != 0 || h.inbox.Depth() != 500 {
		t.Errorf("refused: %v, %d wait", refused, h.inbox.Depth())
	}
}

// What waits was bounded by number alone: 10,000 bodies of 1 MiB for each host.
func TestWaitingBytesAreBounded(t *testing.T) {
	h := newWorld(t, options{idle: true, limits: Limits{MaxWaitingBytesOf: 50_000, MaxWaitingBytes: 140_000}})
	post := func(actor string, n int) int {
		a := activity("Like", actor, fmt.Sprintf("%s/likes/%d", actor, n), oursVideo)
		a["content"] = strings.Repeat("x", 20_000)
		status, _ := h.post(signed(h, actor, "/inbox", encode(a)))
		return status
	}
	for n, want := range []int{204, 204, 429} {
		if got := post(evilAlice, n); got != want {
			t.Errorf("the stranger's number %d: %d, not %d", n+1, got, want)
		}
	}
	// Strangers have half of the room.
	h.docs.put("https://other.example/u", actorDoc("https://other.example/accounts/u", keyPEM(testKey())))
	h.docs.put("https://other.example/accounts/u", actorDoc("https://other.example/accounts/u", keyPEM(testKey())))
	if got := post("https://other.example/accounts/u", 1); got != 204 {
		t.Errorf("another stranger's: %d", got)
	}
	if got := post(goodAlice, 1); got != http.StatusServiceUnavailable {
		t.Errorf("one too many of strangers: %d", got)
	}
	h.follower(ours+"/accounts/alice", goodAlice, good+"/inbox")
	h.inbox.knows.read = time.Time{}
	if got := post(goodAlice, 2); got != 204 {
		t.Errorf("a follower's: %d", got)
	}
	h.serve()
	h.settle()
	if all, _ := h.inbox.lines.depths("evil.example"); all != (load{}) {
		t.Errorf("left: %+v", all)
	}
}

// A forwarder's room was looked at, and the author's line was filled.
func TestForwardedCountsForItsAuthor(t *testing.T) {
	h := newWorld(t, options{idle: true, limits: Limits{MaxWaitingOf: 1}})
	post := func(n int) int {
		body, err := h.suite.Sign(t.Context(), encode(activity("View", goodAlice, fmt.Sprintf("%s/views/%d", good, n), oursVideo)), goodAlice, testKey(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		status, _ := h.post(signed(t, evilInstance, "/inbox", body))
		return status
	}
	if first, second := post(1), post(2); first != 204 || second != 429 {
		t.Errorf("answered %d, %d", first, second)
	}
}

// slow is a Fetcher of documents, of which some never come.
type slow struct {
	*docs
	stop chan struct{}
}

func (s *slow) Object(ctx context.Context, url string) ([]byte, string, error) {
	if strings.Contains(url, "/slow") {
		select {
		case <-s.stop:
		case <-ctx.Done():
		}
		return nil, url, &fetch.Error{Code: fetch.CodeTimeout, Text: "no answer in time"}
	}
	return s.docs.Object(ctx, url)
}

// Subdomains with slow objects took all workers, and nobody's activities took effect.
func TestSlowStrangersLeaveWorkersToOthers(t *testing.T) {
	f := &slow{newDocs(), make(chan struct{})}
	for _, id := range []string{goodAlice} {
		f.put(id, actorDoc(id, keyPEM(testKey())))
	}
	h := newHouse(t, options{base: ours, fetch: f, idle: true, limits: Limits{Workers: 4}})
	h.docs = f.docs
	h.follower(ours+"/accounts/alice", goodAlice, good+"/inbox")
	for n := range 20 {
		actor := fmt.Sprintf("https://a.slow%d.example/accounts/alice", n)
		f.put(actor, actorDoc(actor, keyPEM(testKey())))
		body := encode(activity("Create", actor, actor+"/c", actor+"/slow"))
		if status, reason := h.post(signed(t, actor, "/inbox", body)); status != http.StatusNoContent {
			t.Fatalf("answered %d %s", status, reason)
		}
	}
	h.serve()
	defer close(f.stop)
	if status, reason := h.post(like(t, goodAlice, 1)); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, reason)
	}
	h.until("the follower's Like took effect", func() bool { return h.counts(oursVideo).Likes == 1 })
}

// The actor of each request was stored before its signature was looked at.
func TestActorsAreStoredOnceTheirSignatureHeld(t *testing.T) {
	h := newWorld(t, options{idle: true})
	stored := func() (found bool) {
		h.read(func(tx *store.Tx) { _, found, _ = tx.Actor(goodAlice) })
		return found
	}
	body := encode(activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo))
	r := signed(t, goodAlice, "/inbox", body)
	if err := httpsig.Sign(r, goodAlice, evilKey(), body, time.Now()); err != nil {
		t.Fatal(err)
	}
	if status, _ := h.post(r); status != http.StatusForbidden || stored() {
		t.Errorf("a forged one: %d, stored: %t", status, stored())
	}
	if n := h.fetches(goodAlice); n != 1 {
		t.Errorf("fetched %d times for a forged one", n)
	}
	if status, _ := h.post(signed(t, goodAlice, "/inbox", body)); status != http.StatusNoContent || !stored() {
		t.Errorf("a good one: %d, stored: %t", status, stored())
	}
	if n := h.fetches(goodAlice); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// One host's flood of viewers left no room to count others'.
func TestViewersOfOneHostAreBounded(t *testing.T) {
	v, now := newViewers(), time.Now()
	for n := range maxViewersOf + 10 {
		v.saw(videoUUID, fmt.Sprint(n), fmt.Sprintf("host%d.evil.example", n), now.Add(time.Minute), now)
	}
	v.saw(videoUUID, "honest", "good.example", now.Add(time.Minute), now)
	if n := len(v.of[videoUUID]); n != maxViewersOf+1 {
		t.Errorf("%d are counted", n)
	}
	v.saw(videoUUID, "next", "evil.example", now.Add(3*time.Minute), now.Add(2*time.Minute))
	if v.count != 1 || len(v.each) != 1 {
		t.Errorf("%d are left, of %v", v.count, v.each)
	}
}

// Who is asked to accept a Follow answers once: it is no stranger, but who asks to follow is.
func TestWhoIsAskedIsNoStranger(t *testing.T) {
	h := newWorld(t, options{idle: true})
	h.write(func(tx *store.Tx) error {
		return errors.Join(
			tx.PutFollowing(&store.Follow{ID: "1", Local: ours, Remote: goodAlice, Host: "good.example", State: store.FollowPending}),
			tx.PutFollower(&store.Follow{ID: "2", Local: ours, Remote: evilAlice, Host: "evil.example", State: store.FollowPending}),
		)
	})
	if !h.inbox.knowsHost("good.example") || h.inbox.knowsHost("evil.example") {
		t.Errorf("known: %v", h.inbox.known())
	}
}
