// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// digest is the Digest header of a body (RFC 3230), spelt as PeerTube wants it.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
}

// checkDigests compares a body with each digest that the request carries. One of an algorithm that
// is not known proves nothing, so a header needs one that is.
func checkDigests(h http.Header, body []byte) error {
	if text, ok := joined(h, "Digest"); ok {
		if err := checkDigest(text, body); err != nil {
			return err
		}
	}
	if text, ok := joined(h, "Content-Digest"); ok {
		return checkContentDigest(text, body)
	}
	return nil
}

// checkDigest checks a Digest header (RFC 3230 §4.3.2). Names of algorithms have no case.
func checkDigest(text string, body []byte) error {
	if len(text) > maxHeader {
		return fmt.Errorf("%w: the header is too long", ErrDigest)
	}
	known := false
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		is, ok := sum(strings.ToLower(name), body)
		if !ok {
			continue
		}
		claimed, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil || subtle.ConstantTimeCompare(claimed, is) != 1 {
			return fmt.Errorf("%w: %s is not the body's", ErrDigest, strings.ToUpper(name))
		}
		known = true
	}
	if !known {
		return fmt.Errorf("%w: neither SHA-256 nor SHA-512", ErrDigest)
	}
	return nil
}

// checkContentDigest checks a Content-Digest header (RFC 9530 §2).
func checkContentDigest(text string, body []byte) error {
	members, err := parseDictionary(text)
	if err != nil {
		return fmt.Errorf("%w: reading Content-Digest: %w", ErrDigest, err)
	}
	known := false
	for _, m := range members {
		is, ok := sum(m.name, body)
		if !ok {
			continue
		}
		if m.value.kind != sfBytes || subtle.ConstantTimeCompare(m.value.bytes, is) != 1 {
			return fmt.Errorf("%w: %s is not the body's", ErrDigest, m.name)
		}
		known = true
	}
	if !known {
		return fmt.Errorf("%w: neither sha-256 nor sha-512", ErrDigest)
	}
	return nil
}

func sum(name string, body []byte) ([]byte, bool) {
	switch name {
	case "sha-256":
		sum := sha256.Sum256(body)
		return sum[:], true
	case "sha-512":
		sum := sha512.Sum512(body)
		return sum[:], true
	default:
		return nil, false
	}
}
