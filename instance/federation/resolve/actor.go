// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"time"

	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// missingFor is how long an actor's host must answer 404 until the actor counts as deleted; 410 says so
// at once.
const missingFor = 24 * time.Hour

// Actor returns a remote actor, not older than maxAge. Where only an older one can be had, it is
// returned unless maxAge is Fresh.
func (r *Resolver) Actor(ctx context.Context, id string, maxAge time.Duration) (*store.Actor, error) {
	id = noFragment(id)
	if err := r.allowed(id); err != nil {
		return nil, err
	}
	known, err := r.storedActor(id)
	if err != nil {
		return nil, err
	}
	if known != nil && r.young(known.Fetched, maxAge) {
		if r.now().Sub(known.Fetched) > Stale {
			r.Touch(id)
		}
		return known, nil
	}
	a, err := r.actors.do(ctx, id, func(ctx context.Context) (*store.Actor, error) {
		return again(ctx, r, id, maxAge == Fresh, func(ctx context.Context) (*store.Actor, error) { return r.fetchActor(ctx, id) })
	})
	if err != nil && known != nil && passing(err, maxAge) {
		return known, nil
	}
	return a, err
}

func (r *Resolver) storedActor(id string) (*store.Actor, error) {
	var a *store.Actor
	err := r.store.Read(func(tx *store.Tx) error {
		known, ok, err := tx.Actor(id)
		if ok {
			a = known
		}
		return err
	})
	return a, err
}

// fetchActor fetches an actor and, of a channel, its owner, and stores them.
func (r *Resolver) fetchActor(ctx context.Context, id string) (*store.Actor, error) {
	a, err := r.readActor(ctx, id)
	if err != nil {
		return nil, r.lost(id, err)
	}
	if a.Owner != "" {
		if a.Owner, err = r.person(ctx, a.Owner); err != nil {
			return nil, err
		}
	}
	return a, r.keepActor(a)
}

// readActor fetches an actor and checks that all it names is its own host's.
func (r *Resolver) readActor(ctx context.Context, id string) (*store.Actor, error) {
	body, _, canonical, err := r.document(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := vocab.ParseActor(body)
	if err != nil {
		return nil, malformed(id, err)
	}
	return r.checkActor(v, canonical)
}

func (r *Resolver) checkActor(v *vocab.Actor, id string) (*store.Actor, error) {
	switch {
	case v.ID != id:
		return nil, refused("%s answers with an object of another id", id)
	case !vocab.SameOrigin(v.Inbox, id):
		return nil, refused("%s has its inbox on another server", id)
	case v.PublicKey.Owner != id || !vocab.SameOrigin(v.PublicKey.ID, id):
		return nil, refused("the key of %s is not its own", id)
	}
	// What is merely useful is dropped where it is not on the actor's host.
	for _, u := range []*string{&v.SharedInbox, &v.Outbox, &v.Followers, &v.Following} {
		if !vocab.SameOrigin(*u, id) {
			*u = ""
		}
	}
	a, err := object.ToActor(v)
	if err != nil {
		return nil, malformed(id, err)
	}
	if a.Type == typeGroup {
		a.Owner = owner(v)
		if a.Owner == "" || a.Owner == id {
			return nil, refused("the channel %s names no owner on its own server", id)
		}
	} else {
		a.Owner = ""
	}
	a.Fetched = r.now()
	return a, nil
}

// The types of actors.
const (
	typeGroup       = "Group"
	typePerson      = "Person"
	typeApplication = "Application"
)

// owner is the first Person that a Group is attributed to, on its own host.
func owner(v *vocab.Actor) string {
	for _, ref := range v.AttributedTo {
		if (ref.Type == "" || ref.Type == typePerson) && vocab.SameOrigin(ref.ID, v.ID) {
			return noFragment(ref.ID)
		}
	}
	return ""
}

// person makes sure that a channel's owner is known and a Person, and returns the owner's id. It never
// leads to a further actor.
func (r *Resolver) person(ctx context.Context, id string) (string, error) {
	known, err := r.storedActor(id)
	if err != nil {
		return "", err
	}
	if known == nil || !r.young(known.Fetched, Stale) {
		fetched, err := r.readActor(ctx, id)
		switch {
		case err == nil && fetched.Type == typePerson:
			if err := r.keepActor(fetched); err != nil {
				return "", err
			}
			known = fetched
		case err != nil && (known == nil || !Temporary(err)):
			return "", err
		case err == nil:
			known = fetched
		}
	}
	if known.Type != typePerson {
		return "", refused("%s is no account that could own a channel", id)
	}
	return known.ID, nil
}

func (r *Resolver) keepActor(a *store.Actor) error {
	return r.store.Write("storing an actor", func(tx *store.Tx) error {
		if err := r.free(a.ID); err != nil {
			return err
		}
		known, ok, err := tx.Actor(a.ID)
		if err != nil {
			return err
		}
		if ok {
			a.Number = known.Number
			a.FollowerCount, a.FollowingCount = known.FollowerCount, known.FollowingCount
		}
		if err := tx.Revive(a.ID); err != nil {
			return err
		}
		return tx.PutActor(a)
	})
}

// lost is told of an actor that could not be read. One that its host says is deleted goes, with all
// that it made.
func (r *Resolver) lost(id string, cause error) error {
	if !errors.Is(cause, ErrGone) {
		return cause
	}
	err := r.store.Write("deleting an actor", func(tx *store.Tx) error {
		known, ok, err := tx.Actor(id)
		if err != nil || !ok {
			return err
		}
		if !deleted(cause) {
			if known.Gone.IsZero() {
				known.Gone = r.now()
				return tx.PutActor(known)
			}
			if r.now().Sub(known.Gone) < missingFor {
				return nil
			}
		}
		if err := tx.DeleteActor(id); err != nil {
			return err
		}
		return tx.Tombstone(id, r.now())
	})
	return errors.Join(cause, err)
}

// confirm has an actor's host say whose its name is (RFC 7033). Where it names another actor of its
// own, that one is fetched and has the name from then on. A host that does not say is believed.
func (r *Resolver) confirm(ctx context.Context, a *store.Actor) error {
	id, err := r.fetch.Webfinger(ctx, a.Username+"@"+a.Host)
	id = noFragment(id)
	switch {
	case err != nil || id == a.ID:
		return nil //nolint:nilerr // many servers answer no webfinger for such actors
	case !vocab.SameOrigin(id, a.ID):
		return refused("%s says that %s@%s is somebody on another server", a.Host, a.Username, a.Host)
	}
	_, err = r.Actor(ctx, id, Fresh)
	return err
}
