// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shoal/instance/publish"
	"shoal/instance/store"
)

// TestAnEndBetweenARecordAndItsFilesLeftTheFiles checks that the next start deletes the files of a video
// whose record alone was deleted, and those of no other.
func TestAnEndBetweenARecordAndItsFilesLeftTheFiles(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Config{Dir: dir}, nil)
	deleted, kept := r.add("deleted", store.Public), r.add("kept", store.Public)
	if _, err := r.forget(deleted.ID); err != nil {
		t.Fatal(err)
	}
	count := func(v *store.Video) (n int) {
		for _, path := range publish.Leftovers(v, time.Now()).Paths {
			if _, err := os.Stat(filepath.Join(dir, path)); err == nil {
				n++
			}
		}
		return n
	}
	r.stop()
	if n := count(deleted); n != 4 {
		t.Fatalf("%d files", n)
	}
	r = start(t, Config{Dir: dir}, nil)
	if count(deleted) != 0 || count(kept) != 4 {
		t.Errorf("%d files of the deleted video are left, %d of the other", count(deleted), count(kept))
	}
	if drafts, err := r.store.Drafts(); err != nil || len(drafts) > 0 {
		t.Errorf("drafts %+v, %v", drafts, err)
	}
}

func TestDeleteLeavesNoFile(t *testing.T) {
	e := &fakeEngine{}
	r := start(t, Config{Dir: t.TempDir()}, e)
	v := r.add("to be deleted", store.Public)
	kept := r.add("to be kept", store.Public)
	if _, err := r.Rename(t.Context(), v.UUID, "another title"); err != nil {
		t.Fatal(err)
	}
	v, _ = r.store.Snapshot().Video(v.ID)
	if len(v.Files[0].Old) != 1 {
		t.Fatalf("got %+v", v.Files[0])
	}
	if err := r.Delete(t.Context(), r.base.WatchPage(v.UUID), "root"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{publish.MediaDir, publish.TorrentDir, publish.ThumbnailDir, publish.PreviewDir} {
		files, err := os.ReadDir(filepath.Join(r.cfg.Dir, dir))
		if err != nil || len(files) != 1 {
			t.Errorf("%s has %v, %v", dir, files, err)
		}
	}
	if _, ok := r.Local(kept.UUID); !ok {
		t.Error("the other video went as well")
	}
	if _, ok := r.Local(v.UUID); ok || r.seed.swarm(v.Files[0].Infohash) != nil {
		t.Error("the deleted video is there still")
	}
	if res, _ := r.request(http.MethodGet, "/videos/watch/"+v.UUID, "Accept", "application/activity+json"); res.StatusCode != http.StatusGone {
		t.Errorf("the deleted video answers %s", res.Status)
	}
	if err := r.Delete(t.Context(), v.UUID, ""); err == nil || !strings.Contains(err.Error(), "there is no video") {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestEditsAreBounded(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("a title", store.Public)
	if _, err := r.AddAccount(t.Context(), "other", ""); err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	for want, e := range map[string]Edit{
		"3 to 120":          {Title: text("x")},
		"shorten it":        {Description: text(strings.Repeat("x", 10_001))},
		"at most 5":         {Tags: &[]string{"aa", "bb", "cc", "dd", "ee", "ff"}},
		"no privacy":        {Privacy: new(Privacy("secret"))},
		"does not own":      {As: "other"},
		"no account nobody": {As: "nobody"},
	} {
		if _, err := r.Edit(t.Context(), v.UUID, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for _, id := range []string{"123456", "nonsense", r.URL() + "/w/0000", "https://other.example/w/" + v.UUID} {
		if _, err := r.Edit(t.Context(), id, Edit{}); err == nil {
			t.Errorf("%s was edited", id)
		}
	}
	comments := false
	got, err := r.Edit(t.Context(), r.URL()+"/videos/watch/"+v.UUID, Edit{Title: text(" new title "), Comments: &comments, Privacy: new(Private), As: "root"})
	if err != nil || got.Title != "new title" || got.Privacy != Private {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := r.Comment(t.Context(), v.UUID, "", "text", ""); err == nil || !strings.Contains(err.Error(), "private") {
		t.Errorf("comment on a private video: %v", err)
	}
	if _, err := r.Edit(t.Context(), v.UUID, Edit{Privacy: new(Unlisted)}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Comment(t.Context(), v.UUID, "", "text", ""); err == nil || !strings.Contains(err.Error(), "takes no comments") {
		t.Errorf("comment on a closed video: %v", err)
	}
	stored, _ := r.store.Snapshot().Video(v.ID)
	if stored.Description != v.Description || !slices.Equal(stored.Tags, v.Tags) || len(stored.Files[0].Old) != 1 {
		t.Errorf("got %+v", stored)
	}
}

func TestRatesAndCommentsOfOnesOwn(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("a title", store.Public)
	info := func() VideoInfo {
		all, _, err := r.Videos(t.Context(), VideoQuery{})
		if err != nil || len(all) != 1 {
			t.Fatalf("videos %+v, %v", all, err)
		}
		return all[0]
	}
	for value, want := range map[int][2]int64{1: {1, 0}, -1: {0, 1}, 0: {0, 0}} {
		if err := r.Rate(t.Context(), v.UUID, "", value); err != nil {
			t.Fatal(err)
		}
		if got := info(); got.Likes != want[0] || got.Dislikes != want[1] {
			t.Errorf("rated %d: %+v", value, got)
		}
	}
	if err := r.Rate(t.Context(), v.UUID, "", 2); err == nil {
		t.Error("a rate of 2 was taken")
	}
	c, err := r.Comment(t.Context(), v.UUID, "root", "  <b>first</b> ", "")
	if err != nil || c.InReplyTo != r.base.Video(v.UUID) || strings.Contains(c.HTML, "<b>") {
		t.Fatalf("got %+v, %v", c, err)
	}
	answer, err := r.Comment(t.Context(), v.UUID, "", "second", c.ID)
	if err != nil || answer.InReplyTo != c.ID {
		t.Fatalf("got %+v, %v", answer, err)
	}
	for want, send := range map[string]func() error{
		"is empty":   func() error { _, err := r.Comment(t.Context(), v.UUID, "", " ", ""); return err },
		"to answer":  func() error { _, err := r.Comment(t.Context(), v.UUID, "", "x", r.URL()+"/nothing"); return err },
		"no account": func() error { _, err := r.Comment(t.Context(), v.UUID, "nobody", "x", ""); return err },
		"shorten it": func() error {
			_, err := r.Comment(t.Context(), v.UUID, "", strings.Repeat("x", 10_001), "")
			return err
		},
		"there is no c": func() error { return r.DeleteComment(t.Context(), r.URL()+"/nothing", "") },
	} {
		if err := send(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if n := info().Comments; n != 2 {
		t.Errorf("%d comments", n)
	}
	if err := r.DeleteComment(t.Context(), answer.ID, ""); err != nil {
		t.Fatal(err)
	}
	if all, err := r.Comments(t.Context(), v.UUID); err != nil || len(all) != 1 || all[0].ID != c.ID {
		t.Errorf("comments %+v, %v", all, err)
	}
}

func TestAccountsAndChannels(t *testing.T) {
	a, b := pair(t)
	acc, err := a.AddAccount(t.Context(), "ann", "Ann")
	if err != nil || acc.URL != a.URL()+"/accounts/ann" || len(acc.Channels) != 1 {
		t.Fatalf("got %+v, %v", acc, err)
	}
	ch, err := a.AddChannel(t.Context(), "films", "Films", "ann")
	if err != nil || ch.Account != "ann" {
		t.Fatalf("got %+v, %v", ch, err)
	}
	for _, name := range []string{"ann", "films", "root", "peertube", "Ann", "", "a b", strings.Repeat("x", 51)} {
		if _, err := a.AddChannel(t.Context(), name, "", ""); err == nil {
			t.Errorf("the channel %q was made", name)
		}
	}
	v := a.add("of ann", store.Public)
	c, _ := a.store.Snapshot().Channel("films")
	if err := a.store.Update(v.ID, func(v *store.Video) error { v.ChannelID = c.ID; return nil }); err != nil {
		t.Fatal(err)
	}
	f, err := b.Follow(t.Context(), "films@"+a.base.Host(), wait)
	if err != nil || f.State != FollowAccepted {
		t.Fatalf("got %+v, %v", f, err)
	}
	id := a.base.Video(v.UUID)
	eventually(t, "the channel's video comes", func() bool { return b.lists(id) })
	if all, err := a.Channels(); err != nil || len(all) != 3 || all[2].Followers != 1 || all[2].Videos != 1 {
		t.Errorf("channels %+v, %v", all, err)
	}
	if got, ok := b.remote(id); !ok || got.Channel != "films@"+a.base.Host() {
		t.Errorf("got %+v", got)
	}
	for _, err := range []error{a.RemoveAccount(t.Context(), "root"), a.RemoveAccount(t.Context(), "nobody"), a.RemoveChannel(t.Context(), "root_channel"), a.RemoveChannel(t.Context(), "none")} {
		if err == nil {
			t.Error("what must stay was removed")
		}
	}
	if err := a.RemoveAccount(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the video and its channel go", func() bool {
		gone := false
		err := b.store.Read(func(tx *store.Tx) error {
			_, video, err := tx.RemoteVideo(id)
			_, channel, err2 := tx.Actor(a.base.Channel("films"))
			gone = !video && !channel
			if err != nil {
				return err
			}
			return err2
		})
		return err == nil && gone
	})
	if _, err := a.AddAccount(t.Context(), "ann", ""); err == nil {
		t.Error("a name that others know was given again")
	}
	if all, err := a.Accounts(); err != nil || len(all) != 1 {
		t.Errorf("accounts %+v, %v", all, err)
	}
}

func TestSearchFindsRemoteVideos(t *testing.T) {
	a, b := pair(t)
	v := a.add("The wonderful Otter", store.Public)
	a.add("Something else", store.Public)
	b.follow(a)
	eventually(t, "it is found", func() bool {
		got, n, err := b.Videos(t.Context(), VideoQuery{Search: "otter"})
		return err == nil && n == 1 && got[0].URL == a.base.Video(v.UUID) && got[0].Origin == OriginRemote
	})
	seen := map[string]bool{} // in either order: they may be of one millisecond
	for page := range 2 {
		got, n, err := b.Videos(t.Context(), VideoQuery{Start: page, Count: 1})
		if err != nil || n != 2 || len(got) != 1 || seen[got[0].UUID] {
			t.Fatalf("page %d: %+v of %d, %v", page, got, n, err)
		}
		seen[got[0].UUID] = true
	}
	if !seen[v.UUID] {
		t.Error("it is on neither page")
	}
	if _, _, err := b.Videos(t.Context(), VideoQuery{Origin: "elsewhere"}); err == nil {
		t.Error("an origin that there is not")
	}
}

func TestPeopleAndProgramsAskForActors(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir(), Name: "The instance"}, nil)
	r.add("a public one", store.Public)
	r.add("an unlisted one", store.Unlisted)
	for _, path := range []string{"/accounts/root", "/video-channels/root_channel", "/accounts/peertube", "/a/root", "/c/root_channel@" + r.base.Host()} {
		res, body := r.request(http.MethodGet, path, "Accept", "text/html,*/*;q=0.8")
		if res.StatusCode != http.StatusOK || !strings.Contains(body, "a public one") || strings.Contains(body, "an unlisted one") {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	for _, path := range []string{"/accounts/nobody", "/c/nobody"} {
		if res, _ := r.request(http.MethodGet, path, "Accept", "text/html"); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	for path, kind := range map[string]string{"/accounts/root": "Person", "/video-channels/root_channel": "Group", "/accounts/peertube": "Application"} {
		for _, accept := range []string{"application/activity+json, application/ld+json", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`} {
			res, body := r.request(http.MethodGet, path, "Accept", accept)
			if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/activity+json") || !strings.Contains(body, `"`+kind+`"`) {
				t.Errorf("%s: %s %s", path, res.Header.Get("Content-Type"), body)
			}
		}
	}
}

// A comment by one follower on a third one's video reaches the other followers through its origin.
func TestCommentsAreForwarded(t *testing.T) {
	a, b := pair(t)
	c := start(t, Config{Dir: t.TempDir(), Name: "C"}, nil)
	id := a.base.Video(a.add("of a", store.Public).UUID)
	b.follow(a)
	c.follow(a)
	eventually(t, "both have the video", func() bool { return b.lists(id) && c.lists(id) })
	said, err := b.Comment(t.Context(), id, "", "hello from b", "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "c hears b through a", func() bool {
		all, err := c.Comments(t.Context(), id)
		return err == nil && len(all) == 1 && all[0].ID == said.ID && all[0].Author == "root@"+b.base.Host()
	})
	if _, err := c.Comment(t.Context(), id, "", "hello b", said.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b hears the answer", func() bool {
		all, err := b.Comments(t.Context(), id)
		return err == nil && len(all) == 2
	})
}
