// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/bits"
	"unicode/utf8"
)

// errJSON is the one syntax error; where it is does not help a client.
var errJSON = errors.New("invalid JSON in WS request")

// maxDepth bounds nesting. Offers are three deep.
const maxDepth = 16

// scanner walks JSON (RFC 8259) in place. It finds the spans of values and copies nothing: offers
// and answers are relayed as the bytes they came as.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// next is the next byte after white space, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// is consumes c, after white space.
func (s *scanner) is(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// value consumes one value and returns its span.
func (s *scanner) value(depth int) ([]byte, error) {
	s.space()
	start := s.i
	if s.i >= len(s.b) || depth > maxDepth {
		return nil, errJSON
	}
	var err error
	switch c := s.b[s.i]; {
	case c == '{':
		err = s.object(depth, nil)
	case c == '[':
		err = s.array(depth, nil)
	case c == '"':
		_, err = s.str()
	case c == '-' || (c >= '0' && c <= '9'):
		err = s.number()
	default:
		err = s.literal()
	}
	return s.b[start:s.i], err
}

// object consumes an object and calls member with each key's span; member consumes the value, which
// is one deeper. A nil member passes over it.
func (s *scanner) object(depth int, member func(key []byte) error) error {
	if !s.is('{') {
		return errJSON
	}
	if s.is('}') {
		return nil
	}
	for {
		s.space()
		key, err := s.str()
		if err != nil {
			return err
		}
		if !s.is(':') {
			return errJSON
		}
		if member != nil {
			err = member(key)
		} else {
			_, err = s.value(depth + 1)
		}
		if err != nil {
			return err
		}
		if s.is('}') {
			return nil
		}
		if !s.is(',') {
			return errJSON
		}
	}
}

// array consumes an array and calls item for each value, which item consumes, one deeper. A nil item
// passes over them.
func (s *scanner) array(depth int, item func() error) error {
	if !s.is('[') {
		return errJSON
	}
	if s.is(']') {
		return nil
	}
	for {
		var err error
		if item != nil {
			err = item()
		} else {
			_, err = s.value(depth + 1)
		}
		if err != nil {
			return err
		}
		if s.is(']') {
			return nil
		}
		if !s.is(',') {
			return errJSON
		}
	}
}

// str consumes a string and returns its span with the quotes.
func (s *scanner) str() ([]byte, error) {
	start := s.i
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return nil, errJSON
	}
	for s.i++; s.i < len(s.b); s.i++ {
		if s.i += plain(s.b[s.i:]); s.i == len(s.b) {
			break
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start:s.i], nil
		case c < ' ':
			return nil, errJSON
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		}
	}
	return nil, errJSON
}

// plain is how many bytes at the start of b are neither a quote, nor a backslash, nor a control
// character. It looks at eight bytes at a time: a byte that a subtraction makes borrow gets its top
// bit, and the lowest of those is exact.
func plain(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, back := x^('"'*ones), x^('\\'*ones)
		if hit := ((quote-ones)&^quote | (back-ones)&^back | (x-' '*ones)&^x) & tops; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// escape consumes all but the last byte of an escape sequence.
func (s *scanner) escape() error {
	s.i++
	if s.i >= len(s.b) {
		return errJSON
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		if s.i+4 >= len(s.b) {
			return errJSON
		}
		for _, c := range s.b[s.i+1 : s.i+5] {
			if unhex(c) < 0 {
				return errJSON
			}
		}
		s.i += 4
		return nil
	}
	return errJSON
}

func unhex(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

func (s *scanner) number() error {
	if s.b[s.i] == '-' {
		s.i++
	}
	switch {
	case s.i < len(s.b) && s.b[s.i] == '0':
		s.i++
	case !s.digits():
		return errJSON
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return errJSON
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return errJSON
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

func (s *scanner) literal() error {
	for _, l := range [...]string{"null", "true", "false"} {
		if len(s.b)-s.i >= len(l) && string(s.b[s.i:s.i+len(l)]) == l {
			s.i += len(l)
			return nil
		}
	}
	return errJSON
}

// keyIs compares a key's span with a name; escapes in the key are understood.
func keyIs(span []byte, name string) bool {
	if string(span[1:len(span)-1]) == name {
		return true
	}
	for _, c := range span {
		if c == '\\' {
			var key string
			return json.Unmarshal(span, &key) == nil && key == name
		}
	}
	return false
}

// latin1 decodes a string of which each character stands for one byte into exactly len(dst) bytes.
func latin1(span, dst []byte) bool {
	if len(span) < 2 || span[0] != '"' {
		return false
	}
	b, n := span[1:len(span)-1], 0
	for len(b) > 0 {
		r, size := rune(b[0]), 1
		switch {
		case r == '\\':
			r, size = unescape(b)
		case r >= utf8.RuneSelf:
			r, size = utf8.DecodeRune(b)
		}
		if n == len(dst) || r > 0xff {
			return false
		}
		dst[n] = byte(r)
		n++
		b = b[size:]
	}
	return n == len(dst)
}

// unescape decodes one escape sequence that str has accepted.
func unescape(b []byte) (rune, int) {
	switch b[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unhex(b[2])<<12 | unhex(b[3])<<8 | unhex(b[4])<<4 | unhex(b[5]), 6
	}
	return rune(b[1]), 2
}
