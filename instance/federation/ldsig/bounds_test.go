// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"crypto/rsa"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	contextfiles "shoal/assets/contexts"
)

// Who does not get a turn in time is told so.
func TestTurns(t *testing.T) {
	s, err := New(Options{Contexts: contextfiles.Files(), Concurrency: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	v := vectors(t)[0]
	_, done, err := s.turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.o.Timeout = time.Millisecond
	if err := s.Verify(t.Context(), v.body(t), v.key(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	done()
	s.o.Timeout = time.Minute
	if err := s.Verify(t.Context(), v.body(t), v.key(t)); err != nil {
		t.Error(err)
	}
}

// Many at once share one Suite, and its contexts.
func TestManyAtOnce(t *testing.T) {
	s := suite(t)
	s.o.Timeout = time.Minute
	var group sync.WaitGroup
	for _, v := range vectors(t) {
		for range 3 {
			body, key := v.body(t), v.key(t)
			group.Go(func() {
				if err := s.Verify(t.Context(), body, key); err != nil {
					t.Errorf("%s: %v", v.name, err)
				}
			})
		}
	}
	group.Wait()
}

// The memory that parsed contexts take does not grow with what comes in.
func TestContextsAreForgotten(t *testing.T) {
	s := suite(t)
	for i := range 3 * maxCached {
		text := `{"a` + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `":"http://b.example/"}`
		local, err := parseJSON(text, 4, 10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.contexts.scope(nil, &local, text, newBudget()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.contexts.recent) + len(s.contexts.older); n > 2*maxCached {
		t.Error(n)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	s, body := suite(t), vectors(t)[0].body(t)
	for _, key := range []*rsa.PublicKey{nil, {}, {N: new(big.Int).Lsh(big.NewInt(1), 20_000), E: 3}, {N: big.NewInt(15), E: 3}} {
		if err := s.Verify(t.Context(), body, key); err == nil {
			t.Error(key)
		}
	}
}

func TestNewNeedsTheContexts(t *testing.T) {
	for name, change := range map[string]func(map[string][]byte){
		"one is missing":  func(m map[string][]byte) { delete(m, securityURL) },
		"one is empty":    func(m map[string][]byte) { m[asURL] = nil },
		"one is no JSON":  func(m map[string][]byte) { m[asURL] = []byte("x") },
		"one has no name": func(m map[string][]byte) { m[securityURL] = []byte("{}") },
	} {
		files := contextfiles.Files()
		change(files)
		if _, err := New(Options{Contexts: files}); err == nil {
			t.Error(name)
		}
	}
}
