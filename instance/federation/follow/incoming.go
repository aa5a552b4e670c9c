// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"
	"fmt"

	"shoal/instance/federation/author"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/inbox"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Why a follow ended otherwise than by a person's word.
const (
	reasonPolicy  = "this instance takes no followers"
	reasonByHand  = "rejected by the administrator"
	reasonRefused = "they refused the follow"
	reasonDropped = "they do not let this instance follow them any more"
)

// errChanged has the inbox try an activity again, because what was decided on changed meanwhile.
var errChanged = errors.New("the follow changed meanwhile")

// Handle decides on Follow, Accept, Reject and Undo of a Follow.
func (s *Service) Handle(ctx context.Context, in inbox.Incoming) (inbox.Effect, error) {
	switch in.Activity.Type {
	case "Follow":
		return s.asked(ctx, in)
	case "Accept", "Reject":
		return s.answered(in)
	case "Undo":
		return s.undone(in)
	}
	return nil, &inbox.Refusal{Reason: "it says nothing of a follow"}
}

// asked decides on a Follow of a local actor.
func (s *Service) asked(ctx context.Context, in inbox.Incoming) (inbox.Effect, error) {
	local, ok := s.local(in.Activity.Object.ID)
	if !ok {
		return nil, &inbox.Refusal{Reason: fmt.Sprintf("it follows %s, which is no actor here", clip(in.Activity.Object.ID))}
	}
	old, err := s.known(local, in.Actor.ID)
	if err != nil {
		return nil, err
	}
	now, policy := s.cfg.Now(), s.cfg.Store.Policy()
	f := &store.Follow{ID: in.Activity.ID, Local: local, Remote: in.Actor.ID, Host: store.HostOf(in.Actor.ID), Inbox: audience(in.Actor), Created: now, Updated: now}
	if old.follower != nil {
		f.Created = old.follower.Created
	}
	f.State, f.Reason = s.decide(old, policy.Followers)
	if s.cfg.Store.Blocked(f.Host) {
		f.State, f.Reason = store.FollowRejected, f.Host+" is blocked here"
	}
	messages, back, err := s.replies(ctx, f, in.Actor, old.settled)
	if err != nil {
		return nil, err
	}
	return func(tx *store.Tx) error {
		current, _, err := tx.Follower(local, in.Actor.ID)
		switch {
		case err != nil:
			return err
		case !same(old.follower, current), tx.Decided(store.RejectedByHand, local, in.Actor.ID) != old.rejected, s.cfg.Store.Policy() != policy:
			return errChanged
		}
		if err := tx.PutFollower(f); err != nil {
			return err
		}
		if err := s.enqueue(tx, messages...); err != nil {
			return err
		}
		return s.followBack(tx, back)
	}, nil
}

// decide says what becomes of a Follow. Who was rejected by hand stays so; who was rejected by the
// policy is not, once the policy is another.
func (s *Service) decide(old known, policy store.FollowerPolicy) (store.FollowState, string) {
	switch {
	case old.rejected:
		return store.FollowRejected, reasonByHand
	case old.follower != nil && old.follower.State == store.FollowAccepted:
		return store.FollowAccepted, ""
	case policy == store.FollowersReject:
		return store.FollowRejected, reasonPolicy
	case policy == store.FollowersApprove:
		return store.FollowPending, ""
	}
	return store.FollowAccepted, ""
}

// back is a follow in return, with its activity.
type back struct {
	follow  *store.Follow
	message delivery.Message
}

// replies are the answer to a follower and, where the policy says so, a follow in return: of whoever
// follows the instance actor, but for hosts of the blacklist and where it is settled: actors that are
// followed already, did not let it, or were unfollowed by hand.
func (s *Service) replies(ctx context.Context, f *store.Follow, actor *store.Actor, settled bool) ([]delivery.Message, *back, error) {
	var messages []delivery.Message
	kind := map[store.FollowState]string{store.FollowAccepted: "Accept", store.FollowRejected: "Reject"}[f.State]
	if kind != "" {
		m, err := s.answer(ctx, kind, f, actor.Inbox)
		if err != nil {
			return nil, nil, err
		}
		messages = append(messages, m)
	}
	if f.State != store.FollowAccepted || f.Local != s.cfg.Base.Actor() || settled ||
		!s.cfg.Store.Policy().FollowBack || s.cfg.Store.Blacklisted(f.Host) {
		return messages, nil, nil
	}
	follow, m, err := s.prepare(ctx, f.Local, actor, true)
	if err != nil {
		return nil, nil, err
	}
	return messages, &back{follow, m}, nil
}

// followBack starts a follow in return, unless there is one meanwhile.
func (s *Service) followBack(tx *store.Tx, b *back) error {
	if b == nil {
		return nil
	}
	old, ok, err := tx.Following(b.follow.Local, b.follow.Remote)
	if err != nil || ok && old.State != store.FollowFailed {
		return err
	}
	return s.start(tx, b.follow, b.message)
}

// known is what is known of a remote actor that wants to follow a local one.
type known struct {
	follower *store.Follow // its follow, nil where there is none
	rejected bool          // by hand
	// settled says that the instance actor follows it in turn, or did and was not let.
	settled bool
}

func (s *Service) known(local, remote string) (k known, err error) {
	err = s.cfg.Store.Read(func(tx *store.Tx) error {
		var err error
		if k.follower, _, err = tx.Follower(local, remote); err != nil {
			return err
		}
		k.rejected = tx.Decided(store.RejectedByHand, local, remote)
		ours, ok, err := tx.Following(s.cfg.Base.Actor(), remote)
		k.settled = ok && ours.State != store.FollowFailed
		return err
	})
	return k, err
}

func same(a, b *store.Follow) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.State == b.State && a.Reason == b.Reason && a.ID == b.ID
}

// audience is where a follower is sent what all followers are: to the shared inbox where there is one.
func audience(a *store.Actor) string {
	if a.SharedInbox != "" {
		return a.SharedInbox
	}
	return a.Inbox
}

// answered takes an Accept or Reject. The inbox's owner and the signer decide which follow is meant:
// what the answer has as its object differs from server to server.
func (s *Service) answered(in inbox.Incoming) (inbox.Effect, error) {
	accepted := in.Activity.Type == "Accept"
	return func(tx *store.Tx) error {
		f, err := s.meant(tx, in)
		switch {
		case err != nil:
			return err
		case f == nil:
			return &inbox.Refusal{Reason: "it answers a follow that nobody here asked for"}
		}
		was := f.State
		f.Updated = s.cfg.Now()
		switch {
		case accepted && was == store.FollowAccepted, !accepted && was == store.FollowRejected:
			return nil
		case accepted:
			f.State, f.Reason = store.FollowAccepted, ""
			if err := s.startWalk(tx, f.Remote); err != nil {
				return err
			}
		case was == store.FollowAccepted:
			f.State, f.Reason = store.FollowRejected, reasonDropped
		default:
			f.State, f.Reason = store.FollowRejected, reasonRefused
		}
		if !accepted {
			if err := tx.DeleteWalk(f.Remote); err != nil {
				return err
			}
		}
		return s.putFollowing(tx, f)
	}, nil
}

// meant finds the follow of ours that an answer is about; nil where there is none.
func (s *Service) meant(tx *store.Tx, in inbox.Incoming) (*store.Follow, error) {
	var locals []string
	if a := embedded(in.Activity); a != nil {
		locals = append(locals, a.Actor.ID)
	}
	if in.Item.Target != "" {
		locals = append(locals, in.Item.Target)
	}
	for _, local := range locals {
		if f, ok, err := tx.Following(local, in.Actor.ID); ok || err != nil {
			return f, err
		}
	}
	f, err := s.byID(tx, in.Activity.Object.ID)
	if err != nil || f == nil || f.Remote != in.Actor.ID {
		return nil, err
	}
	return f, nil
}

// embedded is the Follow within an activity, nil where its id alone is given.
func embedded(a *vocab.Activity) *vocab.Activity {
	if !a.Object.Embedded() {
		return nil
	}
	f, err := vocab.ParseActivity(a.Object.Raw)
	if err != nil || f.Type != "Follow" {
		return nil
	}
	return f
}

// undone takes the end of a follow: a follower leaves.
func (s *Service) undone(in inbox.Incoming) (inbox.Effect, error) {
	f := embedded(in.Activity)
	if f != nil && f.Actor.ID != in.Actor.ID {
		return nil, &inbox.Refusal{Reason: "it takes back somebody else's follow"}
	}
	return func(tx *store.Tx) error {
		if f != nil {
			return tx.DeleteFollower(f.Object.ID, in.Actor.ID)
		}
		var left *store.Follow
		err := tx.EachFollower(in.Item.Target, func(f *store.Follow) (bool, error) {
			if f.Remote == in.Actor.ID && f.ID == in.Activity.Object.ID {
				left = f
			}
			return left == nil, nil
		})
		if err != nil || left == nil {
			return err
		}
		return tx.DeleteFollower(left.Local, left.Remote)
	}, nil
}

// local reports whether an id is a local actor's.
func (s *Service) local(id string) (string, bool) {
	name, ok := author.Name(s.cfg.Base, id)
	if !ok {
		return "", false
	}
	snap := s.cfg.Store.Snapshot()
	switch id {
	case s.cfg.Base.Actor():
		return id, true
	case s.cfg.Base.Account(name):
		_, ok = snap.Account(name)
	case s.cfg.Base.Channel(name):
		_, ok = snap.Channel(name)
	default:
		ok = false
	}
	return id, ok
}
