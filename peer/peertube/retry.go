// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/go-resty/resty/v2"

	"shoal/peer/foreign"
)

// maxRedirects bounds the redirects of one call.
const maxRedirects = 5

var (
	errTooManyRedirects = errors.New("too many redirects")
	errRedirectTarget   = errors.New("redirect to no web address")
	errDowngrade        = errors.New("redirect from https to http")
)

// checkRedirect bounds redirects and keeps https where it was.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("following redirect %d: %w", len(via), errTooManyRedirects)
	}
	if r.URL.Scheme != "https" && r.URL.Scheme != "http" || r.URL.Host == "" || r.URL.User != nil {
		return errRedirectTarget
	}
	if r.URL.Scheme == "http" && via[len(via)-1].URL.Scheme == "https" {
		return errDowngrade
	}
	return nil
}

// retryPolicy says when a GET is sent again.
type retryPolicy struct {
	count int
	// wait is the first pause; it doubles, with jitter, up to maxWait. An
	// instance that asks for a longer pause than maxWait is not asked again.
	wait, maxWait time.Duration
}

func defaultRetry() retryPolicy {
	return retryPolicy{count: 2, wait: 300 * time.Millisecond, maxWait: 5 * time.Second}
}

// wanted reports whether to ask again: after a connection that broke and after
// 502, 503 and 504; after 429 once, if the instance says when.
func (p retryPolicy) wanted(resp *resty.Response, err error) bool {
	if err != nil {
		return isBroken(err)
	}
	if resp == nil {
		return false
	}
	pause := foreign.RetryAfter(resp.Header(), time.Now())
	if pause > p.maxWait {
		return false
	}
	if end, ok := resp.Request.Context().Deadline(); ok && time.Until(end) <= max(pause, p.wait) {
		return false // the answer at hand says more than a time-out
	}
	switch resp.StatusCode() {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusTooManyRequests:
		return pause > 0 && resp.Request.Attempt == 1
	}
	return false
}

// after is the pause that the instance asks for; 0 leaves it to the back-off.
func (p retryPolicy) after(_ *resty.Client, resp *resty.Response) (time.Duration, error) {
	return foreign.RetryAfter(resp.Header(), time.Now()), nil
}

// isBroken reports whether a connection ended before the answer did, and not for
// the sake of time.
func isBroken(err error) bool {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "read" || op.Op == "write")
}
