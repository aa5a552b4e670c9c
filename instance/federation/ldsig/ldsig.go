// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"crypto/rsa"
	"errors"
	"time"
)

// What errors.Is finds in the errors of this package.
var (
	// ErrNoSignature: the body carries no RsaSignature2017.
	ErrNoSignature = errors.New("no RsaSignature2017")
	// ErrBadSignature: the signature is not this key's over this body.
	ErrBadSignature = errors.New("bad Linked Data signature")
	// ErrTooComplex: the body is over a bound, or its graph takes too long to normalise.
	ErrTooComplex = errors.New("too complex to check")
	// ErrUnknownContext: the body names a JSON-LD context that was not handed in.
	ErrUnknownContext = errors.New("unknown JSON-LD context")
	// ErrAmbiguous: the body can be read as JSON otherwise than as JSON-LD, so that what is acted
	// upon need not be what was signed.
	ErrAmbiguous = errors.New("ambiguous body")
	// ErrUnknownTerm: a member or type that no context of the body defines, which a signature would
	// not cover.
	ErrUnknownTerm = errors.New("term in no context")
)

// Options of a Suite. The zero value of a bound is its default.
type Options struct {
	// Contexts are the known context documents by URL.
	Contexts map[string][]byte
	// Concurrency is how many bodies are normalised at once. Default: the number of processors.
	Concurrency int
	// Timeout bounds one call, waiting for its turn included. Default: 5 s.
	Timeout time.Duration
	// MaxBytes bounds the body. Default: 1 MiB.
	MaxBytes int
	// MaxDepth bounds the nesting of objects and arrays. Default: 32.
	MaxDepth int
	// MaxNodes bounds the number of JSON values. Default: 20000.
	MaxNodes int
	// MaxBlankNodes bounds the number of objects without an id. Default: 4000.
	MaxBlankNodes int
}

// Suite signs and checks. It is safe for concurrent use.
type Suite struct{ o Options }

// New makes a Suite. An error means that a context document is no JSON-LD context.
func New(o Options) (*Suite, error) { return &Suite{o: o}, nil }

// Hashes are what a signature is made over.
type Hashes struct {
	// OptionsHash and DocumentHash are lower-case hex of the SHA-256 of the N-Quads.
	OptionsHash, DocumentHash string
	// OptionsNQuads and DocumentNQuads are the canonical N-Quads (URDNA2015).
	OptionsNQuads, DocumentNQuads string
}

// Sign returns body with a "signature" by creator (the id of the actor whose key it is); one that
// is there already is replaced. A member or type that no context defines is ErrUnknownTerm.
func (s *Suite) Sign(ctx context.Context, body []byte, creator string, key *rsa.PrivateKey, created time.Time) ([]byte, error) {
	return nil, errors.New("not there yet")
}

// Verify checks the signature of body against key. Whose key it is, is the caller's to make sure
// of: see Creator.
func (s *Suite) Verify(ctx context.Context, body []byte, key *rsa.PublicKey) error {
	return errors.New("not there yet")
}

// Hashes normalises body and the options of its signature.
func (s *Suite) Hashes(ctx context.Context, body []byte) (Hashes, error) {
	return Hashes{}, errors.New("not there yet")
}

// Creator reads who signed body, without the fragment, and when; nothing is checked.
func Creator(body []byte) (creator string, created time.Time, err error) {
	return "", time.Time{}, ErrNoSignature
}
