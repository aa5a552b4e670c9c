// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
)

// algorithm is how a signature was made.
type algorithm uint8

const (
	// anyRSA is for signatures that leave it to the key: what RSA keys are used with.
	anyRSA       algorithm = iota + 1
	rsaSHA256              // RSASSA-PKCS1-v1_5 with SHA-256
	rsaSHA512              // RSASSA-PKCS1-v1_5 with SHA-512
	rsaPSSSHA512           // RSASSA-PSS with SHA-512
)

func (a algorithm) verify(key *rsa.PublicKey, text string, signature []byte) bool {
	switch a {
	case rsaSHA256:
		sum := sha256.Sum256([]byte(text))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	case rsaSHA512:
		sum := sha512.Sum512([]byte(text))
		return rsa.VerifyPKCS1v15(key, crypto.SHA512, sum[:], signature) == nil
	case rsaPSSSHA512:
		sum := sha512.Sum512([]byte(text))
		return rsa.VerifyPSS(key, crypto.SHA512, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil
	case anyRSA:
		return rsaSHA256.verify(key, text, signature) || rsaPSSSHA512.verify(key, text, signature)
	default:
		return false
	}
}
