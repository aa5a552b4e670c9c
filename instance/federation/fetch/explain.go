// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/go-resty/resty/v2"

	"shoal/peer/safedial"

	"shoal/peer/foreign"
)

var (
	errCircles   = errors.New("too many redirects, or in a circle")
	errNowhere   = errors.New("redirect to no web address")
	errDowngrade = errors.New("redirect from https to http")
)

// statusError is an answer without success.
type statusError struct{ status int }

// Error is for the log.
func (e *statusError) Error() string { return fmt.Sprintf("answered with HTTP %d", e.status) }

// typeError is an answer of another kind than asked for.
type typeError struct {
	err    error
	status int
}

// Error is for the log.
func (e *typeError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *typeError) Unwrap() error { return e.err }

// signError is a failure to sign, which is our own.
type signError struct{ err error }

// Error is for the log.
func (e *signError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *signError) Unwrap() error { return e.err }

// explain turns a failure into an Error with a sentence for a person.
func explain(ctx context.Context, target string, maxBytes int64, err error) *Error {
	var already *Error
	if errors.As(err, &already) {
		return already
	}
	host, name := target, target
	if u, err := url.Parse(target); err == nil {
		host, name = u.Host, u.Hostname()
	}
	say := func(code Code, format string, args ...any) *Error {
		return &Error{Code: code, URL: target, Text: fmt.Sprintf(format, args...), Err: err}
	}
	var (
		status    *statusError
		wrongType *typeError
		sign      *signError
		dns       *net.DNSError
		timeout   net.Error
		op        *net.OpError
		badCert   *tls.CertificateVerificationError
		unknown   x509.UnknownAuthorityError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		badFlate  flate.CorruptInputError
	)
	switch {
	case errors.As(err, &status):
		e := explainStatus(status.status, host, say)
		e.Status = status.status
		return e
	case errors.As(err, &wrongType):
		e := say(CodeWrongType, "%s answered with something else than what was asked for (%s): check the address.", host, foreign.Clip(wrongType.Error()))
		e.Status = wrongType.status
		return e
	case errors.As(err, &sign):
		return say(CodeUnreachable, "The request to %s could not be signed: %s.", host, sign.err)
	case errors.Is(ctx.Err(), context.Canceled):
		return say(CodeCanceled, "Asking %s was stopped.", host)
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		return say(CodeTooLarge, "The answer of %s is larger than %d bytes: it was not read further.", host, maxBytes)
	case errors.Is(err, safedial.ErrPrivate):
		return say(CodeBlockedAddress, "%s is at an address that is not on the public Internet: Shoal does not follow it there.", host)
	case errors.Is(err, errDowngrade):
		return say(CodeInsecure, "%s leads from https to http, which anyone on the way could read and change: Shoal does not follow it.", host)
	case errors.Is(err, errCircles):
		return say(CodeRedirect, "%s redirects too often, or in circles: check the address.", host)
	case errors.Is(err, errNowhere):
		return say(CodeRedirect, "%s redirects to something that is no web address: check the address.", host)
	case errors.As(err, &dns) && dns.IsNotFound:
		return say(CodeUnreachable, "There is no server named %s: check the spelling of the address.", name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return say(CodeTimeout, "%s did not answer in time: try again later.", host)
	case errors.As(err, &dns):
		return say(CodeUnreachable, "The name %s could not be looked up: check this machine's network connection.", name)
	case errors.As(err, &badCert), errors.As(err, &unknown):
		return say(CodeInsecure, "The certificate of %s is not valid, so it may be another server: check the address and this machine's clock.", host)
	case errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return say(CodeInsecure, "No encrypted connection to %s could be made: check the address and the port.", host)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &badFlate):
		return say(CodeWrongType, "%s answered with garbage: try again later.", host)
	case errors.As(err, &op) && op.Op == "dial":
		return say(CodeUnreachable, "%s cannot be reached: check that the server is running, and the address and the port.", host)
	}
	return say(CodeUnreachable, "%s did not answer as a web server does: try again later.", host)
}

func explainStatus(status int, host string, say func(Code, string, ...any) *Error) *Error {
	switch {
	case status == http.StatusNotFound:
		return say(CodeNotFound, "%s has no such thing: check the address.", host)
	case status == http.StatusGone:
		return say(CodeGone, "%s has deleted it.", host)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return say(CodeStatus, "%s does not show it to us (HTTP %d): it may block this instance.", host, status)
	case status == http.StatusTooManyRequests:
		return say(CodeStatus, "%s asks for a pause: try again later.", host)
	case status >= http.StatusInternalServerError:
		return say(CodeStatus, "%s has a problem of its own (HTTP %d): try again later.", host, status)
	}
	return say(CodeStatus, "%s answered with HTTP %d: check the address.", host, status)
}
