// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"fmt"

	"shoal/instance/federation/fetch"
)

// What errors.Is finds in the errors of this package. Every other error, and ErrUnreachable, may pass
// by itself: see Temporary.
var (
	// ErrGone: its host says that it is deleted, or that there is no such thing.
	ErrGone = errors.New("it is gone")
	// ErrRefused: it cannot be used, now or later: it is malformed, or not its host's to say.
	ErrRefused = errors.New("it cannot be used")
	// ErrBlocked: its host is blocked here.
	ErrBlocked = errors.New("its server is blocked here")
	// ErrLocal: it is this instance's own.
	ErrLocal = errors.New("it is of this instance")
	// ErrUnrelated: it is a comment on no video that is stored here, or not for everybody.
	ErrUnrelated = errors.New("it has to do with no video here")
	// ErrUnreachable: its host does not answer, or asks to come back later.
	ErrUnreachable = errors.New("its server cannot be reached")
)

// Temporary reports whether the same question may have another answer later.
func Temporary(err error) bool {
	return err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrBlocked) && !errors.Is(err, ErrLocal) &&
		!errors.Is(err, ErrUnrelated)
}

// problem is an error with a sentence for a person, and one of the kinds above.
type problem struct {
	text        string
	kind, cause error
}

func (p *problem) Error() string { return p.text }

func (p *problem) Unwrap() []error {
	if p.cause == nil {
		return []error{p.kind}
	}
	return []error{p.kind, p.cause}
}

// deleted reports whether the host said that the object is deleted for good, not only missing.
func deleted(err error) bool {
	var f *fetch.Error
	return !errors.As(err, &f) || f.Code == fetch.CodeGone
}

func refused(format string, a ...any) error {
	return &problem{text: fmt.Sprintf(format, a...), kind: ErrRefused}
}

// malformed is what a document is whose parser said err.
func malformed(id string, err error) error {
	return &problem{text: fmt.Sprintf("what %s answers cannot be used: %v", id, err), kind: ErrRefused, cause: err}
}

// failed says what a failure to fetch id means.
func failed(id string, err error) error {
	var f *fetch.Error
	kind := ErrUnreachable
	switch {
	case !errors.As(err, &f):
		if errors.Is(err, context.Canceled) {
			return err
		}
	case f.Code == fetch.CodeGone, f.Code == fetch.CodeNotFound:
		kind = ErrGone
	case f.Code == fetch.CodeCanceled:
		return err
	case !f.Temporary():
		kind = ErrRefused
	}
	return &problem{text: fmt.Sprintf("fetching %s: %v", id, err), kind: kind, cause: err}
}
