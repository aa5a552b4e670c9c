// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// grace is how long attempts under way may go on at the end.
	grace = 3 * time.Second
	// together is how long outcomes are gathered for one transaction, if there was one just before.
	together = 50 * time.Millisecond
	// again is the pause before a transaction that failed is repeated.
	again = time.Second
)

// Serve delivers until ctx ends. It then gives attempts under way three seconds, and writes their
// outcomes. It returns an error only where the database can no longer be used; what was not written
// then is sent again by the next Queue.
func (q *Queue) Serve(ctx context.Context) error {
	if !q.serving.CompareAndSwap(false, true) {
		return errors.New("serving the delivery queue: it is being served already")
	}
	defer q.serving.Store(false)

	select {
	case err := <-q.failed:
		q.cfg.Logger.Warn("serving again after a failure", "err", err)
	default:
	}
	attempts, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	workersDone := make(chan struct{})
	written := make(chan error, 1)
	go func() { written <- q.write(workersDone) }()

	var workers sync.WaitGroup
	err := q.dispatch(ctx, func(r *run) {
		workers.Go(func() { q.work(attempts, r) })
	})
	timer := time.AfterFunc(grace, cancel)
	defer timer.Stop()
	workers.Wait()
	close(workersDone)
	return errors.Join(err, <-written)
}

// dispatch starts runs as they fall due.
func (q *Queue) dispatch(ctx context.Context, start func(*run)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		runs, wait := q.take()
		for _, r := range runs {
			start(r)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-timer.C:
		case err := <-q.failed:
			return fmt.Errorf("serving the delivery queue: %w", err)
		}
	}
	return nil
}

// write writes reports, many in a transaction, until there will be no more.
func (q *Queue) write(workersDone <-chan struct{}) error {
	for ending := false; !ending; {
		select {
		case <-q.ripe:
		case <-workersDone:
			ending = true
		}
		q.mu.Lock()
		reports := q.reports
		q.reports = nil
		q.mu.Unlock()
		if len(reports) == 0 {
			continue
		}
		if err := q.commit(reports, workersDone); err != nil {
			return fmt.Errorf("writing outcomes of deliveries: %w", err)
		}
		pause(together, workersDone)
	}
	return nil
}

// commit writes reports and puts their hosts back. Where the disk refuses, it tries again: the hosts
// stay taken meanwhile, so nothing is sent in vain.
func (q *Queue) commit(reports []*report, workersDone <-chan struct{}) error {
	for _, rep := range reports {
		q.tell(rep)
	}
	for {
		done := make([]int, len(reports))
		err := q.db.Update(func(tx *bolt.Tx) error {
			var err error
			done, err = q.record(tx, reports)
			return err
		})
		if err == nil {
			q.mu.Lock()
			for i, rep := range reports {
				q.settled(rep, done[i])
			}
			q.mu.Unlock()
			signal(q.wake)
			return nil
		}
		q.cfg.Logger.Error("outcomes of deliveries could not be written", "err", err)
		if errors.Is(err, bolterrors.ErrDatabaseNotOpen) || errors.Is(err, errDamaged) || pause(again, workersDone) {
			select {
			case q.failed <- err:
			default:
			}
			return err
		}
	}
}

// tell calls back for each attempt of a report.
func (q *Queue) tell(rep *report) {
	call := func(res Result) {
		if q.cfg.OnResult != nil {
			q.cfg.OnResult(res)
		}
		if res.Status == http.StatusGone && q.cfg.OnGone != nil {
			q.cfg.OnGone(res)
		}
	}
	for i := range rep.outcomes {
		o := &rep.outcomes[i]
		if o.expired {
			continue
		}
		if o.Failed {
			q.cfg.Logger.Info("delivery failed for good", "activity", o.ID, "inbox", o.Inbox, "reason", o.Reason)
		}
		call(o.Result)
	}
	for i := range rep.tried {
		t := &rep.tried[i]
		q.cfg.Logger.Debug("delivery failed", "activity", t.ID, "inbox", t.Inbox, "reason", t.Reason)
		call(*t)
	}
}

// record writes what the reports found out, and returns by how many deliveries each host's depth
// shrinks: an entry may have been dropped or replaced while it was sent.
func (q *Queue) record(tx *bolt.Tx, reports []*report) ([]int, error) {
	done := make([]int, len(reports))
	refs := map[uint64]int64{}
	for i, rep := range reports {
		n, err := q.recordOne(tx, rep, refs)
		if err != nil {
			return nil, err
		}
		done[i] = n
	}
	for seq, by := range refs {
		if err := addRefs(tx, seq, by); err != nil {
			return nil, err
		}
	}
	return done, nil
}

func (q *Queue) recordOne(tx *bolt.Tx, rep *report, refs map[uint64]int64) (int, error) {
	name, entries := rep.run.h.name, tx.Bucket(bucketEntries)
	over := map[uint64]map[string]bool{}
	var seqs []uint64
	for i := range rep.outcomes {
		o := &rep.outcomes[i]
		if over[o.seq] == nil {
			over[o.seq] = map[string]bool{}
			seqs = append(seqs, o.seq)
		}
		over[o.seq][o.Inbox] = true
		if !o.Failed {
			continue
		}
		f := Failure{Time: q.cfg.Now(), ID: o.ID, Actor: o.Actor, Inbox: o.Inbox, Status: o.Status, Reason: o.Reason}
		if err := putFailure(tx, f, q.cfg.MaxFailures); err != nil {
			return 0, err
		}
	}
	later := map[uint64]*entry{}
	for i := range rep.later {
		p := &rep.later[i]
		later[p.seq] = &p.entry
		if over[p.seq] == nil {
			seqs = append(seqs, p.seq)
		}
	}
	n := 0
	for _, seq := range seqs {
		gone, err := update(entries, name, seq, over[seq], later[seq])
		if err != nil {
			return 0, err
		}
		n += gone.inboxes
		if gone.whole {
			refs[seq]--
		}
	}
	if rep.run.state == rep.before {
		return n, nil
	}
	if rep.run.state.fails == 0 || !waits(entries, name) {
		return n, tx.Bucket(bucketHosts).Delete([]byte(name))
	}
	return n, tx.Bucket(bucketHosts).Put([]byte(name), rep.run.state.encode())
}

// waits reports whether a host has an entry.
func waits(entries *bolt.Bucket, name string) bool {
	prefix := append([]byte(name), 0)
	k, _ := entries.Cursor().Seek(prefix)
	return bytes.HasPrefix(k, prefix)
}

// removed is what an update took away.
type removed struct {
	inboxes int
	whole   bool // the entry is gone
}

// update takes the inboxes that are over out of an entry, and sets its new waits.
func update(entries *bolt.Bucket, name string, seq uint64, over map[string]bool, later *entry) (removed, error) {
	k := entryKey(name, seq)
	v := entries.Get(k)
	if v == nil {
		return removed{}, nil
	}
	e, err := decodeEntry(name, v)
	if err != nil {
		return removed{}, err
	}
	left := e.inboxes[:0]
	for _, inbox := range e.inboxes {
		if !over[inbox] {
			left = append(left, inbox)
		}
	}
	gone := removed{inboxes: len(e.inboxes) - len(left), whole: len(left) == 0}
	if gone.whole {
		return gone, entries.Delete(k)
	}
	e.inboxes = left
	if later != nil {
		e.next, e.last, e.tries, e.own, e.ownWait = later.next, later.last, later.tries, later.own, later.ownWait
	}
	return gone, entries.Put(k, e.encode(name))
}

// pause waits for d; it reports whether the workers ended before that.
func pause(d time.Duration, workersDone <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-workersDone:
		return true
	}
}
