// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// create takes new videos and comments (ActivityPub §7.2).
func (b *Inbox) create(ctx context.Context, in Incoming) (Effect, error) {
	if in.Activity.Object.ID == "" {
		return nothing()
	}
	if err := sameHost(in, in.Activity.Object.ID); err != nil {
		return nil, err
	}
	o, err := b.objectOf(ctx, in)
	if err != nil {
		return nil, verdict(err)
	}
	switch o.kind {
	case typeVideo:
		return b.bring(ctx, in, o.id, false)
	case typeNote:
		return b.comment(ctx, in, o)
	case typeCacheFile:
		return b.mirrored(ctx, in, in.Activity)
	}
	return nothing()
}

// announce takes videos that an instance or a channel passes on (ActivityPub §7.11). Accounts announce
// nothing.
func (b *Inbox) announce(ctx context.Context, in Incoming) (Effect, error) {
	switch in.Actor.Type {
	case typeApplication, typeGroup, typeService:
	default:
		return nothing()
	}
	if ref := in.Activity.Object; ref.ID == "" || (ref.Type != "" && ref.Type != typeVideo) {
		return nothing()
	}
	return b.bring(ctx, in, noFragment(in.Activity.Object.ID), true)
}

// bring makes a video known that an actor tells of. It is fetched from its own host, whatever the
// activity says of it.
func (b *Inbox) bring(ctx context.Context, in Incoming, id string, share bool) (Effect, error) {
	if b.isLocal(id) {
		if !share {
			return nothing()
		}
		return b.shared(ctx, in, id)
	}
	known, err := b.knownVideo(id)
	if err != nil {
		return nil, err
	}
	maxAge := resolve.Stale
	brought := func() {}
	if known == nil {
		maxAge = resolve.Fresh
		if brought, err = b.asked(in); err != nil {
			return nil, err
		}
	}
	v, err := b.cfg.Resolver.Video(ctx, id, maxAge)
	if err != nil {
		return nil, verdict(err)
	}
	if !share && !vocab.SameOrigin(v.ID, in.Actor.ID) {
		return nil, &Refusal{"its object " + clip(v.ID) + " is of another server"}
	}
	brought()
	if known == nil {
		b.cfg.Resolver.TouchComments(v.ID)
	}
	return func(tx *store.Tx) error {
		err := tx.AddSource(v.ID, in.Actor.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil // it was deleted meanwhile
		case err != nil || !share:
			return err
		}
		return tx.PutShare(v.ID, in.Actor.ID, in.Activity.ID)
	}, nil
}

func (b *Inbox) isLocal(id string) bool { return vocab.SameOrigin(id, string(b.cfg.Base)) }

func (b *Inbox) knownVideo(id string) (*store.RemoteVideo, error) {
	var v *store.RemoteVideo
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		known, ok, err := tx.RemoteVideo(id)
		if ok {
			v = known
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a video: %w", err)
	}
	return v, nil
}

// asked bounds the videos of hosts that nobody here follows: they are stored and not listed, as
// elsewhere, but they may not fill the disk. brought counts one that is stored.
func (b *Inbox) asked(in Incoming) (brought func(), err error) {
	followed := false
	err = b.cfg.Store.Read(func(tx *store.Tx) error {
		return tx.EachFollowing("", func(f *store.Follow) (bool, error) {
			followed = f.Host == in.Item.Host && f.State == store.FollowAccepted
			return !followed, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading follows: %w", err)
	}
	switch {
	case followed:
		return func() {}, nil
	case !b.unasked.has(in.Item.Host):
		return nil, &Refusal{"nobody here follows " + in.Item.Host + ", which tells of too many videos"}
	}
	return func() { b.unasked.allow(in.Item.Host) }, nil
}

// has reports whether allow would let one of a key through.
func (l *limits) has(key string) bool {
	l.mu.Lock()
	e := l.key(key)
	l.mu.Unlock()
	return e.rate.Tokens() >= 1 && l.all.Tokens() >= 1
}

// shared notes who passed on a video of this instance, and tells our followers.
func (b *Inbox) shared(ctx context.Context, in Incoming, id string) (Effect, error) {
	v, ok := b.cfg.Resolver.LocalVideo(id)
	if !ok || !v.Listed() {
		return nothing()
	}
	id = b.cfg.Base.Video(v.UUID)
	pass := b.passOn(ctx, in, v)
	return func(tx *store.Tx) error {
		before, err := tx.Counts(id)
		if err != nil {
			return err
		}
		if err := tx.PutShare(id, in.Actor.ID, in.Activity.ID); err != nil {
			return err
		}
		if after, err := tx.Counts(id); err != nil || after.Shares == before.Shares {
			return err // our followers heard of it
		}
		return pass(tx)
	}, nil
}

// mirrored passes on that somebody mirrors a video of this instance.
func (b *Inbox) mirrored(ctx context.Context, in Incoming, create *vocab.Activity) (Effect, error) {
	file, err := vocab.ParseCacheFile(create.Object.Raw)
	if err != nil {
		return nil, &Refusal{"the mirrored file cannot be read: " + err.Error()}
	}
	if v, ok := b.cfg.Resolver.LocalVideo(file.Object.ID); ok && v.Listed() {
		return b.passOn(ctx, in, v), nil
	}
	return nothing()
}

// updateVideo takes a changed video from its account, its channel or its instance's actor.
func (b *Inbox) updateVideo(ctx context.Context, in Incoming, o object) (Effect, error) {
	known, err := b.knownVideo(o.id)
	if err != nil {
		return nil, err
	}
	if known == nil {
		return b.bring(ctx, in, o.id, false)
	}
	instance := in.Actor.Type == typeApplication
	if !instance && in.Actor.ID != known.Account && in.Actor.ID != known.Channel {
		return nil, &Refusal{"only its account, its channel or its instance may change a video"}
	}
	// What its owner embeds is good unless it moves the video to somebody else's channel.
	if v, err := vocab.ParseVideo(o.raw); err == nil && v.ID == o.id && slices.Contains(v.AttributedTo.IDs(), known.Channel) {
		_, err = b.cfg.Resolver.GivenVideo(ctx, o.raw)
		return nil, verdict(err)
	}
	_, err = b.cfg.Resolver.Video(ctx, o.id, resolve.Fresh)
	return nil, verdict(err)
}

// Bring takes an activity found in an actor's outbox the way of a received one: a Create or Announce
// of a video, which is fetched from its own host. It reports whether the video was not known before.
// Other activities do nothing.
func (b *Inbox) Bring(ctx context.Context, actor *store.Actor, activity json.RawMessage) (bool, error) {
	a, err := vocab.ParseActivity(activity)
	if err != nil {
		return false, &Refusal{"it is no activity: " + err.Error()}
	}
	if !vocab.SameOrigin(a.Actor.ID, actor.ID) || !vocab.SameOrigin(a.ID, actor.ID) {
		return false, &Refusal{"an outbox has an activity of another server"}
	}
	by := actor
	if a.Actor.ID != actor.ID {
		if by, err = b.cfg.Resolver.Actor(ctx, a.Actor.ID, resolve.Stored); err != nil {
			return false, verdict(err)
		}
		if by.ID != a.Actor.ID {
			return false, &Refusal{"its actor " + clip(a.Actor.ID) + " is somebody else"}
		}
	}
	in := Incoming{store.InboxItem{Received: b.cfg.Now().UTC(), Signer: by.ID, Host: by.Host, ActivityID: a.ID}, a, by}
	id := noFragment(a.Object.ID)
	before, err := b.knownVideo(id)
	if err != nil {
		return false, err
	}
	var effect Effect
	switch {
	case a.Type == typeAnnounce:
		effect, err = b.announce(ctx, in)
	case a.Type == typeCreate && (a.Object.Type == typeVideo || a.Object.Type == ""):
		effect, err = b.create(ctx, in)
	}
	if err != nil || effect == nil {
		return false, err
	}
	err = b.cfg.Store.Write("storing what an outbox has", func(tx *store.Tx) error {
		if b.cfg.Store.Blocked(by.Host) {
			return nil
		}
		return effect(tx)
	})
	if err != nil {
		return false, err
	}
	after, err := b.knownVideo(id)
	return before == nil && after != nil, err
}
