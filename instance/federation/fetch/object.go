// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"shoal/peer/foreign"
)

const (
	activityType = "application/activity+json"
	ldType       = "application/ld+json"
	profile      = "https://www.w3.org/ns/activitystreams"
	// acceptObject has both types of ActivityPub §3.2.
	acceptObject = activityType + `, ` + ldType + `; profile="` + profile + `"`
)

var errNoObject = errors.New("it is no JSON object")

// Object gets an ActivityPub object of at most MaxObject bytes, signed (ActivityPub §3.2). final is
// the URL that answered, after redirects, without a fragment: the caller compares it with the
// object's id. What a server does not call ActivityPub is an error (FEP-fe34), as a file that
// somebody uploaded there could say anything; so is a body that begins as no JSON object does.
func (c *Client) Object(ctx context.Context, rawURL string) (body []byte, final string, err error) {
	body, _, final, err = c.get(ctx, rawURL, question{accept: acceptObject, max: MaxObject, sign: c.opts.Sign, ok: isObject})
	return body, final, err
}

func isObject(h http.Header, body []byte) error {
	if err := checkType(h.Get("Content-Type")); err != nil {
		return err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return errNoObject
	}
	return nil
}

// checkType demands application/activity+json, or application/ld+json with the profile.
func checkType(contentType string) error {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("its type %q cannot be read", foreign.Clip(contentType))
	}
	switch t {
	case activityType:
		return nil
	case ldType:
		for p := range strings.FieldsSeq(params["profile"]) {
			if p == profile {
				return nil
			}
		}
	}
	return fmt.Errorf("its type is %s", foreign.Clip(contentType))
}
