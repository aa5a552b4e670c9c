// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// TestReadersAndWritersAtOnce lists while videos, follows and blocks change; the race detector finds
// what is not guarded, and no total is ever half a change.
func TestReadersAndWritersAtOnce(t *testing.T) {
	s := openFederated(t)
	s.db.NoSync = true // speed
	write(t, s, func(tx *Tx) error {
		return errors.Join(putActors(tx, "a.example"), tx.PutFollowing(follow("a.example", FollowAccepted)))
	})
	var all sync.WaitGroup
	run := func(f func(n int) error) {
		all.Go(func() {
			for n := range 60 {
				if err := f(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for worker := range 3 {
		run(func(n int) error {
			return s.Batch("testing", func(tx *Tx) error {
				return errors.Join(tx.PutRemoteVideo(remote("a.example", worker*1000+2*n)), tx.PutRemoteVideo(remote("a.example", worker*1000+2*n+1)))
			})
		})
	}
	run(func(n int) error {
		return s.Write("testing", func(tx *Tx) error {
			if n%2 == 0 {
				return tx.PutBlock(Block{Host: fmt.Sprintf("h%d.example", n)})
			}
			return tx.PutFollowing(follow(fmt.Sprintf("h%d.example", n), FollowAccepted))
		})
	})
	for range 2 {
		run(func(int) error {
			page, total, err := s.List(t.Context(), ListQuery{Count: 10, Descending: true})
			if total%2 != 0 || len(page) != min(total, 10) {
				return fmt.Errorf("a page of %d of %d", len(page), total)
			}
			return err
		})
	}
	all.Wait()
	if got := titles(t, s, ListQuery{Count: 1, Sort: "name"}); got != "360, a.example Video 0" {
		t.Errorf("in the end: %s", got)
	}
}
