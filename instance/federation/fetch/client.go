// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/go-resty/resty/v2"

	"shoal/instance/party"
	"shoal/peer/safedial"

	"shoal/peer/foreign"
)

// Bounds of one call.
const (
	// MaxObject is the size of an ActivityPub object, in bytes after decompression. A PeerTube
	// takes no larger one either.
	MaxObject = 1 << 20

	maxRedirects   = 3
	maxHeaderBytes = 64 << 10
	perParty       = 4  // GETs at a time of one party, or for one client that has proved nothing
	atOnce         = 64 // GETs at a time
	atDoor         = 16 // further ones for requests that are not proved, of known and of unknown hosts
	idleTimeout    = 30 * time.Second
)

// timing is how long things take; tests have shorter ones.
type timing struct {
	attempt, whole  time.Duration // one GET; one call in all
	unknown         time.Duration // one GET for an unknown host's request
	post            time.Duration // one POST
	retries         int
	pause, maxPause time.Duration // between attempts
}

func defaultTiming() timing {
	return timing{attempt: 7 * time.Second, whole: 30 * time.Second, unknown: 4 * time.Second, post: 15 * time.Second, retries: 2, pause: 300 * time.Millisecond, maxPause: 5 * time.Second}
}

// Client asks other servers. It is safe for concurrent use. Every error is an *Error.
//
// Outside development it follows https alone, and connects to public addresses alone; that is
// checked after a name is resolved, at each connect. It keeps no cookies and uses no proxy.
type Client struct {
	opts      Options
	timing    timing
	transport *http.Transport
	gets      *resty.Client
	unknown   *resty.Client // GETs for requests of unknown hosts
	posts     *resty.Client
	gates     gates
}

// New returns a client.
func New(o Options) *Client {
	return newClient(o, defaultTiming(), safedial.Context(o.Dev), &tls.Config{MinVersion: tls.VersionTLS12})
}

// newClient is New with what tests change.
func newClient(o Options, t timing, dial func(context.Context, string, string) (net.Conn, error), tlsConfig *tls.Config) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "Shoal"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{opts: o, timing: t, gates: newGates(), transport: &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        tlsConfig,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    safedial.Timeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxConnsPerHost:        3*perParty + 1,
		MaxIdleConnsPerHost:    1,
		MaxIdleConns:           2 * atOnce,
		IdleConnTimeout:        idleTimeout,
	}}
	c.gets = c.client(t.attempt).
		SetRetryCount(t.retries).
		SetRetryWaitTime(t.pause).
		SetRetryMaxWaitTime(t.maxPause).
		SetRetryAfter(func(_ *resty.Client, r *resty.Response) (time.Duration, error) {
			return foreign.RetryAfter(r.Header(), time.Now()), nil
		}).
		AddRetryCondition(t.wanted)
	c.unknown = c.client(t.unknown)
	c.posts = c.client(t.post)
	return c
}

func (c *Client) client(timeout time.Duration) *resty.Client {
	h := &http.Client{
		Transport: c.transport,
		Timeout:   timeout,
		// Each hop is checked and signed anew, so resty follows none by itself.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return resty.NewWithClient(h).
		SetLogger(silent{}).
		SetHeader("User-Agent", c.opts.UserAgent).
		SetPreRequestHook(signHook)
}

// Close ends idle connections. Calls in progress go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// silent is a resty.Logger: what fails is logged once, by the client.
type silent struct{}

// Errorf drops the line, as the others do.
func (silent) Errorf(string, ...any) {}

// Warnf drops the line.
func (silent) Warnf(string, ...any) {}

// Debugf drops the line.
func (silent) Debugf(string, ...any) {}

// signKey is the context key of the func(*http.Request) error that signs a request.
type signKey struct{}

// signHook signs each attempt right before it is sent: a signature has a date.
func signHook(_ *resty.Client, r *http.Request) error {
	sign, _ := r.Context().Value(signKey{}).(func(*http.Request) error)
	if sign == nil {
		return nil
	}
	if err := sign(r); err != nil {
		return fmt.Errorf("signing a request: %w", &signError{err})
	}
	return nil
}

// question is one GET, with its redirects.
type question struct {
	accept string
	max    int64
	sign   func(*http.Request) error
	// ok reports why an answer is not of the kind that was asked for.
	ok func(h http.Header, body []byte) error
}

// get asks, follows redirects and returns the answer with success, and the URL that gave it.
func (c *Client) get(ctx context.Context, raw string, q question) ([]byte, http.Header, string, error) {
	fail := func(target string, err error) ([]byte, http.Header, string, error) {
		e := explain(ctx, target, q.max, err)
		c.opts.Logger.Debug("request failed", "url", target, "code", string(e.Code), "status", e.Status, "err", err)
		return nil, nil, "", e
	}
	u, err := CheckURL(raw, c.opts.Dev)
	if err != nil {
		return fail(raw, err)
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, signKey{}, q.sign), c.timing.whole)
	defer cancel()

	visited := map[string]bool{}
	for hop := 0; ; hop++ {
		u.Fragment, u.RawFragment = "", ""
		target := u.String()
		if visited[target] || hop > maxRedirects {
			return fail(target, errCircles)
		}
		visited[target] = true
		resp, err := c.once(ctx, u, q)
		if err != nil {
			return fail(target, err)
		}
		status := resp.StatusCode()
		if resp.IsSuccess() {
			if err := q.ok(resp.Header(), resp.Body()); err != nil {
				return fail(target, &typeError{err: err, status: status})
			}
			return resp.Body(), resp.Header(), target, nil
		}
		if !isRedirect(status) {
			return fail(target, &statusError{status: status})
		}
		next, err := c.follow(u, resp.Header().Get("Location"))
		if err != nil {
			return fail(target, err)
		}
		u = next
	}
}

// once waits for a turn, then asks one server, with retries.
func (c *Client) once(ctx context.Context, u *url.URL, q question) (*resty.Response, error) {
	gate, client, keys := c.gates.own, c.gets, []string{party.Host(u.Host)}
	if a, ok := UnprovedAsker(ctx); ok {
		keys = []string{"for " + a.Client, keys[0]} // a client's own turn first: it holds nobody else's meanwhile
		if gate = c.gates.known; !a.Known {
			gate, client = c.gates.unknown, c.unknown
		}
	}
	leave, err := gate.enter(ctx, keys...)
	if err != nil {
		return nil, err
	}
	defer leave()
	return client.R().
		SetContext(ctx).
		SetHeader("Accept", q.accept).
		SetResponseBodyLimit(int(q.max)).
		Get(u.String())
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow is where a redirect leads, checked as every URL is.
func (c *Client) follow(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil || location == "" {
		return nil, errNowhere
	}
	if from.Scheme == "https" && to.Scheme == "http" {
		return nil, errDowngrade
	}
	return CheckURL(to.String(), c.opts.Dev)
}

// Bytes gets anything, unsigned, of at most maxBytes bytes.
func (c *Client) Bytes(ctx context.Context, rawURL, accept string, maxBytes int64) ([]byte, http.Header, error) {
	body, header, _, err := c.get(ctx, rawURL, question{
		accept: accept,
		max:    max(maxBytes, 1),
		ok:     func(http.Header, []byte) error { return nil },
	})
	return body, header, err
}
