// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Bounds on what is read.
const (
	// MaxBytes is the largest document that is read, in bytes.
	MaxBytes = 1 << 20
	// MaxDepth is how deep objects and lists may nest.
	MaxDepth = 32
	// MaxList is how many entries a list of a known member may have.
	MaxList = 1000
)

// What can be wrong with any document.
var (
	// ErrTooLarge says that the document is longer than MaxBytes.
	ErrTooLarge = errors.New("the object is larger than 1 MB")
	// ErrTooDeep says that the document nests deeper than MaxDepth.
	ErrTooDeep = errors.New("the object nests too deep")
	// ErrTooLong says that a list has more than MaxList entries.
	ErrTooLong = errors.New("a list in the object is too long")
	// ErrNotObject says that the document is no JSON object.
	ErrNotObject = errors.New("the document is not a JSON object")
	// ErrType says that the object has no type or another one than asked for.
	ErrType = errors.New("the object has the wrong type")
	// ErrID says that the object has no id that is an http or https URL.
	ErrID = errors.New("the object has no usable id")
)

// checkBounds refuses what is too large or nests too deep, before anything is decoded.
func checkBounds(data []byte) error {
	if len(data) > MaxBytes {
		return ErrTooLarge
	}
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return ErrTooDeep
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// read checks the bounds of a whole document and opens it.
func read(data []byte) (*reader, error) {
	if err := checkBounds(data); err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotObject, err)
	}
	return open(compact.Bytes())
}

// open decodes one object whose bounds are known to be kept.
func open(raw json.RawMessage) (*reader, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, ErrNotObject
	}
	r := &reader{}
	if err := json.Unmarshal(raw, &r.members); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotObject, err)
	}
	return r, nil
}
