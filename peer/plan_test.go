// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"io"
	"slices"
	"testing"
)

// TestAsksForLittleAtATime checks what may be asked for while nothing has come: the first of what is
// missing in front of the playhead, also where the rest is wanted too.
func TestAsksForLittleAtATime(t *testing.T) {
	const piece = 64 << 10
	f := newFixture(t, 8*mib, piece)
	for _, download := range []bool{false, true} {
		e := newEngine(t, Config{Sources: Sources{SourceTCP}, ReadAhead: 4 * mib})
		s := join(t, e, f.target(), JoinOptions{}) // nobody has it
		if download {
			s.Download()
		}
		for _, first := range []int{0, 96} {
			st := openStream(t, s)
			if _, err := st.Seek(int64(first)*piece, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = st.Read(make([]byte, 1)) // it is cancelled
			}()
			var want []int
			for i := range minFront / piece {
				want = append(want, first+i)
			}
			var got []int
			waitUntil(t, "the first pieces to be asked for", func() bool {
				got = s.store.openMissing(1000)
				return slices.Equal(got, want)
			})
			st.Cancel()
			<-done
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSeekWithinReadAhead seeks to what the read-ahead holds but nobody was asked for yet.
func TestSeekWithinReadAhead(t *testing.T) {
	const size = 8 * mib
	f := newFixture(t, size, 64<<10)
	target := f.target()
	target.Peers = []string{newSeeder(t, f, Config{Sources: Sources{SourceTCP}, Limits: Limits{Upload: 2 * mib}}).addr()}
	e := newEngine(t, Config{Sources: Sources{SourceTCP}, ReadAhead: 2 * size})
	s := join(t, e, target, JoinOptions{})
	st := openStream(t, s)
	readFull(t, st, 0, 64<<10, f)
	readFull(t, st, size*8/10, 256<<10, f)
	if parts := s.Bitfield(10); parts[5] != 0 || parts[6] != 0 {
		t.Fatalf("the middle was fetched before the seek played: %v", parts)
	}
	readFull(t, st, size*4/10, 256<<10, f)
}
