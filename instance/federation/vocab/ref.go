// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"encoding/json"
)

// Ref is a reference to another object: its id alone, or the object itself.
type Ref struct {
	// ID is the object's id; for a Link its href. Empty where the object has none.
	ID string
	// Type is known only where the object, or a stub of it, was given.
	Type string
	// Raw is the object as it was given, nil where only the id was.
	Raw json.RawMessage
}

// IDRef refers to an object by its id.
func IDRef(id string) Ref { return Ref{ID: id} }

// TypedRef refers to an object by its id and says its type, as {"type":…,"id":…}.
func TypedRef(objectType, id string) Ref {
	w := newWriter(nil)
	w.text("type", objectType)
	w.text("id", id)
	raw, err := w.end()
	if err != nil { // Strings always encode.
		return IDRef(id)
	}
	return Ref{ID: id, Type: objectType, Raw: raw}
}

// Embed puts an object into another one: whole; one of this package without its @context.
func Embed(object json.Marshaler) (Ref, error) {
	if o, ok := object.(interface{ withoutContext() json.Marshaler }); ok {
		object = o.withoutContext()
	}
	raw, err := object.MarshalJSON()
	if err != nil {
		return Ref{}, err
	}
	return refOf(raw), nil
}

// IsZero says that there is no reference at all.
func (r Ref) IsZero() bool { return r.ID == "" && r.Raw == nil }

// Embedded says that the whole object was given, not its id alone or a stub of type and id.
func (r Ref) Embedded() bool {
	if r.Raw == nil {
		return false
	}
	o, err := open(r.Raw)
	if err != nil {
		return false
	}
	for key := range o.members {
		if key != "id" && key != "type" && key != "href" {
			return true
		}
	}
	return false
}

// MarshalJSON writes the object where it was given, else the id; null where there is neither.
func (r Ref) MarshalJSON() ([]byte, error) {
	switch {
	case r.Raw != nil:
		return r.Raw, nil
	case r.ID != "":
		return encode(r.ID)
	default:
		return []byte("null"), nil
	}
}

// UnmarshalJSON reads an id or an object.
func (r *Ref) UnmarshalJSON(data []byte) error {
	if err := checkBounds(data); err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	*r = refOf(compact.Bytes())
	return nil
}

// refOf reads an id or an object; anything else is the zero Ref.
func refOf(raw json.RawMessage) Ref {
	if s, ok := textOf(raw); ok {
		return Ref{ID: s}
	}
	r, err := open(raw)
	if err != nil {
		return Ref{}
	}
	ref := Ref{Raw: raw, ID: r.text("id"), Type: r.kind()}
	if ref.ID == "" {
		ref.ID = r.text("href")
	}
	return ref
}

// Refs are several references.
type Refs []Ref

// IDs lists the ids, leaving out objects without one.
func (r Refs) IDs() []string {
	ids := make([]string, 0, len(r))
	for _, ref := range r {
		if ref.ID != "" {
			ids = append(ids, ref.ID)
		}
	}
	return ids
}

// OfType lists the references that say they are of the type.
func (r Refs) OfType(objectType string) Refs {
	var out Refs
	for _, ref := range r {
		if ref.Type == objectType {
			out = append(out, ref)
		}
	}
	return out
}

// UnmarshalJSON reads a string, an object or a list of both.
func (r *Refs) UnmarshalJSON(data []byte) error {
	if err := checkBounds(data); err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	refs, err := refsOf(compact.Bytes())
	if err != nil {
		return err
	}
	*r = refs
	return nil
}

func refsOf(raw json.RawMessage) (Refs, error) {
	entries, err := entriesOf(raw)
	if err != nil {
		return nil, err
	}
	refs := make(Refs, 0, len(entries))
	for _, e := range entries {
		if ref := refOf(e); !ref.IsZero() {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// ref takes one reference: of a list the first.
func (r *reader) ref(key string) Ref {
	refs := r.refs(key)
	if len(refs) == 0 {
		return Ref{}
	}
	return refs[0]
}

// refs takes a string, an object or a list of both. Nil: absent.
func (r *reader) refs(key string) Refs {
	raw, ok := r.peek(key)
	if !ok {
		return nil
	}
	refs, err := refsOf(raw)
	if err != nil {
		r.err = err
		return nil
	}
	r.take(key)
	return refs
}

func (w *writer) ref(key string, r Ref) {
	if !r.IsZero() {
		w.value(key, r)
	}
}

func (w *writer) refs(key string, r Refs) { list(w, key, r) }
