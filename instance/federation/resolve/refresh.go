// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// How the background works: how many objects wait at most, how many are fetched in a second, by how
// many at once.
const (
	maxWaiting   = 5000
	refreshRate  = 4
	refreshBurst = 20
	refreshers   = 3
)

// refresher is what waits to be fetched anew.
type refresher struct {
	mu      sync.Mutex
	waiting map[wish]bool
	wishes  chan wish
}

// wish is an object to fetch anew; of a video, perhaps its comments alone.
type wish struct {
	id           string
	commentsOnly bool
}

func newRefresher() refresher {
	return refresher{waiting: map[wish]bool{}, wishes: make(chan wish, maxWaiting)}
}

// Touch asks for a fresh copy of a stored actor or video in the background: it is used and may be old.
// It never waits; where too many are asked for, it does nothing.
func (r *Resolver) Touch(id string) { r.refresh.add(wish{id: id}) }

// TouchComments asks for the comments of a video that was fetched a moment ago, as Touch does.
func (r *Resolver) TouchComments(id string) { r.refresh.add(wish{id, true}) }

func (q *refresher) add(w wish) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting[w] {
		return
	}
	select {
	case q.wishes <- w:
		q.waiting[w] = true
	default: // too many
	}
}

func (q *refresher) done(w wish) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waiting, w)
}

// Serve fetches anew what Touch names, at a bounded rate, until the context ends. It returns nil.
func (r *Resolver) Serve(ctx context.Context) error {
	limit := rate.NewLimiter(refreshRate, refreshBurst)
	var all sync.WaitGroup
	for range refreshers {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case w := <-r.refresh.wishes:
					if limit.Wait(ctx) == nil {
						r.refreshOne(ctx, w)
					}
					r.refresh.done(w)
				}
			}
		})
	}
	all.Wait()
	return nil
}

func (r *Resolver) refreshOne(ctx context.Context, w wish) {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	v, err := r.storedVideo(w.id)
	switch {
	case err != nil:
	case v != nil:
		if !w.commentsOnly {
			v, err = r.Video(ctx, w.id, Fresh)
		}
		if err == nil {
			err = r.talk(ctx, v)
		}
	case !w.commentsOnly:
		err = r.refreshActor(ctx, w.id)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.Debug("a remote object could not be refreshed", "id", w.id, "error", err)
	}
}

// refreshActor fetches an actor anew, has its host confirm its name, and counts its followers.
func (r *Resolver) refreshActor(ctx context.Context, id string) error {
	a, err := r.Actor(ctx, id, Fresh)
	if err != nil {
		return err
	}
	if err := r.confirm(ctx, a); err != nil {
		return err
	}
	followers, ok1 := r.count(ctx, id, a.FollowersURL)
	following, ok2 := r.count(ctx, id, a.FollowingURL)
	if !ok1 && !ok2 {
		return nil
	}
	return r.store.Write("storing an actor", func(tx *store.Tx) error {
		known, ok, err := tx.Actor(id)
		if err != nil || !ok {
			return err
		}
		if ok1 {
			known.FollowerCount = int(min(followers, 1<<31-1))
		}
		if ok2 {
			known.FollowingCount = int(min(following, 1<<31-1))
		}
		return tx.PutActor(known)
	})
}

// Bounds of reading the comments of a video that was new here: pages, and comments, both those that
// are named and those that are fetched.
const (
	maxCommentPages = 5
	maxComments     = 100
	commentsTime    = time.Minute
)

// talk reads the comments that a video has at its origin and stores those on it that are not known.
func (r *Resolver) talk(ctx context.Context, v *store.RemoteVideo) error {
	if v.CommentsPolicy == store.CommentsDisabled {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commentsTime)
	defer cancel()
	items, notes := maxComments, maxComments
	next := v.CommentsURL
	for range maxCommentPages + 1 {
		if next == "" || !vocab.SameOrigin(next, v.ID) {
			return nil
		}
		body, final, err := r.fetch.Object(ctx, next)
		if err != nil {
			return failed(next, err)
		}
		if !vocab.SameOrigin(final, v.ID) {
			return nil
		}
		page, err := vocab.ParseCollection(body)
		if err != nil {
			return malformed(next, err)
		}
		for _, id := range page.Items.IDs() {
			if items--; items < 0 || notes < 0 {
				return nil
			}
			if r.local(id) {
				continue
			}
			if _, err := r.take(ctx, v.ID, noFragment(id), &notes); err != nil {
				r.log.Debug("a comment could not be read", "id", id, "error", err)
			}
		}
		next = page.Next
		if !page.Page() {
			next = page.First.ID
		}
	}
	return nil
}
