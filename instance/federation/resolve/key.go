// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"

	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Bounds of a key, in bits: small ones are of old or development servers, and checking a signature
// takes longer the larger its key is.
const (
	minKeyBits = 1024
	maxKeyBits = 8192
)

// Key returns the key that a keyId names: an actor's id with or without a fragment, the address of a
// key, or acct:name@host. refresh fetches the actor anew unless that was done within the last minute:
// then the known key is returned. It is an httpsig.KeyFunc.
func (r *Resolver) Key(ctx context.Context, keyID string, refresh bool) (httpsig.Key, error) {
	id := noFragment(keyID)
	if handle, ok := strings.CutPrefix(keyID, "acct:"); ok {
		var err error
		if id, err = r.byHandle(ctx, handle); err != nil {
			return httpsig.Key{}, err
		}
	}
	if err := r.allowed(id); err != nil {
		return httpsig.Key{}, err
	}
	a, err := r.holder(ctx, id, refresh)
	if errors.Is(err, ErrRefused) {
		if by, ok := r.keyOwner(ctx, id, keyID); ok {
			a, err = by, nil
		}
	}
	if err != nil {
		return httpsig.Key{}, err
	}
	key, err := ParseKey(a.KeyPEM)
	if err != nil {
		return httpsig.Key{}, malformed(a.ID, err)
	}
	return httpsig.Key{Public: key, Owner: a.ID}, nil
}

// byHandle is the id of name@host.
func (r *Resolver) byHandle(ctx context.Context, handle string) (string, error) {
	handle = strings.TrimPrefix(handle, "@")
	name, host, ok := strings.Cut(handle, "@")
	if !ok || name == "" || host == "" {
		return "", refused("%.100q is no name@host", handle)
	}
	var known string
	err := r.store.Read(func(tx *store.Tx) error {
		a, ok, err := tx.ActorByHandle(name, strings.ToLower(host))
		if ok {
			known = a.ID
		}
		return err
	})
	if err != nil || known != "" {
		return known, err
	}
	if err := r.failures.get("acct:"+handle, r.now()); err != nil {
		return "", err
	}
	if err := r.turn(ctx, host); err != nil {
		return "", err
	}
	id, err := r.fetch.Webfinger(ctx, handle)
	if err != nil {
		err = failed(handle, err)
		r.failures.put("acct:"+handle, err, r.now())
		return "", err
	}
	return noFragment(id), nil
}

// keyOwner reads a key that has a document of its own, which names its owner, who names it.
func (r *Resolver) keyOwner(ctx context.Context, id, keyID string) (*store.Actor, bool) {
	body, kind, canonical, err := r.document(ctx, id)
	if err != nil || (kind != "Key" && kind != "CryptographicKey" && kind != "") {
		return nil, false
	}
	var key struct {
		Owner string `json:"owner"`
	}
	if json.Unmarshal(body, &key) != nil || !vocab.SameOrigin(key.Owner, canonical) || noFragment(key.Owner) == id {
		return nil, false
	}
	a, err := r.holder(ctx, noFragment(key.Owner), false)
	if err != nil || (a.KeyID != keyID && a.KeyID != canonical) {
		return nil, false
	}
	return a, true
}

// ParseKey reads an RSA key in SPKI PEM, of 1024 to 8192 bits.
func ParseKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("the key is not in SPKI PEM form")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the key cannot be read")
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is no RSA key")
	}
	if n := key.N.BitLen(); n < minKeyBits || n > maxKeyBits {
		return nil, errors.New("the key is too short or too long")
	}
	return key, nil
}
