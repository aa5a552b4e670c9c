// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"shoal/peer/safedial"

	"shoal/peer/foreign"
)

// statusError is an answer whose status is not a success.
type statusError struct {
	status     int
	header     http.Header
	body       []byte
	retryAfter time.Duration
}

// Error is for the log.
func (e *statusError) Error() string { return fmt.Sprintf("answered with HTTP %d", e.status) }

// explain turns a failure into an Error with a sentence for a person.
func explain(ctx context.Context, q call, target *url.URL, err error) *Error {
	host := target.Host
	e := &Error{URL: target.String(), Err: err}
	say := func(code Code, format string, args ...any) *Error {
		e.Code, e.Text = code, fmt.Sprintf(format, args...)
		return e
	}

	var status *statusError
	if errors.As(err, &status) {
		e.Status, e.RetryAfter = status.status, status.retryAfter
		return explainStatus(q, host, status, say)
	}

	var (
		dns      *net.DNSError
		timeout  net.Error
		op       *net.OpError
		badCert  *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		badFlate flate.CorruptInputError
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return say(CodeCanceled, "Asking %s was stopped.", host)
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		return say(CodeTooLarge, "The answer of %s is larger than %s: it was not read further; check that the address is right.", host, sizeText(q.maxBytes))
	case errors.Is(err, safedial.ErrPrivate):
		return say(CodeBlocked, "%s leads to an address that is not on the public Internet: Shoal does not follow it there.", host)
	case errors.Is(err, errDowngrade):
		return say(CodeBlocked, "%s leads from https to http, which anyone on the way could read and change: Shoal does not follow it.", host)
	case errors.Is(err, errTooManyRedirects):
		return say(CodeRedirect, "%s redirects in circles: check the address.", host)
	case errors.Is(err, errRedirectTarget):
		return say(CodeRedirect, "%s redirects to something that is no web address: check the address.", host)
	case errors.As(err, &dns) && dns.IsNotFound:
		return say(CodeUnreachable, "There is no server named %s: check the spelling of the address.", target.Hostname())
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return say(CodeTimeout, "%s did not answer in time: try again later.", host)
	case errors.As(err, &dns):
		return say(CodeUnreachable, "The name %s could not be looked up: check this machine's network connection.", target.Hostname())
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return say(CodeTLS, "%s does not speak https: if it is meant to be asked without encryption, type http:// in front of the address.", host)
	case errors.As(err, &badCert), errors.As(err, &unknown):
		return say(CodeTLS, "The certificate of %s is not valid, so it may be another server: check the address and this machine's clock.", host)
	case errors.As(err, &alert):
		return say(CodeTLS, "No encrypted connection to %s could be made: check the address and the port.", host)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &badFlate):
		return say(CodeNotPeerTube, "%s answered with garbage: is this a PeerTube instance?", host)
	case errors.As(err, &op) && op.Op == "dial":
		return say(CodeUnreachable, "%s cannot be reached: check that the instance is running, and the address and the port.", host)
	case isBroken(err):
		return say(CodeUnreachable, "%s broke off the connection: try again later.", host)
	}
	return say(CodeUnreachable, "%s did not answer as a web server does: check the address and the port.", host)
}

// explainStatus is explain for answers without success.
func explainStatus(q call, host string, s *statusError, say func(Code, string, ...any) *Error) *Error {
	p, isProblem := readProblem(s.body)
	detail := ""
	if p.Detail != "" {
		detail = " (" + foreign.Clip(p.Detail) + ")"
	}
	switch {
	case s.status == http.StatusTooManyRequests && s.retryAfter > 0:
		return say(CodeRateLimited, "%s asks for a pause: try again in %s.", host, s.retryAfter.Round(time.Second))
	case s.status == http.StatusTooManyRequests:
		return say(CodeRateLimited, "%s asks for a pause: try again in a minute.", host)
	case s.status >= 500:
		return say(CodeServer, "%s has a problem of its own (HTTP %d): try again later.", host, s.status)
	case q.api && !isProblem && isWebPage(s.header, s.body):
		return say(CodeNotPeerTube, "%s answered with a web page, not with PeerTube's API: is this a PeerTube instance?", host)
	case s.status == http.StatusNotFound || s.status == http.StatusGone:
		return say(CodeNotFound, "%s has not got %s: it may be deleted or private; check the address.", host, q.what)
	case p.OriginURL != "" && (s.status == http.StatusForbidden || s.status == http.StatusUnauthorized):
		return say(CodeForbidden, "%s does not show %s, because it does not follow the instance it comes from: open %s instead.", host, q.what, foreign.Clip(p.OriginURL))
	case s.status == http.StatusUnauthorized || s.status == http.StatusForbidden:
		return say(CodeForbidden, "%s does not show %s to everyone%s: it needs an account or a password there.", host, q.what, detail)
	case s.status >= 400:
		return say(CodeBadRequest, "%s did not take the question for %s (HTTP %d)%s: check the address.", host, q.what, s.status, detail)
	}
	return say(CodeNotPeerTube, "%s answered with HTTP %d, not with PeerTube's API: is this a PeerTube instance?", host, s.status)
}

// notPeerTube is the Error for an answer with success that is not PeerTube's.
func notPeerTube(q call, body []byte, cause error) *Error {
	loc, err := ParseURL(q.instance)
	if err != nil {
		loc.Instance = q.instance
	}
	host := strings.TrimPrefix(strings.TrimPrefix(loc.Instance, "https://"), "http://")
	e := &Error{Code: CodeNotPeerTube, URL: loc.Instance + q.path, Status: http.StatusOK, Err: cause}
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		e.Text = host + " answered with nothing: is this a PeerTube instance?"
	case isWebPage(nil, body):
		e.Text = host + " answered with a web page, not with PeerTube's API: is this a PeerTube instance?"
	default:
		e.Text = host + " answered with something that is not PeerTube's API: is this a PeerTube instance?"
	}
	return e
}

// readProblem reads PeerTube's error body. Before 3.2 it was {"error": "…"}.
func readProblem(body []byte) (Problem, bool) {
	var old struct {
		Error NullString `json:"error"`
	}
	var p Problem
	if decodeLenient(body, &p) != nil || decodeLenient(body, &old) != nil {
		return Problem{}, false
	}
	if p.Detail == "" {
		p.Detail = string(old.Error)
	}
	return p, true
}

// isWebPage reports whether an answer is HTML.
func isWebPage(h http.Header, body []byte) bool {
	if t, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil && (t == "text/html" || t == "application/xhtml+xml") {
		return true
	}
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

func sizeText(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
