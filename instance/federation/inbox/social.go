// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"errors"

	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// rate takes a Like or Dislike of a video of this instance (ActivityPub §7.10). Those of other
// instances' videos are theirs to count.
func (b *Inbox) rate(in Incoming) (Effect, error) {
	v, ok := b.cfg.Resolver.LocalVideo(in.Activity.Object.ID)
	if !ok || !v.Served() {
		return nothing()
	}
	if in.Actor.Type != typePerson {
		return nil, &Refusal{"only accounts like or dislike videos"}
	}
	value := 1
	if in.Activity.Type == typeDislike {
		value = -1
	}
	return func(tx *store.Tx) error {
		_, err := tx.SetRate(b.cfg.Base.Video(v.UUID), in.Actor.ID, value, in.Activity.ID)
		return err
	}, nil
}

// undo takes something back that the same actor did (ActivityPub §7.12).
func (b *Inbox) undo(ctx context.Context, in Incoming) (Effect, error) {
	ref := in.Activity.Object
	if !ref.Embedded() {
		return b.undoByID(ctx, in, ref.ID)
	}
	if ref.Type == typeFollow {
		return b.cfg.Follows.Handle(ctx, in)
	}
	inner, err := vocab.ParseActivity(ref.Raw)
	switch {
	case err != nil:
		return nil, &Refusal{"what it takes back cannot be read: " + err.Error()}
	case inner.Actor.ID != in.Actor.ID:
		return nil, &Refusal{"it takes back what somebody else did"}
	}
	switch inner.Type {
	case typeLike:
		return b.unrate(in, inner.Object.ID, 1), nil
	case typeDislike:
		return b.unrate(in, inner.Object.ID, -1), nil
	case typeAnnounce:
		return b.unshare(in, inner.Object.ID), nil
	case typeCreate:
		if inner.Object.Type == typeCacheFile {
			return b.mirrored(ctx, in, inner)
		}
	}
	return nothing()
}

// undoByID takes back what is known by its id alone: a rate, an announcement, or a follow.
func (b *Inbox) undoByID(ctx context.Context, in Incoming, id string) (Effect, error) {
	var rated, shared string
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		var err1, err2 error
		rated, _, err1 = tx.RateByID(in.Actor.ID, id)
		shared, _, err2 = tx.ShareByID(in.Actor.ID, id)
		return errors.Join(err1, err2)
	})
	switch {
	case err != nil:
		return nil, err
	case rated != "":
		return b.unrate(in, rated, 0), nil
	case shared != "":
		return b.unshare(in, shared), nil
	}
	return b.cfg.Follows.Handle(ctx, in)
}

// unrate takes an actor's rate back if it is value; 0 stands for any.
func (b *Inbox) unrate(in Incoming, id string, value int) Effect {
	v, ok := b.cfg.Resolver.LocalVideo(id)
	if !ok {
		return nil
	}
	video := b.cfg.Base.Video(v.UUID)
	return func(tx *store.Tx) error {
		r, ok, err := tx.Rate(video, in.Actor.ID)
		if err != nil || !ok || (value != 0 && r.Value != value) {
			return err
		}
		_, err = tx.DeleteRate(video, in.Actor.ID)
		return err
	}
}

func (b *Inbox) unshare(in Incoming, id string) Effect {
	id = noFragment(id)
	if v, ok := b.cfg.Resolver.LocalVideo(id); ok {
		id = b.cfg.Base.Video(v.UUID)
	}
	return func(tx *store.Tx) error {
		if err := tx.DeleteShare(id, in.Actor.ID); err != nil {
			return err
		}
		return tx.RemoveSource(id, in.Actor.ID)
	}
}

// update takes a changed video, comment or actor (ActivityPub §7.3).
func (b *Inbox) update(ctx context.Context, in Incoming) (Effect, error) {
	id := in.Activity.Object.ID
	if err := sameHost(in, id); err != nil {
		return nil, err
	}
	o, err := b.objectOf(ctx, in)
	if err != nil {
		return nil, verdict(err)
	}
	switch o.kind {
	case typeVideo:
		return b.updateVideo(ctx, in, o)
	case typeNote:
		return b.comment(ctx, in, o)
	case typePerson, typeGroup, typeApplication, typeService, typeOrganization:
		return b.updateActor(ctx, in, o)
	}
	return nothing()
}

// updateActor has a changed actor fetched from its host. An actor changes itself; a channel is changed
// by its owner, all by their instance's actor.
func (b *Inbox) updateActor(ctx context.Context, in Incoming, o object) (Effect, error) {
	id := noFragment(o.id)
	if id != in.Actor.ID {
		var known *store.Actor
		err := b.cfg.Store.Read(func(tx *store.Tx) error {
			a, ok, err := tx.Actor(id)
			if ok {
				known = a
			}
			return err
		})
		switch {
		case err != nil:
			return nil, err
		case known == nil:
			return nothing()
		case known.Owner != in.Actor.ID && in.Actor.Type != typeApplication:
			return nil, &Refusal{"an actor is changed by itself, its owner or its instance alone"}
		}
	}
	_, err := b.cfg.Resolver.Actor(ctx, id, resolve.Fresh)
	return nil, verdict(err)
}

// view counts who watches. A View that expires tells of somebody who watches now, another of one who
// watched; the origin tells numbers of its own videos.
func (b *Inbox) view(ctx context.Context, in Incoming) (Effect, error) {
	watching := !in.Activity.Expires.IsZero()
	id := noFragment(in.Activity.Object.ID)
	if v, ok := b.cfg.Resolver.LocalVideo(id); ok {
		if !v.Served() {
			return nothing()
		}
		pass := b.passOn(ctx, in, v)
		if watching {
			b.viewers.saw(v.UUID, in.Activity.ID, in.Item.Host, in.Activity.Expires, b.cfg.Now())
			return pass, nil
		}
		return func(tx *store.Tx) error {
			err := tx.UpdateVideo(v.ID, func(v *store.Video) error { v.Views++; return nil })
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			return pass(tx)
		}, nil
	}
	count, counted := in.Activity.Viewers()
	if counted && !vocab.SameOrigin(id, in.Actor.ID) {
		return nil, &Refusal{"it counts the views of another server's video"}
	}
	if b.isLocal(id) || (watching && !counted) {
		return nothing()
	}
	return func(tx *store.Tx) error {
		err := tx.UpdateRemoteVideo(id, func(v *store.RemoteVideo) error {
			switch {
			case watching:
				v.Viewers = count
			case counted:
				v.Views = count
			default:
				v.Views++
			}
			return nil
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}, nil
}
