// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shoal/instance/federation/inbox"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Bounds of reading one actor's outbox.
const (
	maxPages  = 200
	maxItems  = 2000
	walkTime  = 3 * time.Minute // of one go; the next one resumes
	walkAgain = 24 * time.Hour  // then the newest pages are looked at
	walkRetry = time.Minute     // after a failure, doubled each time
	walkPause = 6 * time.Hour   // at most
	walkers   = 8
	walkLook  = 15 * time.Minute // how often it is looked which walks are due, unless woken
	walkSlept = 2 * walkLook     // without a look: the machine was asleep, or Shoal not running
	// walkActorAge is how old what is known of a walked actor may be.
	walkActorAge = 48 * time.Hour
)

// walkDue walks outboxes whenever walks are due, until ctx ends. A slow one holds up no other.
func (s *Service) walkDue(ctx context.Context) {
	running, ended := map[string]bool{}, make(chan string)
	var awake time.Time
	for ctx.Err() == nil {
		// PeerTube delivers once: whoever was away, or asleep, has to look for what came meanwhile.
		now := s.cfg.Now().Round(0) // the wall clock, which goes on while the machine sleeps
		if now.Sub(awake) > walkSlept {
			s.lookAgain(now)
		}
		awake = now
		due, next := s.dueWalks(running)
		for _, w := range due {
			running[w.Actor] = true
			go func() {
				s.walkOne(ctx, w)
				ended <- w.Actor
			}()
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-s.walk:
		case <-timer.C:
		case actor := <-ended:
			delete(running, actor)
		}
		timer.Stop()
	}
	for range len(running) {
		<-ended
	}
}

// lookAgain makes the walks due that came to their end before.
func (s *Service) lookAgain(now time.Time) {
	err := s.cfg.Store.Write("storing walks", func(tx *store.Tx) error {
		all, err := tx.Walks()
		if err != nil {
			return err
		}
		for _, w := range all {
			if !w.Done || w.Error != "" {
				continue
			}
			w.Due = now
			if err := tx.PutWalk(w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.cfg.Logger.Error("walks cannot be stored", "error", err)
	}
}

// dueWalks returns what to walk now beside what is running, and when to look again.
func (s *Service) dueWalks(running map[string]bool) (due []store.Walk, next time.Duration) {
	var all []store.Walk
	err := s.cfg.Store.Read(func(tx *store.Tx) (err error) {
		all, err = tx.Walks()
		return err
	})
	if err != nil {
		s.cfg.Logger.Error("walks cannot be read", "error", err)
		return nil, walkLook
	}
	now := s.cfg.Now()
	slices.SortFunc(all, func(a, b store.Walk) int { return a.Due.Compare(b.Due) })
	for _, w := range all {
		wait := w.Due.Sub(now)
		switch {
		case wait > 0:
			return due, min(wait, walkLook)
		case !running[w.Actor] && len(running)+len(due) < walkers:
			due = append(due, w)
		}
	}
	return due, walkLook
}

// errEnded is a walk whose actor is not followed any more.
var errEnded = errors.New("the actor is not followed any more")

// partly is a walk that came to its end, but for activities that may be had later.
type partly struct{ cause error }

func (p *partly) Error() string { return "not all of it could be had: " + p.cause.Error() }
func (p *partly) Unwrap() error { return p.cause }

// walkOne walks one outbox from where it was left and stores how it went.
func (s *Service) walkOne(ctx context.Context, w store.Walk) {
	bounded, cancel := context.WithTimeout(ctx, walkTime)
	defer cancel()
	wait := walkRetry
	if w.Error != "" { // it failed before: Updated is when
		wait = min(2*max(w.Due.Sub(w.Updated), walkRetry), walkPause)
	}
	if w.Next == "" {
		w.Pages, w.Items = 0, 0
	}
	if w.Done { // all of it was read before: look for what is new
		w = store.Walk{Actor: w.Actor, Brought: w.Brought, Done: true}
	}
	err := s.walkPages(bounded, &w)
	now := s.cfg.Now()
	var some *partly
	switch {
	case errors.Is(err, errEnded), ctx.Err() != nil:
		return // the state after the last page is stored
	case err != nil && bounded.Err() != nil:
		w.Due, w.Error = now.Add(walkRetry), ""
	case err != nil:
		w.Due, w.Error = now.Add(wait), err.Error()
		if errors.As(err, &some) { // from the beginning again, but not for ever
			w.Next, w.Done = "", w.Done || wait == walkPause
		}
		s.cfg.Logger.Info("an outbox cannot be read", "actor", w.Actor, "error", err)
	default:
		w.Next, w.Done, w.Error, w.Due = "", true, "", now.Add(walkAgain)
	}
	w.Updated = now
	if err := s.putWalk(w); err != nil && !errors.Is(err, errEnded) {
		s.cfg.Logger.Error("a walk cannot be stored", "actor", w.Actor, "error", err)
	}
}

// putWalk stores a walk unless the actor is not followed any more.
func (s *Service) putWalk(w store.Walk) error {
	return s.cfg.Store.Write("storing a walk", func(tx *store.Tx) error {
		if _, ok, err := tx.Walk(w.Actor); err != nil || !ok {
			return errors.Join(err, errEnded)
		}
		return tx.PutWalk(w)
	})
}

// stillFollowed forgets a walk whose actor nobody here follows, as one that was deleted at its host.
func (s *Service) stillFollowed(actorID string) error {
	accepted := false
	err := s.cfg.Store.Read(func(tx *store.Tx) error {
		locals, err := tx.FollowedBy(actorID)
		if err != nil {
			return err
		}
		for _, local := range locals {
			f, ok, err := tx.Following(local, actorID)
			if err != nil {
				return err
			}
			accepted = accepted || (ok && f.State == store.FollowAccepted)
		}
		return nil
	})
	if err != nil || accepted {
		return err
	}
	err = s.cfg.Store.Write("forgetting a walk", func(tx *store.Tx) error { return tx.DeleteWalk(actorID) })
	return errors.Join(err, errEnded)
}

// walkPages reads page after page and stores w after each.
func (s *Service) walkPages(ctx context.Context, w *store.Walk) error {
	if err := s.stillFollowed(w.Actor); err != nil {
		return err
	}
	actor, err := s.cfg.Resolver.Actor(ctx, w.Actor, walkActorAge)
	if err != nil {
		return err
	}
	if actor.Outbox == "" {
		return nil
	}
	page, err := s.firstPage(ctx, actor, w.Next)
	if err != nil {
		return err
	}
	again := w.Done
	var missed error
	seen := map[string]bool{}
	for page != nil {
		fresh, later, err := s.bring(ctx, actor, page, w)
		if err != nil {
			return err
		}
		if later != nil {
			missed = &partly{later}
		}
		w.Pages++
		next := page.Next
		if next == "" || seen[next] || w.Pages >= maxPages || w.Items >= maxItems || (again && fresh == 0) {
			return missed
		}
		seen[next] = true
		if !again { // a look at what is new starts anew after a restart
			w.Next, w.Updated, w.Error = next, s.cfg.Now(), ""
			if err := s.putWalk(*w); err != nil {
				return err
			}
		}
		if page, err = s.page(ctx, actor, next); err != nil {
			return err
		}
	}
	return nil
}

// firstPage is the page to begin with: the one that is left, or the outbox's first; nil where the
// outbox has none.
func (s *Service) firstPage(ctx context.Context, actor *store.Actor, left string) (*vocab.Collection, error) {
	if left != "" {
		return s.page(ctx, actor, left)
	}
	c, err := s.page(ctx, actor, actor.Outbox)
	switch {
	case err != nil:
		return nil, err
	case len(c.Items) > 0 || c.First.IsZero():
		return c, nil
	case c.First.Embedded():
		page, err := vocab.ParseCollection(c.First.Raw)
		if err != nil {
			return nil, fmt.Errorf("reading the outbox of %s: %w", actor.ID, err)
		}
		return page, nil
	}
	return s.page(ctx, actor, c.First.ID)
}

// page fetches a collection or a page of it, from the actor's own host.
func (s *Service) page(ctx context.Context, actor *store.Actor, url string) (*vocab.Collection, error) {
	if !vocab.SameOrigin(url, actor.ID) {
		return nil, fmt.Errorf("the outbox of %s leads to another server", actor.ID)
	}
	body, final, err := s.cfg.Fetch.Object(ctx, url)
	if err != nil {
		return nil, err
	}
	if !vocab.SameOrigin(final, actor.ID) {
		return nil, fmt.Errorf("the outbox of %s leads to another server", actor.ID)
	}
	c, err := vocab.ParseCollection(body)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox of %s: %w", actor.ID, err)
	}
	return c, nil
}

// bring takes a page's activities the way of received ones and returns how many brought something,
// and why one could not be had that may be later.
func (s *Service) bring(ctx context.Context, actor *store.Actor, page *vocab.Collection, w *store.Walk) (fresh int, later, err error) {
	for _, item := range page.Items {
		if w.Items >= maxItems {
			break
		}
		w.Items++
		if item.Raw == nil || (item.Type != "Announce" && item.Type != "Create") || !vocab.SameOrigin(item.ID, actor.ID) {
			continue
		}
		brought, err := s.cfg.Bringer.Bring(ctx, actor, item.Raw)
		var refusal *inbox.Refusal
		switch {
		case err != nil && ctx.Err() != nil:
			return fresh, later, err
		case err != nil:
			if !errors.As(err, &refusal) {
				later = err
			}
			s.cfg.Logger.Debug("an outbox has something that cannot be used", "actor", actor.ID, "activity", item.ID, "error", err)
		case brought:
			fresh++
			w.Brought++
		}
	}
	return fresh, later, nil
}
