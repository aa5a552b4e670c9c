// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shoal/assets/contexts"
)

// vector is a captured post. Its folder is shared with the other rooms that check signatures.
type vector struct {
	name       string
	Kind       string
	BodyBase64 string
	LD         *struct {
		OptionsNQuads, DocumentNQuads, OptionsHash, DocumentHash, Creator, PublicKeyPem string
		Valid                                                                           bool
	}
}

func (v vector) body(t testing.TB) []byte {
	t.Helper()
	body, err := base64.StdEncoding.DecodeString(v.BodyBase64)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (v vector) key(t testing.TB) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(v.LD.PublicKeyPem))
	if block == nil {
		t.Fatal("no PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

// vectors are the captured posts that carry a Linked Data signature.
func vectors(t testing.TB) []vector {
	t.Helper()
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := vector{name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if v.LD != nil {
			all = append(all, v)
		}
	}
	if len(all) < 20 {
		t.Fatalf("%d vectors", len(all))
	}
	return all
}

func suite(t testing.TB) *Suite {
	t.Helper()
	s, err := New(Options{Contexts: contexts.Files()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVectors(t *testing.T) {
	s := suite(t)
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			body := v.body(t)
			if err := s.Verify(t.Context(), body, v.key(t)); err != nil {
				t.Error(err)
			}
			h, err := s.Hashes(t.Context(), body)
			if err != nil {
				t.Fatal(err)
			}
			if h.OptionsNQuads != v.LD.OptionsNQuads || h.DocumentNQuads != v.LD.DocumentNQuads {
				t.Errorf("N-Quads\n%s%s\ninstead of\n%s%s", h.OptionsNQuads, h.DocumentNQuads, v.LD.OptionsNQuads, v.LD.DocumentNQuads)
			}
			if h.OptionsHash != v.LD.OptionsHash || h.DocumentHash != v.LD.DocumentHash {
				t.Error("the hashes differ")
			}
			creator, created, err := Creator(body)
			if err != nil || creator != v.LD.Creator || created.Year() < 2020 {
				t.Error(creator, created, err)
			}
		})
	}
}

// Each byte of a body, changed to another, breaks the signature, but for what says nothing: a
// context's unused names, nulls and empty arrays.
func TestEveryByteCounts(t *testing.T) {
	s := suite(t)
	for _, v := range vectors(t) {
		body, key := v.body(t), v.key(t)
		step := 1
		if len(body) > 1500 {
			step = 1 + len(body)/150
		}
		for i := 0; i < len(body); i += step {
			tampered := bytes.Clone(body)
			tampered[i] ^= []byte{1, 0x20}[i/step%2]
			err := s.Verify(t.Context(), tampered, key)
			if err == nil && saying(t, body) != saying(t, tampered) {
				t.Errorf("%s: byte %d from %q to %q goes unnoticed: …%s…", v.name, i, body[i], tampered[i], tampered[max(0, i-40):min(len(tampered), i+40)])
			} else if errors.Is(err, ErrTooComplex) {
				t.Errorf("%s: byte %d: %v", v.name, i, err)
			}
		}
	}
}

// saying is a body without what says nothing.
func saying(t *testing.T, body []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any) any
	strip = func(v any) any {
		m, ok := v.(map[string]any)
		if list, isList := v.([]any); isList {
			for i := range list {
				list[i] = strip(list[i])
			}
		}
		if !ok {
			return v
		}
		delete(m, "@context")
		for name, member := range m {
			if list, isList := member.([]any); member == nil || isList && len(list) == 0 {
				delete(m, name)
			} else {
				m[name] = strip(member)
			}
		}
		return m
	}
	text, err := json.Marshal(strip(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
