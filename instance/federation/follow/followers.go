// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"

	"shoal/instance/fault"
	"shoal/instance/federation/delivery"
	"shoal/instance/store"
)

// Approve accepts the followers that target means (a host, a handle or a URL), also rejected ones.
func (s *Service) Approve(ctx context.Context, target string) error {
	return s.judge(ctx, target, store.FollowAccepted, "")
}

// Reject turns the followers away that target means, also accepted ones. They stay rejected until
// they are approved.
func (s *Service) Reject(ctx context.Context, target string) error {
	return s.judge(ctx, target, store.FollowRejected, reasonByHand)
}

func (s *Service) judge(ctx context.Context, target string, state store.FollowState, reason string) error {
	all, err := s.find(ctx, s.Followers, target, true)
	if err != nil {
		return err
	}
	for _, e := range all {
		if state == store.FollowAccepted && s.cfg.Store.Blocked(e.Follow.Host) {
			return fault.Blocked("%s is blocked here: unblock it before approving it", e.Follow.Host)
		}
		if err := s.judgeOne(ctx, e, state, reason); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) judgeOne(ctx context.Context, e Entry, state store.FollowState, reason string) error {
	actor := e.Actor
	if actor == nil {
		var err error
		if actor, err = s.cfg.Resolver.Actor(ctx, e.Follow.Remote, actorAge); err != nil {
			return err
		}
	}
	f := e.Follow
	f.State, f.Reason, f.Updated = state, reason, s.cfg.Now()
	old, err := s.known(f.Local, f.Remote)
	if err != nil {
		return err
	}
	messages, back, err := s.replies(ctx, &f, actor, old.settled)
	if err != nil {
		return err
	}
	return s.cfg.Store.Write("storing a follower", func(tx *store.Tx) error {
		switch _, ok, err := tx.Follower(f.Local, f.Remote); {
		case err != nil:
			return err
		case !ok:
			return fault.NotFound("%s does not follow any more: see the list of followers", e.Handle())
		}
		word := tx.Decide // a word that the other side cannot take back by following anew
		if state == store.FollowAccepted {
			word = tx.Revoke
		}
		if err := errors.Join(word(store.RejectedByHand, f.Local, f.Remote), tx.PutFollower(&f)); err != nil {
			return err
		}
		if err := s.enqueue(tx, messages...); err != nil {
			return err
		}
		return s.followBack(tx, back)
	})
}

// SetPolicy stores a policy. With drop, the followers there are are rejected as well; it goes with a
// policy that rejects.
func (s *Service) SetPolicy(ctx context.Context, p store.Policy, drop bool) error {
	if drop && p.Followers != store.FollowersReject {
		return fault.BadInput("followers are dropped only where all are rejected: set the policy to reject as well")
	}
	err := s.cfg.Store.Write("storing the policy", func(tx *store.Tx) error { return tx.SetPolicy(p) })
	if err != nil || !drop {
		return err
	}
	return s.dropAll(ctx)
}

// dropStep is how many followers one transaction drops.
const dropStep = 100

// dropAll rejects every follower. What is rejected so may follow again once the policy is another.
func (s *Service) dropAll(ctx context.Context) error {
	all, err := s.Followers()
	if err != nil {
		return err
	}
	var some []Entry
	for i, e := range all {
		if e.Follow.State != store.FollowRejected {
			some = append(some, e)
		}
		if len(some) < dropStep && i < len(all)-1 {
			continue
		}
		if err := s.dropSome(ctx, some); err != nil {
			return err
		}
		some = some[:0]
	}
	return nil
}

func (s *Service) dropSome(ctx context.Context, some []Entry) error {
	messages := make([]delivery.Message, 0, len(some))
	for _, e := range some {
		m, err := s.answer(ctx, "Reject", &e.Follow, e.inbox())
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	return s.cfg.Store.Write("dropping followers", func(tx *store.Tx) error {
		for _, e := range some {
			f, ok, err := tx.Follower(e.Follow.Local, e.Follow.Remote)
			if err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			f.State, f.Reason, f.Updated = store.FollowRejected, reasonPolicy, s.cfg.Now()
			if err := tx.PutFollower(f); err != nil {
				return err
			}
		}
		return s.enqueue(tx, messages...)
	})
}

// BlacklistAdd puts a host on the list of those that are never followed back.
func (s *Service) BlacklistAdd(host string) error {
	host, err := Host(host)
	if err != nil {
		return err
	}
	return s.cfg.Store.Write("storing the blacklist", func(tx *store.Tx) error { return tx.PutBlacklist(host) })
}

// BlacklistRemove takes a host off that list.
func (s *Service) BlacklistRemove(host string) error {
	host, err := Host(host)
	if err != nil {
		return err
	}
	if !s.cfg.Store.Blacklisted(host) {
		return fault.NotFound("%s is not on the blacklist: see the blacklist for its name", host)
	}
	return s.cfg.Store.Write("storing the blacklist", func(tx *store.Tx) error { return tx.DeleteBlacklist(host) })
}
