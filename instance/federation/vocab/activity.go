// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrActor says that an activity names no actor.
var ErrActor = errors.New("the activity names no actor")

// Activity is any activity: Follow, Accept, Reject, Undo, Create, Update, Delete, Announce, Like, Dislike, View, Flag,
// ApproveReply, RejectReply and those this package knows nothing of (ActivityPub §6 and §7).
type Activity struct {
	// Context is the @context, nil where there is none.
	Context  json.RawMessage
	ID, Type string
	Actor    Ref
	// Object is what the activity is about; of several the first.
	Object Ref
	// Objects is set only where a list of several was given (a Flag of an account and its posts).
	Objects Refs
	// Target, Result and InReplyTo are rarely set: Add, View with a counter, ApproveReply.
	Target, Result, InReplyTo Ref
	// To and CC are the addressees' ids; nil: absent, which is written as such.
	To, CC []string
	// Published and Expires are zero where absent. A View with Expires is a viewer who watches now.
	Published, Expires time.Time
	Content, MediaType string
	Tag                []Link
	// Signature is the Linked Data signature as it came.
	Signature json.RawMessage
	Extra     map[string]json.RawMessage
}

// ParseActivity reads an activity. Errors: ErrTooLarge, ErrTooDeep, ErrTooLong, ErrNotObject, ErrType where it has no
// type, ErrID where its id is no http(s) URL, ErrActor where its actor is none (errors.Is).
func ParseActivity(data []byte) (*Activity, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	return r.activity()
}

func (r *reader) activity() (*Activity, error) {
	a := &Activity{
		Context: r.raw("@context"), ID: r.text("id"), Type: r.kind(), Actor: r.ref("actor"),
		Target: r.ref("target"), Result: r.ref("result"), InReplyTo: r.ref("inReplyTo"),
		To: r.ids("to"), CC: r.ids("cc"), Published: r.instant("published"), Expires: r.instant("expires"),
		Content: r.text("content"), MediaType: r.text("mediaType"), Tag: r.links("tag"), Signature: r.raw("signature"),
	}
	objects := r.refs("object")
	if len(objects) > 0 {
		a.Object = objects[0]
	}
	if len(objects) > 1 {
		a.Objects = objects
	}
	a.Extra = r.extra()
	switch {
	case r.err != nil:
		return nil, r.err
	case a.Type == "":
		return nil, fmt.Errorf("reading an activity: %w", ErrType)
	case checkID(a.ID) != nil:
		return nil, fmt.Errorf("reading a %s: %w", a.Type, ErrID)
	case checkID(a.Actor.ID) != nil:
		return nil, fmt.Errorf("reading a %s: %w", a.Type, ErrActor)
	}
	return a, nil
}

func (a Activity) withoutContext() json.Marshaler {
	a.Context, a.Signature = nil, nil
	return a
}

// MarshalJSON writes the activity, with its @context and signature where they are set.
func (a Activity) MarshalJSON() ([]byte, error) {
	w := newWriter(a.Extra)
	w.raw("@context", a.Context)
	w.texts("to", a.To)
	w.texts("cc", a.CC)
	w.text("type", a.Type)
	w.text("id", a.ID)
	w.ref("actor", a.Actor)
	if len(a.Objects) > 0 {
		w.refs("object", a.Objects)
	} else {
		w.ref("object", a.Object)
	}
	w.ref("target", a.Target)
	w.ref("result", a.Result)
	w.ref("inReplyTo", a.InReplyTo)
	w.instant("published", a.Published)
	w.instant("expires", a.Expires)
	w.text("content", a.Content)
	w.text("mediaType", a.MediaType)
	list(w, "tag", a.Tag)
	w.raw("signature", a.Signature)
	return w.end()
}

// Viewers reads a View's counter: how many watch now, or have watched, in all (result.userInteractionCount).
func (a Activity) Viewers() (int64, bool) {
	r, err := open(a.Result.Raw)
	if err != nil {
		return 0, false
	}
	n := r.number("userInteractionCount")
	if n == nil || *n < 0 {
		return 0, false
	}
	return *n, true
}

// Tombstone stands where an object was deleted.
type Tombstone struct {
	Context                     json.RawMessage
	ID, FormerType              string
	Published, Updated, Deleted time.Time
	URL                         string
	Extra                       map[string]json.RawMessage
}

// ParseTombstone reads a Tombstone. Errors as of ParseActivity, but ErrActor.
func ParseTombstone(data []byte) (*Tombstone, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	if r.kind() != "Tombstone" {
		return nil, fmt.Errorf("reading a Tombstone: %w", ErrType)
	}
	t := &Tombstone{
		Context: r.raw("@context"), ID: r.text("id"), FormerType: r.text("formerType"), Published: r.instant("published"),
		Updated: r.instant("updated"), Deleted: r.instant("deleted"), URL: r.href("url"),
	}
	t.Extra = r.extra()
	if err := checkID(t.ID); err != nil {
		return nil, fmt.Errorf("reading a Tombstone: %w", err)
	}
	return t, r.err
}

func (t Tombstone) withoutContext() json.Marshaler {
	t.Context = nil
	return t
}

// MarshalJSON writes the tombstone.
func (t Tombstone) MarshalJSON() ([]byte, error) {
	w := newWriter(t.Extra)
	w.raw("@context", t.Context)
	w.text("type", "Tombstone")
	w.text("id", t.ID)
	w.text("formerType", t.FormerType)
	w.instant("published", t.Published)
	w.instant("updated", t.Updated)
	w.instant("deleted", t.Deleted)
	w.text("url", t.URL)
	return w.end()
}

// Kind reads an object's type and id without demanding more: what is it that was fetched? Errors: as of the bounds.
func Kind(data []byte) (objectType, id string, err error) {
	r, err := read(data)
	if err != nil {
		return "", "", err
	}
	return r.kind(), r.text("id"), nil
}

// NewCounter is a View's result: how many have watched in all.
func NewCounter(count int64) (Ref, error) {
	w := newWriter(nil)
	w.text("type", "InteractionCounter")
	w.text("interactionType", "WatchAction")
	w.always("userInteractionCount", count)
	raw, err := w.end()
	if err != nil {
		return Ref{}, err
	}
	return refOf(raw), nil
}
