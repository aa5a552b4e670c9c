// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Each activity has an id of its own, so that a receiver that knows ids takes a repeated one for
// new; only a resend of the queue keeps its id.

// followID is the id of a new Follow by a local actor.
func followID(local string) string { return local + "/follows/" + uuid.NewString() }

// isFollowID reports whether an activity's id is one of followID.
func isFollowID(id string) bool {
	i := strings.LastIndex(id, "/follows/")
	return i >= 0 && !strings.Contains(id[i+len("/follows/"):], "/")
}

func followActivity(id, actor, object string) vocab.Activity {
	return vocab.Activity{Context: vocab.Context("Follow"), ID: id, Type: "Follow", Actor: vocab.IDRef(actor), Object: vocab.IDRef(object)}
}

// ask is the Follow of f to the followed actor's own inbox (ActivityPub §7.5).
func (s *Service) ask(ctx context.Context, f *store.Follow, inbox string) (delivery.Message, error) {
	return s.message(ctx, f.Local, "follow", f, inbox, followActivity(f.ID, f.Local, f.Remote))
}

// undo takes the Follow of f back (ActivityPub §6.10).
func (s *Service) undo(ctx context.Context, f *store.Follow, inbox string) (delivery.Message, error) {
	object, err := vocab.Embed(followActivity(f.ID, f.Local, f.Remote))
	if err != nil {
		return delivery.Message{}, fmt.Errorf("encoding an activity: %w", err)
	}
	return s.message(ctx, f.Local, "follow", f, inbox, vocab.Activity{
		Context: vocab.Context("Undo"), ID: f.ID + "/undo", Type: "Undo", Actor: vocab.IDRef(f.Local), Object: object,
	})
}

// answer is Accept or Reject of the Follow of f, to the follower's own inbox: PeerTube passes over one
// that comes to the shared inbox (ActivityPub §7.6, §7.7).
func (s *Service) answer(ctx context.Context, kind string, f *store.Follow, inbox string) (delivery.Message, error) {
	object, err := vocab.Embed(followActivity(f.ID, f.Remote, f.Local))
	if err != nil {
		return delivery.Message{}, fmt.Errorf("encoding an activity: %w", err)
	}
	id := string(s.cfg.Base) + "/" + strings.ToLower(kind) + "s/follows/" + uuid.NewString()
	return s.message(ctx, f.Local, "answer", f, inbox, vocab.Activity{
		Context: vocab.Context(kind), ID: id, Type: kind, Actor: vocab.IDRef(f.Local), Object: object,
	})
}

// message signs an activity. What was to be said about the same follow before and waits still is
// replaced: only the last word counts.
func (s *Service) message(ctx context.Context, local, about string, f *store.Follow, inbox string, a vocab.Activity) (delivery.Message, error) {
	body, err := s.cfg.Author.Sign(ctx, local, a)
	if err != nil {
		return delivery.Message{}, err
	}
	key := about + " " + f.Local + " " + f.Remote
	return delivery.Message{ID: a.ID, Actor: local, Order: key, Coalesce: key, Body: body, Inboxes: []string{inbox}}, nil
}

func (s *Service) enqueue(tx *store.Tx, messages ...delivery.Message) error {
	for _, m := range messages {
		if err := s.cfg.Queue.Enqueue(tx.Bolt(), m); err != nil {
			return fmt.Errorf("queueing an activity: %w", err)
		}
	}
	return nil
}
