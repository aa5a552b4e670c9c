// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	// ErrUnknownTerm: a member, type or id that has no place in the graph (no context of the body
	// defines it, or it is no absolute IRI), which a signature would not cover.
	ErrUnknownTerm = errors.New("not covered by the body's context")
	// ErrSyntax: the body is no JSON.
	ErrSyntax = errors.New("no JSON")
)

// Options of a Suite. The zero value of a bound is its default.
type Options struct {
	// Contexts are the known context documents by URL.
	Contexts map[string][]byte
	// Concurrency is how many bodies are worked on at once. Default: the number of processors.
	Concurrency int
	// Timeout bounds one call, waiting for its turn included: context.DeadlineExceeded. Default: 5 s.
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

func (o Options) withDefaults() Options {
	for _, bound := range []struct {
		value *int
		usual int
	}{
		{&o.Concurrency, runtime.GOMAXPROCS(0)},
		{&o.MaxBytes, 1 << 20},
		{&o.MaxDepth, 32},
		{&o.MaxNodes, 20_000},
		{&o.MaxBlankNodes, 4000},
	} {
		if *bound.value <= 0 {
			*bound.value = bound.usual
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	return o
}

// Suite signs and checks. It is safe for concurrent use.
type Suite struct {
	o        Options
	contexts *contextSet
	options  *scope // of a signature's options
	turns    chan struct{}
}

// New makes a Suite. An error means that a context document is no JSON-LD context, or that the two
// which signatures rest on, ActivityStreams and security/v1, are missing.
func New(o Options) (*Suite, error) {
	o = o.withDefaults()
	c, err := newContexts(o.Contexts)
	if err != nil {
		return nil, err
	}
	for _, url := range []string{asURL, securityURL} {
		if c.loaded[url] == nil {
			return nil, fmt.Errorf("starting Linked Data signatures: the context %s is missing", url)
		}
	}
	s := &Suite{o: o, contexts: c, turns: make(chan struct{}, o.Concurrency)}
	const text = `["` + securityURL + `",{"RsaSignature2017":"` + securityNS + `RsaSignature2017"}]`
	local, err := parseJSON(text, o.MaxDepth, o.MaxNodes)
	if err != nil {
		return nil, err
	}
	if s.options, err = c.scope(nil, &local, text, newBudget()); err != nil {
		return nil, fmt.Errorf("reading the context of signatures: %w", err)
	}
	return s, nil
}

// turn waits until a body may be worked on. done must be called.
func (s *Suite) turn(ctx context.Context) (_ context.Context, done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	select {
	case s.turns <- struct{}{}:
		return ctx, func() { <-s.turns; cancel() }, nil
	case <-ctx.Done():
		cancel()
		return nil, nil, fmt.Errorf("waiting to check a signature: %w", ctx.Err())
	}
}

// read parses a body, which has to be an object.
func (s *Suite) read(body []byte) (value, string, error) {
	return read(body, s.o)
}

func read(body []byte, o Options) (value, string, error) {
	if len(body) > o.MaxBytes {
		return value{}, "", fmt.Errorf("%w: over %d bytes", ErrTooComplex, o.MaxBytes)
	}
	text := string(body)
	v, err := parseJSON(text, o.MaxDepth, o.MaxNodes)
	if err == nil && v.kind != kindObject {
		err = fmt.Errorf("%w: the body is no object", ErrSyntax)
	}
	return v, text, err
}
