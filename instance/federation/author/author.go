// SPDX-License-Identifier: AGPL-3.0-or-later

package author

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"shoal/instance/address"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
	"shoal/instance/store"
)

// Author signs as the actors of one instance. It is safe for concurrent use.
type Author struct {
	snapshot func() *store.Snapshot
	base     address.Base
	suite    *ldsig.Suite
	now      func() time.Time
}

// New makes an Author. snapshot hands out the actors' keys.
func New(snapshot func() *store.Snapshot, base address.Base, suite *ldsig.Suite) *Author {
	return &Author{snapshot: snapshot, base: base, suite: suite, now: time.Now}
}

// Sign encodes an activity with a Linked Data signature by a local actor.
func (a *Author) Sign(ctx context.Context, actorID string, activity any) ([]byte, error) {
	key, err := a.key(actorID)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(activity)
	if err != nil {
		return nil, fmt.Errorf("encoding an activity: %w", err)
	}
	signed, err := a.suite.Sign(ctx, body, actorID, key, a.now())
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	return signed, nil
}

// Request signs a request as a local actor (draft-cavage-http-signatures-12): keyId is the actor's
// id. body is nil for a GET.
func (a *Author) Request(r *http.Request, actorID string, body []byte) error {
	key, err := a.key(actorID)
	if err != nil {
		return err
	}
	if err := httpsig.Sign(r, actorID, key, body, a.now()); err != nil {
		return fmt.Errorf("signing a request: %w", err)
	}
	return nil
}

func (a *Author) key(actorID string) (*rsa.PrivateKey, error) {
	name, ok := Name(a.base, actorID)
	if !ok {
		return nil, fmt.Errorf("%s is no actor of this instance", actorID)
	}
	key, ok := a.snapshot().Key(name)
	if !ok {
		return nil, fmt.Errorf("there is no key of %s", actorID)
	}
	return key, nil
}

// Name is the name of a local actor by its id. It does not say whether there is such an actor.
func Name(base address.Base, actorID string) (string, bool) {
	path, ok := strings.CutPrefix(actorID, string(base)+"/")
	if !ok {
		return "", false
	}
	for _, kind := range []string{"accounts/", "video-channels/"} {
		if rest, ok := strings.CutPrefix(path, kind); ok && rest != "" && !strings.Contains(rest, "/") {
			name, err := url.PathUnescape(rest)
			return name, err == nil
		}
	}
	return "", false
}
