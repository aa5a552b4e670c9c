// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"fmt"
	"strconv"
	"strings"
)

// node is a subject, object or graph name: blank, or as N-Quads write it.
type node struct {
	blank int32  // the number of a blank node, from 1; 0: not blank
	text  string // `<iri>` or a literal
}

// none says that there is no node: the default graph's name.
func (n node) none() bool { return n.blank == 0 && n.text == "" }

// key tells nodes apart.
func (n node) key() string {
	if n.blank != 0 {
		return "_:" + strconv.Itoa(int(n.blank))
	}
	return n.text
}

// quad is an RDF statement; p is as N-Quads write it.
type quad struct {
	s    node
	p    string
	o, g node
}

// escaper is how literals are escaped in N-Quads, which implementations differ in.
type escaper uint8

const (
	// escapeShort escapes quotation mark, backslash, line feed and carriage return, as RDF's
	// canonical N-Quads of 2014 do and jsonld.js up to 8.
	escapeShort escaper = iota
	// escapeTab escapes tabs as well, as json-gold and Ruby's json-ld do.
	escapeTab
	// escapeAll escapes all control characters (RDF Dataset Canonicalization 1.0 §5), as jsonld.js 9
	// does.
	escapeAll
)

// differs says whether s is escaped in more than one way.
func differs(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\n' && c != '\r' || c == 0x7f {
			return true
		}
	}
	return false
}

func (e escaper) literal(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t' && e != escapeShort:
			b.WriteString(`\t`)
		case c == '\b' && e == escapeAll:
			b.WriteString(`\b`)
		case c == '\f' && e == escapeAll:
			b.WriteString(`\f`)
		case (c < ' ' || c == 0x7f) && e == escapeAll:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// append writes a quad as a line, with the names that blank nodes are given.
func (q *quad) append(b []byte, name func(int32) string) []byte {
	part := func(n node) {
		if n.blank != 0 {
			b = append(b, name(n.blank)...)
		} else {
			b = append(b, n.text...)
		}
		b = append(b, ' ')
	}
	part(q.s)
	b = append(b, q.p...)
	b = append(b, ' ')
	part(q.o)
	if !q.g.none() {
		part(q.g)
	}
	return append(b, ".\n"...)
}
