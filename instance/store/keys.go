// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// keyBits is the size of an actor's key.
const keyBits = 2048

// newKey makes a key and its PKCS8 form. It takes a good part of a second.
func newKey() ([]byte, error) {
	k, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return der, nil
}

// actorKey is a local actor's key.
type actorKey struct {
	private *rsa.PrivateKey
	pem     string
}

func parseKey(der []byte) (actorKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return actorKey{}, fmt.Errorf("reading a key: %w", err)
	}
	private, ok := k.(*rsa.PrivateKey)
	if !ok {
		return actorKey{}, errors.New("reading a key: it is no RSA key")
	}
	spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return actorKey{}, fmt.Errorf("encoding a public key: %w", err)
	}
	return actorKey{private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))}, nil
}

// ensureKeys makes the keys that local actors lack: those of a database from before federation, and
// the instance actor's.
func (s *Store) ensureKeys() error {
	snap := s.Snapshot()
	names := []string{NameInstance}
	for name := range snap.users {
		names = append(names, name)
	}
	for name := range snap.names {
		names = append(names, name)
	}
	made := map[string][]byte{}
	for _, name := range names {
		if _, ok := snap.Key(name); ok {
			continue
		}
		der, err := s.newKey()
		if err != nil {
			return err
		}
		made[name] = der
	}
	if len(made) == 0 {
		return nil
	}
	return s.Write("storing keys", func(tx *Tx) error {
		tx.local = true
		for name, der := range made {
			if err := tx.bucket(bucketKeys).Put([]byte(name), der); err != nil {
				return err
			}
		}
		return nil
	})
}

// Key is the private key of a local actor: NameInstance, an account's or a channel's name.
func (s *Snapshot) Key(name string) (*rsa.PrivateKey, bool) {
	k, ok := s.keys[name]
	return k.private, ok
}

// PublicPEM is the public key of a local actor as PEM (SPKI), empty where there is no such actor.
func (s *Snapshot) PublicPEM(name string) string { return s.keys[name].pem }
