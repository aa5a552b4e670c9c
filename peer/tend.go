// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"

	"shoal/peer/pulse"
)

// recheckInterval is how long to wait for the client to be done with a piece that failed.
const recheckInterval = 20 * time.Millisecond

// wake has tend look at the swarm. It may be called from callbacks.
func (s *Swarm) wake() { s.tending.Wake() }

// begin waits for the metadata, and has the swarm looked after from then on.
func (s *Swarm) begin() {
	if t := s.loaded(); t != nil {
		select {
		case <-s.ctx.Done():
			return
		case <-s.broken:
			t.SetMaxEstablishedConns(0) // else the metadata is fetched again and again
			return
		case <-t.GotInfo():
		}
	}
	s.finished.Store(s.store.complete())
	s.onMetadata()
	s.wake()
	s.settleDoubts()
}

// tend looks after the swarm. It returns when to do so again, where nothing wakes it before.
func (s *Swarm) tend() time.Duration {
	if !s.isReady() || s.ctx.Err() != nil {
		return pulse.Never
	}
	s.settleMetered()
	s.plan()
	s.useWebSeeds()
	again := s.recheckFailed()
	s.recheckChanged()
	if !s.finished.Load() && s.store.complete() {
		s.finish()
		s.finished.Store(true)
	}
	if again {
		return recheckInterval
	}
	return pulse.Never
}

// finish runs when the last missing piece came in.
func (s *Swarm) finish() {
	s.mu.Lock()
	rtc, trackers := s.rtc, s.trackers
	s.mu.Unlock()
	if rtc != nil {
		rtc.Completed()
	}
	for _, a := range trackers {
		a.completed()
	}
	if err := errors.Join(s.store.makeEmptyFiles(), s.store.checkpoint()); err != nil {
		s.engine.logger.Warn("syncing to the disk failed", "infohash", s.infohash.HexString(), "error", err)
	}
}

// settleDoubts hashes data that was found on disk and of which nothing is known: pieces.db was
// lost, the file was changed, or the power was cut before it was synced.
func (s *Swarm) settleDoubts() {
	pieces := s.store.doubtful()
	if len(pieces) > 0 {
		s.engine.logger.Info("hashing data found on disk", "infohash", s.infohash.HexString(), "pieces", len(pieces))
		if err := s.hash(s.ctx, pieces); err != nil {
			return
		}
		if err := s.store.settled(); err != nil {
			s.engine.logger.Warn("noting what is verified failed", "infohash", s.infohash.HexString(), "error", err)
		}
	}
	s.checkFiles()
	close(s.settled)
	s.wake()
}

// Verify hashes all data on disk again. What fails is fetched again when it is wanted. It takes as
// long as reading the files does, and ends early with ctx.
func (s *Swarm) Verify(ctx context.Context) error {
	if err := s.Wait(ctx); err != nil {
		return err
	}
	pieces := make([]int, s.store.pieces.Load())
	for i := range pieces {
		pieces[i] = i
	}
	if err := s.hash(ctx, pieces); err != nil {
		return fmt.Errorf("verifying: %w", err)
	}
	s.checkFiles()
	s.wake()
	return nil
}

// hash has pieces hashed, as many at once as the client does.
func (s *Swarm) hash(ctx context.Context, pieces []int) error {
	t, done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })
	defer stop()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(pieces) {
					return
				}
				if err := t.Piece(pieces[n]).VerifyDataContext(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	for _, i := range pieces {
		for ctx.Err() == nil && t.PieceState(i).Marking { // verified, and not yet written down
			time.Sleep(time.Millisecond)
		}
	}
	return context.Cause(ctx)
}

// recheckFailed hides pieces again that failed their hash while nobody wanted them: the client
// takes a piece that failed for one to be fetched. It reports whether the client is still busy
// with one.
func (s *Swarm) recheckFailed() (again bool) {
	s.mu.Lock()
	pieces := s.recheck
	s.recheck = nil
	s.mu.Unlock()
	t := s.loaded()
	if t == nil {
		return false
	}
	var busy []int
	for _, i := range pieces {
		if st := t.PieceState(i); st.Checking || st.Marking {
			busy = append(busy, i)
			continue
		}
		t.Piece(i).UpdateCompletion()
	}
	if len(busy) == 0 {
		return false
	}
	s.mu.Lock()
	s.recheck = append(s.recheck, busy...)
	s.mu.Unlock()
	return true
}

// quietPolls is after how many polls without a byte the client is nudged.
const quietPolls = 2

// nudge has the client look again whom it can ask for what is wanted. After a peer rejects a
// request the client asks it for nothing more until something happens, and nothing may happen:
// TestLyingWebSeed runs into it. Hiding a wanted piece for an instant is something.
func (s *Swarm) nudge() {
	t := s.loaded()
	if t == nil || !s.isReady() || s.idle() || s.Stats().Peers.Sum() == 0 {
		return
	}
	s.planning.Lock()
	defer s.planning.Unlock()
	for _, i := range s.store.openMissing(8) {
		st := t.PieceState(i)
		if st.Priority == torrent.PiecePriorityNone || st.Checking || st.Marking || st.Complete {
			continue
		}
		for _, open := range []bool{false, true} {
			s.store.setOpenOne(i, open)
			t.Piece(i).UpdateCompletion()
		}
		return
	}
}
