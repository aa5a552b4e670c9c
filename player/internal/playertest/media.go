// SPDX-License-Identifier: AGPL-3.0-or-later

// Package playertest has what the tests of player, player/surface and player/handoff share: media whose
// bytes come, come late or never come, and clips made by ffmpeg. Only tests import it.
package playertest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"shoal/player"
)

// ErrCancelled is what a Read that was cancelled returns.
var ErrCancelled = errors.New("media cancelled")

// File is a file in memory that hands out Media. Its bytes from Block on do not come until
// Release; a Read of the bytes from Fail on fails.
type File struct {
	Data []byte
	// Chunk is the most bytes that a Read gives; 0 for any number.
	Chunk int
	// BytesPerSecond slows Reads; 0 for no limit.
	BytesPerSecond int

	mu      sync.Mutex
	block   int64 // -1: none
	blockTo int64
	fail    int64 // -1: none
	changed chan struct{}
	opens   int
	open    int
	read    int64
	blocked int
}

// NewFile makes a file all of whose bytes are there.
func NewFile(data []byte) *File {
	return &File{Data: data, block: -1, fail: -1, changed: make(chan struct{})}
}

// Block makes Reads that reach a byte in [from, to) wait.
func (f *File) Block(from, to int64) { f.set(func() { f.block, f.blockTo = from, to }) }

// Release lets every byte come.
func (f *File) Release() { f.set(func() { f.block, f.fail = -1, -1 }) }

// Fail makes Reads at from and beyond fail.
func (f *File) Fail(from int64) { f.set(func() { f.fail = from }) }

func (f *File) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

// Opens counts the Media handed out.
func (f *File) Opens() int { f.mu.Lock(); defer f.mu.Unlock(); return f.opens }

// Open counts the Media that are not closed.
func (f *File) Open() int { f.mu.Lock(); defer f.mu.Unlock(); return f.open }

// BytesRead counts the bytes that all Media gave.
func (f *File) BytesRead() int64 { f.mu.Lock(); defer f.mu.Unlock(); return f.read }

// Blocked counts the Reads that wait now.
func (f *File) Blocked() int { f.mu.Lock(); defer f.mu.Unlock(); return f.blocked }

// Opener opens the file.
func (f *File) Opener() player.Opener {
	return func(ctx context.Context) (player.Media, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.opens++
		f.open++
		return &media{file: f, cancelled: make(chan struct{})}, nil
	}
}

type media struct {
	file      *File
	pos       int64
	cancelled chan struct{}
	once      sync.Once
	closed    sync.Once
}

func (m *media) Size() int64 { return int64(len(m.file.Data)) }
func (m *media) Cancel()     { m.once.Do(func() { close(m.cancelled) }) }

func (m *media) Close() error {
	m.closed.Do(func() {
		m.file.mu.Lock()
		defer m.file.mu.Unlock()
		m.file.open--
	})
	return nil
}

func (m *media) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += m.pos
	case io.SeekEnd:
		offset += m.Size()
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	m.pos = offset
	return offset, nil
}

func (m *media) Read(b []byte) (int, error) {
	n := len(b)
	if m.file.Chunk > 0 {
		n = min(n, m.file.Chunk)
	}
	for {
		select {
		case <-m.cancelled:
			return 0, ErrCancelled
		default:
		}
		f := m.file
		f.mu.Lock()
		if m.pos >= m.Size() {
			f.mu.Unlock()
			return 0, io.EOF
		}
		if f.fail >= 0 && m.pos >= f.fail {
			f.mu.Unlock()
			return 0, errors.New("media is broken")
		}
		end := min(m.pos+int64(n), m.Size())
		if f.fail > m.pos {
			end = min(end, f.fail)
		}
		if f.block >= 0 && m.pos < f.block {
			end = min(end, f.block)
		}
		if f.block < 0 || m.pos < f.block || m.pos >= f.blockTo {
			k := copy(b, f.Data[m.pos:end])
			m.pos += int64(k)
			f.read += int64(k)
			f.mu.Unlock()
			return k, m.pause(k)
		}
		changed := f.changed
		f.blocked++
		f.mu.Unlock()
		select {
		case <-changed:
		case <-m.cancelled:
		}
		f.mu.Lock()
		f.blocked--
		f.mu.Unlock()
	}
}

// pause makes n bytes take their time.
func (m *media) pause(n int) error {
	if m.file.BytesPerSecond <= 0 {
		return nil
	}
	select {
	case <-time.After(time.Duration(n) * time.Second / time.Duration(m.file.BytesPerSecond)):
	case <-m.cancelled:
	}
	return nil
}

// Until waits until done says yes, and fails the test after limit.
func Until(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for: %s", limit, what)
		}
	}
}
