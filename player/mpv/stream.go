// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"errors"
	"io"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Stream is a file that libmpv reads through stream_cb. Cancel may be called from any
// goroutine and ends a Read in progress; the others are called one at a time.
type Stream interface {
	io.ReadSeekCloser
	// Size in bytes, negative when unknown.
	Size() int64
	Cancel()
}

// StreamOpener opens what a URI of a protocol stands for. libmpv cannot interrupt it.
type StreamOpener func(uri string) (Stream, error)

// AddProtocol makes URIs that begin with "name://" open by open. It holds for the life of the handle.
func (m *Handle) AddProtocol(name string, open StreamOpener) error {
	id := m.lib.registry.add(open)
	err := m.call("add protocol "+name, func() int32 {
		return m.lib.streamAdd(m.h, name, id, m.lib.open)
	})
	if err != nil {
		m.lib.registry.remove(id)
		return err
	}
	m.protocols = append(m.protocols, id)
	return nil
}

// streamInfo is mpv_stream_cb_info of stream_cb.h.
type streamInfo struct {
	cookie uintptr
	streamCallbacks
}

// streamCallbacks are the functions of mpv_stream_cb_info, in its order.
type streamCallbacks struct{ read, seek, size, close, cancel uintptr }

// cResult is how C sees a negative int64 or int.
func cResult(v int) uintptr { return uintptr(int64(v)) }

func newOpenCallback(r *registry, fns streamCallbacks) uintptr {
	return purego.NewCallback(func(id, uri, info uintptr) uintptr {
		open, ok := r.get(id).(StreamOpener)
		if !ok || info == 0 {
			return cResult(ErrLoadingFailed)
		}
		s, err := open(goString(uri))
		if err != nil {
			return cResult(ErrLoadingFailed)
		}
		*(*streamInfo)(pointer(info)) = streamInfo{cookie: r.add(s), streamCallbacks: fns}
		return 0
	})
}

func newStreamCallbacks(r *registry) streamCallbacks {
	return streamCallbacks{
		read: purego.NewCallback(func(cookie, buf, n uintptr) uintptr {
			s, ok := r.get(cookie).(Stream)
			if !ok || buf == 0 || n == 0 {
				return cResult(-1)
			}
			return readInto(s, unsafe.Slice((*byte)(pointer(buf)), int(n)))
		}),
		seek: purego.NewCallback(func(cookie, offset uintptr) uintptr {
			s, ok := r.get(cookie).(Stream)
			if !ok || int64(offset) < 0 {
				return cResult(errGeneric)
			}
			pos, err := s.Seek(int64(offset), io.SeekStart)
			if err != nil {
				return cResult(errGeneric)
			}
			return uintptr(pos)
		}),
		size: purego.NewCallback(func(cookie uintptr) uintptr {
			s, ok := r.get(cookie).(Stream)
			if !ok {
				return cResult(errUnsupported)
			}
			if n := s.Size(); n >= 0 {
				return uintptr(n)
			}
			return cResult(errUnsupported)
		}),
		close: purego.NewCallback(func(cookie uintptr) uintptr {
			if s, ok := r.get(cookie).(Stream); ok {
				r.remove(cookie)
				_ = s.Close() // libmpv has no use for the error
			}
			return 0
		}),
		cancel: purego.NewCallback(func(cookie uintptr) uintptr {
			if s, ok := r.get(cookie).(Stream); ok {
				s.Cancel()
			}
			return 0
		}),
	}
}

// readInto reads once: the count of bytes, 0 at the end of the file, -1 for an error
// (mpv_stream_cb_read_fn). A Read that returns nothing and no error is asked again a few times.
func readInto(s io.Reader, b []byte) uintptr {
	for range 16 {
		n, err := s.Read(b)
		switch {
		case n > 0 && n <= len(b):
			return uintptr(n)
		case errors.Is(err, io.EOF):
			return 0
		case err != nil:
			return cResult(-1)
		}
	}
	return cResult(-1)
}
