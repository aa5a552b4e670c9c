// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// sfKind is a structured field value's (RFC 8941 §3).
type sfKind uint8

const (
	sfBoolean sfKind = iota
	sfInteger
	sfString
	sfToken
	sfBytes
	sfList // an inner list
)

// sfValue is a bare item or an inner list, with its parameters.
type sfValue struct {
	kind       sfKind
	boolean    bool
	integer    int64
	text       string // of a string or token
	bytes      []byte
	items      []sfValue
	parameters []sfMember
}

// sfMember is a dictionary's member or a parameter.
type sfMember struct {
	name  string
	value sfValue
}

// parameter is the one of that name, or nil.
func (v *sfValue) parameter(name string) *sfValue {
	for i := range v.parameters {
		if v.parameters[i].name == name {
			return &v.parameters[i].value
		}
	}
	return nil
}

// String writes v as RFC 8941 §4.1 says, which is how RFC 9421 §2.5 signs parameters.
func (v *sfValue) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v *sfValue) write(b *strings.Builder) {
	switch v.kind {
	case sfList:
		b.WriteByte('(')
		for i := range v.items {
			if i > 0 {
				b.WriteByte(' ')
			}
			v.items[i].write(b)
		}
		b.WriteByte(')')
	case sfString:
		b.WriteByte('"')
		for _, c := range []byte(v.text) {
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		b.WriteByte('"')
	case sfToken:
		b.WriteString(v.text)
	case sfInteger:
		b.WriteString(strconv.FormatInt(v.integer, 10))
	case sfBytes:
		b.WriteString(":" + base64.StdEncoding.EncodeToString(v.bytes) + ":")
	case sfBoolean:
		b.WriteString("?")
		b.WriteString(map[bool]string{true: "1", false: "0"}[v.boolean])
	}
	for i := range v.parameters {
		b.WriteString(";" + v.parameters[i].name)
		if p := &v.parameters[i].value; p.kind != sfBoolean || !p.boolean {
			b.WriteByte('=')
			p.write(b)
		}
	}
}

var (
	errSyntax  = errors.New("no structured field")
	errTooLong = errors.New("the header is too long")
)

type sfParser struct {
	text string
	at   int
}

// parseDictionary reads a dictionary (RFC 8941 §4.2.2). Of members of the same name RFC 8941 takes
// the last; here they are refused, as are decimals, which no header that is read here has.
func parseDictionary(text string) ([]sfMember, error) {
	if len(text) > maxHeader {
		return nil, errTooLong
	}
	p := &sfParser{text: text}
	var members []sfMember
	for p.spaces(); p.at < len(p.text); {
		m, err := p.member(members, p.item)
		if err != nil {
			return nil, err
		}
		members = append(members, m)
		p.optional()
		if p.at == len(p.text) {
			return members, nil
		}
		if !p.take(',') {
			return nil, errSyntax
		}
		if p.optional(); p.at == len(p.text) {
			return nil, errSyntax
		}
	}
	return members, nil
}

func (p *sfParser) spaces() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// optional steps over spaces and tabs.
func (p *sfParser) optional() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

func (p *sfParser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// while steps over the characters that fit, and returns them.
func (p *sfParser) while(fits func(byte) bool) string {
	start := p.at
	for p.at < len(p.text) && fits(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isAlpha(c byte) bool { return isLower(c | 0x20) }

// member reads a name and, after an equals sign, its value; without one it is true.
func (p *sfParser) member(before []sfMember, read func() (sfValue, error)) (m sfMember, err error) {
	m.name = p.while(func(c byte) bool { return isLower(c) || isDigit(c) || strings.IndexByte("_-.*", c) >= 0 })
	if m.name == "" || !isLower(m.name[0]) && m.name[0] != '*' {
		return m, errSyntax
	}
	for i := range before {
		if before[i].name == m.name {
			return m, errSyntax
		}
	}
	if p.take('=') {
		m.value, err = read()
		return m, err
	}
	m.value = sfValue{kind: sfBoolean, boolean: true}
	m.value.parameters, err = p.parameters()
	return m, err
}

// item reads an inner list or a bare item, with its parameters.
func (p *sfParser) item() (v sfValue, err error) {
	if p.take('(') {
		v, err = p.list()
	} else {
		v, err = p.bare()
	}
	if err == nil {
		v.parameters, err = p.parameters()
	}
	return v, err
}

func (p *sfParser) list() (sfValue, error) {
	v := sfValue{kind: sfList}
	for {
		p.spaces()
		if p.take(')') {
			return v, nil
		}
		item, err := p.bare()
		if err != nil {
			return v, err
		}
		if item.parameters, err = p.parameters(); err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		if p.at >= len(p.text) || p.text[p.at] != ' ' && p.text[p.at] != ')' {
			return v, errSyntax
		}
	}
}

func (p *sfParser) parameters() (all []sfMember, err error) {
	for p.take(';') {
		p.spaces()
		m, err := p.member(all, p.bare)
		if err != nil {
			return nil, err
		}
		if len(m.value.parameters) > 0 { // those that follow are this item's, not the parameter's
			more := m.value.parameters
			m.value.parameters = nil
			all = append(all, m)
			for _, next := range more {
				for i := range all {
					if all[i].name == next.name {
						return nil, errSyntax
					}
				}
				all = append(all, next)
			}
			continue
		}
		all = append(all, m)
	}
	return all, nil
}

func (p *sfParser) bare() (v sfValue, err error) {
	if p.at >= len(p.text) {
		return v, errSyntax
	}
	switch c := p.text[p.at]; {
	case c == '"':
		return p.string()
	case c == ':':
		return p.bytes()
	case c == '?':
		p.at++
		v.kind, v.boolean = sfBoolean, p.take('1')
		if !v.boolean && !p.take('0') {
			return v, errSyntax
		}
		return v, nil
	case c == '-' || isDigit(c):
		start := p.at
		p.take('-')
		digits := p.while(isDigit)
		if len(digits) == 0 || len(digits) > 15 || p.at < len(p.text) && p.text[p.at] == '.' {
			return v, errSyntax
		}
		v.kind = sfInteger
		v.integer, err = strconv.ParseInt(p.text[start:p.at], 10, 64)
		return v, err
	case isAlpha(c) || c == '*':
		v.kind = sfToken
		v.text = p.while(func(c byte) bool {
			return isAlpha(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
		})
		return v, nil
	default:
		return v, errSyntax
	}
}

func (p *sfParser) string() (sfValue, error) {
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return sfValue{kind: sfString, text: b.String()}, nil
		case c == '\\':
			if p.at >= len(p.text) || p.text[p.at] != '"' && p.text[p.at] != '\\' {
				return sfValue{}, errSyntax
			}
			b.WriteByte(p.text[p.at])
			p.at++
		case c < ' ' || c > '~':
			return sfValue{}, errSyntax
		default:
			b.WriteByte(c)
		}
	}
	return sfValue{}, errSyntax
}

func (p *sfParser) bytes() (sfValue, error) {
	p.at++
	text, _, ok := strings.Cut(p.text[p.at:], ":")
	if !ok || strings.ContainsAny(text, "\r\n") {
		return sfValue{}, errSyntax
	}
	p.at += len(text) + 1
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return sfValue{}, errSyntax
	}
	return sfValue{kind: sfBytes, bytes: raw}, nil
}
