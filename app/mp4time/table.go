// SPDX-License-Identifier: AGPL-3.0-or-later

package mp4time

import (
	"encoding/binary"
	"slices"
)

// reader reads the fields of a full box one after another; after the end it gives zeros.
type reader struct {
	data  []byte
	first byte // the version
	bad   bool
}

// fields begins after the version and flags.
func fields(body []byte) *reader {
	if len(body) < 4 {
		return &reader{bad: true}
	}
	return &reader{data: body[4:], first: body[0]}
}

func (f *reader) version() byte { return f.first }
func (f *reader) ok() bool      { return !f.bad }

func (f *reader) take(n int) []byte {
	if len(f.data) < n {
		f.bad, f.data = true, nil
		return make([]byte, n)
	}
	b := f.data[:n]
	f.data = f.data[n:]
	return b
}

func (f *reader) skip(n int)  { f.take(n) }
func (f *reader) u16() uint16 { return binary.BigEndian.Uint16(f.take(2)) }
func (f *reader) u32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *reader) u64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }

// versioned is a 64-bit field in version 1 and a 32-bit one in version 0.
func (f *reader) versioned() uint64 {
	if f.first == 1 {
		return f.u64()
	}
	return uint64(f.u32())
}

// count reads a table's length and checks that entries of that size can be there.
func (f *reader) count(entry int) int {
	n := int(f.u32())
	if n > maxSamples || n*entry > len(f.data) {
		f.bad = true
		return 0
	}
	return n
}

// trackPoints lists the key frames of a track: when they are shown and at which byte they lie.
// It is nil for a track without samples of its own.
func trackPoints(trak []byte) []point {
	scale := headerScale(child(trak, "mdia", "mdhd"))
	stbl := child(trak, "mdia", "minf", "stbl")
	offsets := sampleOffsets(stbl)
	if scale == 0 || len(offsets) == 0 {
		return nil
	}
	keys := syncSamples(child(stbl, "stss"))
	var points []point
	at := uint64(0)
	sample := 0
	f := fields(child(stbl, "stts")) // §8.6.1.2
	for range f.count(8) {
		n, delta := int(f.u32()), uint64(f.u32())
		for range min(n, len(offsets)-sample) {
			if _, isKey := slices.BinarySearch(keys, uint32(sample+1)); isKey || keys == nil {
				points = append(points, point{scaled(at, scale), offsets[sample]})
			}
			at += delta
			sample++
		}
	}
	return points
}

// syncSamples returns the numbers of the key frames (§8.6.2); nil means all samples are.
func syncSamples(stss []byte) []uint32 {
	if stss == nil {
		return nil
	}
	f := fields(stss)
	keys := make([]uint32, 0, 64)
	for range f.count(4) {
		keys = append(keys, f.u32())
	}
	return keys
}

// sampleOffsets returns the byte at which each sample begins, from the chunks' places (§8.7).
func sampleOffsets(stbl []byte) []int64 {
	chunks := chunkOffsets(stbl)
	sizes := fields(child(stbl, "stsz"))
	same := sizes.u32()
	count := int(sizes.u32())
	if !sizes.ok() || count > maxSamples || same == 0 && count*4 > len(sizes.data) {
		return nil
	}
	runs := fields(child(stbl, "stsc"))
	n := runs.count(12)
	type chunkRun struct{ first, samples int }
	table := make([]chunkRun, n)
	for i := range table {
		table[i] = chunkRun{int(runs.u32()), int(runs.u32())}
		runs.skip(4)
	}
	offsets := make([]int64, 0, count)
	run := 0
	for i, pos := range chunks {
		for run+1 < n && table[run+1].first <= i+1 {
			run++
		}
		if n == 0 {
			break
		}
		for range table[run].samples {
			if len(offsets) == count {
				return offsets
			}
			offsets = append(offsets, pos)
			if same != 0 {
				pos += int64(same)
			} else {
				pos += int64(sizes.u32())
			}
		}
	}
	return offsets
}

// chunkOffsets reads stco or co64 (§8.7.5).
func chunkOffsets(stbl []byte) []int64 {
	var offsets []int64
	if stco := child(stbl, "stco"); stco != nil {
		f := fields(stco)
		for range f.count(4) {
			offsets = append(offsets, int64(f.u32()))
		}
		return offsets
	}
	f := fields(child(stbl, "co64"))
	for range f.count(8) {
		offsets = append(offsets, int64(f.u64()&(1<<63-1)))
	}
	return offsets
}
