// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"fmt"
	"strconv"
	"strings"
)

// string reads a string, which begins here.
func (p *parser) string() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[start : p.at-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.syntax("a control character in a string")
		default:
			p.at++
		}
	}
	return "", p.syntax("a string without an end")
}

// escaped reads on where a string has its first escape.
func (p *parser) escaped(start int) (string, error) {
	var b strings.Builder
	b.WriteString(p.text[start:p.at])
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			p.at++
			return b.String(), nil
		case c < ' ':
			return "", p.syntax("a control character in a string")
		case c != '\\':
			b.WriteByte(c)
			p.at++
			continue
		}
		if p.at+1 >= len(p.text) {
			break
		}
		c = p.text[p.at+1]
		if c == 'u' {
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return "", p.syntax("an unknown escape")
		}
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		p.at += 2
	}
	return "", p.syntax("a string without an end")
}

// unicode reads a \u escape, or two that are one character. Halves of one are refused: readers
// replace them, each in its way.
func (p *parser) unicode() (rune, error) {
	half := func() (rune, bool) {
		if p.at+6 > len(p.text) || p.text[p.at] != '\\' || p.text[p.at+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(p.text[p.at+2:p.at+6], 16, 32)
		if err != nil {
			return 0, false
		}
		p.at += 6
		return rune(n), true
	}
	r, ok := half()
	if !ok {
		return 0, p.syntax("an unknown escape")
	}
	switch {
	case r >= 0xD800 && r < 0xDC00:
		low, ok := half()
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return 0, fmt.Errorf("%w: half a character", ErrAmbiguous)
		}
		return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), nil
	case r >= 0xDC00 && r <= 0xDFFF:
		return 0, fmt.Errorf("%w: half a character", ErrAmbiguous)
	}
	return r, nil
}
