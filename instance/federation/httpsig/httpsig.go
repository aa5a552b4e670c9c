// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"time"
)

// What errors.Is finds in the errors of this package.
var (
	// ErrMissing: the request carries no signature that can be read.
	ErrMissing = errors.New("no HTTP signature")
	// ErrDigest: the body is not the one its digest was made of.
	ErrDigest = errors.New("wrong digest")
	// ErrSkew: the signature was made too long ago, or in the future.
	ErrSkew = errors.New("signature out of date")
	// ErrComponents: the signature does not cover what it must.
	ErrComponents = errors.New("signature covers too little")
	// ErrBad: the signature is not the key's.
	ErrBad = errors.New("bad HTTP signature")
	// ErrKey: the key could not be had.
	ErrKey = errors.New("no key for the HTTP signature")
)

// Key is an actor's.
type Key struct {
	Public *rsa.PublicKey
	// Owner is the actor's id.
	Owner string
}

// KeyFunc finds the key that a keyId names: an actor's id, with or without a fragment, or
// acct:user@host. refresh asks for a fresh copy, because the one given before did not fit.
type KeyFunc func(ctx context.Context, keyID string, refresh bool) (Key, error)

// Sign signs an outgoing request. body is nil for a GET.
func Sign(r *http.Request, keyID string, key *rsa.PrivateKey, body []byte, now time.Time) error {
	return errors.New("not there yet")
}

// Options of a Verifier.
type Options struct {
	Keys KeyFunc
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Skew is how far a signature's time may be from now. Default: 30 min.
	Skew time.Duration
	// Host is the host, with its port if it has one, that requests are made to. Empty: any.
	Host string
}

// Verifier checks requests. It is safe for concurrent use.
type Verifier struct{ o Options }

// NewVerifier makes a Verifier.
func NewVerifier(o Options) *Verifier { return &Verifier{o: o} }

// Verify checks the signature of a request whose body was read, and returns whose it is.
func (v *Verifier) Verify(ctx context.Context, r *http.Request, body []byte) (Key, error) {
	return Key{}, ErrMissing
}

// KeyID is whose signature a request carries; nothing is checked.
func KeyID(r *http.Request) (string, error) { return "", ErrMissing }
