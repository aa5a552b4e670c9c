// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is a JSON value's.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// value is a JSON value and where it stands in the body.
type value struct {
	kind       kind
	boolean    bool
	number     float64
	text       string // of a string; of a number as written
	items      []value
	members    []member
	start, end int
}

// member of an object. start and end enclose name and value.
type member struct {
	name       string
	value      value
	start, end int
}

// get is the member of that name, or nil.
func (v *value) get(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

// plain is v as encoding/json decodes it into an any.
func (v *value) plain() any {
	switch v.kind {
	case kindBool:
		return v.boolean
	case kindNumber:
		return v.number
	case kindString:
		return v.text
	case kindArray:
		items := make([]any, len(v.items))
		for i := range v.items {
			items[i] = v.items[i].plain()
		}
		return items
	case kindObject:
		members := make(map[string]any, len(v.members))
		for i := range v.members {
			members[v.members[i].name] = v.members[i].value.plain()
		}
		return members
	default:
		return nil
	}
}

// parser reads JSON (RFC 8259) within bounds, and refuses what readers disagree about: members of
// the same name, even if only the case of letters differs, and text that is no Unicode.
type parser struct {
	text            string
	at              int
	depth, maxDepth int
	nodes, maxNodes int
	inContext       int // how many @context are around this value
}

// parseJSON reads one JSON value that is the whole text.
func parseJSON(text string, maxDepth, maxNodes int) (value, error) {
	if !utf8.ValidString(text) {
		return value{}, fmt.Errorf("%w: the body is not UTF-8", ErrAmbiguous)
	}
	p := parser{text: text, maxDepth: maxDepth, maxNodes: maxNodes}
	v, err := p.value()
	if err != nil {
		return value{}, err
	}
	if p.space(); p.at != len(text) {
		return value{}, p.syntax("more than one JSON value")
	}
	return v, nil
}

func (p *parser) syntax(what string) error {
	return fmt.Errorf("%w at byte %d: %s", ErrSyntax, p.at, what)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) value() (v value, err error) {
	p.space()
	if p.nodes++; p.nodes > p.maxNodes {
		return v, fmt.Errorf("%w: over %d JSON values", ErrTooComplex, p.maxNodes)
	}
	if p.at >= len(p.text) {
		return v, p.syntax("the body ends early")
	}
	start := p.at
	switch c := p.text[p.at]; {
	case c == '{':
		v, err = p.object()
	case c == '[':
		v, err = p.array()
	case c == '"':
		v.kind = kindString
		v.text, err = p.string()
	case c == '-' || c >= '0' && c <= '9':
		v, err = p.number()
	case p.word("true"):
		v = value{kind: kindBool, boolean: true}
	case p.word("false"):
		v = value{kind: kindBool}
	case p.word("null"):
	default:
		err = p.syntax("no JSON value")
	}
	v.start, v.end = start, p.at
	return v, err
}

func (p *parser) word(w string) bool {
	if strings.HasPrefix(p.text[p.at:], w) {
		p.at += len(w)
		return true
	}
	return false
}

// deeper steps into an object or array.
func (p *parser) deeper() error {
	p.at++
	if p.depth++; p.depth > p.maxDepth {
		return fmt.Errorf("%w: nested over %d deep", ErrTooComplex, p.maxDepth)
	}
	p.space()
	return nil
}

// ended steps out of an object or array if it ends here.
func (p *parser) ended(closing byte) bool {
	if p.at < len(p.text) && p.text[p.at] == closing {
		p.at++
		p.depth--
		return true
	}
	return false
}

// next steps over a comma, or out of an object or array.
func (p *parser) next(closing byte) (more bool, err error) {
	p.space()
	if p.ended(closing) {
		return false, nil
	}
	if p.at >= len(p.text) || p.text[p.at] != ',' {
		return false, p.syntax("neither a comma nor the end of what is open")
	}
	p.at++
	p.space()
	return true, nil
}

func (p *parser) array() (value, error) {
	v := value{kind: kindArray}
	if err := p.deeper(); err != nil {
		return v, err
	}
	if p.ended(']') {
		return v, nil
	}
	for {
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		if more, err := p.next(']'); err != nil || !more {
			return v, err
		}
	}
}

func (p *parser) object() (value, error) {
	v := value{kind: kindObject}
	if err := p.deeper(); err != nil {
		return v, err
	}
	if p.ended('}') {
		return v, nil
	}
	v.members = make([]member, 0, 8)
	for {
		m, err := p.member()
		if err != nil {
			return v, err
		}
		v.members = append(v.members, m)
		more, err := p.next('}')
		if err != nil {
			return v, err
		}
		if !more {
			return v, p.distinct(v.members)
		}
	}
}

func (p *parser) member() (m member, err error) {
	m.start = p.at
	if p.at >= len(p.text) || p.text[p.at] != '"' {
		return m, p.syntax("a member without a name")
	}
	if m.name, err = p.string(); err != nil {
		return m, err
	}
	p.space()
	if p.at >= len(p.text) || p.text[p.at] != ':' {
		return m, p.syntax("a name without a value")
	}
	p.at++
	if m.name == "@context" {
		p.inContext++
		defer func() { p.inContext-- }()
	}
	m.value, err = p.value()
	m.end = p.at
	return m, err
}

// distinct refuses members that one reader or another takes for the same.
func (p *parser) distinct(members []member) error {
	same := strings.EqualFold
	if p.inContext > 0 { // terms differ by case, as Image and image do
		same = func(a, b string) bool { return a == b }
	}
	if len(members) <= 24 {
		for i := range members {
			for j := range i {
				if same(members[i].name, members[j].name) {
					return fmt.Errorf("%w: two members %q", ErrAmbiguous, members[i].name)
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(members))
	for i := range members {
		name := members[i].name
		if p.inContext == 0 {
			name = fold(name)
		}
		if seen[name] {
			return fmt.Errorf("%w: two members %q", ErrAmbiguous, members[i].name)
		}
		seen[name] = true
	}
	return nil
}

func (p *parser) number() (value, error) {
	start := p.at
	digits := func() bool {
		from := p.at
		for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
			p.at++
		}
		return p.at > from
	}
	p.word("-")
	if !p.word("0") && !digits() {
		return value{}, p.syntax("a number without digits")
	}
	if p.word(".") && !digits() {
		return value{}, p.syntax("a number that ends in a dot")
	}
	if p.word("e") || p.word("E") {
		if !p.word("+") {
			p.word("-")
		}
		if !digits() {
			return value{}, p.syntax("a number with an empty exponent")
		}
	}
	text := p.text[start:p.at]
	n, err := strconv.ParseFloat(text, 64)
	// Readers that keep integers apart from floats see other numbers beyond 2^53.
	if err != nil || n >= 1<<53 || n <= -(1<<53) {
		return value{}, fmt.Errorf("%w: the number %.40s is too large", ErrAmbiguous, text)
	}
	return value{kind: kindNumber, number: n, text: text}, nil
}
