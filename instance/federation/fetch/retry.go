// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/go-resty/resty/v2"

	"shoal/peer/safedial"

	"shoal/peer/foreign"
)

// wanted reports whether to ask again: after a connection that was refused or broke, after a
// time-out, after a server's own failure, and after 429 if the server says when. One that asks for
// a longer pause than maxPause is not asked again.
func (t timing) wanted(resp *resty.Response, err error) bool {
	if err != nil {
		return mayPass(err)
	}
	if resp == nil || resp.Request == nil {
		return false
	}
	pause := foreign.RetryAfter(resp.Header(), time.Now())
	if pause > t.maxPause {
		return false
	}
	if end, ok := resp.Request.Context().Deadline(); ok && time.Until(end) <= max(pause, t.pause) {
		return false // the answer at hand says more than a time-out
	}
	switch resp.StatusCode() {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusTooManyRequests:
		return pause > 0
	}
	return false
}

// mayPass reports whether a failure without an answer may be gone the next time.
func mayPass(err error) bool {
	if errors.Is(err, safedial.ErrPrivate) {
		return false
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsTimeout || dns.IsTemporary
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return true
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
