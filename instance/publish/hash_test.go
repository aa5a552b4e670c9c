// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // BEP 3
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPieceLength(t *testing.T) {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	for size, want := range map[int64]int64{
		0: 16 * kib, 561385: 16 * kib, 24 * mib: 16 * kib, 25 * mib: 32 * kib, 200 * mib: 256 * kib, 190 * mib: 128 * kib,
		1 * gib: mib, 100 * gib: 4 * mib,
	} {
		if got := PieceLength(size); got != want {
			t.Errorf("%d bytes: %d, want %d", size, got, want)
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func TestPiecesAreSHA1OfEachPiece(t *testing.T) {
	for _, size := range []int{1, 16384, 16385, 1 << 20, 3<<20 + 12345} {
		for _, length := range []int64{16384, 512 << 10} {
			data := random(size)
			var want []byte
			for off := 0; off < size; off += int(length) {
				sum := sha1.Sum(data[off:min(size, off+int(length))]) //nolint:gosec // BEP 3
				want = append(want, sum[:]...)
			}
			var last int64
			got, err := Pieces(t.Context(), bytes.NewReader(data), int64(size), length, func(done int64) {
				if done <= last {
					t.Errorf("progress went from %d to %d", last, done)
				}
				last = done
			})
			if err != nil || !bytes.Equal(got, want) || last != int64(size) {
				t.Errorf("%d bytes in pieces of %d: %v, progress %d", size, length, err, last)
			}
		}
	}
}

func TestPiecesOfAShrunkenFile(t *testing.T) {
	_, err := Pieces(t.Context(), bytes.NewReader(random(100_000)), 200_000, 16384, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestPiecesStopWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Pieces(ctx, bytes.NewReader(random(1<<20)), 1<<20, 16384, func(int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
