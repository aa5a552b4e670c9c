// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"shoal/instance/federation/fakefed"
	"shoal/instance/store"
)

// remoteInstance is a fake instance with its actors.
type remoteInstance struct {
	*fakefed.Server
	app, alice, channel *fakefed.Actor
}

func newRemote(t *testing.T) *remoteInstance {
	t.Helper()
	s := fakefed.New(t)
	return &remoteInstance{s, s.Actor("Application", fakefed.NameInstance), s.Actor("Person", "alice"), s.Actor("Group", "alice_channel")}
}

// accept answers the Follow of an actor that came last.
func (s *remoteInstance) accept(t *testing.T, who *fakefed.Actor, r *running) {
	t.Helper()
	got := s.Await("Follow", who.ID)
	if err := who.Accept(t.Context(), got, r.ActorURL()+"/inbox"); err != nil {
		t.Fatal(err)
	}
}

func TestFollowSaysWhyItFailed(t *testing.T) {
	r, s := start(t, Config{Dir: t.TempDir()}, nil), newRemote(t)
	s.Handle("/accounts/peertube/inbox", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "invalid signature", http.StatusForbidden) })
	f, err := r.Follow(t.Context(), s.Host, wait)
	if err != nil || f.State != FollowFailed || !strings.Contains(f.Reason, "403") || !strings.Contains(f.Reason, "invalid signature") {
		t.Fatalf("got %+v, %v", f, err)
	}
	s.Handle("/accounts/peertube/inbox", nil)
	if err := r.RetryFollow(t.Context(), s.Host); err != nil {
		t.Fatal(err)
	}
	s.accept(t, s.app, r)
	eventually(t, "the retry is accepted", func() bool {
		all, err := r.Following()
		return err == nil && len(all) == 1 && all[0].State == FollowAccepted && all[0].Reason == ""
	})
	if err := r.RetryFollow(t.Context(), s.Host); err == nil {
		t.Error("an accepted follow is retried")
	}
}

// A PeerTube may answer 403 and work on the activity all the same.
func TestAcceptCountsThoughTheFollowWasRefused(t *testing.T) {
	r, s := start(t, Config{Dir: t.TempDir()}, nil), newRemote(t)
	s.Answer(http.StatusForbidden)
	if f, err := r.Follow(t.Context(), s.URL, wait); err != nil || f.State != FollowFailed {
		t.Fatalf("got %+v, %v", f, err)
	}
	got := s.Received()[0]
	if got.Path != "/accounts/peertube/inbox" {
		t.Errorf("the Follow went to %s", got.Path)
	}
	if err := s.app.Accept(t.Context(), got, r.ActorURL()+"/inbox"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is accepted", func() bool {
		all, err := r.Following()
		return err == nil && len(all) == 1 && all[0].State == FollowAccepted
	})
}

func TestChannelsAndAccountsAreFollowedByHandleAndURL(t *testing.T) {
	r, s := start(t, Config{Dir: t.TempDir()}, nil), newRemote(t)
	for target, who := range map[string]*fakefed.Actor{"@alice_channel@" + s.Host: s.channel, s.alice.ID: s.alice} {
		f, err := r.Follow(t.Context(), target, 0)
		if err != nil || f.State != FollowPending || f.Target != who.ID || f.Handle != who.Name+"@"+s.Host {
			t.Errorf("%s: %+v, %v", target, f, err)
		}
		s.accept(t, who, r)
	}
	eventually(t, "both are accepted", func() bool {
		all, err := r.Following()
		return err == nil && len(all) == 2 && all[0].State == FollowAccepted && all[1].State == FollowAccepted
	})
	if err := r.Unfollow(t.Context(), s.Host); err == nil || !strings.Contains(err.Error(), "several actors") {
		t.Errorf("a host that is not clear: %v", err)
	}
	if err := r.Unfollow(t.Context(), "alice@"+s.Host); err != nil {
		t.Error(err)
	}
	s.Await("Undo", "")
	for _, target := range []string{"nobody@" + s.Host, r.base.Host(), r.AccountURL(), "not a target", ""} {
		if f, err := r.Follow(t.Context(), target, 0); err == nil {
			t.Errorf("%q: %+v", target, f)
		}
	}
	for name, err := range map[string]error{
		"unfollow": r.Unfollow(t.Context(), "nobody@"+s.Host), "retry": r.RetryFollow(t.Context(), "nobody@"+s.Host),
		"approve": r.Approve(t.Context(), s.Host), "reject": r.RejectFollower(t.Context(), s.Host),
	} {
		if err == nil || !strings.Contains(err.Error(), "there is no follow of") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOutboxIsWalkedThroughTrouble(t *testing.T) {
	r, s := start(t, Config{Dir: t.TempDir()}, nil), newRemote(t)
	other := newRemote(t)
	var ids []string
	var items []any
	for n := range 7 {
		id, _ := s.Video(uuid.NewString(), fmt.Sprintf("video %d", n), "alice_channel")
		ids = append(ids, id)
		items = append(items, s.app.Activity("Announce", fmt.Sprintf("/announces/%d", n), id))
	}
	foreign, _ := other.Video(uuid.NewString(), "of another", "alice_channel")
	forged := other.app.Activity("Announce", "/announces/1", foreign) // whoever says so is not the outbox's owner
	outbox := s.app.ID + "/outbox"
	page := func(next string, items ...any) map[string]any {
		p := map[string]any{"type": "OrderedCollectionPage", "id": outbox + "?page", "partOf": outbox, "totalItems": 7, "orderedItems": items}
		if next != "" {
			p["next"] = next
		}
		return p
	}
	path := func(url string) string { return strings.TrimPrefix(url, s.URL) }
	// The first page stands in the outbox itself, the second one is at first not to be had.
	first := page(s.URL+"/outbox/2", items[0], items[1], "not an activity", forged, s.app.Activity("Like", "/likes/1", ids[0]))
	s.Serve(path(outbox), map[string]any{"type": "OrderedCollection", "id": outbox, "totalItems": 7, "first": first})
	s.Serve("/outbox/2ok", page(s.URL+"/outbox/3", items[2], items[3], s.app.Activity("Announce", "/announces/x", s.URL+"/nowhere")))
	var asked atomic.Int32
	s.Handle("/outbox/2", func(w http.ResponseWriter, q *http.Request) {
		if asked.Add(1) <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		q.URL.Path = "/outbox/2ok"
		s.ServeHTTP(w, q)
	})
	s.Serve("/outbox/3", page(s.URL+"/outbox/4", items[4], items[5]))
	s.Serve("/outbox/4", page(other.URL+"/outbox/5", items[6])) // leads away
	if _, err := r.Follow(t.Context(), s.Host, 0); err != nil {
		t.Fatal(err)
	}
	s.accept(t, s.app, r)
	eventually(t, "all videos come", func() bool {
		_, n, err := r.Videos(t.Context(), VideoQuery{Origin: OriginRemote})
		return err == nil && n == len(ids)
	})
	if other.Asked("/outbox/5") > 0 || r.lists(foreign) {
		t.Error("the outbox of one server led to another")
	}
}

func TestWalkGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	r, s := start(t, Config{Dir: dir}, nil), newRemote(t)
	outbox := s.app.ID + "/outbox"
	id1, _ := s.Video(uuid.NewString(), "video one", "alice_channel")
	id2, _ := s.Video(uuid.NewString(), "video two", "alice_channel")
	page := func(n int, id, next string) map[string]any {
		return map[string]any{"type": "OrderedCollectionPage", "id": fmt.Sprintf("%s?page=%d", outbox, n), "next": next, "orderedItems": []any{s.app.Activity("Announce", fmt.Sprintf("/announces/%d", n), id)}}
	}
	s.Serve("/accounts/peertube/outbox", map[string]any{"type": "OrderedCollection", "id": outbox, "totalItems": 2, "first": s.URL + "/outbox/1"})
	s.Serve("/outbox/1", page(1, id1, s.URL+"/outbox/2"))
	hold := make(chan struct{})
	s.Handle("/outbox/2", func(_ http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		select {
		case <-hold:
		case <-q.Context().Done():
		}
	})
	if _, err := r.Follow(t.Context(), s.Host, 0); err != nil {
		t.Fatal(err)
	}
	s.accept(t, s.app, r)
	eventually(t, "the second page is asked for", func() bool { return r.lists(id1) && s.Asked("/outbox/2") > 0 })
	r.stop()
	close(hold)
	s.Handle("/outbox/2", nil)
	s.Serve("/outbox/2", page(2, id2, ""))
	r = start(t, Config{Dir: dir}, nil)
	eventually(t, "the second page's video comes", func() bool { return r.lists(id2) })
	if n := s.Asked("/outbox/1"); n != 1 {
		t.Errorf("the first page was read %d times", n)
	}
}

// What was announced while the instance was off was delivered to nobody: it looks for it when it starts.
func TestWhatCameWhileAwayIsFound(t *testing.T) {
	dir := t.TempDir()
	r, s := start(t, Config{Dir: dir}, nil), newRemote(t)
	id1, _ := s.Video(uuid.NewString(), "video one", "alice_channel")
	id2, _ := s.Video(uuid.NewString(), "video two", "alice_channel")
	outbox := func(ids ...string) {
		var items []any
		for n, id := range ids {
			items = append(items, s.app.Activity("Announce", fmt.Sprintf("/announces/%d", n), id))
		}
		id := s.app.ID + "/outbox"
		s.Serve("/accounts/peertube/outbox", map[string]any{
			"type": "OrderedCollection", "id": id, "totalItems": len(ids),
			"first": map[string]any{"type": "OrderedCollectionPage", "id": id + "?page=1", "orderedItems": items},
		})
	}
	outbox(id1)
	if _, err := r.Follow(t.Context(), s.Host, 0); err != nil {
		t.Fatal(err)
	}
	s.accept(t, s.app, r)
	eventually(t, "the first video comes", func() bool { return r.lists(id1) })
	eventually(t, "the walk is over", func() bool {
		done := false
		err := r.store.Read(func(tx *store.Tx) error {
			w, ok, err := tx.Walk(s.app.ID)
			done = ok && w.Done
			return err
		})
		return err == nil && done
	})
	r.stop()
	outbox(id1, id2)
	r = start(t, Config{Dir: dir}, nil)
	eventually(t, "the second video comes", func() bool { return r.lists(id2) })
}

func TestFollowersComeAgainAndLeave(t *testing.T) {
	r, s := start(t, Config{Dir: t.TempDir()}, nil), newRemote(t)
	state := func(local string) string {
		all, err := r.Followers()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.Local == local && f.Target == s.alice.ID {
				return f.State
			}
		}
		return ""
	}
	locals := []string{r.ActorURL(), r.AccountURL(), r.ChannelURL()}
	for n, local := range locals {
		for again := range 2 { // the second Follow of one that is accepted is accepted again
			if err := s.alice.Post(t.Context(), r.URL()+"/inbox", s.alice.Activity("Follow", fmt.Sprintf("/follows/%d-%d", n, again), local)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the follow is accepted", func() bool {
				accepts := 0
				for _, got := range s.Received() {
					if got.Get("type") == "Accept" && got.Get("actor") == local && got.Path == "/accounts/alice/inbox" {
						accepts++
					}
				}
				return accepts == again+1
			})
		}
	}
	if accounts, err := r.Accounts(); err != nil || accounts[0].Followers != 1 {
		t.Errorf("accounts %+v, %v", accounts, err)
	}
	undo := func(n int, object any) {
		t.Helper()
		if err := s.alice.Post(t.Context(), locals[n]+"/inbox", s.alice.Activity("Undo", fmt.Sprintf("/undo/%d", n), object)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the follower leaves", func() bool { return state(locals[n]) == "" })
	}
	undo(0, s.alice.Activity("Follow", "/follows/0-1", locals[0]))
	undo(1, s.URL+"/follows/1-1") // by id alone

	mallory := s.Actor("Person", "mallory")
	forged := s.alice.Activity("Follow", "/follows/2-1", locals[2])
	if err := mallory.Post(t.Context(), r.URL()+"/inbox", mallory.Activity("Undo", "/undo/3", forged)); err != nil {
		t.Fatal(err)
	}
	if err := mallory.Post(t.Context(), r.URL()+"/inbox", mallory.Activity("Accept", "/accepts/3", "https://nowhere.example/follows/1")); err != nil {
		t.Fatal(err)
	}
	if err := mallory.Post(t.Context(), r.URL()+"/inbox", mallory.Activity("Follow", "/follows/4", r.URL()+"/accounts/nobody")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what is not for mallory to say is refused", func() bool {
		refused, err := r.Refusals(10)
		return err == nil && len(refused) == 3
	})
	if state(locals[2]) != FollowAccepted {
		t.Error("somebody else ended alice's follow")
	}
}
