// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"testing"

	"shoal/peer"
	"shoal/peer/library"
)

func whatever(library.Entry) bool { return true }

// targetOf is how a held swarm is joined.
func targetOf(t *testing.T, a *App, infohash string) Resolved {
	t.Helper()
	swarm, ok := a.joined(infohash)
	if !ok {
		t.Fatal("it is not joined")
	}
	target, err := peer.ParseTarget(swarm.Target().Magnet())
	if err != nil {
		t.Fatal(err)
	}
	return Resolved{Kind: KindSwarm, Target: target}
}

func TestWhatIsBeingJoinedToWatchIsNotDeleted(t *testing.T) {
	a, _, infohashes := seeding(t)
	s, err := a.joinResolved(t.Context(), targetOf(t, a, infohashes[0]), WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := a.evict(t.Context(), infohashes[0], whatever); gone || err != nil {
		t.Errorf("deleted under who is about to watch it: %v, %v", gone, err)
	}
	if e, _ := a.keeper.entry(infohashes[0]); !e.LastWatched.IsZero() {
		t.Error("joining alone counts as watching")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if gone, err := a.evict(t.Context(), infohashes[0], whatever); !gone || err != nil {
		t.Errorf("it stays for ever: %v, %v", gone, err)
	}
}

func TestWhatIsBeingDeletedIsJoinedAnewToBeWatched(t *testing.T) {
	a, _, infohashes := seeding(t)
	r := targetOf(t, a, infohashes[0])
	old, _ := a.joined(infohashes[0])
	deleting, goOn := make(chan struct{}), make(chan struct{})
	evicted := make(chan error, 1)
	go func() {
		_, err := a.evict(context.Background(), infohashes[0], func(library.Entry) bool {
			close(deleting)
			<-goOn
			return true
		})
		evicted <- err
	}()
	<-deleting
	// Who gives up waiting gets away.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.WatchResolved(ctx, r, WatchOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	type watched struct {
		s   *Session
		err error
	}
	watching := make(chan watched, 1)
	go func() {
		s, err := a.WatchResolved(context.Background(), r, WatchOptions{})
		watching <- watched{s, err}
	}()
	select {
	case <-watching:
		t.Error("it is watched while it is being deleted")
	default:
	}
	close(goOn)
	if err := <-evicted; err != nil {
		t.Fatal(err)
	}
	got := <-watching
	if got.err != nil {
		t.Fatal(got.err)
	}
	if now, ok := a.joined(infohashes[0]); !ok || now == old || got.s.Main != now {
		t.Error("it is not joined anew")
	}
	if e, known := a.keeper.entry(infohashes[0]); !known || e.LastWatched.IsZero() {
		t.Errorf("the library has %+v", e)
	}
	if err := got.s.Close(); err != nil {
		t.Error(err)
	}
}
