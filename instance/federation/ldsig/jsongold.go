// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"fmt"
	"strings"

	"github.com/piprate/json-gold/ld"
)

// maxScoped bounds the bodies that json-gold expands: it compares each value of a member with each.
const maxScoped = 1000

// expandWithJSONGold turns a body into quads where known contexts ask for more of JSON-LD than the
// walker does: scoped contexts and graphs, as in object integrity proofs (FEP-8b32). The same is
// refused as in the walker; contexts inside the body cannot ask for it.
func (w *walker) expandWithJSONGold(v *value) (err error) {
	// Third-party code on foreign input: whatever it meets must not end the program.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: expanding it failed: %v", ErrAmbiguous, r)
		}
	}()
	count := 0
	w.budget = newBudget()
	if err := w.plainObject(v, nil, &count); err != nil {
		return err
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = w.contexts
	options.SafeMode = true
	options.ProduceGeneralizedRdf = true
	expanded, err := ld.NewJsonLdProcessor().Expand(v.plain(), options)
	if err != nil {
		return fmt.Errorf("%w: expanding it: %w", ErrUnknownTerm, err)
	}
	w.described, w.root, w.statements = map[string]bool{}, "", 0
	for _, item := range expanded {
		if root, ok := item.(map[string]any); ok {
			w.root, _ = root["@id"].(string)
		}
		if err := w.expanded(item, true); err != nil {
			return err
		}
	}
	dataset, err := ld.NewJsonLdApi().ToRDF(expanded, options)
	if err != nil {
		return fmt.Errorf("%w: reading its graph: %w", ErrAmbiguous, err)
	}
	count = 0
	for _, quads := range dataset.Graphs {
		count += len(quads)
	}
	if count != w.statements {
		return fmt.Errorf("%w: its graph has %d statements instead of %d", ErrAmbiguous, count, w.statements)
	}
	w.quads, w.blank, w.labels = w.quads[:0], 0, map[string]int32{}
	for name, quads := range dataset.Graphs {
		var graph node
		if name != "@default" {
			if graph, err = w.fromJSONGold(named(name)); err != nil {
				return err
			}
		}
		for _, q := range quads {
			if err := w.addJSONGold(q, graph); err != nil {
				return err
			}
		}
	}
	return nil
}

func named(name string) ld.Node {
	if strings.HasPrefix(name, "_:") {
		return ld.NewBlankNode(name)
	}
	return ld.NewIRI(name)
}

// plainObject refuses in the JSON what the walker refuses.
func (w *walker) plainObject(v *value, sc *scope, count *int) (err error) {
	if *count++; *count > maxScoped {
		return fmt.Errorf("%w: over %d JSON values with scoped contexts", ErrTooComplex, maxScoped)
	}
	for i := range v.items {
		if v.items[i].kind == kindArray {
			return fmt.Errorf("%w: an array in an array", ErrAmbiguous)
		}
		if err := w.plainObject(&v.items[i], sc, count); err != nil {
			return err
		}
	}
	if local := v.get("@context"); local != nil {
		if sc, err = w.contexts.scope(sc, local, w.text, w.budget); err != nil {
			return err
		}
	}
	for i := range v.members {
		m := &v.members[i]
		if m.name == "@context" {
			continue
		}
		if err := w.readable(m.name); err != nil {
			return err
		}
		if err := w.plainObject(&m.value, sc, count); err != nil {
			return err
		}
	}
	return nil
}

// expanded refuses in the expanded form what the walker refuses, and what would be dropped. It counts
// the statements that the graph must have: json-gold leaves out in silence what it cannot read.
func (w *walker) expanded(element any, inRoot bool) error {
	switch e := element.(type) {
	case []any:
		for _, item := range e {
			if err := w.expanded(item, inRoot); err != nil {
				return err
			}
		}
	case map[string]any:
		if _, isValue := e["@value"]; isValue {
			return nil
		}
		return w.expandedNode(e, inRoot)
	}
	return nil
}

func (w *walker) expandedNode(e map[string]any, inRoot bool) error {
	id, named := e["@id"].(string)
	isRoot := named && id == w.root
	if isRoot && !inRoot {
		return fmt.Errorf("%w: the activity is part of what it is about", ErrAmbiguous)
	}
	if named && !strings.HasPrefix(id, "_:") && unfit(id) {
		return fmt.Errorf("%w: %.200q is no absolute IRI", ErrUnknownTerm, id)
	}
	more := false
	for name, v := range e {
		switch {
		case name == "@id":
			continue
		case name == "@type":
			for _, t := range ld.Arrayify(v) {
				if t, ok := t.(string); !ok || unfit(t) {
					return fmt.Errorf("%w: the type %.200q", ErrUnknownTerm, t)
				}
				w.statements++
			}
			continue
		case name == "@list":
			w.statements += 2 * len(ld.Arrayify(v)) // rdf:first and rdf:rest
		case name == "@graph":
		case strings.HasPrefix(name, "@"):
			return fmt.Errorf("%w: a %s", ErrAmbiguous, name)
		case unfit(name):
			return fmt.Errorf("%w: the member %.200q", ErrUnknownTerm, name)
		default:
			w.statements += len(ld.Arrayify(v))
		}
		more = true
		if err := w.expanded(v, isRoot || !named && inRoot && name == "@list"); err != nil {
			return err
		}
	}
	if named && more {
		if w.described[id] {
			return fmt.Errorf("%w: %.200q is described in two places", ErrAmbiguous, id)
		}
		w.described[id] = true
	}
	return nil
}

// unfit says that json-gold or this package would have no use for an IRI.
func unfit(iri string) bool {
	return strings.HasPrefix(iri, "_:") || !ld.IsAbsoluteIri(iri) || !safeIRI(iri) || ld.InvalidNode(ld.NewIRI(iri))
}

func (w *walker) addJSONGold(q *ld.Quad, graph node) error {
	s, err := w.fromJSONGold(q.Subject)
	if err != nil {
		return err
	}
	p, err := w.fromJSONGold(q.Predicate)
	if err != nil {
		return err
	}
	o, err := w.fromJSONGold(q.Object)
	if err != nil {
		return err
	}
	if p.blank != 0 {
		return fmt.Errorf("%w: a member that no context defines", ErrUnknownTerm)
	}
	w.quads = append(w.quads, quad{s: s, p: p.text, o: o, g: graph})
	return nil
}

func (w *walker) fromJSONGold(n ld.Node) (node, error) {
	switch n := n.(type) {
	case ld.BlankNode:
		return w.label(n.Attribute)
	case ld.Literal:
		w.varies = w.varies || differs(n.Value)
		text := `"` + w.escape.literal(n.Value) + `"`
		switch {
		case n.Language != "":
			text += "@" + n.Language
		case n.Datatype != xsdString:
			if !safeIRI(n.Datatype) {
				return node{}, fmt.Errorf("%w: the datatype %.200q", ErrAmbiguous, n.Datatype)
			}
			text += "^^<" + n.Datatype + ">"
		}
		return node{text: text}, nil
	case ld.IRI:
		if !safeIRI(n.Value) {
			return node{}, fmt.Errorf("%w: %.200q is no absolute IRI", ErrUnknownTerm, n.Value)
		}
		return node{text: "<" + n.Value + ">"}, nil
	default:
		return node{}, fmt.Errorf("%w: a part of its graph that is no node", ErrAmbiguous)
	}
}
