// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// reader takes members out of an object. What is left at the end is the object's Extra.
// A member in a form that is not understood stays where it is.
type reader struct {
	members map[string]json.RawMessage
	err     error
}

// peek returns a member that is present and not null; null counts as absent and is removed.
func (r *reader) peek(key string) (json.RawMessage, bool) {
	raw, ok := r.members[key]
	if !ok {
		return nil, false
	}
	if string(raw) == "null" {
		delete(r.members, key)
		return nil, false
	}
	return raw, true
}

func (r *reader) take(key string) { delete(r.members, key) }

// list returns a member's entries: those of a list, or the member itself as the only one.
func (r *reader) list(key string) ([]json.RawMessage, bool) {
	raw, ok := r.peek(key)
	if !ok {
		return nil, false
	}
	entries, err := entriesOf(raw)
	if err != nil {
		r.err = err
		return nil, false
	}
	return entries, true
}

func entriesOf(raw json.RawMessage) ([]json.RawMessage, error) {
	if len(raw) == 0 || raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	if len(entries) > MaxList {
		return nil, ErrTooLong
	}
	return entries, nil
}

func textOf(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	return s, true
}

func (r *reader) text(key string) string {
	raw, ok := r.peek(key)
	if !ok {
		return ""
	}
	s, ok := textOf(raw)
	if ok {
		r.take(key)
	}
	return s
}

// kind takes the type: a string, or the first string of a list.
func (r *reader) kind() string {
	entries, ok := r.list("type")
	if !ok {
		return ""
	}
	for _, e := range entries {
		if s, ok := textOf(e); ok && s != "" {
			r.take("type")
			return s
		}
	}
	return ""
}

// texts takes a string or a list of strings; entries of other forms are left out. Nil: absent.
func (r *reader) texts(key string) []string {
	entries, ok := r.list(key)
	if !ok {
		return nil
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		if s, ok := textOf(e); ok && s != "" {
			out = append(out, s)
		}
	}
	r.take(key)
	return out
}

// ids takes the ids of a string, an object or a list of both. Nil: absent.
func (r *reader) ids(key string) []string {
	entries, ok := r.list(key)
	if !ok {
		return nil
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		if ref := refOf(e); ref.ID != "" {
			out = append(out, ref.ID)
		}
	}
	r.take(key)
	return out
}

// id takes the first id of a string, an object or a list of both.
func (r *reader) id(key string) string {
	entries, ok := r.list(key)
	if !ok {
		return ""
	}
	for _, e := range entries {
		if ref := refOf(e); ref.ID != "" {
			r.take(key)
			return ref.ID
		}
	}
	return ""
}

func intOf(raw json.RawMessage) (int64, bool) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// number takes a whole number, nil where it is absent or no whole number.
func (r *reader) number(key string) *int64 {
	raw, ok := r.peek(key)
	if !ok {
		return nil
	}
	n, ok := intOf(raw)
	if !ok {
		return nil
	}
	r.take(key)
	return &n
}

// natural takes a whole number from 0 to 2^53. Zero where it is absent; another value stays.
func (r *reader) natural(key string) int64 {
	raw, ok := r.peek(key)
	if !ok {
		return 0
	}
	n, ok := intOf(raw)
	if !ok || n < 0 || n > 1<<53 {
		return 0
	}
	r.take(key)
	return n
}

func (r *reader) fraction(key string) float64 {
	raw, ok := r.peek(key)
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0
	}
	r.take(key)
	return f
}

func (r *reader) flag(key string) *bool {
	raw, ok := r.peek(key)
	if !ok {
		return nil
	}
	b := string(raw) == "true"
	if !b && string(raw) != "false" {
		return nil
	}
	r.take(key)
	return &b
}

// yes takes a boolean; absent is false.
func (r *reader) yes(key string) bool {
	b := r.flag(key)
	return b != nil && *b
}

// instant takes an xsd:dateTime, cut to milliseconds, in UTC.
func (r *reader) instant(key string) time.Time {
	raw, ok := r.peek(key)
	if !ok {
		return time.Time{}
	}
	s, _ := textOf(raw)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	t = t.UTC().Truncate(time.Millisecond)
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	r.take(key)
	return t
}

// raw takes a member as it is.
func (r *reader) raw(key string) json.RawMessage {
	raw, ok := r.peek(key)
	if !ok {
		return nil
	}
	r.take(key)
	return raw
}

// extra returns what was not taken, nil where nothing is left.
func (r *reader) extra() map[string]json.RawMessage {
	if len(r.members) == 0 {
		return nil
	}
	return r.members
}
