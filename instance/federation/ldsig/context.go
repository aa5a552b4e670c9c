// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/piprate/json-gold/ld"
)

const (
	asURL       = "https://www.w3.org/ns/activitystreams"
	securityURL = "https://w3id.org/security/v1"
	asNS        = asURL + "#"
	ptNS        = "https://joinpeertube.org/ns#"

	// Bounds on all contexts of a body together, and on the names of one; PeerTube's largest is 2 KB.
	maxContextBytes = 64 << 10
	maxContextParts = 64
	maxTerms        = 1000
	// maxCached is how many parsed contexts are kept.
	maxCached = 256
)

// term is what a context says of a name (JSON-LD 1.1 §9.15.1).
type term struct {
	iri       string // or a keyword
	coercion  string // datatype, @id or @vocab; empty: none
	container container
	prefix    bool // may begin a compact IRI
	scoped    bool // has a context of its own
}

type container uint8

const (
	noContainer container = iota
	setContainer
	listContainer
	languageContainer
	otherContainer
)

// scope is a parsed, checked context. It is never changed once made.
type scope struct {
	key   string // what it was made of
	terms map[string]*term
	ld    *ld.Context
}

// contextSet parses contexts, and keeps those parsed.
type contextSet struct {
	files  map[string][]byte
	loaded map[string]*ld.RemoteDocument
	// core is what the ActivityStreams context says; no body may say otherwise.
	core map[string]*term
	// names are core's properties, folded.
	names map[string]bool

	mu     sync.Mutex
	recent map[string]*scope
	older  map[string]*scope
}

func newContexts(files map[string][]byte) (*contextSet, error) {
	c := &contextSet{files: files, loaded: map[string]*ld.RemoteDocument{}, names: map[string]bool{}, recent: map[string]*scope{}}
	parsed := map[*byte]any{} // one document has several URLs
	for url, file := range files {
		if len(file) == 0 {
			return nil, fmt.Errorf("reading the context %s: it is empty", url)
		}
		document := parsed[&file[0]]
		if document == nil {
			v, err := parseJSON(string(file), 32, 100_000)
			if err != nil {
				return nil, fmt.Errorf("reading the context %s: %w", url, err)
			}
			if v.get("@context") == nil {
				return nil, fmt.Errorf("reading the context %s: no @context in it", url)
			}
			document = v.plain()
			parsed[&file[0]] = document
		}
		c.loaded[url] = &ld.RemoteDocument{DocumentURL: url, Document: document}
	}
	if c.loaded[asURL] != nil {
		s, err := c.parse(nil, value{kind: kindString, text: asURL})
		if err != nil {
			return nil, fmt.Errorf("reading the context %s: %w", asURL, err)
		}
		c.core = s.terms
	}
	for name := range c.core {
		if name[0] >= 'a' && name[0] <= 'z' {
			c.names[fold(name)] = true
		}
	}
	return c, nil
}

// LoadDocument implements ld.DocumentLoader: never from the network.
func (c *contextSet) LoadDocument(url string) (*ld.RemoteDocument, error) {
	if document := c.loaded[url]; document != nil {
		return document, nil
	}
	return nil, fmt.Errorf("%w: %.200q", ErrUnknownContext, url)
}

// budget is what the contexts of one body may still take.
type budget struct{ bytes, parts int }

func newBudget() *budget { return &budget{bytes: maxContextBytes, parts: maxContextParts} }

// spend takes one context from the budget.
func (b *budget) spend(local *value) error {
	b.bytes -= local.end - local.start
	b.parts -= max(1, len(local.items))
	if b.bytes < 0 || b.parts < 0 || len(local.members) > maxTerms {
		return fmt.Errorf("%w: its contexts are too long", ErrTooComplex)
	}
	return nil
}

// scope is the one that local, a context in text, makes inside parent (nil: outermost).
func (c *contextSet) scope(parent *scope, local *value, text string, b *budget) (*scope, error) {
	if err := b.spend(local); err != nil {
		return nil, err
	}
	key := text[local.start:local.end]
	if parent != nil {
		key = parent.key + "\n" + key
	}
	c.mu.Lock()
	s := c.recent[key]
	if s == nil {
		s = c.older[key]
	}
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := c.parse(parent, *local)
	if err != nil {
		return nil, err
	}
	s.key = strings.Clone(key) // key itself would hold on to the whole body
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.recent) >= maxCached {
		c.older, c.recent = c.recent, make(map[string]*scope, maxCached)
	}
	c.recent[s.key] = s
	return s, nil
}

func (c *contextSet) parse(parent *scope, local value) (*scope, error) {
	parts := []value{local}
	if local.kind == kindArray {
		parts = local.items
	}
	for i := range parts {
		if err := c.check(&parts[i]); err != nil {
			return nil, err
		}
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = c
	outer := ld.NewContext(nil, options)
	if parent != nil {
		outer = parent.ld
	}
	parsed, err := outer.Parse(local.plain())
	if err != nil {
		return nil, fmt.Errorf("%w: parsing the context: %w", ErrAmbiguous, err)
	}
	if len(parsed.TermDefinitions) > maxTerms {
		return nil, fmt.Errorf("%w: contexts of over %d terms", ErrTooComplex, maxTerms)
	}
	s := &scope{ld: parsed, terms: make(map[string]*term, len(parsed.TermDefinitions))}
	for name, definition := range parsed.TermDefinitions {
		t, err := c.term(name, definition)
		if err != nil {
			return nil, err
		}
		s.terms[name] = t
	}
	return s, nil
}

// check refuses what a context inside a body may not have: all that would let the body say
// something else to a reader of its JSON. What remains are names for IRIs.
func (c *contextSet) check(local *value) error {
	switch local.kind {
	case kindString:
		if _, err := c.LoadDocument(local.text); err != nil {
			return err
		}
		return nil
	case kindObject:
	default:
		return fmt.Errorf("%w: a context that is neither a URL nor an object", ErrAmbiguous)
	}
	for i := range local.members {
		m := &local.members[i]
		switch {
		case m.name == "@version" && m.value.kind == kindNumber, m.name == "@protected" && m.value.kind == kindBool:
		case m.name == "" || strings.ContainsAny(m.name, "@:/"):
			return fmt.Errorf("%w: a context with %q", ErrAmbiguous, m.name)
		case m.value.kind == kindString:
		case m.value.kind == kindObject:
			if err := checkDefinition(m); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: a context in which %q is no name for an IRI", ErrAmbiguous, m.name)
		}
	}
	return nil
}

func checkDefinition(m *member) error {
	for i := range m.value.members {
		part := &m.value.members[i]
		ok := false
		switch part.name {
		case "@id":
			ok = part.value.kind == kindString
		case "@type":
			ok = part.value.kind == kindString && (part.value.text == "@id" || !strings.HasPrefix(part.value.text, "@"))
		case "@container":
			ok = part.value.kind == kindString && slices.Contains([]string{"@set", "@list", "@language"}, part.value.text)
		case "@prefix", "@protected":
			ok = part.value.kind == kindBool
		}
		if !ok {
			return fmt.Errorf("%w: a context in which %q has a %q of that kind", ErrAmbiguous, m.name, part.name)
		}
	}
	return nil
}

// term checks and condenses a definition.
func (c *contextSet) term(name string, d *ld.TermDefinition) (*term, error) {
	if d == nil || d.ID == "" || d.Reverse || d.Nest != "" || d.Index != "" {
		return nil, fmt.Errorf("%w: a context that hides %q", ErrAmbiguous, name)
	}
	t := &term{iri: d.ID, coercion: d.Type, prefix: d.Prefix != nil && *d.Prefix, scoped: d.HasContext}
	if t.coercion == "@none" {
		t.coercion = ""
	}
	if !safeIRI(t.iri) || !safeIRI(t.coercion) || strings.HasPrefix(t.iri, "_:") {
		return nil, fmt.Errorf("%w: a context in which %q is no IRI", ErrAmbiguous, name)
	}
	for _, kind := range d.Container {
		switch {
		case len(d.Container) > 1:
			t.container = otherContainer
		case kind == "@set":
			t.container = setContainer
		case kind == "@list":
			t.container = listContainer
		case kind == "@language":
			t.container = languageContainer
		default:
			t.container = otherContainer
		}
	}
	if d.HasLanguage || d.HasDirection || t.coercion == "@json" {
		t.container = otherContainer
	}
	if core := c.core[name]; core != nil {
		if !sameMeaning(t, core) {
			return nil, fmt.Errorf("%w: a context that changes what %q means", ErrAmbiguous, name)
		}
		return t, nil
	}
	if c.core == nil {
		return t, nil
	}
	for _, ns := range []string{asNS, ptNS} {
		if local, ok := strings.CutPrefix(t.iri, ns); ok && local != "" && local != name {
			return nil, fmt.Errorf("%w: a context with another name, %q, for %s", ErrAmbiguous, name, t.iri)
		}
	}
	if strings.HasPrefix(t.iri, "@") {
		return nil, fmt.Errorf("%w: a context with another name, %q, for %s", ErrAmbiguous, name, t.iri)
	}
	return t, nil
}

// sameMeaning says whether a name means the same by two definitions: a datatype may differ, for it
// changes what is signed and not what is read.
func sameMeaning(a, b *term) bool {
	x, y := *a, *b
	for _, t := range []*term{&x, &y} {
		t.prefix = false
		if !strings.HasPrefix(t.coercion, "@") {
			t.coercion = ""
		}
	}
	return x == y && (a.prefix == b.prefix || !b.prefix)
}

// safeIRI says whether s has no character that would end an IRI in N-Quads.
func safeIRI(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '<' || c == '>' || c == '"' || c == '\\' || c == 0x7f {
			return false
		}
	}
	return true
}
