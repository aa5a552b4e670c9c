// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// maxKeyBits bounds keys: checking takes time with their size.
const maxKeyBits = 8192

// errNoKey: the caller has none.
var errNoKey = errors.New("no key")

// Verify checks the signature of body against key. Whose key it is, is the caller's to make sure
// of: see Creator. A nil error also means that body's JSON says what was signed and nothing else:
// what the two readings could differ in is refused with ErrAmbiguous or ErrUnknownTerm.
func (s *Suite) Verify(ctx context.Context, body []byte, key *rsa.PublicKey) error {
	if key == nil || key.N == nil {
		return fmt.Errorf("checking a Linked Data signature: %w", errNoKey)
	}
	if key.N.BitLen() > maxKeyBits {
		return fmt.Errorf("%w: a key of %d bits", ErrTooComplex, key.N.BitLen())
	}
	ctx, done, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	v, text, err := s.read(body)
	if err != nil {
		return err
	}
	signature, err := find(&v)
	if err != nil {
		return err
	}
	raw, err := signatureValue(signature)
	if err != nil {
		return err
	}
	// Implementations differ in how they escape tabs and other control characters.
	for _, e := range []escaper{escapeShort, escapeTab, escapeAll} {
		hashes, varies, err := s.hashes(ctx, &v, text, signature, e)
		if err != nil {
			return err
		}
		digest := sha256.Sum256(hashes.signed())
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw) == nil {
			return nil
		}
		if !varies {
			break
		}
	}
	return ErrBadSignature
}

func signatureValue(signature *value) ([]byte, error) {
	v := signature.get("signatureValue")
	if v == nil || v.kind != kindString || len(v.text) > maxKeyBits/4 || strings.ContainsAny(v.text, "\r\n") {
		return nil, fmt.Errorf("%w: no signatureValue", ErrBadSignature)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(v.text)
	if err != nil {
		return nil, fmt.Errorf("%w: its signatureValue is no base64", ErrBadSignature)
	}
	return raw, nil
}
