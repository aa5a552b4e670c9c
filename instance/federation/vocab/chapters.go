// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"fmt"
)

// Chapters are the parts of a video (its hasParts).
type Chapters struct {
	Context json.RawMessage
	ID      string
	Parts   []Chapter
	Extra   map[string]json.RawMessage
}

// Chapter is one part; its offsets are in seconds.
type Chapter struct {
	Name                   string
	StartOffset, EndOffset float64
	Extra                  map[string]json.RawMessage
}

// ParseChapters reads chapters. Errors: those of the bounds, ErrID (errors.Is).
func ParseChapters(data []byte) (*Chapters, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	c := &Chapters{Context: r.raw("@context"), ID: r.text("id")}
	entries, _ := r.list("hasPart")
	for _, e := range entries {
		o, err := open(e)
		if err != nil {
			continue
		}
		part := Chapter{Name: o.text("name"), StartOffset: o.fraction("startOffset"), EndOffset: o.fraction("endOffset")}
		part.Extra = o.extra()
		c.Parts = append(c.Parts, part)
	}
	r.take("hasPart")
	c.Extra = r.extra()
	if r.err != nil {
		return nil, fmt.Errorf("reading chapters: %w", r.err)
	}
	if err := checkID(c.ID); err != nil {
		return nil, fmt.Errorf("reading chapters: %w", err)
	}
	return c, nil
}

func (c Chapters) withoutContext() json.Marshaler {
	c.Context = nil
	return c
}

// MarshalJSON writes the chapters; without any, an empty list.
func (c Chapters) MarshalJSON() ([]byte, error) {
	w := newWriter(c.Extra)
	w.raw("@context", c.Context)
	w.text("id", c.ID)
	parts := c.Parts
	if parts == nil {
		parts = []Chapter{}
	}
	list(w, "hasPart", parts)
	return w.end()
}

// MarshalJSON writes the chapter.
func (c Chapter) MarshalJSON() ([]byte, error) {
	w := newWriter(c.Extra)
	w.text("name", c.Name)
	w.always("startOffset", c.StartOffset)
	w.always("endOffset", c.EndOffset)
	return w.end()
}
