// SPDX-License-Identifier: AGPL-3.0-or-later

// Package mp4time tells at which byte of an mp4 file a moment of the video lies, from the file's own
// tables. It imports none of Shoal's packages; app/cli imports it.
package mp4time

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"time"
)

// Limits of what is read of a file's tables.
const (
	maxMoov    = 64 << 20 // bytes of the moov box
	maxBoxes   = 1 << 16  // boxes at the top level
	maxSamples = 1 << 22  // entries of a table
)

// Index tells at which byte a moment of a video lies. Where no table is known the bytes are
// taken to be spread evenly.
type Index struct {
	// Duration is the video's length.
	Duration time.Duration

	size   int64
	points []point // ascending
}

// point is a place to begin at: a key frame, or a fragment.
type point struct {
	at     time.Duration
	offset int64
}

// Even is the index of a file of size bytes without a table.
func Even(size int64, duration time.Duration) Index {
	return Index{size: size, Duration: duration}
}

// Offset returns the byte of the last place to begin at that is not after t.
func (x Index) Offset(t time.Duration) int64 {
	if len(x.points) == 0 {
		if x.Duration <= 0 {
			return 0
		}
		return int64(float64(x.size) * min(1, t.Seconds()/x.Duration.Seconds()))
	}
	i := sort.Search(len(x.points), func(i int) bool { return x.points[i].at > t })
	if i == 0 {
		return 0
	}
	return min(x.points[i-1].offset, x.size)
}

// ErrNoTable says that a file does not tell its times.
var ErrNoTable = errors.New("the file has no table of times")

// Read reads the tables of an mp4 file (ISO/IEC 14496-12): moov for plain files, sidx for
// fragmented ones.
func Read(r io.ReadSeeker, size int64) (Index, error) {
	x := Index{size: size}
	var fragmented bool
	pos := int64(0)
	for range maxBoxes {
		if pos >= size {
			break
		}
		b, err := readBox(r, pos, size)
		if err != nil {
			return Index{}, err
		}
		switch b.kind {
		case "moov":
			body, err := b.read(r)
			if err != nil {
				return Index{}, err
			}
			if fragmented, err = x.parseMoov(body); err != nil {
				return Index{}, err
			}
		case "sidx":
			body, err := b.read(r)
			if err != nil {
				return Index{}, err
			}
			if err := x.parseSidx(body, b.end); err != nil {
				return Index{}, err
			}
		}
		if x.Duration > 0 && (len(x.points) > 0 || fragmented && b.kind == "moof") {
			return x, nil
		}
		pos = b.end
	}
	if x.Duration <= 0 {
		return Index{}, ErrNoTable
	}
	return x, nil
}

// box is a box at the file's top level.
type box struct {
	kind       string
	start, end int64 // of its body
}

// readBox reads a box's header (ISO/IEC 14496-12 §4.2).
func readBox(r io.ReadSeeker, pos, size int64) (box, error) {
	if _, err := r.Seek(pos, io.SeekStart); err != nil {
		return box{}, fmt.Errorf("seeking to a box: %w", err)
	}
	var h [16]byte
	if _, err := io.ReadFull(r, h[:8]); err != nil {
		return box{}, fmt.Errorf("reading a box: %w", err)
	}
	b := box{kind: string(h[4:8]), start: pos + 8}
	n := int64(binary.BigEndian.Uint32(h[:4]))
	switch n {
	case 0: // up to the end of the file
		n = size - pos
	case 1: // a 64-bit size
		if _, err := io.ReadFull(r, h[8:16]); err != nil {
			return box{}, fmt.Errorf("reading a box: %w", err)
		}
		b.start = pos + 16
		n = int64(min(binary.BigEndian.Uint64(h[8:16]), math.MaxInt64))
	}
	if n < b.start-pos || n > size-pos {
		return box{}, ErrNoTable
	}
	b.end = pos + n
	return b, nil
}

func (b box) read(r io.ReadSeeker) ([]byte, error) {
	if b.end-b.start > maxMoov {
		return nil, ErrNoTable
	}
	if _, err := r.Seek(b.start, io.SeekStart); err != nil {
		return nil, fmt.Errorf("seeking to a table: %w", err)
	}
	body := make([]byte, b.end-b.start)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("reading a table: %w", err)
	}
	return body, nil
}

// children calls each for every box in body.
func children(body []byte, each func(kind string, body []byte)) {
	for len(body) >= 8 {
		n := int64(binary.BigEndian.Uint32(body))
		if n < 8 || n > int64(len(body)) {
			return
		}
		each(string(body[4:8]), body[8:n])
		body = body[n:]
	}
}

// child finds a box by its path, nil where it is not.
func child(body []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		children(body, func(kind string, b []byte) {
			if kind == want && found == nil {
				found = b
			}
		})
		if found == nil {
			return nil
		}
		body = found
	}
	return body
}

// parseMoov reads the duration and the picture's key frames.
func (x *Index) parseMoov(moov []byte) (fragmented bool, err error) {
	if mvhd := child(moov, "mvhd"); mvhd != nil {
		x.Duration = headerDuration(mvhd)
	}
	if mvex := child(moov, "mvex"); mvex != nil {
		fragmented = true
		if mehd := fields(child(mvex, "mehd")); x.Duration == 0 && mehd.ok() {
			scale := headerScale(child(moov, "mvhd"))
			x.Duration = scaled(mehd.versioned(), scale)
		}
	}
	children(moov, func(kind string, trak []byte) {
		if kind != "trak" || len(x.points) > 0 {
			return
		}
		hdlr := child(trak, "mdia", "hdlr")
		if len(hdlr) >= 12 && string(hdlr[8:12]) == "vide" {
			x.points = trackPoints(trak)
		}
	})
	return fragmented, nil
}

// headerScale returns the time scale of mvhd or mdhd (§8.2.2, §8.4.2).
func headerScale(h []byte) uint64 {
	f := fields(h)
	skip := 8
	if f.version() == 1 {
		skip = 16
	}
	f.skip(skip)
	return uint64(f.u32())
}

func headerDuration(h []byte) time.Duration {
	f := fields(h)
	v1 := f.version() == 1
	if v1 {
		f.skip(16)
	} else {
		f.skip(8)
	}
	scale := uint64(f.u32())
	var n uint64
	if v1 {
		n = f.u64()
	} else {
		n = uint64(f.u32())
	}
	if !f.ok() {
		return 0
	}
	return scaled(n, scale)
}

// scaled turns units of a time scale into a duration, 0 where that cannot be.
func scaled(n, scale uint64) time.Duration {
	if scale == 0 {
		return 0
	}
	s := float64(n) / float64(scale)
	if s > 1e8 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// parseSidx reads the index of a fragmented file (§8.16.3); anchor is the first byte after it.
func (x *Index) parseSidx(body []byte, anchor int64) error {
	f := fields(body)
	v1 := f.version() == 1
	f.skip(4) // reference_ID
	scale := uint64(f.u32())
	var at, offset uint64
	if v1 {
		at, offset = f.u64(), f.u64()
	} else {
		at, offset = uint64(f.u32()), uint64(f.u32())
	}
	f.skip(2)
	count := int(f.u16())
	if !f.ok() || offset > uint64(x.size) {
		return ErrNoTable
	}
	pos := anchor + int64(offset)
	points := make([]point, 0, count)
	for range count {
		size, length := f.u32()&0x7fffffff, f.u32()
		f.skip(4)
		if !f.ok() || pos > x.size {
			return ErrNoTable
		}
		points = append(points, point{scaled(at, scale), pos})
		pos += int64(size)
		at += uint64(length)
	}
	x.points = points
	x.Duration = max(x.Duration, scaled(at, scale))
	return nil
}
