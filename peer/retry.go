// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// probeSize is how much must fit on a disk that was full before fetching goes on, in bytes.
const probeSize = 4 << 20

// diskRetry says when writing is tried again after it failed. It is guarded by the swarm's mu.
type diskRetry struct {
	wait time.Duration // the pause before the next try; doubles
	at   time.Time     // of the next try
}

// failed plans the next try.
func (r *diskRetry) failed(times *timings) {
	r.wait = min(max(2*r.wait, times.diskMin), times.diskMax)
	r.at = time.Now().Add(r.wait)
}

// retryWriting goes on fetching once the disk takes something again.
func (s *Swarm) retryWriting() {
	s.mu.Lock()
	due := s.halted && s.gone == 0 && s.problem != "" && !s.paused && time.Now().After(s.retry.at)
	s.mu.Unlock()
	if !due {
		return
	}
	if err := s.probe(); err != nil {
		s.mu.Lock()
		s.retry.failed(&s.engine.config.times)
		s.mu.Unlock()
		return
	}
	s.engine.logger.Info("fetching goes on", "infohash", s.infohash.HexString())
	s.Resume()
}

// probe writes a file beside the swarm's folder and deletes it again.
func (s *Swarm) probe() error {
	path := filepath.Join(s.store.dir, ".probe-"+s.infohash.HexString()[:8])
	if s.store.writable != nil {
		if err := s.store.writable(path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	buf := make([]byte, 256<<10)
	for n := 0; n < probeSize && err == nil; n += len(buf) {
		_, err = f.Write(buf)
	}
	return errors.Join(err, f.Close(), os.Remove(path))
}
