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
	"shoal/instance/party"
	"shoal/instance/store"
)

// maxForward bounds what is passed on, in bytes: each follower's host gets a copy.
const maxForward = 64 << 10

// passOn prepares to forward an activity about a video of this instance, unchanged, to those who
// follow its account, its channel or the instance (ActivityPub §7.1.2). They have only the author's
// Linked Data signature to check it by: without a good one it is not forwarded, nor what is large or
// comes too often of one party.
func (b *Inbox) passOn(ctx context.Context, in Incoming, v *store.Video) Effect {
	none := func(*store.Tx) error { return nil }
	account, channel, ok := b.owner(v)
	if !ok || !v.Listed() || len(in.Item.Body) > maxForward || len(in.Activity.Object.ID) > maxID {
		return none
	}
	if _, ok := b.forwards.allow(party.Host(in.Item.Host)); !ok || !b.proved(ctx, in) {
		return none
	}
	m := delivery.Message{
		ID: in.Activity.ID, Actor: b.cfg.Base.Actor(), Order: in.Activity.Object.ID, Body: in.Item.Body, Spare: true,
		Coalesce: replaces(in.Activity),
	}
	if in.Activity.Type == typeView && !in.Activity.Expires.IsZero() {
		// Nobody needs it late, and nothing has to wait for it.
		m.Order, m.Until = "", in.Activity.Expires
		if latest := b.cfg.Now().Add(maxWatch); m.Until.After(latest) {
			m.Until = latest
		}
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

// replaces names what an activity says anew of: a follower that has not got the last one of the same
// name needs the newest alone. It is "" where each counts.
func replaces(a *vocab.Activity) string {
	about := ""
	switch {
	case a.Type == typeView && !a.Expires.IsZero():
		about = a.ID // somebody watches, still
	case a.Object.Type == typeCacheFile:
		about = a.Object.ID
	case a.Type == typeUndo:
		inner, err := vocab.ParseActivity(a.Object.Raw)
		if err != nil || inner.Object.Type != typeCacheFile {
			return ""
		}
		about = inner.Object.ID
	}
	if about == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(a.Actor.ID + " " + about))
	return "forwarded " + hex.EncodeToString(sum[:16])
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
