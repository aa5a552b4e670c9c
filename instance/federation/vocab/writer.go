// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// timeFormat is how instants are written: UTC, milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime writes an instant the way activities carry it: UTC with milliseconds, as in "2026-11-22T15:30:18.091Z".
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// writer builds one object, members in the order they are given.
type writer struct {
	buf   bytes.Buffer
	seen  map[string]bool
	extra map[string]json.RawMessage
	err   error
}

// newWriter begins an object that ends with the extra members, where nothing else takes their names.
func newWriter(extra map[string]json.RawMessage) *writer {
	return &writer{seen: map[string]bool{}, extra: extra}
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (w *writer) raw(key string, v json.RawMessage) {
	if v == nil || w.seen[key] {
		return
	}
	w.seen[key] = true
	if w.buf.Len() == 0 {
		w.buf.WriteByte('{')
	} else {
		w.buf.WriteByte(',')
	}
	k, err := encode(key)
	if err != nil {
		w.err = err
		return
	}
	w.buf.Write(k)
	w.buf.WriteByte(':')
	w.buf.Write(v)
}

func (w *writer) value(key string, v any) {
	raw, err := encode(v)
	if err != nil {
		w.err = err
		return
	}
	w.raw(key, raw)
}

// text writes a string that is not empty.
func (w *writer) text(key, v string) {
	if v != "" {
		w.value(key, v)
	}
}

// textOrNull writes a string, or null where it is empty: a receiver that updates what it knows clears it.
func (w *writer) textOrNull(key, v string) {
	if v == "" {
		w.orNull(key)
		return
	}
	w.value(key, v)
}

func (w *writer) instantOrNull(key string, t time.Time) {
	if t.IsZero() {
		w.orNull(key)
		return
	}
	w.instant(key, t)
}

// orNull writes null, unless the member is there in a form of its own.
func (w *writer) orNull(key string) { w.unlessExtra(key, json.RawMessage("null")) }

// always writes a value even where it is zero, unless the member is there in a form of its own.
func (w *writer) always(key string, v any) {
	raw, err := encode(v)
	if err != nil {
		w.err = err
		return
	}
	w.unlessExtra(key, raw)
}

func (w *writer) unlessExtra(key string, raw json.RawMessage) {
	if _, ok := w.extra[key]; !ok {
		w.raw(key, raw)
	}
}

func (w *writer) texts(key string, v []string) {
	if v != nil {
		w.value(key, v)
	}
}

func (w *writer) number(key string, v *int64) {
	if v != nil {
		w.value(key, *v)
	}
}

func (w *writer) natural(key string, v int64) {
	if v != 0 {
		w.value(key, v)
	}
}

func (w *writer) fraction(key string, v float64) {
	if v != 0 {
		w.value(key, v)
	}
}

func (w *writer) flag(key string, v *bool) {
	if v != nil {
		w.value(key, *v)
	}
}

func (w *writer) instant(key string, t time.Time) {
	if !t.IsZero() {
		w.value(key, FormatTime(t))
	}
}

// list writes objects that marshal themselves; nil is absent, an empty list is written.
func list[T json.Marshaler](w *writer, key string, items []T) {
	if items == nil {
		return
	}
	var b bytes.Buffer
	b.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		raw, err := item.MarshalJSON()
		if err != nil {
			w.err = err
			return
		}
		b.Write(raw)
	}
	b.WriteByte(']')
	w.raw(key, b.Bytes())
}

// end writes, by name, the extra members that are not written yet, and ends the object.
func (w *writer) end() ([]byte, error) {
	for _, key := range slices.Sorted(maps.Keys(w.extra)) {
		w.raw(key, w.extra[key])
	}
	if w.err != nil {
		return nil, w.err
	}
	if w.buf.Len() == 0 {
		return []byte("{}"), nil
	}
	w.buf.WriteByte('}')
	return w.buf.Bytes(), nil
}
