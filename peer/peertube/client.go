// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"

	"shoal/peer/foreign"
)

// Defaults of Options.
const (
	defaultUserAgent     = "Shoal"
	defaultTimeout       = 20 * time.Second
	defaultMaxBytes      = 4 << 20
	defaultMaxConcurrent = 8
)

// Options are the settings of a Client. The zero value is usable.
type Options struct {
	// UserAgent is sent with each request; default "Shoal".
	UserAgent string
	// Timeout bounds one call in all: waiting for a turn, redirects, retries
	// and the body. Default 20 s.
	Timeout time.Duration
	// MaxBytes bounds an API answer after decompression. Default 4 MiB.
	MaxBytes int
	// MaxConcurrent bounds the calls at one time; others wait. Default 8.
	MaxConcurrent int
	// Dev lets answers name private and loopback addresses too. See Client.
	Dev bool
	// Logger gets failures, at level debug. Default: discarded.
	Logger *slog.Logger
}

// Client asks any PeerTube-compatible instance. It is safe for concurrent use.
//
// The instance that a method is given is one that a person named, so it may be
// anywhere: on this machine, in the house, or on the Internet. An address that
// comes from an answer (a redirect to another host or port, an absolute URL given
// to Get) must be public, unless Options.Dev is set; this is checked at each connect,
// after the name is resolved. No answer leads from https to http.
//
// Every error is an *Error.
type Client struct {
	opts  Options
	rest  *resty.Client
	conns *chooser
	turns chan struct{}
	retry retryPolicy
}

// New returns a client.
func New(o Options) *Client { return newClient(o, nil, defaultRetry()) }

// newClient is New with what tests change.
func newClient(o Options, tlsConfig *tls.Config, retry retryPolicy) *Client {
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxConcurrent <= 0 {
		o.MaxConcurrent = defaultMaxConcurrent
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		opts:  o,
		conns: newChooser(o.Dev, tlsConfig),
		turns: make(chan struct{}, o.MaxConcurrent),
		retry: retry,
	}
	// A plain http.Client: no cookies are kept for any instance.
	c.rest = resty.NewWithClient(&http.Client{Transport: c.conns}).
		SetLogger(silent{}).
		SetHeader("User-Agent", o.UserAgent).
		SetRedirectPolicy(resty.RedirectPolicyFunc(checkRedirect)).
		SetRetryCount(retry.count).
		SetRetryWaitTime(retry.wait).
		SetRetryMaxWaitTime(retry.maxWait).
		SetRetryAfter(retry.after).
		AddRetryCondition(retry.wanted)
	return c
}

// Close ends idle connections. Calls in progress go on.
func (c *Client) Close() { c.conns.CloseIdleConnections() }

// silent is a resty.Logger: what fails is logged once, by the client.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// call is one question to an instance.
type call struct {
	// what names the thing asked for in a person's words: "this video".
	what     string
	instance string
	// path is below the instance, with its query; or an absolute URL.
	path     string
	accept   string
	maxBytes int
	// api is whether the answer is of PeerTube's API.
	api bool
}

// do asks and returns the body of an answer that succeeded.
func (c *Client) do(ctx context.Context, q call) ([]byte, error) {
	named, target, err := q.resolve()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()

	body, err := c.send(context.WithValue(ctx, namedKey{}, named), q, target.String())
	if err != nil {
		e := explain(ctx, q, target, err)
		c.opts.Logger.Debug("request failed", "url", target.String(), "code", string(e.Code), "status", e.Status, "err", err)
		return nil, e
	}
	return body, nil
}

// send waits for a turn, then asks, with retries.
func (c *Client) send(ctx context.Context, q call, target string) ([]byte, error) {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	resp, err := c.rest.R().
		SetContext(ctx).
		SetHeader("Accept", q.accept).
		SetResponseBodyLimit(q.maxBytes).
		Get(target)
	if err != nil {
		return nil, err
	}
	if !resp.IsSuccess() {
		return nil, &statusError{
			status:     resp.StatusCode(),
			header:     resp.Header(),
			body:       resp.Body(),
			retryAfter: foreign.RetryAfter(resp.Header(), time.Now()),
		}
	}
	return resp.Body(), nil
}
