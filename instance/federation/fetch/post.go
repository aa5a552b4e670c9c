// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"shoal/peer/foreign"
)

// maxReason bounds how much is read of an answer to a POST, in bytes.
const maxReason = 4 << 10

// Post sends an activity once, to an inbox; sign, if not nil, signs the request. It follows no
// redirect. reason is what the server said of an answer without success, as far as it is text;
// retryAfter is the pause it asks for, unbounded. Without an answer status is 0 and err an *Error.
func (c *Client) Post(ctx context.Context, rawURL string, body []byte, sign func(*http.Request) error) (status int, reason string, retry time.Duration, err error) {
	u, err := CheckURL(rawURL, c.opts.Dev)
	if err != nil {
		return 0, "", 0, err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, signKey{}, sign), c.timing.post)
	defer cancel()
	resp, err := c.posts.R().
		SetContext(ctx).
		SetHeader("Accept", activityType+", application/json").
		SetHeader("Content-Type", activityType).
		SetBody(body).
		SetDoNotParseResponse(true).
		Post(u.String())
	if err != nil {
		e := explain(ctx, u.String(), maxReason, err)
		c.opts.Logger.Debug("post failed", "url", u.String(), "code", string(e.Code), "err", err)
		return 0, "", 0, e
	}
	raw := resp.RawBody()
	// What is left unread costs the connection, no more.
	text, readErr := io.ReadAll(io.LimitReader(raw, maxReason))
	if closeErr := raw.Close(); readErr != nil || closeErr != nil {
		c.opts.Logger.Debug("answer to a post broke off", "url", u.String(), "status", resp.StatusCode(), "err", readErr)
	}
	status = resp.StatusCode()
	if resp.IsSuccess() {
		return status, "", 0, nil
	}
	if isRedirect(status) {
		return status, fmt.Sprintf("its inbox redirects to %s", foreign.Clip(resp.Header().Get("Location"))), 0, nil
	}
	return status, reasonOf(resp.Header().Get("Content-Type"), text), foreign.RetryAfter(resp.Header(), time.Now()), nil
}

// reasonOf is what an answer says for people: PeerTube's and others' JSON (RFC 9457's among it), or
// plain text. It is "" for a web page.
func reasonOf(contentType string, body []byte) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	if t == "text/plain" {
		return foreign.Clip(string(body))
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	for _, name := range []string{"detail", "error", "message", "title"} {
		var s string
		if json.Unmarshal(members[name], &s) == nil && s != "" {
			return foreign.Clip(s)
		}
	}
	return ""
}
