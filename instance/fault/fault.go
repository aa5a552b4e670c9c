// SPDX-License-Identifier: AGPL-3.0-or-later

package fault

import (
	"errors"
	"fmt"
)

// The kinds, for errors.Is.
var (
	// ErrNotFound: what was named is not there.
	ErrNotFound = errors.New("it is not there")
	// ErrBadInput: what was given cannot be used.
	ErrBadInput = errors.New("it cannot be used")
	// ErrRefused: a rule here says no.
	ErrRefused = errors.New("it is not allowed")
	// ErrBlocked: the other instance is blocked here.
	ErrBlocked = errors.New("it is blocked here")
)

// Error is a sentence for a person, with a kind.
type Error struct {
	text        string
	kind, cause error
}

// Error returns the sentence.
func (e *Error) Error() string { return e.text }

// Unwrap returns the kind, and the cause where there is one.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// Because makes a copy of the error with a cause, which the sentence does not name.
func (e *Error) Because(cause error) error { return &Error{text: e.text, kind: e.kind, cause: cause} }

// NotFound makes an error of the kind ErrNotFound.
func NotFound(format string, args ...any) *Error { return say(ErrNotFound, format, args) }

// BadInput makes an error of the kind ErrBadInput.
func BadInput(format string, args ...any) *Error { return say(ErrBadInput, format, args) }

// Refused makes an error of the kind ErrRefused.
func Refused(format string, args ...any) *Error { return say(ErrRefused, format, args) }

// Blocked makes an error of the kind ErrBlocked.
func Blocked(format string, args ...any) *Error { return say(ErrBlocked, format, args) }

func say(kind error, format string, args []any) *Error {
	return &Error{text: fmt.Sprintf(format, args...), kind: kind}
}

// Said reports whether an error is a sentence for a person as it stands.
func Said(err error) bool {
	_, ok := err.(*Error) //nolint:errorlint // one that is wrapped has words before it already
	return ok
}
