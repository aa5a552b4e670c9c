// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"testing"
)

// supported is a line of support list, and an entry of status.
type supported struct {
	ID, Kind, Name, DisplayName, URL, Order, Problem, State string
	Budget, Used                                            int64
	Videos, Complete                                        int
	Uploaded                                                bySource
}

// kept is what status says of a swarm and its support.
type kept struct {
	Infohash, Name, SupportedBy string
	Complete, Pinned, Own       bool
	Bytes                       int64
	Downloaded                  bySource
	Keep                        struct {
		Reason string
		Order  int
	}
}

// sharing is what status says of a data folder's sharing.
func sharing(t testing.TB, h home, data string) (s struct {
	Swarms   []kept
	Supports []supported
	Disk     struct{ Kept, Budget int64 }
},
) {
	t.Helper()
	r := call(t, h, "status", "--json", "--data", data)
	if r.code != 0 {
		t.Fatalf("status: exit code %d, stderr %q", r.code, r.stderr)
	}
	r.last(t, "status").into(t, &s)
	return s
}

// freePort is a TCP port that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP address")
	}
	return addr.Port
}

// TestSupport supports a channel of an instance: its budget is filled, a newer video takes the place of
// the oldest, a restart goes on from there, and the end of the support deletes its videos.
func TestSupport(t *testing.T) {
	h := newHome(t)
	a, helper := serve(t, h, filepath.Join(h.dir, "a")), filepath.Join(h.dir, "helper")
	var videos []video
	for _, title := range []string{"The first", "The second", "The third"} {
		videos = append(videos, a.publish(t, small(t), title))
	}
	one := videos[0].Bytes
	budget := 2*one + one/2
	channel := a.url + "/c/root_channel"
	port := freePort(t)
	settings(t, helper, fmt.Sprintf("[network]\ntorrentPort = %d\n", port))

	// Without a program on the folder it is noted, and begins when there is one.
	r := call(t, h, "support", "add", channel, "--budget", fmt.Sprint(budget), "--json", "--data", helper)
	if r.code != 0 {
		t.Fatalf("support add: exit code %d, stderr %q", r.code, r.stderr)
	}
	var s supported
	r.last(t, "support").into(t, &s)
	if s.State != "added" || s.Kind != "channel" || s.Budget != budget || s.Order != "newest" || s.URL != channel || s.ID == "" {
		t.Errorf("added: %+v", s)
	}
	b := serve(t, h, helper)
	holds := func(want ...video) func() bool {
		return func() bool {
			got := sharing(t, h, helper)
			if len(got.Supports) != 1 || got.Supports[0].Complete != len(want) || len(got.Swarms) != len(want) {
				return false
			}
			for _, v := range want {
				i := slices.IndexFunc(got.Swarms, func(k kept) bool { return k.Infohash == v.Infohash })
				if i < 0 || !got.Swarms[i].Complete || got.Swarms[i].SupportedBy != got.Supports[0].ID {
					return false
				}
			}
			return true
		}
	}
	within(t, longWait, "the newest two are held", holds(videos[1], videos[2]))
	state := sharing(t, h, helper)
	if got := state.Supports[0]; got.Used != 2*one || got.Videos != 2 || got.Used > got.Budget || got.Problem != "" {
		t.Errorf("filled: %+v", got)
	}
	if state.Disk.Kept != 2*one || state.Disk.Budget == 0 || state.Swarms[0].Keep.Reason != "support" || state.Swarms[0].Keep.Order == 0 {
		t.Errorf("filled: %+v", state)
	}

	// A newer one takes the place of the oldest. Adding again looks at once.
	videos = append(videos, a.publish(t, small(t), "The fourth"))
	if got := b.do(t, "support", "support", "add", channel); len(got) != 1 {
		t.Errorf("added again: %v", got)
	}
	within(t, longWait, "the newer one has taken the place of the oldest", holds(videos[2], videos[3]))

	// It helps: somebody who is told of no other peer gets the video, and what was given back is counted.
	// The others in the swarm may have given the rest.
	magnet := fmt.Sprintf("magnet:?xt=urn:btih:%s&x.pe=127.0.0.1:%d", videos[3].Infohash, port)
	w := call(t, h, "watch", magnet, "--sources", "tcp", "--json", "--timeout", "90s", "--data", filepath.Join(h.dir, "viewer"))
	if w.code != 0 {
		t.Fatalf("watching: exit code %d, stderr %q", w.code, w.stderr)
	}
	within(t, shortWait, "what was given back is counted", func() bool {
		return sharing(t, h, helper).Supports[0].Uploaded.TCP > 0
	})

	if got := b.do(t, "pin", "pin", videos[2].Infohash); len(got) != 1 {
		t.Errorf("pinned: %v", got)
	}
	state = sharing(t, h, helper)
	if code := b.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	b = serve(t, h, helper)
	within(t, shortWait, "a restart goes on from there", holds(videos[2], videos[3]))
	gave := state.Supports[0].Uploaded
	if state = sharing(t, h, helper); gave.TCP == 0 || state.Supports[0].Uploaded != gave {
		t.Errorf("after a restart it gave back %+v, before %+v", state.Supports[0].Uploaded, gave)
	}
	for _, k := range state.Swarms {
		if k.Downloaded.sum() != k.Bytes || k.Pinned != (k.Infohash == videos[2].Infohash) {
			t.Errorf("after a restart: %+v", k)
		}
	}

	if got := b.do(t, "support", "support", "remove", "root_channel@"+a.host(t), "--delete-files"); len(got) != 1 {
		t.Errorf("removed: %v", got)
	}
	state = sharing(t, h, helper)
	if len(state.Supports) != 0 || len(state.Swarms) != 1 || state.Swarms[0].Infohash != videos[2].Infohash || state.Swarms[0].SupportedBy != "" {
		t.Errorf("after its end: %+v", state)
	}
	if code := b.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	if r := call(t, h, "support", "list", "--json", "--data", helper); r.code != 0 || len(r.events) != 0 {
		t.Errorf("at rest: exit code %d, %q", r.code, r.stdout)
	}
}
