// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"
)

// maxString bounds the bytes read of a string that libmpv hands over.
const maxString = 1 << 16

// errNUL is returned for a string that C cannot hold.
var errNUL = errors.New("argument holds a zero byte")

// pointer turns an address from C into a pointer. It must not be an address of Go's memory.
func pointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// goString copies a zero-terminated string, at most maxString bytes of it.
func goString(addr uintptr) string {
	if addr == 0 {
		return ""
	}
	base := pointer(addr)
	n := 0
	for n < maxString && *(*byte)(unsafe.Add(base, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(base), n))
}

// cArgs is a zero-terminated array of zero-terminated strings, pinned for C.
type cArgs struct {
	pointers []*byte
	pins     runtime.Pinner
}

func newCArgs(args []string) (*cArgs, error) {
	a := &cArgs{pointers: make([]*byte, len(args)+1)}
	for i, s := range args {
		if strings.IndexByte(s, 0) >= 0 {
			a.pins.Unpin()
			return nil, errNUL
		}
		b := append([]byte(s), 0)
		a.pointers[i] = &b[0]
		a.pins.Pin(a.pointers[i])
	}
	a.pins.Pin(&a.pointers[0])
	return a, nil
}

func (a *cArgs) pointer() unsafe.Pointer { return unsafe.Pointer(&a.pointers[0]) }

func (a *cArgs) free() { a.pins.Unpin() }
