// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// What can be wrong with an actor.
var (
	// ErrActorType says that the type is none of Person, Application, Group, Service, Organization.
	ErrActorType = errors.New("the actor is no person, group, application, service or organization")
	// ErrActorInbox says that the actor has no inbox URL.
	ErrActorInbox = errors.New("the actor has no inbox")
	// ErrActorName says that preferredUsername is missing or has characters other than letters, digits and -_.:
	ErrActorName = errors.New("the actor has no usable name")
	// ErrActorKey says that the public key is missing, not the actor's own, or not in SPKI PEM.
	ErrActorKey = errors.New("the actor has no usable public key")
	// ErrActorOwner says that a Group names no owner on its own host.
	ErrActorOwner = errors.New("the channel names no owner on its own host")
)

// Actor is a Person (account), Group (channel), Application (instance), Service or Organization (ActivityPub §4).
type Actor struct {
	Context                             json.RawMessage
	ID, Type, PreferredUsername         string
	Name, Summary, URL, Support         string
	Inbox, Outbox, Followers, Following string
	SharedInbox, Playlists              string
	PublicKey                           PublicKey
	AttributedTo                        Refs
	Icon, Image                         []Image
	Published, Updated                  time.Time
	PostingRestrictedToMods             *bool
	Extra                               map[string]json.RawMessage
}

// PublicKey is an actor's RSA key (https://w3id.org/security/v1).
type PublicKey struct {
	ID, Owner string
	// PEM is the key in SPKI form ("BEGIN PUBLIC KEY").
	PEM   string
	Extra map[string]json.RawMessage
}

// ParseActor reads an actor and demands what federation needs. Errors: those of the bounds, ErrID, ErrActorType,
// ErrActorInbox, ErrActorName, ErrActorKey, ErrActorOwner (errors.Is). That the id is on the host it was fetched from
// is for the caller to check (SameOrigin).
func ParseActor(data []byte) (*Actor, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	a := &Actor{
		Context: r.raw("@context"), ID: r.text("id"), Type: r.kind(), PreferredUsername: r.text("preferredUsername"),
		Name: r.text("name"), Summary: r.text("summary"), URL: r.href("url"), Support: r.text("support"),
		Inbox: r.id("inbox"), Outbox: r.id("outbox"), Followers: r.id("followers"), Following: r.id("following"),
		Playlists: r.id("playlists"), AttributedTo: r.refs("attributedTo"), Icon: r.images("icon"), Image: r.images("image"),
		Published: r.instant("published"), Updated: r.instant("updated"),
		PostingRestrictedToMods: r.flag("postingRestrictedToMods"),
	}
	if err := a.takeEndpoints(r); err != nil {
		return nil, err
	}
	a.takeKey(r)
	a.Extra = r.extra()
	if r.err != nil {
		return nil, r.err
	}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("reading an actor: %w", err)
	}
	return a, nil
}

// takeEndpoints takes endpoints.sharedInbox and leaves the other endpoints in Extra.
func (a *Actor) takeEndpoints(r *reader) error {
	raw, ok := r.peek("endpoints")
	if !ok {
		return nil
	}
	e, err := open(raw)
	if err != nil {
		return nil //nolint:nilerr // endpoints of another form stay in Extra
	}
	if a.SharedInbox = e.id("sharedInbox"); a.SharedInbox == "" {
		return e.err
	}
	if len(e.members) == 0 {
		r.take("endpoints")
		return nil
	}
	rest, err := encode(e.members)
	if err != nil {
		return err
	}
	r.members["endpoints"] = rest
	return nil
}

// takeKey takes the key: the object, or of a list the first whose owner is the actor.
func (a *Actor) takeKey(r *reader) {
	entries, ok := r.list("publicKey")
	if !ok {
		return
	}
	for _, e := range entries {
		k, err := open(e)
		if err != nil {
			continue
		}
		key := PublicKey{ID: k.text("id"), Owner: k.id("owner"), PEM: k.text("publicKeyPem")}
		key.Extra = k.extra()
		if key.Owner == a.ID || len(entries) == 1 {
			a.PublicKey = key
			r.take("publicKey")
			return
		}
	}
}

func (a *Actor) check() error {
	switch a.Type {
	case "Person", "Application", "Group", "Service", "Organization":
	default:
		return ErrActorType
	}
	switch {
	case checkID(a.ID) != nil:
		return ErrID
	case checkID(a.Inbox) != nil:
		return ErrActorInbox
	case !ValidUsername(a.PreferredUsername):
		return ErrActorName
	case a.PublicKey.ID == "" || a.PublicKey.Owner != a.ID || !validPEM(a.PublicKey.PEM):
		return ErrActorKey
	case a.Type == "Group" && a.Owner() == "":
		return ErrActorOwner
	}
	return nil
}

// Owner is the account that owns a Group: the first Person, or untyped id, of attributedTo on the actor's own host.
func (a Actor) Owner() string {
	for _, ref := range a.AttributedTo {
		if (ref.Type == "" || ref.Type == "Person") && SameOrigin(ref.ID, a.ID) {
			return ref.ID
		}
	}
	return ""
}

// ValidUsername says whether a preferredUsername has 1 to 120 characters, all letters, digits or -_.:
func ValidUsername(name string) bool {
	if name == "" || len(name) > 120 {
		return false
	}
	return !strings.ContainsFunc(name, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.:", c))
	})
}

func validPEM(pem string) bool {
	return len(pem) >= 10 && len(pem) <= 5000 && strings.Contains(pem, "-----BEGIN PUBLIC KEY-----")
}

func (a Actor) withoutContext() json.Marshaler {
	a.Context = nil
	return a
}

// MarshalJSON writes the actor: url as a string, attributedTo as a list, a summary that was cleared as null.
func (a Actor) MarshalJSON() ([]byte, error) {
	extra, err := a.allEndpoints()
	if err != nil {
		return nil, err
	}
	w := newWriter(extra)
	w.raw("@context", a.Context)
	w.text("type", a.Type)
	w.text("id", a.ID)
	w.text("following", a.Following)
	w.text("followers", a.Followers)
	w.text("playlists", a.Playlists)
	w.text("inbox", a.Inbox)
	w.text("outbox", a.Outbox)
	w.text("preferredUsername", a.PreferredUsername)
	w.text("url", a.URL)
	w.text("name", a.Name)
	w.raw("endpoints", extra["endpoints"])
	a.PublicKey.write(w)
	w.instant("published", a.Published)
	w.instant("updated", a.Updated)
	list(w, "icon", a.Icon)
	list(w, "image", a.Image)
	w.textOrNull("summary", a.Summary)
	if a.Type == "Group" {
		w.textOrNull("support", a.Support)
	} else {
		w.text("support", a.Support)
	}
	w.flag("postingRestrictedToMods", a.PostingRestrictedToMods)
	w.refs("attributedTo", a.AttributedTo)
	return w.end()
}

// allEndpoints is Extra with sharedInbox put back among the endpoints.
func (a Actor) allEndpoints() (map[string]json.RawMessage, error) {
	if a.SharedInbox == "" {
		return a.Extra, nil
	}
	endpoints := map[string]json.RawMessage{}
	if raw, ok := a.Extra["endpoints"]; ok {
		if r, err := open(raw); err == nil {
			endpoints = r.members
		}
	}
	shared, err := encode(a.SharedInbox)
	if err != nil {
		return nil, err
	}
	endpoints["sharedInbox"] = shared
	raw, err := encode(endpoints)
	if err != nil {
		return nil, err
	}
	extra := map[string]json.RawMessage{}
	maps.Copy(extra, a.Extra)
	extra["endpoints"] = raw
	return extra, nil
}

func (k PublicKey) write(w *writer) {
	if k.ID == "" && k.Owner == "" && k.PEM == "" {
		return
	}
	kw := newWriter(k.Extra)
	kw.text("id", k.ID)
	kw.text("owner", k.Owner)
	kw.text("publicKeyPem", k.PEM)
	raw, err := kw.end()
	if err != nil {
		w.err = err
		return
	}
	w.raw("publicKey", raw)
}
