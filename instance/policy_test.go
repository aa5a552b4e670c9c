// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"shoal/instance/store"
)

func (r *running) policy(followBack bool, followers string, drop bool) {
	r.t.Helper()
	got, err := r.SetPolicy(r.t.Context(), PolicyChange{FollowBack: &followBack, Followers: &followers, DropExisting: drop})
	if err != nil || got != (Policy{followBack, followers}) {
		r.t.Fatalf("policy %+v, %v", got, err)
	}
}

func TestFollowBack(t *testing.T) {
	a, b := pair(t)
	a.policy(true, FollowersAccept, false)
	b.policy(true, FollowersAccept, false) // both: no loop comes of it
	v, w := a.add("of a", store.Public), b.add("of b", store.Public)
	b.follow(a)
	eventually(t, "it follows back", func() bool { return stateOf(t, a.Following, b) == FollowAccepted })
	if f, _ := of(t, a.Following, b); !f.Auto {
		t.Errorf("got %+v", f)
	}
	eventually(t, "videos cross both ways", func() bool { return b.lists(a.base.Video(v.UUID)) && a.lists(b.base.Video(w.UUID)) })
	for _, r := range []*running{a, b} {
		following, err := r.Following()
		followers, err2 := r.Followers()
		if err := errors.Join(err, err2); err != nil || len(following) != 1 || len(followers) != 1 {
			t.Errorf("%s: following %+v, followers %+v, %v", r.cfg.Name, following, followers, err)
		}
	}
}

func TestBlacklistIsHonouredInFollowBackModeAlone(t *testing.T) {
	a, b := pair(t)
	a.policy(true, FollowersAccept, false)
	if err := a.BlacklistAdd("http://" + strings.ToUpper(b.base.Host()) + "/"); err != nil {
		t.Fatal(err)
	}
	if got := a.Blacklist(); len(got) != 1 || got[0] != b.base.Host() {
		t.Errorf("blacklist %v", got)
	}
	v := a.add("of a", store.Public)
	b.follow(a) // accepted all the same
	eventually(t, "videos come", func() bool { return b.lists(a.base.Video(v.UUID)) })
	if got := stateOf(t, a.Following, b); got != "" {
		t.Errorf("a blacklisted host is followed back: %s", got)
	}
	if err := errors.Join(a.BlacklistRemove(b.base.Host()), b.Unfollow(t.Context(), a.base.Host())); err != nil {
		t.Fatal(err)
	}
	b.follow(a)
	eventually(t, "off the blacklist it is followed back", func() bool { return stateOf(t, a.Following, b) == FollowAccepted })
	if err := errors.Join(a.Unfollow(t.Context(), b.base.Host()), a.BlacklistAdd(b.base.Host())); err != nil {
		t.Fatal(err)
	}
	a.follow(b) // by hand it may be followed
}

// TestARejectionWasUndoneByItsFollower checks that who was rejected by hand stays so, also after it
// ended its follow, or was deleted, and follows anew.
func TestARejectionWasUndoneByItsFollower(t *testing.T) {
	a, b := pair(t)
	b.follow(a)
	if err := a.RejectFollower(t.Context(), b.base.Host()); err != nil {
		t.Fatal(err)
	}
	again := func(how string) {
		t.Helper()
		eventually(t, "there is no follow: "+how, func() bool { return stateOf(t, a.Followers, b) == "" })
		if f, err := b.Follow(t.Context(), a.base.Host(), wait); err != nil || f.State != FollowRejected {
			t.Errorf("%s: %+v, %v", how, f, err)
		}
		eventually(t, "the answer is kept: "+how, func() bool { return stateOf(t, a.Followers, b) == FollowRejected })
	}
	eventually(t, "it is rejected", func() bool { return stateOf(t, b.Following, a) == FollowRejected })
	if err := b.Unfollow(t.Context(), a.base.Host()); err != nil {
		t.Fatal(err)
	}
	again("after an Undo")
	if err := a.store.Write("testing", func(tx *store.Tx) error { return tx.DeleteActor(b.ActorURL()) }); err != nil {
		t.Fatal(err)
	}
	again("after it was deleted")
	if err := a.Approve(t.Context(), b.base.Host()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is approved", func() bool { return stateOf(t, b.Following, a) == FollowAccepted })
	if err := b.Unfollow(t.Context(), a.base.Host()); err != nil {
		t.Fatal(err)
	}
	b.follow(a)
}

func TestApprovalByHand(t *testing.T) {
	a, b := pair(t)
	a.policy(true, FollowersApprove, false)
	v := a.add("of a", store.Public)
	f, err := b.Follow(t.Context(), a.URL(), 0)
	if err != nil || f.State != FollowPending {
		t.Fatalf("got %+v, %v", f, err)
	}
	eventually(t, "the follower waits", func() bool { return stateOf(t, a.Followers, b) == FollowPending })
	if got := stateOf(t, a.Following, b); got != "" {
		t.Errorf("who waits is followed back: %s", got)
	}
	if err := a.RejectFollower(t.Context(), b.base.Host()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is rejected", func() bool { return stateOf(t, b.Following, a) == FollowRejected })
	if f, _ := of(t, b.Following, a); f.Reason == "" {
		t.Errorf("no reason in %+v", f)
	}
	a.policy(true, FollowersAccept, false)
	if f, err = b.Follow(t.Context(), a.base.Host(), wait); err != nil || f.State != FollowRejected {
		t.Errorf("who was rejected by hand and follows again: %+v, %v", f, err)
	}
	if err := a.Approve(t.Context(), b.base.Host()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is accepted", func() bool { return stateOf(t, b.Following, a) == FollowAccepted })
	eventually(t, "it is followed back", func() bool { return stateOf(t, a.Following, b) == FollowAccepted })
	eventually(t, "videos come", func() bool { return b.lists(a.base.Video(v.UUID)) })
	if err := a.RejectFollower(t.Context(), b.base.Host()); err != nil { // who was accepted is dropped
		t.Fatal(err)
	}
	eventually(t, "it is dropped", func() bool { return stateOf(t, b.Following, a) == FollowRejected })
	eventually(t, "its videos leave the list", func() bool { return !b.lists(a.base.Video(v.UUID)) })
}

func TestRejectAll(t *testing.T) {
	a, b := pair(t)
	c := start(t, Config{Dir: t.TempDir(), Name: "C"}, nil)
	b.follow(a)
	a.policy(false, FollowersReject, false) // who follows already is kept
	if f, err := c.Follow(t.Context(), a.base.Host(), wait); err != nil || f.State != FollowRejected {
		t.Errorf("a new follower: %+v, %v", f, err)
	}
	if got := stateOf(t, a.Followers, b); got != FollowAccepted {
		t.Errorf("the follower that was to be kept is %s", got)
	}
	if _, err := a.SetPolicy(t.Context(), PolicyChange{Followers: new("accept"), DropExisting: true}); err == nil {
		t.Error("followers were dropped with a policy that accepts")
	}
	a.policy(false, FollowersReject, true)
	eventually(t, "the follower is dropped", func() bool { return stateOf(t, b.Following, a) == FollowRejected })
	a.policy(false, FollowersAccept, false)
	for _, r := range []*running{b, c} { // no person rejected them
		r.follow(a)
	}
}

func TestFullBlock(t *testing.T) {
	a, b := pair(t)
	v := a.add("of a", store.Public)
	id := a.base.Video(v.UUID)
	b.follow(a)
	a.follow(b)
	eventually(t, "the video comes", func() bool { return b.lists(id) })
	if err := b.Block(t.Context(), a.URL(), "a reason"); err != nil {
		t.Fatal(err)
	}
	if b.lists(id) {
		t.Error("a blocked host's video is listed")
	}
	err := b.store.Read(func(tx *store.Tx) error {
		_, video, err := tx.RemoteVideo(id)
		_, actor, err2 := tx.Actor(a.ActorURL())
		if video || actor {
			t.Error("a blocked host's content is kept")
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	if stateOf(t, b.Following, a) != "" || stateOf(t, b.Followers, a) != "" {
		t.Error("follows of a blocked host stay")
	}
	eventually(t, "it is told", func() bool {
		return stateOf(t, a.Following, b) == FollowRejected && stateOf(t, a.Followers, b) == ""
	})
	f, err := a.Follow(t.Context(), b.base.Host(), wait)
	if err == nil && (f.State != FollowFailed || !strings.Contains(f.Reason, "403")) {
		t.Errorf("a blocked host follows: %+v", f)
	}
	if _, err := b.Follow(t.Context(), a.base.Host(), wait); err == nil || !strings.Contains(err.Error(), "blocked") {
		t.Errorf("following a blocked host: %v", err)
	}
	blocks, err := b.Blocks()
	if err != nil || len(blocks) != 1 || blocks[0].Host != a.base.Host() || blocks[0].Reason != "a reason" {
		t.Errorf("blocks %+v, %v", blocks, err)
	}
	if err := b.Unblock(t.Context(), a.base.Host()); err != nil {
		t.Fatal(err)
	}
	b.follow(a)
	eventually(t, "the video comes again", func() bool { return b.lists(id) })
}

// TestABlockTookWhatWasSaidOutOfHand checks that what was said about a blocked host's videos is taken
// back there too, and can be said anew after the block.
func TestABlockTookWhatWasSaidOutOfHand(t *testing.T) {
	a, b := pair(t)
	id := a.base.Video(a.add("of a", store.Public).UUID)
	b.follow(a)
	eventually(t, "the video comes", func() bool { return b.lists(id) })
	say := func() {
		t.Helper()
		if err := b.Rate(t.Context(), id, "", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Comment(t.Context(), id, "", "words", ""); err != nil {
			t.Fatal(err)
		}
	}
	heard := func() (likes int64, comments int) {
		t.Helper()
		all, _, err := a.Videos(t.Context(), VideoQuery{Origin: OriginLocal})
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		words, err := a.Comments(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Likes, len(words)
	}
	is := func(likes int64, comments int) func() bool {
		return func() bool { l, c := heard(); return l == likes && c == comments }
	}
	say()
	eventually(t, "it is heard", is(1, 1))
	if err := b.Block(t.Context(), a.base.Host(), ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is taken back", is(0, 0))
	if err := b.Unblock(t.Context(), a.base.Host()); err != nil {
		t.Fatal(err)
	}
	b.follow(a)
	eventually(t, "the video comes again", func() bool { return b.lists(id) })
	say()
	eventually(t, "it is heard again", is(1, 1))

	// The other side forgets: what is said once more is sent once more.
	if err := errors.Join(a.Block(t.Context(), b.base.Host(), ""), a.Unblock(t.Context(), b.base.Host())); err != nil {
		t.Fatal(err)
	}
	if l, c := heard(); l != 0 || c != 0 {
		t.Fatalf("%d likes and %d comments are left", l, c)
	}
	say()
	eventually(t, "it is heard once more", is(1, 1))
}

func TestBlockListsComeAndGo(t *testing.T) {
	a, b := pair(t)
	id := b.base.Video(b.add("of b", store.Public).UUID)
	a.follow(b)
	eventually(t, "the video comes", func() bool { return a.lists(id) })
	csv := "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n" +
		b.base.Host() + ",suspend,,,spam,\nquiet.example,silence,,,,\n" + a.base.Host() + ",suspend,,,,\n"
	n, err := a.ImportBlocks(t.Context(), strings.NewReader(csv))
	if err != nil || n != (BlockImport{Blocked: 1, Skipped: 2}) {
		t.Fatalf("imported %+v, %v", n, err)
	}
	if a.lists(id) {
		t.Error("the video of an imported host is listed")
	}
	var text, table strings.Builder
	if err := errors.Join(a.ExportBlocks(&text, ""), a.ExportBlocks(&table, BlocksCSV)); err != nil {
		t.Fatal(err)
	}
	if text.String() != b.base.Host()+" # spam\n" || !strings.Contains(table.String(), b.base.Host()+",suspend") {
		t.Errorf("exported %q and %q", text.String(), table.String())
	}
	if err := a.Unblock(t.Context(), b.base.Host()); err != nil {
		t.Fatal(err)
	}

	list := b.base.Host() + "\nother.example\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(list)) }))
	defer server.Close()
	if n, err = a.SubscribeBlocks(t.Context(), server.URL); err != nil || n.Blocked != 2 {
		t.Fatalf("subscribed %+v, %v", n, err)
	}
	if err := a.Unblock(t.Context(), b.base.Host()); err == nil || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("unblocking what a list blocks: %v", err)
	}
	list = "other.example\n"
	if _, err = a.SubscribeBlocks(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	blocks, err := a.Blocks()
	if err != nil || len(blocks) != 1 || blocks[0].Host != "other.example" || blocks[0].List != server.URL {
		t.Errorf("blocks %+v, %v", blocks, err)
	}
	subs, err := a.BlockSubscriptions()
	if err != nil || len(subs) != 1 || subs[0].Hosts != 1 || time.Since(subs[0].Checked) > time.Hour {
		t.Errorf("subscriptions %+v, %v", subs, err)
	}
	if err := a.UnsubscribeBlocks(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	if blocks, err = a.Blocks(); err != nil || len(blocks) > 0 {
		t.Errorf("blocks %+v, %v", blocks, err)
	}
	a.follow(b)
	eventually(t, "the video comes again", func() bool { return a.lists(id) })
}
