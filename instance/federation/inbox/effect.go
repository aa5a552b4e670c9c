// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"

	objects "shoal/instance/federation/object"
	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// The types of activities and objects that are known here.
const (
	typeFollow       = "Follow"
	typeAccept       = "Accept"
	typeReject       = "Reject"
	typeUndo         = "Undo"
	typeCreate       = "Create"
	typeUpdate       = "Update"
	typeDelete       = "Delete"
	typeAnnounce     = "Announce"
	typeLike         = "Like"
	typeDislike      = "Dislike"
	typeView         = "View"
	typeFlag         = "Flag"
	typeVideo        = "Video"
	typeNote         = "Note"
	typeCacheFile    = "CacheFile"
	typePerson       = "Person"
	typeGroup        = "Group"
	typeApplication  = "Application"
	typeService      = "Service"
	typeOrganization = "Organization"
)

// nothing is the effect of what is passed over.
func nothing() (Effect, error) { return nil, nil }

// effect finds what an item does. Types that are not known do nothing.
func (b *Inbox) effect(ctx context.Context, item store.InboxItem, a *vocab.Activity) (Effect, error) {
	if b.cfg.Store.Blocked(item.Host) { // since it came
		return nothing()
	}
	if a.Type == typeDelete && a.Object.ID == a.Actor.ID {
		return b.actorGoes(a.Actor.ID), nil
	}
	actor, err := b.signer(ctx, item)
	if actor == nil || err != nil {
		return nil, err
	}
	in := Incoming{item, a, actor}
	switch a.Type {
	case typeFollow, typeAccept, typeReject:
		return b.cfg.Follows.Handle(ctx, in)
	case typeUndo:
		return b.undo(ctx, in)
	case typeCreate:
		return b.create(ctx, in)
	case typeUpdate:
		return b.update(ctx, in)
	case typeDelete:
		return b.remove(ctx, in)
	case typeAnnounce:
		return b.announce(ctx, in)
	case typeLike, typeDislike:
		return b.rate(in)
	case typeView:
		return b.view(ctx, in)
	case typeFlag:
		return b.flag(in), nil
	}
	return nothing()
}

// signer is the actor whose signature counts, nil where it deleted itself and nobody proved since that
// it is there again: then what it did before is passed over.
func (b *Inbox) signer(ctx context.Context, item store.InboxItem) (*store.Actor, error) {
	gone := false
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		_, ok, err := tx.Actor(item.Signer)
		gone = !ok && tx.Gone(item.Signer)
		return err
	})
	if err != nil || gone {
		return nil, err
	}
	actor, err := b.cfg.Resolver.Actor(ctx, item.Signer, resolve.Stored)
	switch {
	case err != nil:
		return nil, verdict(err)
	case actor.ID != item.Signer:
		return nil, &Refusal{"its actor is somebody else now"}
	}
	return actor, nil
}

// actorGoes deletes an actor that says that it goes, with all that it made (ActivityPub §7.4).
func (b *Inbox) actorGoes(id string) Effect {
	return func(tx *store.Tx) error {
		if _, ok, err := tx.Actor(id); err != nil || !ok {
			return err
		}
		if err := tx.DeleteActor(id); err != nil {
			return err
		}
		return tx.Tombstone(id, b.cfg.Now())
	}
}

// flag keeps a report where refusals are: the administrator reads both (ActivityStreams Flag).
func (b *Inbox) flag(in Incoming) Effect {
	return func(tx *store.Tx) error {
		return tx.AddRefused(refusedRecord(b.cfg.Now(), in.Activity, in.Item.Body, reportOf(in.Activity)))
	}
}

// maxReport is how much of a report's words is kept beside its activity, in characters.
const maxReport = 500

// reportOf is what a report says of which object, for the administrator.
func reportOf(a *vocab.Activity) string {
	words := []rune(objects.PlainText(a.Content))
	if len(words) > maxReport {
		words = append(words[:maxReport], '…')
	}
	if len(words) == 0 {
		return "report about " + a.Object.ID
	}
	return "report about " + a.Object.ID + ": " + string(words)
}

// sameHost demands that an actor speaks of its own server's objects.
func sameHost(in Incoming, id string) error {
	if id == "" {
		return &Refusal{"it names no object"}
	}
	if !vocab.SameOrigin(id, in.Actor.ID) {
		return &Refusal{"its object " + clip(id) + " is of another server"}
	}
	return nil
}

// clip bounds a text of others that goes into a reason.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// orderOf says what an activity is about. Those of one host about the same take effect in order.
func orderOf(a *vocab.Activity) string {
	switch a.Type {
	case typeFollow, typeAccept, typeReject:
		return typeFollow + " " + a.Actor.ID
	case typeUndo:
		inner, err := vocab.ParseActivity(a.Object.Raw)
		switch {
		case err != nil:
			return a.Object.ID
		case inner.Type == typeFollow:
			return typeFollow + " " + a.Actor.ID
		}
		return inner.Object.ID
	}
	return a.Object.ID
}

// object is what an activity is about: embedded, or known by its id alone.
type object struct {
	id, kind string
	// raw is the object as the activity embeds it, nil where it does not, or may not.
	raw []byte
}

// objectOf reads what an activity is about, fetching it where only its id is given, to know its type.
func (b *Inbox) objectOf(ctx context.Context, in Incoming) (object, error) {
	ref := in.Activity.Object
	if ref.Embedded() {
		return object{ref.ID, ref.Type, ref.Raw}, nil
	}
	if ref.Type != "" {
		return object{id: ref.ID, kind: ref.Type}, nil
	}
	_, kind, id, err := b.cfg.Resolver.Object(ctx, ref.ID)
	return object{id: id, kind: kind}, err
}
