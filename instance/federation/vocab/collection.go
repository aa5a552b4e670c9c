// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Collection is a Collection, an OrderedCollection or a page of one.
type Collection struct {
	Context  json.RawMessage
	ID, Type string
	// TotalItems is always written; 0 where it is absent.
	TotalItems int64
	// First is the first page: its id, or the page itself.
	First Ref
	// Next, Prev, Last and PartOf are pages' and the collection's ids.
	Next, Prev, Last, PartOf string
	// Items are "orderedItems" of an ordered type, "items" of another. Nil: absent.
	Items Refs
	Extra map[string]json.RawMessage
}

// ParseCollection reads a collection or a page. Errors: those of the bounds, ErrType (errors.Is).
func ParseCollection(data []byte) (*Collection, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	c := &Collection{
		Context: r.raw("@context"), ID: r.text("id"), Type: r.kind(), TotalItems: r.natural("totalItems"),
		First: r.ref("first"), Next: r.id("next"), Prev: r.id("prev"), Last: r.id("last"), PartOf: r.id("partOf"),
	}
	switch c.Type {
	case "Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage":
	default:
		return nil, fmt.Errorf("reading a collection: %w", ErrType)
	}
	first, second := c.itemKeys()
	c.Items = r.refs(first)
	if c.Items == nil {
		c.Items = r.refs(second)
	}
	c.Extra = r.extra()
	if r.err != nil {
		return nil, fmt.Errorf("reading a collection: %w", r.err)
	}
	return c, nil
}

// itemKeys are the member for the type's items, and the one that is read where that is missing.
func (c Collection) itemKeys() (own, other string) {
	if strings.HasPrefix(c.Type, "Ordered") {
		return "orderedItems", "items"
	}
	return "items", "orderedItems"
}

// Page says that this is one page of a collection.
func (c Collection) Page() bool { return strings.HasSuffix(c.Type, "Page") }

func (c Collection) withoutContext() json.Marshaler {
	c.Context = nil
	return c
}

// MarshalJSON writes the collection, always with a number of items.
func (c Collection) MarshalJSON() ([]byte, error) {
	w := newWriter(c.Extra)
	w.raw("@context", c.Context)
	w.text("id", c.ID)
	w.text("type", c.Type)
	w.always("totalItems", c.TotalItems)
	w.ref("first", c.First)
	w.text("last", c.Last)
	w.text("next", c.Next)
	w.text("prev", c.Prev)
	w.text("partOf", c.PartOf)
	own, _ := c.itemKeys()
	w.refs(own, c.Items)
	return w.end()
}
