// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"shoal/instance/fault"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/resolve"
	"shoal/instance/store"
)

// actorAge is how old what is known of an actor may be when it is asked to be followed.
const actorAge = time.Hour

// Follow has the instance actor follow the actor that target means (a host, a handle or a URL), and
// waits for the answer as long as wait. An accepted follow is returned as it is.
func (s *Service) Follow(ctx context.Context, target string, wait time.Duration) (*store.Follow, error) {
	named, notHost := Host(target[strings.LastIndex(target, "@")+1:])
	switch {
	case notHost == nil && named == s.cfg.Base.Host() && !strings.Contains(target, "@"):
		return nil, errSelf()
	case notHost == nil && s.cfg.Store.Blocked(named):
		return nil, errBlocked(named)
	}
	id, err := s.cfg.Resolver.Target(ctx, target)
	if err != nil {
		if errors.Is(err, resolve.ErrRefused) && notHost != nil {
			return nil, fault.BadInput("%q names nobody: give a host as video.example.org, a name as name@video.example.org, or the address of an account or channel", clip(target)).Because(err)
		}
		return nil, err
	}
	host := store.HostOf(id)
	switch {
	case host == s.cfg.Base.Host():
		return nil, errSelf()
	case s.cfg.Store.Blocked(host):
		return nil, errBlocked(host)
	}
	actor, err := s.cfg.Resolver.Actor(ctx, id, actorAge)
	if err != nil {
		return nil, err
	}
	f, m, err := s.prepare(ctx, s.cfg.Base.Actor(), actor, false)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Write("storing a follow", func(tx *store.Tx) error {
		return s.start(tx, f, m)
	})
	if err != nil {
		return nil, err
	}
	return s.await(ctx, f, wait)
}

func errSelf() error {
	return fault.Refused("this is the instance itself: name another one to follow")
}

func errBlocked(host string) error {
	return fault.Blocked("%s is blocked here: unblock it before following it", host)
}

// prepare makes a follow and its activity.
func (s *Service) prepare(ctx context.Context, local string, actor *store.Actor, auto bool) (*store.Follow, delivery.Message, error) {
	now := s.cfg.Now()
	f := &store.Follow{
		ID: followID(local), Local: local, Remote: actor.ID, Host: store.HostOf(actor.ID), State: store.FollowPending,
		Auto: auto, Created: now, Updated: now,
	}
	m, err := s.ask(ctx, f, actor.Inbox)
	return f, m, err
}

// start stores a follow and queues its activity, unless the follow is accepted already.
func (s *Service) start(tx *store.Tx, f *store.Follow, m delivery.Message) error {
	old, ok, err := tx.Following(f.Local, f.Remote)
	switch {
	case err != nil:
		return err
	case ok && old.State == store.FollowAccepted:
		return nil
	case s.cfg.Store.Blocked(f.Host):
		return errBlocked(f.Host)
	case ok:
		f.Created = old.Created
	}
	if err := s.putFollowing(tx, f); err != nil {
		return err
	}
	return s.enqueue(tx, m)
}

// await waits until a follow is no longer pending, ctx ends or the time is over.
func (s *Service) await(ctx context.Context, f *store.Follow, wait time.Duration) (*store.Follow, error) {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		changed := s.changes()
		now, ok, err := s.following(f.Local, f.Remote)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, errors.New("the follow was taken back while it waited for an answer")
		case now.State != store.FollowPending:
			return now, nil
		}
		select {
		case <-changed:
		case <-over.C:
			return now, nil
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}

func (s *Service) following(local, remote string) (f *store.Follow, ok bool, err error) {
	err = s.cfg.Store.Read(func(tx *store.Tx) error {
		f, ok, err = tx.Following(local, remote)
		return err
	})
	return f, ok, err
}

// Retry asks again at once.
func (s *Service) Retry(ctx context.Context, target string) error {
	all, err := s.find(ctx, s.Following, target, false)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Follow.State == store.FollowAccepted {
			return fault.Refused("%s has accepted already: there is nothing to retry", e.Handle())
		}
		actor, err := s.cfg.Resolver.Actor(ctx, e.Follow.Remote, actorAge)
		if err != nil {
			return err
		}
		f, m, err := s.prepare(ctx, e.Follow.Local, actor, e.Follow.Auto)
		if err != nil {
			return err
		}
		if err := s.cfg.Store.Write("storing a follow", func(tx *store.Tx) error { return s.start(tx, f, m) }); err != nil {
			return err
		}
		if err := s.cfg.Queue.Retry(e.Follow.Host); err != nil {
			return fmt.Errorf("retrying deliveries: %w", err)
		}
	}
	return nil
}

// Unfollow ends a follow and tells the other side. Where policy says so it is followed back when it
// follows again: the blacklist keeps it from that.
func (s *Service) Unfollow(ctx context.Context, target string) error {
	all, err := s.find(ctx, s.Following, target, false)
	if err != nil {
		return err
	}
	for _, e := range all {
		m, err := s.undo(ctx, &e.Follow, e.inbox())
		if err != nil {
			return err
		}
		err = s.cfg.Store.Write("storing the end of a follow", func(tx *store.Tx) error {
			return s.end(tx, &e.Follow, m)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// end forgets a follow of ours and queues what tells so.
func (s *Service) end(tx *store.Tx, f *store.Follow, undo ...delivery.Message) error {
	tx.Bolt().OnCommit(s.tell)
	if err := tx.DeleteFollowing(f.Local, f.Remote); err != nil {
		return err
	}
	left, err := tx.FollowedBy(f.Remote)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		if err := tx.DeleteWalk(f.Remote); err != nil {
			return err
		}
	}
	return s.enqueue(tx, undo...)
}

// OnResult takes what became of an attempt to deliver an activity: a Follow that was given up has
// failed, and one that is tried again says why it waits.
func (s *Service) OnResult(r delivery.Result) {
	if !isFollowID(r.ID) || !strings.HasPrefix(r.ID, string(s.cfg.Base)+"/") {
		return
	}
	err := s.cfg.Store.Write("storing a follow", func(tx *store.Tx) error {
		f, err := s.byID(tx, r.ID)
		if f == nil || err != nil || f.State != store.FollowPending {
			return err
		}
		switch {
		case r.Failed:
			f.State, f.Reason = store.FollowFailed, r.Reason
		case r.Done && f.Reason == "", !r.Done && f.Reason == r.Reason:
			return nil
		case r.Done:
			f.Reason = ""
		default:
			f.Reason = r.Reason
		}
		f.Updated = s.cfg.Now()
		return s.putFollowing(tx, f)
	})
	if err != nil {
		s.cfg.Logger.Error("the outcome of a follow cannot be stored", "follow", r.ID, "error", err)
	}
}

// byID finds a follow of ours by its activity's id; nil where there is none.
func (s *Service) byID(tx *store.Tx, id string) (found *store.Follow, err error) {
	err = tx.EachFollowing("", func(f *store.Follow) (bool, error) {
		if f.ID == id {
			found = f
		}
		return found == nil, nil
	})
	return found, err
}
