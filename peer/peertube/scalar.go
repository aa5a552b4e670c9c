// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
)

// Int is an integer that reads tolerantly: a number, a number in a string (as
// databases give their 64-bit integers), a fraction (cut off), null (0).
// Anything else reads as 0, so that one odd field does not lose an answer.
type Int int64

// UnmarshalJSON reads the forms described at Int. It returns no error.
func (i *Int) UnmarshalJSON(b []byte) error {
	*i = 0
	s := string(bytes.Trim(b, `"`))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		*i = Int(n)
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err == nil && math.Abs(f) < 1<<53 {
		*i = Int(f)
	}
	return nil
}

// NullString is a text that is null in JSON when it is empty.
type NullString string

// MarshalJSON writes null for the empty text.
func (s NullString) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}

// NullFloat is a number that is null in JSON when it is 0. It reads as
// tolerantly as Int does.
type NullFloat float64

// MarshalJSON writes null for 0.
func (f NullFloat) MarshalJSON() ([]byte, error) {
	if f == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON reads a number, a number in a string, or null. Anything else
// reads as 0. It returns no error.
func (f *NullFloat) UnmarshalJSON(b []byte) error {
	*f = 0
	n, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64)
	if err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) && n != 0 {
		*f = NullFloat(n)
	}
	return nil
}

// timeFormat is how PeerTube writes times: UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Time is a point in time with PeerTube's JSON form (RFC 3339, UTC, three
// decimals). The zero Time is null.
type Time struct{ time.Time }

// NewTime returns t as it survives the wire: UTC, cut to milliseconds.
func NewTime(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

// MarshalJSON writes null for the zero Time and for years that RFC 3339 cannot
// say.
func (t Time) MarshalJSON() ([]byte, error) {
	u := t.UTC()
	if u.IsZero() || u.Year() < 0 || u.Year() > 9999 {
		return []byte("null"), nil
	}
	return []byte(`"` + u.Format(timeFormat) + `"`), nil
}

// UnmarshalJSON reads an RFC 3339 time or null; anything else reads as the zero
// Time. It returns no error.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	u, err := time.Parse(time.RFC3339Nano, string(bytes.Trim(b, `"`)))
	if err == nil && u.UTC().Year() >= 0 && u.UTC().Year() <= 9999 {
		*t = NewTime(u)
	}
	return nil
}

// List is a JSON array: null, absent and of another type read as empty, and an
// empty one is written as []. Elements of a wrong type read as far as they go.
type List[T any] []T

// MarshalJSON writes [] for an empty list.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// UnmarshalJSON reads an array; see List.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	var s []T
	if err := decodeLenient(b, &s); err != nil {
		return err
	}
	*l = nil
	if len(s) > 0 {
		*l = s
	}
	return nil
}

// decodeLenient decodes b into v. A value of a type that does not fit its field
// is passed over; only what is not JSON is an error.
func decodeLenient(b []byte, v any) error {
	err := json.Unmarshal(b, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return nil
	}
	return err
}
