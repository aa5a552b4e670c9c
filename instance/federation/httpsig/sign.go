// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Sign signs an outgoing request as PeerTube does (draft-cavage-12 §4.1): it sets Date, Signature
// and, where body is not nil, Digest. keyID is the actor's id. body must be what is sent; it is nil
// for a GET. The signature ages out after 30 min, so each attempt is signed anew.
func Sign(r *http.Request, keyID string, key *rsa.PrivateKey, body []byte, now time.Time) error {
	if key == nil {
		return errors.New("signing a request: no key")
	}
	if strings.ContainsAny(keyID, "\"\\\r\n") || keyID == "" {
		return fmt.Errorf("signing a request: %q is no key id", keyID)
	}
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.Host == "" {
		return errors.New("signing a request: it has no host")
	}
	r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	covered := []string{requestTarget, "host", "date"}
	if body != nil {
		r.Header.Set("Digest", digest(body))
		covered = append(covered, "digest")
	}
	text, err := cavageText(r, covered, "", "")
	if err != nil {
		return fmt.Errorf("signing a request: %w", err)
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return fmt.Errorf("signing a request: %w", err)
	}
	r.Header.Set("Signature", fmt.Sprintf(`keyId="%s",algorithm="rsa-sha256",headers="%s",signature="%s"`,
		keyID, strings.Join(covered, " "), base64.StdEncoding.EncodeToString(signature)))
	return nil
}
