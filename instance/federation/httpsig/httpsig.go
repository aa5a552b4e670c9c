// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strings"
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
	// ErrComponents: the signature does not cover what it must, or is for another host.
	ErrComponents = errors.New("signature covers too little")
	// ErrBad: the signature is not the key's.
	ErrBad = errors.New("bad HTTP signature")
	// ErrKey: the key could not be had. The KeyFunc's error is wrapped beside it.
	ErrKey = errors.New("no key for the HTTP signature")
)

const (
	// defaultSkew is PeerTube's.
	defaultSkew = 30 * time.Minute
	// maxHeader bounds each header that is parsed, in bytes.
	maxHeader = 8 << 10
	// maxKeyBits bounds keys: checking takes time with their size.
	maxKeyBits = 8192
)

// Key is an actor's.
type Key struct {
	Public *rsa.PublicKey
	// Owner is the actor's id.
	Owner string
}

// KeyFunc finds the key that a keyId names: an actor's id, with or without a fragment, or
// acct:user@host. refresh asks for a fresh copy, because the one given before did not fit; it
// happens at most once a request.
type KeyFunc func(ctx context.Context, keyID string, refresh bool) (Key, error)

// Options of a Verifier.
type Options struct {
	// Keys is required.
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
func NewVerifier(o Options) *Verifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Skew <= 0 {
		o.Skew = defaultSkew
	}
	return &Verifier{o: o}
}

// claim is a signature as a request carries it, of either kind.
type claim struct {
	keyID     string
	algorithm algorithm
	signature []byte
	// covered are the components: header names in lower case, and derived ones as their kind of
	// signature spells them.
	covered []string
	// times are when it was made, each of which must be near now; expires may be zero.
	times   []time.Time
	expires time.Time
	// texts are what may have been signed: more than one where the request does not tell.
	texts []string
	// err is what forbids to go on, found while reading; the digest is looked at first.
	err error
}

// Inspect checks signature and digest of a request each for itself, for tools that explain a captured
// request. A server calls Verify.
func (v *Verifier) Inspect(ctx context.Context, r *http.Request, body []byte) (signature, digest error) {
	digest = checkDigests(r.Header, body)
	c, err := read(r)
	if err == nil {
		err = v.inTime(c, r)
	}
	if err == nil {
		_, err = v.byKey(ctx, c)
	}
	return err, digest
}

// Verify checks the signature of a request whose body was read, and returns whose it is. The
// signature must cover method, path, host, a time and, unless it is a GET or HEAD without a body,
// the body's digest. Dates and digest are checked before a key is asked for. A nil error means that
// the body is the signer's; whether the signer is the body's actor is the caller's to compare.
func (v *Verifier) Verify(ctx context.Context, r *http.Request, body []byte) (Key, error) {
	c, err := read(r)
	if err != nil {
		return Key{}, err
	}
	if err := checkDigests(r.Header, body); err != nil {
		return Key{}, err
	}
	if err := v.inTime(c, r); err != nil {
		return Key{}, err
	}
	return v.byKey(ctx, c)
}

// byKey checks the signature itself, with a fresh key if the one at hand does not fit.
func (v *Verifier) byKey(ctx context.Context, c *claim) (Key, error) {
	for _, refresh := range []bool{false, true} {
		key, err := v.o.Keys(ctx, c.keyID, refresh)
		if err != nil {
			return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
		}
		if key.Public == nil || key.Public.N == nil || key.Public.N.BitLen() > maxKeyBits {
			return Key{}, fmt.Errorf("%w: it is none that can be used", ErrKey)
		}
		for _, text := range c.texts {
			if c.algorithm.verify(key.Public, text, c.signature) {
				return key, nil
			}
		}
	}
	return Key{}, fmt.Errorf("%w by %.200s", ErrBad, c.keyID)
}

// inTime makes the checks that need neither body nor key.
func (v *Verifier) inTime(c *claim, r *http.Request) error {
	if c.err != nil {
		return c.err
	}
	if v.o.Host != "" && !sameHost(r.Host, v.o.Host) {
		return fmt.Errorf("%w: it is for the host %.200q", ErrComponents, r.Host)
	}
	if len(c.times) == 0 {
		return fmt.Errorf("%w: no time", ErrComponents)
	}
	now := v.o.Now()
	for _, t := range c.times {
		if d := now.Sub(t); d > v.o.Skew || d < -v.o.Skew {
			return fmt.Errorf("%w: made at %s, %s from now", ErrSkew, t.UTC().Format(time.RFC3339), d.Round(time.Second))
		}
	}
	if !c.expires.IsZero() && now.After(c.expires) {
		return fmt.Errorf("%w: it expired at %s", ErrSkew, c.expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// KeyID is whose signature a request carries; nothing is checked.
func KeyID(r *http.Request) (string, error) {
	c, err := read(r)
	if err != nil {
		return "", err
	}
	return c.keyID, nil
}

// read finds the signature. RFC 9421 goes first: its Signature header has another form.
func read(r *http.Request) (*claim, error) {
	var c *claim
	var err error
	if len(r.Header.Values("Signature-Input")) > 0 {
		c, err = readRFC9421(r)
	} else {
		c, err = readCavage(r)
	}
	if err != nil {
		return nil, err
	}
	if !plausibleKeyID(c.keyID) {
		return nil, fmt.Errorf("%w: its keyId names no actor", ErrMissing)
	}
	return c, nil
}

func plausibleKeyID(s string) bool {
	if len(s) > 2048 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	for _, prefix := range []string{"https://", "http://", "acct:"} {
		if len(s) > len(prefix) && strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// needsDigest says whether the body must be covered.
func needsDigest(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}

// joined is a header as signatures see it: values trimmed and joined (draft-cavage-12 §2.3, RFC
// 9421 §2.1).
func joined(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) == 0 {
		return "", false
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.TrimSpace(v)
	}
	return strings.Join(trimmed, ", "), true
}

// sameHost compares hosts; a port that a scheme implies may be left out.
func sameHost(a, b string) bool { return bareHost(a) == bareHost(b) }

func bareHost(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":443", ":80"} {
		host = strings.TrimSuffix(host, port)
	}
	return host
}
