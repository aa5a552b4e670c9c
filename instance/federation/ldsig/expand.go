// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	rdfType   = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
	rdfFirst  = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
	rdfRest   = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>"
	rdfNil    = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
	xsd       = "http://www.w3.org/2001/XMLSchema#"
	xsdString = xsd + "string"
	xsdDouble = xsd + "double"
)

// errScoped: the body takes more of JSON-LD than the walker knows, json-gold has to expand it.
var errScoped = errors.New("scoped contexts or graphs")

// walker turns a body into quads: expansion and RDF conversion (JSON-LD 1.1 API §5.1, §8) in one
// pass, of that part of JSON-LD in which the JSON says what the graph says. It drops nothing
// silently: what has no place in the graph is an error, as in jsonld.js' safe mode.
type walker struct {
	contexts *contextSet
	text     string // the body, for the keys of its contexts
	quads    []quad
	labels   map[string]int32 // explicit blank node labels
	blank    int32            // blank nodes so far
	maxBlank int
	budget   *budget // for contexts
	escape   escaper
	// described are the ids that have members other than id and type somewhere.
	described map[string]bool
	root      string // the id of the outermost object
	varies    bool   // a literal is escaped in more than one way
	// statements are the ones that json-gold has to make.
	statements int
}

func (w *walker) newBlank() (node, error) {
	if int(w.blank) >= w.maxBlank {
		return node{}, fmt.Errorf("%w: over %d objects without an id", ErrTooComplex, w.maxBlank)
	}
	w.blank++
	return node{blank: w.blank}, nil
}

func (w *walker) emit(s node, p string, o node) {
	w.quads = append(w.quads, quad{s: s, p: p, o: o})
}

// object emits an object's quads and returns its node.
func (w *walker) object(sc *scope, v *value, top bool) (n node, err error) {
	if local := v.get("@context"); local != nil {
		if sc, err = w.contexts.scope(sc, local, w.text, w.budget); err != nil {
			return n, err
		}
	}
	if sc == nil {
		return n, fmt.Errorf("%w: the body has no @context", ErrUnknownTerm)
	}
	// id first: the others need the subject.
	more, named := false, false
	for i := range v.members {
		m := &v.members[i]
		t := sc.terms[m.name]
		switch {
		case t == nil || t.iri != "@id":
			more = more || m.name != "@context" && (t == nil || t.iri != "@type")
		case m.value.kind != kindString:
			return n, fmt.Errorf("%w: an %s that is no string", ErrAmbiguous, m.name)
		default:
			if n, err = w.iri(sc, m.value.text); err != nil {
				return n, err
			}
			named = true
		}
	}
	if !named {
		if n, err = w.newBlank(); err != nil {
			return n, err
		}
	}
	if named && more {
		id := n.key()
		if w.described[id] {
			return n, fmt.Errorf("%w: %.200s is described in two places", ErrAmbiguous, id)
		}
		w.described[id] = true
	}
	if top && named {
		w.root = n.key()
	}
	for i := range v.members {
		if err := w.member(sc, n, &v.members[i]); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (w *walker) member(sc *scope, subject node, m *member) error {
	if m.name == "@context" {
		return nil
	}
	if err := w.readable(m.name); err != nil {
		return err
	}
	if m.value.kind == kindNull {
		return nil
	}
	t := sc.terms[m.name]
	switch {
	case t == nil:
		return fmt.Errorf("%w: the member %q", ErrUnknownTerm, m.name)
	case t.scoped || t.container == otherContainer || t.coercion == "@vocab":
		return errScoped
	case t.iri == "@id":
		return nil
	case t.iri == "@type":
		return w.types(sc, subject, &m.value)
	case strings.HasPrefix(t.iri, "@"):
		return fmt.Errorf("%w: a member %q that means %s", ErrAmbiguous, m.name, t.iri)
	}
	predicate := "<" + t.iri + ">"
	switch t.container {
	case listContainer:
		o, err := w.list(sc, t, &m.value)
		if err != nil {
			return err
		}
		w.emit(subject, predicate, o)
		return nil
	case languageContainer:
		return w.languages(subject, predicate, &m.value)
	default:
	}
	if m.value.kind != kindArray {
		return w.one(sc, t, subject, predicate, &m.value)
	}
	for i := range m.value.items {
		if err := w.one(sc, t, subject, predicate, &m.value.items[i]); err != nil {
			return err
		}
	}
	return nil
}

// readable refuses members that a reader of the JSON may take for others: keywords, and names that
// differ from ActivityStreams' by case alone.
func (w *walker) readable(name string) error {
	core := w.contexts.core[name] != nil && name[0] >= 'a'
	if strings.HasPrefix(name, "@") || !core && w.contexts.names[fold(name)] {
		return fmt.Errorf("%w: a member %q", ErrAmbiguous, name)
	}
	return nil
}

// one emits a single value of a member.
func (w *walker) one(sc *scope, t *term, subject node, predicate string, v *value) error {
	if v.kind == kindNull {
		return nil
	}
	o, err := w.node(sc, t, v)
	if err != nil {
		return err
	}
	if w.root != "" && o.key() == w.root && subject.key() != w.root {
		return fmt.Errorf("%w: the activity is part of what it is about", ErrAmbiguous)
	}
	w.emit(subject, predicate, o)
	return nil
}

func (w *walker) node(sc *scope, t *term, v *value) (node, error) {
	switch {
	case v.kind == kindArray:
		return node{}, fmt.Errorf("%w: an array in an array", ErrAmbiguous)
	case v.kind == kindObject:
		return w.object(sc, v, false)
	case v.kind == kindString && t.coercion == "@id":
		return w.iri(sc, v.text)
	default:
		return w.literal(t.coercion, v), nil
	}
}

// types emits the types, which are names or IRIs.
func (w *walker) types(sc *scope, subject node, v *value) error {
	items := []value{*v}
	if v.kind == kindArray {
		items = v.items
	}
	for i := range items {
		if items[i].kind != kindString {
			return fmt.Errorf("%w: a type that is no string", ErrAmbiguous)
		}
		name := items[i].text
		t := sc.terms[name]
		switch {
		case t == nil && strings.Contains(name, ":"):
			o, err := w.iri(sc, name)
			if err != nil {
				return err
			}
			if strings.HasPrefix(o.text, "<"+asNS) || o.blank != 0 {
				return fmt.Errorf("%w: the type %q", ErrAmbiguous, name)
			}
			w.emit(subject, rdfType, o)
		case t == nil:
			return fmt.Errorf("%w: the type %q", ErrUnknownTerm, name)
		case t.scoped:
			return errScoped
		case strings.HasPrefix(t.iri, "@"):
			return fmt.Errorf("%w: the type %q", ErrAmbiguous, name)
		default:
			w.emit(subject, rdfType, node{text: "<" + t.iri + ">"})
		}
	}
	return nil
}

// iri is the node that a string names, which has to be an absolute IRI as it stands: one that a
// prefix completes reads otherwise as JSON. as:Public alone is known to all.
func (w *walker) iri(sc *scope, s string) (node, error) {
	if strings.HasPrefix(s, "_:") {
		return w.label(s)
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !isScheme(scheme) || !safeIRI(s) {
		return node{}, fmt.Errorf("%w: %.200q is no absolute IRI", ErrUnknownTerm, s)
	}
	if !strings.HasPrefix(rest, "//") {
		if t := sc.terms[scheme]; t != nil && t.prefix {
			if s != "as:Public" || t.iri != asNS {
				return node{}, fmt.Errorf("%w: %.200q depends on a prefix", ErrAmbiguous, s)
			}
			s = asNS + "Public"
		}
	}
	return node{text: "<" + s + ">"}, nil
}

// isScheme reports whether s can stand before an IRI's colon (RFC 3986 §3.1).
func isScheme(s string) bool {
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	for i := range len(s) {
		if c := s[i]; !letter(c) && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// label is the blank node of an explicit label.
func (w *walker) label(label string) (node, error) {
	if n, ok := w.labels[label]; ok {
		return node{blank: n}, nil
	}
	n, err := w.newBlank()
	if err != nil {
		return node{}, err
	}
	w.labels[label] = n.blank
	return n, nil
}

// literal is a string, number or boolean (JSON-LD 1.1 API §8.2).
func (w *walker) literal(datatype string, v *value) node {
	if datatype == "@id" {
		datatype = ""
	}
	lexical, native := v.text, xsdString
	switch v.kind {
	case kindBool:
		lexical, native = strconv.FormatBool(v.boolean), xsd+"boolean"
	case kindNumber:
		if integer := int64(v.number); v.number == float64(integer) && datatype != xsdDouble {
			lexical, native = strconv.FormatInt(integer, 10), xsd+"integer"
		} else {
			lexical, native = canonicalDouble(v.number), xsdDouble
		}
	default:
	}
	if datatype == "" {
		datatype = native
	}
	w.varies = w.varies || differs(lexical)
	text := `"` + w.escape.literal(lexical) + `"`
	if datatype != xsdString {
		text += "^^<" + datatype + ">"
	}
	return node{text: text}
}

// canonicalDouble is the canonical form of xsd:double (XML Schema 2 §3.2.5.2).
func canonicalDouble(n float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(n, 'E', 15, 64), "E")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	if fraction == "" {
		fraction = "0"
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	exponent = strings.TrimLeft(exponent[1:], "0")
	if exponent == "" {
		exponent, sign = "0", ""
	}
	return whole + "." + fraction + "E" + sign + exponent
}

// languages emits the values of a language map (JSON-LD 1.1 §4.6.2).
func (w *walker) languages(subject node, predicate string, v *value) error {
	if v.kind != kindObject {
		return fmt.Errorf("%w: a language map that is no object", ErrAmbiguous)
	}
	for i := range v.members {
		m := &v.members[i]
		if !isLanguage(m.name) {
			return fmt.Errorf("%w: the language %q", ErrAmbiguous, m.name)
		}
		items := []value{m.value}
		if m.value.kind == kindArray {
			items = m.value.items
		}
		for j := range items {
			switch items[j].kind {
			case kindNull:
			case kindString:
				w.varies = w.varies || differs(items[j].text)
				text := `"` + w.escape.literal(items[j].text) + `"@` + strings.ToLower(m.name)
				w.emit(subject, predicate, node{text: text})
			default:
				return fmt.Errorf("%w: a text in %q that is no string", ErrAmbiguous, m.name)
			}
		}
	}
	return nil
}

// isLanguage says whether s is a language tag: letters, then letters and digits after hyphens.
func isLanguage(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if part == "" {
			return false
		}
		for _, c := range []byte(part) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			if !letter && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// list emits an RDF list and returns its head.
func (w *walker) list(sc *scope, t *term, v *value) (node, error) {
	items := []value{*v}
	if v.kind == kindArray {
		items = v.items
	}
	head := node{text: rdfNil}
	var last node
	for i := range items {
		if items[i].kind == kindNull {
			continue
		}
		o, err := w.node(sc, t, &items[i])
		if err != nil {
			return node{}, err
		}
		if w.root != "" && o.key() == w.root {
			return node{}, fmt.Errorf("%w: the activity is part of what it is about", ErrAmbiguous)
		}
		cell, err := w.newBlank()
		if err != nil {
			return node{}, err
		}
		if last.blank == 0 {
			head = cell
		} else {
			w.emit(last, rdfRest, cell)
		}
		w.emit(cell, rdfFirst, o)
		last = cell
	}
	if last.blank != 0 {
		w.emit(last, rdfRest, node{text: rdfNil})
	}
	return head, nil
}
