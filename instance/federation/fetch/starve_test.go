// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slowHosts is a client to which many hosts are one server: /fast answers at once, all else never.
func slowHosts(t *testing.T) (c *Client, at func(n int) string, asked *atomic.Int32) {
	t.Helper()
	stop := make(chan struct{})
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fast" {
			object(w, "{}")
			return
		}
		asked.Add(1)
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
	c = newClient(Options{Dev: true}, quick(), dial, nil)
	t.Cleanup(func() { close(stop); c.Close(); s.Close() })
	return c, func(n int) string { return fmt.Sprintf("http://host%d.example", n) }, asked
}

// Slow hosts that unproved requests name took all places: nobody's object could be fetched.
func TestUnprovedRequestsStarveNobody(t *testing.T) {
	c, at, asked := slowHosts(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for n := range 200 {
		asker := Asker{Client: fmt.Sprint("client ", n%50)}
		all.Go(func() { _, _, _ = c.Object(Unproved(ctx, asker), at(2+n)+"/slow") })
	}
	for deadline := time.Now().Add(10 * time.Second); asked.Load() < atDoor; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the places are never taken")
		}
	}
	for _, ctx := range []context.Context{t.Context(), Unproved(t.Context(), Asker{Client: "client 0", Known: true})} {
		if _, _, err := c.Object(ctx, at(1)+"/fast"); err != nil {
			t.Error(err)
		}
	}
	if n := asked.Load(); n > atDoor {
		t.Errorf("%d at once", n)
	}
}

// One client that named ever new hosts took all places of the unproved.
func TestOneClientLeavesPlacesToOthers(t *testing.T) {
	c, at, asked := slowHosts(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for n := range 40 {
		all.Go(func() { _, _, _ = c.Object(Unproved(ctx, Asker{Client: "one"}), at(2+n)+"/slow") })
	}
	for deadline := time.Now().Add(10 * time.Second); asked.Load() < perParty; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("its places are never taken")
		}
	}
	if _, _, err := c.Object(Unproved(t.Context(), Asker{Client: "other"}), at(1)+"/fast"); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n > perParty {
		t.Errorf("%d at once for one client", n)
	}
}

// Subdomains, which cost nothing, counted as hosts of their own.
func TestSubdomainsShareTurns(t *testing.T) {
	var now, most atomic.Int32
	c := public(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		object(w, "{}")
	}))
	var all sync.WaitGroup
	for n := range 40 {
		host := []string{"example.com", "www.example.com"}[n%2]
		all.Go(func() { _, _, _ = c.Object(t.Context(), "https://"+host+"/") })
	}
	all.Wait()
	if n := most.Load(); n > perParty {
		t.Errorf("%d at once", n)
	}
}

// A host that fails was asked three times for a request that had proved nothing.
func TestUnprovedRequestsAreTriedOnce(t *testing.T) {
	var asked atomic.Int32
	c, host := dev(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	for _, step := range []struct {
		known bool
		want  int32
	}{{false, 1}, {true, 3}} {
		asked.Store(0)
		_, _, err := c.Object(Unproved(t.Context(), Asker{Client: "one", Known: step.known}), host)
		var e *Error
		if !errors.As(err, &e) || asked.Load() != step.want {
			t.Errorf("known %t: asked %d times, %v", step.known, asked.Load(), err)
		}
	}
}

// host-meta sent this instance to any address for who had proved nothing.
func TestUnprovedHandleIsNotSentOn(t *testing.T) {
	var paths sync.Map
	c, host := dev(t, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths.Store(r.URL.Path, true)
		http.NotFound(w, r)
	}))
	_, err := c.Webfinger(Unproved(t.Context(), Asker{Client: "one"}), "random@"+host[len("http://"):])
	if _, ok := paths.Load("/.well-known/host-meta"); ok || err == nil {
		t.Errorf("host-meta was asked: %t, %v", ok, err)
	}
}
