// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"crypto/sha1" //nolint:gosec // BitTorrent v1 is SHA-1 (BEP 3)
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	minPieceLength = 16 << 10
	maxPieceLength = 4 << 20
	// readSize is what is read and hashed at a time. It fits the processor's second cache.
	readSize = 256 << 10
)

// PieceLength is the piece length that PeerTube's torrents have: the power of two from 16 KiB to
// 4 MiB that is nearest to a 1024th of the size.
func PieceLength(size int64) int64 {
	target, best := size>>10, int64(minPieceLength)
	for n := best; n <= maxPieceLength; n <<= 1 {
		if abs(n-target) < abs(best-target) {
			best = n
		}
	}
	return best
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// Pieces hashes size bytes of r in pieces, on all processors, reading each byte once. progress may
// be nil; it gets the bytes hashed and is called from one goroutine at a time.
func Pieces(ctx context.Context, r io.ReaderAt, size, pieceLength int64, progress func(done int64)) ([]byte, error) {
	return pieces(ctx, r, size, pieceLength, progress, context.Context.Err)
}

// pieces is Pieces that asks hold before each piece, which may wait.
func pieces(ctx context.Context, r io.ReaderAt, size, pieceLength int64, progress func(done int64), hold func(context.Context) error) ([]byte, error) {
	count := (size + pieceLength - 1) / pieceLength
	h := hasher{
		r: r, size: size, pieceLength: pieceLength, count: count,
		pieces: make([]byte, count*sha1.Size), progress: progress, hold: hold,
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range min(int64(runtime.GOMAXPROCS(0)), count) {
		wg.Go(func() {
			if err := h.work(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return h.pieces, nil
}

type hasher struct {
	r                        io.ReaderAt
	size, pieceLength, count int64
	next                     atomic.Int64
	pieces                   []byte
	hold                     func(context.Context) error

	mu       sync.Mutex
	done     int64
	progress func(int64)
}

// work takes pieces until none is left.
func (h *hasher) work(ctx context.Context) error {
	buf := make([]byte, min(readSize, h.pieceLength))
	sum := sha1.New() //nolint:gosec // BEP 3
	for {
		i := h.next.Add(1) - 1
		if i >= h.count {
			return nil
		}
		if err := h.hold(ctx); err != nil {
			return err
		}
		sum.Reset()
		off := i * h.pieceLength
		end := min(off+h.pieceLength, h.size)
		for at := off; at < end; {
			n, err := h.r.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
			if n == 0 || (err != nil && !errors.Is(err, io.EOF)) {
				return fmt.Errorf("reading the file at byte %d: %w", at, orShort(err))
			}
			sum.Write(buf[:n])
			at += int64(n)
		}
		sum.Sum(h.pieces[i*sha1.Size : i*sha1.Size : (i+1)*sha1.Size])
		h.add(end - off)
	}
}

// orShort is the error of a read that gave nothing.
func orShort(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (h *hasher) add(n int64) {
	if h.progress == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done += n
	h.progress(h.done)
}
