// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestABlockHeldUpAllWriters checks that what came from blocked hosts goes in steps between which
// others write, and that what is left by one that ended goes after a restart.
func TestABlockHeldUpAllWriters(t *testing.T) {
	dir := t.TempDir()
	s := federated(t, dir)
	const videos = 3*purgeStep + 6
	write(t, s, func(tx *Tx) error {
		for _, host := range []string{"a.bad.example", "bad.example:8443", "fine.example"} {
			if err := putActors(tx, host); err != nil {
				return err
			}
			for n := range videos / 3 {
				if err := tx.PutRemoteVideo(remote(host, n)); err != nil {
					return err
				}
			}
		}
		return tx.PutFollower(follow("bad.example:8443", FollowAccepted))
	})
	write(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutBlock(Block{Host: "bad.example"}), tx.PutBlock(Block{Host: "none.example"}))
	})
	left := func(s *Store) (n int) {
		t.Helper()
		read(t, s, func(tx *Tx) error {
			return tx.EachRemoteVideo(func(*RemoteVideo) (bool, error) { n++; return true, nil })
		})
		return n
	}
	write(t, s, func(tx *Tx) error {
		next, err := tx.purge(s.Blocked, "", purgeStep)
		if next == "" {
			t.Error("all went at once")
		}
		return err
	})
	if n := left(s); n >= videos || n < videos-purgeStep {
		t.Errorf("after one step %d of %d videos are left", n, videos)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.PurgeBlocked(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before its time: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = federated(t, dir)
	if err := s.PurgeBlocked(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := left(s); n != videos/3 {
		t.Errorf("%d videos are left, want %d", n, videos/3)
	}
	read(t, s, func(tx *Tx) error {
		for _, host := range []string{"a.bad.example", "bad.example:8443", "fine.example"} {
			for _, path := range []string{"/accounts/peertube", "/accounts/a", "/video-channels/c"} {
				_, ok, err := tx.Actor("https://" + host + path)
				if err != nil || ok != (host == "fine.example") {
					t.Errorf("%s%s is there: %v, %v", host, path, ok, err)
				}
			}
		}
		if inboxes, err := tx.FollowerInboxes(); err != nil || len(inboxes) > 0 {
			t.Errorf("followers %v, %v", inboxes, err)
		}
		if tx.number(keyPurgeDue) != tx.number(keyPurgeDone) {
			t.Error("it is not done")
		}
		return nil
	})
}

func BenchmarkPurgeLooksPastOtherHosts(b *testing.B) {
	s := openFederated(b)
	write(b, s, func(tx *Tx) error {
		for n := range 10_000 {
			if err := tx.PutActor(&Actor{ID: fmt.Sprintf("https://%d.example/u", n), Host: fmt.Sprintf("%d.example", n), Username: "u"}); err != nil {
				return err
			}
		}
		return nil
	})
	for b.Loop() {
		write(b, s, func(tx *Tx) error {
			_, err := tx.purge(func(string) bool { return false }, "", purgeStep)
			return err
		})
	}
}
