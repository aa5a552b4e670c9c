// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxBoxes bounds the walk over a file's top level. Fragmented files have two a fragment.
const maxBoxes = 1 << 20

// checkMP4 walks the top level boxes (ISO 14496-12 §4.2): moov must be there, no box may end behind
// the file's end, and the brand must not be QuickTime's alone.
func checkMP4(r io.ReaderAt, size int64, name string) error {
	var brand [4]byte
	moov := false
	var at int64
	for range maxBoxes {
		if at == size {
			break
		}
		n, kind, err := box(r, at, size)
		if err != nil {
			return fmt.Errorf("%s is cut off or damaged: take a whole copy of it: %w", name, err)
		}
		switch kind {
		case "moov":
			moov = true
		case "ftyp":
			if _, err := r.ReadAt(brand[:], at+8); err != nil {
				return fmt.Errorf("reading %s: %w", name, err)
			}
		}
		at += n
	}
	switch {
	case !moov:
		return fmt.Errorf("%s is cut off or damaged: it has no index (moov): take a whole copy of it", name)
	case string(brand[:]) == "qt  ":
		return fmt.Errorf("%s is a QuickTime file, which many browsers do not play: %s", name, convert(name))
	}
	return nil
}

// box reads one header and returns the box's length and kind.
func box(r io.ReaderAt, at, size int64) (int64, string, error) {
	var h [16]byte
	if size-at < 8 {
		return 0, "", fmt.Errorf("%d bytes are left over", size-at)
	}
	if _, err := r.ReadAt(h[:8], at); err != nil {
		return 0, "", err
	}
	n, kind, least := int64(binary.BigEndian.Uint32(h[:4])), string(h[4:8]), int64(8)
	switch n {
	case 0: // up to the end
		n = size - at
	case 1:
		least = 16
		if size-at < 16 {
			return 0, "", fmt.Errorf("box %q is cut off", kind)
		}
		if _, err := r.ReadAt(h[8:16], at+8); err != nil {
			return 0, "", err
		}
		n = int64(binary.BigEndian.Uint64(h[8:16])) //nolint:gosec // a negative one is refused below
	}
	if n < least || n > size-at {
		return 0, "", fmt.Errorf("box %q says %d bytes where %d are left", kind, n, size-at)
	}
	return n, kind, nil
}

// checkWebM tells WebM from other Matroska by the DocType, which stands in the first bytes (EBML,
// RFC 8794 §11.2.6).
func checkWebM(r io.ReaderAt, name string) error {
	head := make([]byte, 256)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if bytes.Contains(head[:n], []byte("\x42\x82\x84webm")) {
		return nil
	}
	return fmt.Errorf("%s is a Matroska file, which many browsers do not play: %s", name, convert(name))
}
