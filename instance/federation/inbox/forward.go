// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// passOn prepares to forward an activity about a video of this instance, unchanged, to those who
// follow its account, its channel or the instance (ActivityPub §7.1.2). They have only the author's
// Linked Data signature to check it by: without a good one it is not forwarded.
func (b *Inbox) passOn(ctx context.Context, in Incoming, v *store.Video) Effect {
	none := func(*store.Tx) error { return nil }
	account, channel, ok := b.owner(v)
	if !ok || !v.Listed() || !b.proved(ctx, in) {
		return none
	}
	m := delivery.Message{
		ID: in.Activity.ID, Actor: b.cfg.Base.Actor(), Order: in.Activity.Object.ID, Body: in.Item.Body,
	}
	return func(tx *store.Tx) error {
		inboxes, err := tx.FollowerInboxes(account, channel, b.cfg.Base.Actor())
		if err != nil {
			return err
		}
		// Its own server has it.
		m.Inboxes = slices.DeleteFunc(inboxes, func(inbox string) bool { return vocab.SameOrigin(inbox, in.Actor.ID) })
		if len(m.Inboxes) == 0 {
			return nil
		}
		return b.enqueue(tx, m)
	}
}

// proved reports whether an activity carries its actor's good Linked Data signature.
func (b *Inbox) proved(ctx context.Context, in Incoming) bool {
	if in.Item.Forwarded {
		return true // it was checked at the door
	}
	creator, _, err := ldsig.Creator(in.Item.Body)
	if err != nil || noFragment(creator) != in.Actor.ID {
		return false
	}
	key, err := b.cfg.Resolver.Key(ctx, in.Actor.ID, false)
	if err != nil {
		return false
	}
	if err := b.cfg.Suite.Verify(ctx, in.Item.Body, key.Public); err != nil {
		b.log.Debug("an activity is not forwarded", "id", in.Activity.ID, "error", err)
		return false
	}
	return true
}

// approvalID is the id of the answer to a comment: the same for the same comment.
func approvalID(video, comment string) string {
	sum := sha256.Sum256([]byte(comment))
	return video + "/comments/" + hex.EncodeToString(sum[:8]) + "/approve-reply"
}
