// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"log/slog"
	"net/http"
)

// Options are what a Client needs. The zero value works, unsigned.
type Options struct {
	// Dev allows http, ports, loopback and private addresses.
	Dev bool
	// UserAgent is sent with each request; default "Shoal".
	UserAgent string
	// Sign signs a GET as the instance's actor, or is nil. It sees each attempt and each redirect anew.
	Sign func(*http.Request) error
	// Logger gets failures, at level debug. It may be nil.
	Logger *slog.Logger
}

// Code says what kind of failure an Error is.
type Code string

// The kinds of failure.
const (
	CodeNotFound       Code = "notFound"       // 404, or nothing under that name
	CodeGone           Code = "gone"           // 410: deleted for good
	CodeBlockedAddress Code = "blockedAddress" // a private address, or a URL that is not followed
	CodeTooLarge       Code = "tooLarge"       // more bytes than allowed
	CodeTimeout        Code = "timeout"        // no whole answer in time
	CodeRedirect       Code = "redirect"       // circles, too many, or to nowhere
	CodeStatus         Code = "status"         // another HTTP status than success
	CodeInsecure       Code = "insecure"       // http outside development, or a bad certificate
	CodeUnreachable    Code = "unreachable"    // no such server, or no connection
	CodeWrongType      Code = "wrongType"      // an answer that is not what was asked for
	CodeCanceled       Code = "canceled"       // the caller's context ended
)

// Error is a failure of a Client. Every error that a Client returns is one.
type Error struct {
	Code   Code
	Status int    // the HTTP status, or 0 without an answer
	URL    string // what was asked
	Text   string // one sentence for a person
	Err    error  // the cause, for the log; may be nil
}

// Error returns the sentence for a person.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same question may work later.
func (e *Error) Temporary() bool {
	switch e.Code {
	case CodeTimeout, CodeUnreachable, CodeCanceled:
		return true
	case CodeStatus:
		return temporaryStatus(e.Status)
	default:
		return false
	}
}

func temporaryStatus(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout ||
		status == http.StatusTooEarly || status == http.StatusTooManyRequests
}
