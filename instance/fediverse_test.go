// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"strings"
	"testing"
	"time"

	"shoal/instance/store"
)

// wait is how long a test waits for an answer to a follow.
const wait = 20 * time.Second

// pair starts two instances.
func pair(t *testing.T) (a, b *running) {
	t.Helper()
	return start(t, Config{Dir: t.TempDir(), Name: "A"}, nil), start(t, Config{Dir: t.TempDir(), Name: "B"}, nil)
}

// follow has one instance follow another and demands that it is accepted.
func (r *running) follow(other *running) FollowInfo {
	r.t.Helper()
	f, err := r.Follow(r.t.Context(), other.base.Host(), wait)
	if err != nil || f.State != FollowAccepted {
		r.t.Fatalf("following %s: %+v, %v", other.URL(), f, err)
	}
	return f
}

// remote finds a remote video in the list by its id.
func (r *running) remote(id string) (VideoInfo, bool) {
	r.t.Helper()
	all, _, err := r.Videos(r.t.Context(), VideoQuery{Origin: OriginRemote})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, v := range all {
		if v.URL == id {
			return v, true
		}
	}
	return VideoInfo{}, false
}

func (r *running) lists(id string) bool {
	_, ok := r.remote(id)
	return ok
}

// of finds the follow of another instance's host in a list.
func of(t *testing.T, list func() ([]FollowInfo, error), other *running) (FollowInfo, bool) {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Host == other.base.Host() {
			return f, true
		}
	}
	return FollowInfo{}, false
}

func stateOf(t *testing.T, list func() ([]FollowInfo, error), other *running) string {
	t.Helper()
	f, _ := of(t, list, other)
	return f.State
}

func TestVideosCrossBetweenInstances(t *testing.T) {
	a, b := pair(t)
	before := a.add("published before", store.Public)
	b.follow(a)
	eventually(t, "the outbox is walked back", func() bool { return b.lists(a.base.Video(before.UUID)) })

	after, private := a.add("published after", store.Public), a.add("a private one", store.Private)
	id := a.base.Video(after.UUID)
	eventually(t, "the announced video arrives", func() bool { return b.lists(id) })
	if b.lists(a.base.Video(private.UUID)) {
		t.Error("a private video arrived")
	}

	title, text, tags := "edited title", "edited text", []string{"aa", "bb"}
	if _, err := a.Edit(t.Context(), after.UUID, Edit{Title: &title, Description: &text, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the edit arrives", func() bool { v, _ := b.remote(id); return v.Title == title })

	if err := b.Rate(t.Context(), id, "", 1); err != nil {
		t.Fatal(err)
	}
	likes := func(r *running, origin string) int64 {
		all, _, err := r.Videos(t.Context(), VideoQuery{Origin: origin})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range all {
			if v.URL == id {
				return v.Likes
			}
		}
		return -1
	}
	eventually(t, "the like arrives", func() bool { return likes(a, OriginLocal) == 1 })
	eventually(t, "the like comes back", func() bool { return likes(b, OriginRemote) == 1 })
	if err := b.Rate(t.Context(), id, "", 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the like is taken back", func() bool { return likes(a, OriginLocal) == 0 })

	c, err := b.Comment(t.Context(), id, "", "hello **there**", "")
	if err != nil {
		t.Fatal(err)
	}
	comments := func(r *running) []CommentInfo {
		all, err := r.Comments(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	eventually(t, "the comment arrives", func() bool { return len(comments(a)) == 1 })
	if got := comments(a)[0]; got.ID != c.ID || got.Author != "root@"+b.base.Host() || !strings.Contains(got.HTML, "hello") || got.Local {
		t.Errorf("got %+v, sent %+v", got, c)
	}
	if _, err := a.Comment(t.Context(), id, "", "an answer", c.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer arrives", func() bool { return len(comments(b)) == 2 })
	if got := comments(b)[1]; got.InReplyTo != c.ID || got.Author != "root@"+a.base.Host() {
		t.Errorf("got %+v", got)
	}
	if err := b.DeleteComment(t.Context(), c.ID, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the comment's end arrives", func() bool { return len(comments(a)) == 1 })

	hidden := Private
	if _, err := a.Edit(t.Context(), before.UUID, Edit{Privacy: &hidden}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hidden video goes", func() bool { return !b.lists(a.base.Video(before.UUID)) })
	if err := a.Delete(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deletion arrives", func() bool { return !b.lists(id) })

	last := a.add("the last one", store.Public)
	eventually(t, "the last one arrives", func() bool { return b.lists(a.base.Video(last.UUID)) })
	if err := b.Unfollow(t.Context(), a.base.Host()); err != nil {
		t.Fatal(err)
	}
	if b.lists(a.base.Video(last.UUID)) {
		t.Error("what an unfollowed instance brought is listed")
	}
	eventually(t, "the follower leaves", func() bool { return stateOf(t, a.Followers, b) == "" })
	for _, r := range []*running{a, b} {
		refused, err := r.Refusals(10)
		if err != nil || len(refused) > 0 {
			t.Errorf("%s refused %+v, %v", r.cfg.Name, refused, err)
		}
	}
}
