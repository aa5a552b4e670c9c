// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxWork bounds the search for an order among blank nodes that look alike: each step is a hash or
// a path of at most some microseconds.
const maxWork = 20_000

// canonicalize writes quads as canonical N-Quads (URDNA2015, which RDF Dataset Canonicalization 1.0
// standardises; step numbers are those of §4.4 to §4.8 there). blanks is the highest blank node,
// maxWork the bound of canonicalizer.spend.
func canonicalize(ctx context.Context, quads []quad, blanks, maxWork int) (string, error) {
	c := canonicalizer{
		ctx: ctx, maxWork: maxWork, quads: distinctQuads(quads), of: make([][]int32, blanks+1),
		hashes: make([]string, blanks+1), canonical: make([]string, blanks+1),
	}
	if err := c.label(); err != nil {
		return "", err
	}
	lines := make([]string, len(c.quads))
	size := 0
	name := func(n int32) string { return c.canonical[n] }
	var buffer []byte
	for i := range c.quads {
		buffer = c.quads[i].append(buffer[:0], name)
		lines[i] = string(buffer)
		size += len(buffer)
	}
	slices.Sort(lines)
	var b strings.Builder
	b.Grow(size)
	for _, line := range lines {
		b.WriteString(line)
	}
	return b.String(), nil
}

// distinctQuads drops the repeated ones: a graph is a set.
func distinctQuads(quads []quad) []quad {
	seen := make(map[quad]struct{}, len(quads))
	kept := quads[:0:0]
	for _, q := range quads {
		if _, ok := seen[q]; !ok {
			seen[q] = struct{}{}
			kept = append(kept, q)
		}
	}
	return kept
}

type canonicalizer struct {
	ctx       context.Context
	quads     []quad
	of        [][]int32 // blank node -> its quads
	hashes    []string  // blank node -> its first-degree hash
	canonical []string  // blank node -> its canonical name
	issued    int
	work      int
	maxWork   int
}

// spend counts n steps of work.
func (c *canonicalizer) spend(n int) error {
	before := c.work
	if c.work += n; c.work > c.maxWork {
		return fmt.Errorf("%w: its objects without an id look too much alike", ErrTooComplex)
	}
	if before>>8 != c.work>>8 {
		return alive(c.ctx)
	}
	return nil
}

func (c *canonicalizer) issue(blank int32) {
	if c.canonical[blank] == "" {
		c.canonical[blank] = "_:c14n" + strconv.Itoa(c.issued)
		c.issued++
	}
}

// label names every blank node (§4.4.3).
func (c *canonicalizer) label() error {
	for i := range c.quads {
		q := &c.quads[i]
		for j, n := range [3]int32{q.s.blank, q.o.blank, q.g.blank} {
			// A node that a quad holds twice has the quad once.
			if n != 0 && (j < 1 || n != q.s.blank) && (j < 2 || n != q.o.blank) {
				c.of[n] = append(c.of[n], int32(i))
			}
		}
	}
	alike := make(map[string][]int32)
	for n := range c.of {
		if len(c.of[n]) == 0 {
			continue
		}
		if n&0xff == 0 {
			if err := alive(c.ctx); err != nil {
				return err
			}
		}
		h := c.firstDegree(int32(n))
		alike[h] = append(alike[h], int32(n))
	}
	order := sortedKeys(alike)
	for _, h := range order {
		if len(alike[h]) == 1 {
			c.issue(alike[h][0])
		}
	}
	for _, h := range order {
		if len(alike[h]) == 1 {
			continue
		}
		var paths []path
		for _, n := range alike[h] {
			if c.canonical[n] != "" {
				continue
			}
			temporary := &issuer{}
			temporary.name(n)
			p, err := c.manyDegrees(n, temporary)
			if err != nil {
				return err
			}
			paths = append(paths, p)
		}
		slices.SortStableFunc(paths, func(a, b path) int { return strings.Compare(a.hash, b.hash) })
		for _, p := range paths {
			for _, n := range p.issuer.order {
				c.issue(n)
			}
		}
	}
	return nil
}

// firstDegree hashes a node's own quads (§4.6).
func (c *canonicalizer) firstDegree(blank int32) string {
	lines := make([]string, 0, len(c.of[blank]))
	name := func(n int32) string {
		if n == blank {
			return "_:a"
		}
		return "_:z"
	}
	var buffer []byte
	for _, i := range c.of[blank] {
		buffer = c.quads[i].append(buffer[:0], name)
		lines = append(lines, string(buffer))
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		h.Write([]byte(line))
	}
	c.hashes[blank] = hex.EncodeToString(h.Sum(nil))
	return c.hashes[blank]
}

// path is the outcome of hashing a node with its surroundings.
type path struct {
	hash   string
	issuer *issuer
}

// issuer gives temporary names (§4.5).
type issuer struct {
	order []int32
	names map[int32]string
}

func (s *issuer) name(n int32) string {
	if name, ok := s.names[n]; ok {
		return name
	}
	if s.names == nil {
		s.names = make(map[int32]string)
	}
	s.names[n] = "_:b" + strconv.Itoa(len(s.order))
	s.order = append(s.order, n)
	return s.names[n]
}

func (s *issuer) clone() *issuer {
	names := make(map[int32]string, len(s.names)+1)
	for n, name := range s.names {
		names[n] = name
	}
	return &issuer{order: slices.Clone(s.order), names: names}
}

// related groups a node's neighbours by the hash of how they are linked (§4.7, §4.8 step 3).
func (c *canonicalizer) related(blank int32, issuer *issuer) (map[string][]int32, error) {
	groups := make(map[string][]int32)
	for _, i := range c.of[blank] {
		q := &c.quads[i]
		for j, n := range [3]int32{q.s.blank, q.o.blank, q.g.blank} {
			if n == 0 || n == blank {
				continue
			}
			if err := c.spend(1); err != nil {
				return nil, err
			}
			id := c.canonical[n]
			if id == "" {
				id = issuer.names[n]
			}
			if id == "" {
				id = c.hashes[n]
			}
			input := "sog"[j : j+1]
			if j < 2 {
				input += q.p
			}
			sum := sha256.Sum256([]byte(input + id))
			h := hex.EncodeToString(sum[:])
			groups[h] = append(groups[h], n)
		}
		if err := c.spend(1); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// manyDegrees hashes a node with its surroundings (§4.8).
func (c *canonicalizer) manyDegrees(blank int32, names *issuer) (path, error) {
	groups, err := c.related(blank, names)
	if err != nil {
		return path{}, err
	}
	data := sha256.New()
	for _, h := range sortedKeys(groups) {
		data.Write([]byte(h))
		best, err := c.bestOrder(groups[h], names)
		if err != nil {
			return path{}, err
		}
		data.Write([]byte(best.hash))
		names = best.issuer
	}
	return path{hash: hex.EncodeToString(data.Sum(nil)), issuer: names}, nil
}

// bestOrder is the least path through all orders of a group (§4.8 step 5).
func (c *canonicalizer) bestOrder(group []int32, names *issuer) (best path, err error) {
	err = permute(group, func(order []int32) error {
		if err := c.spend(1 + len(order) + len(names.order)/8); err != nil {
			return err
		}
		try := names.clone()
		var text strings.Builder
		var deeper []int32
		worse := func() bool {
			return best.issuer != nil && text.Len() >= len(best.hash) && text.String() > best.hash
		}
		for _, n := range order {
			if c.canonical[n] != "" {
				text.WriteString(c.canonical[n])
			} else {
				if _, ok := try.names[n]; !ok {
					deeper = append(deeper, n)
				}
				text.WriteString(try.name(n))
			}
			if worse() {
				return nil
			}
		}
		for _, n := range deeper {
			p, err := c.manyDegrees(n, try)
			if err != nil {
				return err
			}
			text.WriteString(try.name(n))
			text.WriteString("<" + p.hash + ">")
			try = p.issuer
			if worse() {
				return nil
			}
		}
		if best.issuer == nil || text.String() < best.hash {
			best = path{hash: text.String(), issuer: try}
		}
		return nil
	})
	return best, err
}

// permute calls try with every order of items, until an error.
func permute(items []int32, try func([]int32) error) error {
	var step func(k int) error
	step = func(k int) error {
		if k == len(items) {
			return try(items)
		}
		for i := k; i < len(items); i++ {
			items[k], items[i] = items[i], items[k]
			err := step(k + 1)
			items[k], items[i] = items[i], items[k]
			if err != nil {
				return err
			}
		}
		return nil
	}
	return step(0)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// alive is the context's end as this package's error.
func alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrTooComplex, err)
	}
	return nil
}
