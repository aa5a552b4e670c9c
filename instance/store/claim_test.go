// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"testing"
)

// TestAStrangerKeptAUUIDFromItsOwner checks that a video that is listed is found by its UUID, whoever
// brought another with the same one first.
func TestAStrangerKeptAUUIDFromItsOwner(t *testing.T) {
	s := openFederated(t)
	squatter, real := remote("far.evil.example", 1), remote("far.example", 1)
	real.UUID = squatter.UUID
	found := func() string {
		t.Helper()
		var host string
		read(t, s, func(tx *Tx) error {
			v, ok, err := tx.RemoteVideoByUUID(squatter.UUID)
			if ok {
				host = v.Host
			}
			return err
		})
		return host
	}
	write(t, s, func(tx *Tx) error { return errors.Join(tx.PutRemoteVideo(squatter), tx.PutRemoteVideo(real)) })
	if got := found(); got != squatter.Host {
		t.Errorf("of two that nobody follows it is %s", got)
	}
	write(t, s, func(tx *Tx) error {
		return errors.Join(putActors(tx, "far.example"), tx.PutFollowing(follow("far.example", FollowAccepted)))
	})
	write(t, s, func(tx *Tx) error { return tx.AddSource(real.ID, "https://far.example/accounts/a") })
	if got := found(); got != real.Host {
		t.Errorf("once it is listed, it is %s", got)
	}
	write(t, s, func(tx *Tx) error { return tx.PutRemoteVideo(remote(squatter.Host, 1)) })
	if got := found(); got != real.Host {
		t.Errorf("after the stranger brought it again, it is %s", got)
	}
	write(t, s, func(tx *Tx) error {
		return errors.Join(tx.DeleteRemoteVideo(squatter.ID, now), tx.DeleteRemoteVideo(real.ID, now))
	})
	if got := found(); got != "" {
		t.Errorf("after both are deleted, it is %s", got)
	}
}

// TestAViewTouchedTheSearchIndex checks that counts alone are no change for whoever keeps an index of
// words, and that words are.
func TestAViewTouchedTheSearchIndex(t *testing.T) {
	s := openFederated(t)
	v := remote("far.example", 1)
	write(t, s, func(tx *Tx) error { return tx.PutRemoteVideo(v) })
	touched := func(change func(*RemoteVideo)) bool {
		t.Helper()
		before, err := s.LastTouch()
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, func(tx *Tx) error {
			return tx.UpdateRemoteVideo(v.ID, func(v *RemoteVideo) error { change(v); return nil })
		})
		after, err := s.LastTouch()
		if err != nil {
			t.Fatal(err)
		}
		return after != before
	}
	if touched(func(v *RemoteVideo) { v.Views++; v.Viewers = 3 }) {
		t.Error("a view touches the index")
	}
	for name, change := range map[string]func(*RemoteVideo){
		"title": func(v *RemoteVideo) { v.Title = "New" }, "description": func(v *RemoteVideo) { v.Description = "new" },
		"tags": func(v *RemoteVideo) { v.Tags = nil }, "channel": func(v *RemoteVideo) { v.Channel += "2" },
	} {
		if !touched(change) {
			t.Errorf("another %s does not", name)
		}
	}
	read(t, s, func(tx *Tx) error {
		got, _, err := tx.RemoteVideo(v.ID)
		if got.Views != 1 || got.Channel != v.Channel+"2" {
			t.Errorf("stored %+v", got)
		}
		return err
	})
}
