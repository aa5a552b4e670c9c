// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// verified is an activity whose author is proved.
type verified struct {
	activity *vocab.Activity
	// forwarded says that the author's Linked Data signature proves it, not the request's.
	forwarded bool
}

// verify checks whose a request is, and that its body is by the same actor, or else by one whose Linked
// Data signature it carries.
func (b *Inbox) verify(ctx context.Context, r *http.Request, body []byte, claimed claim) (verified, answer) {
	// Behind a proxy the Host header may be another; what was signed is the public one.
	public := r.WithContext(ctx)
	public.Host = b.cfg.Base.Host()
	key, err := b.cfg.Verifier.Verify(ctx, public, body)
	if err != nil {
		return verified{}, b.unsigned(err, body, claimed)
	}
	a, err := vocab.ParseActivity(body)
	if err != nil {
		return verified{}, deny(http.StatusBadRequest, "the body is no activity: "+err.Error())
	}
	author := vocab.Host(a.Actor.ID)
	switch {
	case max(len(a.ID), len(a.Actor.ID), len(a.Object.ID)) > maxID || strings.Contains(a.Object.ID, "\x00"):
		return verified{}, deny(http.StatusBadRequest, "the body is no activity: an id is too long or none")
	case !vocab.SameOrigin(a.ID, a.Actor.ID) && a.Type != typeDelete: // PeerTube names a Delete after what it deletes
		b.refuse(key.Owner, a, body, "its id is on another server than its actor")
		return verified{}, deny(http.StatusForbidden, "the activity's id is on another server than its actor")
	case vocab.SameOrigin(a.Actor.ID, string(b.cfg.Base)):
		return verified{}, done() // our own, forwarded back
	case a.Actor.ID == key.Owner:
		return verified{activity: a}, answer{}
	case b.cfg.Store.Blocked(author):
		return verified{}, done() // see the package comment
	}
	if answer := b.forwarded(ctx, body, a); answer.status != 0 {
		if answer.status == http.StatusForbidden {
			b.refuse(key.Owner, a, body, "in the name of "+clip(a.Actor.ID)+": "+answer.reason)
		}
		return verified{}, answer
	}
	return verified{activity: a, forwarded: true}, answer{}
}

// unsigned is the answer to a request whose HTTP signature does not hold.
func (b *Inbox) unsigned(err error, body []byte, claimed claim) answer {
	switch {
	case errors.Is(err, resolve.ErrGone):
		// An actor says that it goes, and it is gone: that its host says so itself was taken in.
		if goes(body, claimed) {
			return done()
		}
		return deny(http.StatusForbidden, "invalid signature: its key is gone")
	case errors.Is(err, resolve.ErrBlocked):
		return deny(http.StatusForbidden, "your server is blocked here")
	case errors.Is(err, httpsig.ErrKey) && resolve.Temporary(err):
		b.log.Debug("a key cannot be fetched", "keyId", claimed.keyID, "error", err)
		return answer{http.StatusServiceUnavailable, "your key cannot be fetched now: come back later", time.Minute}
	}
	b.log.Debug("a signature does not hold", "keyId", claimed.keyID, "error", err)
	for _, known := range []error{
		httpsig.ErrDigest, httpsig.ErrSkew, httpsig.ErrComponents, httpsig.ErrMissing, httpsig.ErrKey, httpsig.ErrBad,
	} {
		if errors.Is(err, known) {
			return deny(http.StatusForbidden, "invalid signature: "+known.Error())
		}
	}
	return deny(http.StatusForbidden, "invalid signature")
}

// ldSkew is how far in the future a Linked Data signature may be dated.
const ldSkew = 30 * time.Minute

// forwarded checks the Linked Data signature of an activity's actor.
func (b *Inbox) forwarded(ctx context.Context, body []byte, a *vocab.Activity) answer {
	creator, created, err := ldsig.Creator(body)
	if err != nil {
		return deny(http.StatusForbidden, "the activity is by somebody else than the request and has no signature of its own")
	}
	age := b.cfg.Now().Sub(created)
	switch {
	case noFragment(creator) != a.Actor.ID:
		return deny(http.StatusForbidden, "the activity is signed by somebody else than its actor")
	case age > maxAge || age < -ldSkew:
		return deny(http.StatusForbidden, "the activity's signature is out of date")
	}
	for _, refresh := range []bool{false, true} {
		var key httpsig.Key
		key, err = b.cfg.Resolver.Key(ctx, a.Actor.ID, refresh)
		if err != nil {
			break
		}
		if key.Owner != a.Actor.ID {
			return deny(http.StatusForbidden, "the activity's signature is of another actor's key")
		}
		if err = b.cfg.Suite.Verify(ctx, body, key.Public); !errors.Is(err, ldsig.ErrBadSignature) {
			break
		}
	}
	switch {
	case err == nil:
		return answer{}
	case errors.Is(err, resolve.ErrGone), errors.Is(err, resolve.ErrBlocked):
		return done()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return answer{http.StatusServiceUnavailable, "the signature cannot be checked now: come back later", time.Minute}
	case isLD(err):
		b.log.Debug("a Linked Data signature does not hold", "actor", a.Actor.ID, "error", err)
		return deny(http.StatusForbidden, "invalid Linked Data signature")
	case resolve.Temporary(err):
		return answer{http.StatusServiceUnavailable, "the author's key cannot be fetched now: come back later", time.Minute}
	}
	return deny(http.StatusForbidden, "the author's key cannot be used")
}

func isLD(err error) bool {
	for _, known := range []error{
		ldsig.ErrBadSignature, ldsig.ErrNoSignature, ldsig.ErrTooComplex, ldsig.ErrUnknownContext, ldsig.ErrAmbiguous, ldsig.ErrUnknownTerm, ldsig.ErrSyntax,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// maxGoodbye bounds what is read before its signature is checked, in bytes.
const maxGoodbye = 16 << 10

// goes reports whether a body says that the claimed actor deletes itself.
func goes(body []byte, claimed claim) bool {
	if len(body) > maxGoodbye {
		return false
	}
	a, err := vocab.ParseActivity(body)
	return err == nil && a.Type == typeDelete && a.Object.ID == a.Actor.ID && noFragment(claimed.keyID) == a.Actor.ID
}

// unknownGoes reports whether a body says so of an actor that is not known here.
func (b *Inbox) unknownGoes(body []byte, claimed claim) bool {
	if !goes(body, claimed) {
		return false
	}
	known := true
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		_, ok, err := tx.Actor(noFragment(claimed.keyID))
		known = ok
		return err
	})
	return err == nil && !known
}

// refuse keeps what was refused, for the administrator. Only what came with a good signature is kept,
// and under the name of by, whose it is, so that nobody can fill the list under others' names.
func (b *Inbox) refuse(by string, a *vocab.Activity, body []byte, reason string) {
	record := refusedRecord(b.cfg.Now(), a, body, reason)
	record.Actor, record.Host = by, vocab.Host(by)
	err := b.cfg.Store.Batch("keeping a refusal", func(tx *store.Tx) error { return tx.AddRefused(record) })
	if err != nil {
		b.log.Error("a refusal cannot be stored", "error", err)
	}
}

func refusedRecord(now time.Time, a *vocab.Activity, body []byte, reason string) store.Refused {
	return store.Refused{
		At: now.UTC(), Actor: a.Actor.ID, Host: vocab.Host(a.Actor.ID), Type: a.Type, ID: a.ID, Reason: reason, Body: body,
	}
}

func noFragment(id string) string {
	id, _, _ = strings.Cut(id, "#")
	return id
}
