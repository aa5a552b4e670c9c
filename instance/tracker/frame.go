// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import "encoding/binary"

// The opcodes of a frame (RFC 6455 §5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// The reasons to close (RFC 6455 §7.4.1).
const (
	closeNormal   = 1000
	closeGoing    = 1001
	closeProtocol = 1002
	closeTooBig   = 1009
)

// closeError is why a connection is closed, for the close frame.
type closeError uint16

func (closeError) Error() string { return "the WebSocket protocol was not kept" }

// frame is one frame of a client, its payload unmasked.
type frame struct {
	op      byte
	fin     bool
	payload []byte
}

func (f *frame) control() bool { return f.op >= opClose }

// parseFrame reads the frame that b begins with (RFC 6455 §5.2) and unmasks its payload in place. It
// returns the frame's length, or 0 as long as part of it is missing. A payload of more than most
// bytes is refused as soon as its length is known.
func parseFrame(b []byte, most int64) (frame, int, error) {
	if len(b) < 2 {
		return frame{}, 0, nil
	}
	f := frame{op: b[0] & 0x0f, fin: b[0]&0x80 != 0}
	if b[0]&0x70 != 0 || b[1]&0x80 == 0 { // an extension, or no mask
		return frame{}, 0, closeError(closeProtocol)
	}
	head, size := 2, uint64(b[1]&0x7f)
	switch {
	case f.control() && (size > 125 || !f.fin || f.op > opPong), f.op > opBinary && !f.control():
		return frame{}, 0, closeError(closeProtocol)
	case size == 126:
		if len(b) < 4 {
			return frame{}, 0, nil
		}
		head, size = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case size == 127:
		if len(b) < 10 {
			return frame{}, 0, nil
		}
		head, size = 10, binary.BigEndian.Uint64(b[2:])
	}
	if !f.control() && size > uint64(max(most, 0)) {
		return frame{}, 0, closeError(closeTooBig)
	}
	length := head + 4 + int(size) //nolint:gosec // bounded above
	if len(b) < length {
		return frame{}, 0, nil
	}
	f.payload = b[head+4 : length : length]
	unmask(f.payload, [4]byte(b[head:]))
	return f, length, nil
}

// unmask applies a mask (RFC 6455 §5.3), eight bytes at a time.
func unmask(b []byte, mask [4]byte) {
	m := binary.LittleEndian.Uint32(mask[:])
	wide := uint64(m)<<32 | uint64(m)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}

// maxHead is how long the head of a server's frame can be, in bytes.
const maxHead = 10

// appendFrame appends a server's frame, which is whole and has no mask.
func appendFrame(b []byte, op byte, payload []byte) []byte {
	b = append(b, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}
