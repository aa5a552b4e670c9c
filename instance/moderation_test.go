// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"testing"

	"shoal/instance/store"
)

// TestAVideosOwnerDeletedACommentHereAlone checks that a comment that the owner of the video deletes
// goes everywhere: at its author's instance, and at those who follow.
func TestAVideosOwnerDeletedACommentHereAlone(t *testing.T) {
	a, b := pair(t)
	c := start(t, Config{Dir: t.TempDir(), Name: "C"}, nil)
	b.follow(a)
	c.follow(a)
	id := a.base.Video(a.add("of a", store.Public).UUID)
	eventually(t, "the video arrives", func() bool { return b.lists(id) && c.lists(id) })
	rude, err := b.Comment(t.Context(), id, "", "rude", "")
	if err != nil {
		t.Fatal(err)
	}
	count := func(r *running) int {
		all, err := r.Comments(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	eventually(t, "the comment arrives everywhere", func() bool { return count(a) == 1 && count(c) == 1 })
	if err := a.DeleteComment(t.Context(), rude.ID, ""); err != nil {
		t.Fatal(err)
	}
	if count(a) != 0 {
		t.Error("it is still on the video")
	}
	eventually(t, "it goes at its author's and at a follower", func() bool { return count(b) == 0 && count(c) == 0 })
	err = a.store.Read(func(tx *store.Tx) error {
		if !tx.Gone(rude.ID) {
			t.Error("it may come back")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
