// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"shoal/app/core"
	"shoal/instance"
	"shoal/peer/peertube"
)

// openTab shows a tab of the instance page.
func (r *rig) openTab(i int) *instancePage {
	r.t.Helper()
	r.w.goTo(placeInstance)
	r.w.instance.show(i)
	return r.w.instance
}

// shows waits until words are shown on the instance page.
func (r *rig) shows(words string) {
	r.t.Helper()
	r.until(words, func() bool { return findText(r.w.instance.body, words) })
}

func typeKey(o fyne.Focusable, k fyne.KeyName) { o.TypedKey(&fyne.KeyEvent{Name: k}) }

func TestInstancePageIsEmptyAtFirst(t *testing.T) {
	r := newRig(t, withInstance)
	for tab, words := range map[int]string{
		tabVideos: "You have not published anything yet", tabFollowing: "You do not follow anybody yet", tabFollowers: "Nobody follows you yet",
		tabBlocks: "Nobody is blocked", tabQueue: "Everything is delivered", tabRefused: "Nothing was refused",
	} {
		r.openTab(tab)
		r.shows(words)
	}
	r.openTab(tabFollowing)
	r.shoot("instance-following-empty")
}

func TestFollowing(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	now := time.Now()
	f.following = []instance.FollowInfo{
		{Target: "https://a.example/accounts/peertube", Handle: "a.example", Host: "a.example", Name: "Films of A", State: instance.FollowAccepted, Updated: now.Add(-time.Hour), Auto: true},
		{Target: "https://b.example/accounts/peertube", Handle: "b.example", Host: "b.example", State: instance.FollowFailed, Reason: "their server answered 403: invalid signature", Updated: now},
		{Target: "https://c.example/video-channels/sea", Handle: "sea@c.example", Name: "Sea Life", State: instance.FollowRejected, Reason: "they take no followers", Updated: now},
		{Target: "https://d.example/accounts/peertube", Handle: "d.example", State: instance.FollowPending, Updated: now},
	}
	page := r.openTab(tabFollowing)
	p := page.following
	for _, words := range []string{"a.example", "Accepted · Films of A · followed back", "Failed: their server answered 403: invalid signature", "Rejected: they take no followers", "Waiting for the answer"} {
		r.shows(words)
	}
	r.shoot("instance-following")

	test.Tap(p.button)
	if !strings.Contains(p.notice.shown(), "Write whom to follow") {
		t.Errorf("nothing to follow: %q", p.notice.shown())
	}
	f.hold = make(chan struct{})
	f.answer = instance.FollowInfo{Target: "https://e.example/accounts/peertube", Handle: "e.example", State: instance.FollowAccepted, Updated: now}
	p.entry.SetText("e.example")
	p.entry.OnSubmitted(p.entry.Text)
	if p.button.Text != "Cancel" || !findText(page.body, "Waiting for the answer of e.example") {
		t.Error("nothing says that it waits")
	}
	r.shoot("instance-following-wait")
	close(f.hold)
	r.shows("You follow e.example now.")
	r.until("the new line", func() bool { return len(p.list.lines) == 5 })
	if p.entry.Text != "" || p.button.Text != "Follow" {
		t.Error("the form is not ready for the next one")
	}

	p.do(p.list.lines[1], actRetry)
	r.until("the retry", func() bool { return f.noted("retry https://b.example/accounts/peertube") })

	typeKey(p.list, fyne.KeyDelete)
	r.shoot("instance-unfollow")
	test.Tap(findButton(t, r.dialogOf(), "Cancel"))
	if len(f.following) != 5 {
		t.Error("Cancel unfollows")
	}
	typeKey(p.list, fyne.KeyDelete)
	test.Tap(findButton(t, r.dialogOf(), "Unfollow"))
	r.until("unfollowing", func() bool { return f.noted("unfollow https://a.example/accounts/peertube") && len(p.list.lines) == 4 })

	f.fail = errors.New("the instance nowhere.example cannot be reached: check its name")
	p.entry.SetText("nowhere.example")
	p.press()
	r.until("the reason", func() bool { return strings.HasPrefix(p.notice.shown(), "The instance nowhere.example") })
	if p.entry.Text == "" {
		t.Error("what was typed is gone")
	}
	r.shoot("instance-following-error")
}

func TestManualApproval(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	f.followers = []instance.FollowInfo{
		{Target: "https://old.example/accounts/peertube", Handle: "old.example", Name: "Old friends", State: instance.FollowAccepted, Updated: time.Now().Add(-40 * 24 * time.Hour)},
		{Target: "https://a.example/accounts/peertube", Handle: "a.example", State: instance.FollowPending, Updated: time.Now()},
		{Target: "https://b.example/accounts/peertube", Handle: "b.example", State: instance.FollowPending, Updated: time.Now()},
	}
	page := r.openTab(tabPolicy)
	r.until("the policy", func() bool { return page.policy.followers.Selected != "" })
	page.policy.followers.SetSelected(policyWords()[1])
	r.until("manual approval", func() bool { return f.noted("policy followers=approve drop=false") })

	page.show(tabFollowers)
	r.shows("Waits for your answer")
	r.until("the number at the tab", func() bool { return page.tabs.entries[tabFollowers].count.words == "2" })
	r.shoot("instance-followers")
	p := page.followers
	if p.list.lines[0].title != "a.example" || p.list.lines[2].title != "old.example" {
		t.Errorf("who waits does not stand first: %v", p.list.lines)
	}
	test.Tap(findButton(t, p.list, "Accept"))
	r.until("accepting", func() bool { return f.noted("approve https://a.example/accounts/peertube") })
	r.until("one to wait", func() bool {
		return page.tabs.entries[tabFollowers].count.words == "1" && p.list.lines[0].title == "b.example"
	})
	test.Tap(findButton(t, p.list, "Reject"))
	r.until("rejecting", func() bool { return f.noted("reject https://b.example/accounts/peertube") })
	r.until("nobody to wait", func() bool { return page.tabs.entries[tabFollowers].count.words == "" && !p.busy })

	p.do(p.list.lines[0], actRemove)
	test.Tap(findButton(t, r.dialogOf(), "Remove"))
	r.until("removing", func() bool { return f.noted("reject https://old.example/accounts/peertube") })
}

func TestRejectAllAsksAboutThoseThere(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	page := r.openTab(tabPolicy)
	p := page.policy
	r.until("the policy", func() bool { return p.followers.Selected == policyWords()[0] })
	r.shoot("instance-policy")
	p.followers.SetSelected(policyWords()[2])
	r.shoot("instance-reject-all")
	typeKey(r.w.win.Canvas().Focused(), fyne.KeyEscape)
	if r.dialogOf() != nil || p.followers.Selected != policyWords()[0] || len(f.notes) != 0 {
		t.Errorf("Escape leaves %q, %v", p.followers.Selected, f.notes)
	}
	p.followers.SetSelected(policyWords()[2])
	test.Tap(findButton(t, r.dialogOf(), "Keep them"))
	r.until("rejecting the new ones", func() bool {
		return f.noted("policy followers=reject drop=false") && !p.changing
	})
	p.followers.SetSelected(policyWords()[0])
	r.until("accepting again", func() bool { return f.noted("policy followers=accept drop=false") && !p.changing })
	p.followers.SetSelected(policyWords()[2])
	test.Tap(findButton(t, r.dialogOf(), "Turn them away"))
	r.until("rejecting all", func() bool { return f.noted("policy followers=reject drop=true") && !p.changing })

	f.fail = errors.New("the disk is full: free some space")
	p.followers.SetSelected(policyWords()[1])
	r.until("the reason", func() bool { return p.notice.shown() == "The disk is full: free some space." })
	if p.followers.Selected != policyWords()[2] {
		t.Error("what was not saved is shown")
	}
}

func TestFollowBack(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	p := r.openTab(tabPolicy).policy
	r.until("the policy", func() bool { return p.followers.Selected != "" })
	test.Tap(p.back)
	r.until("following back", func() bool { return f.noted("policy back=true") && !p.changing })
	r.shows("Saved.")
	test.Tap(p.back)
	r.until("not following back", func() bool { return f.noted("policy back=false") })
}

func TestBlocks(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	page := r.openTab(tabBlocks)
	p := page.blocks
	r.shows("Nobody is blocked")
	r.shoot("instance-blocks-empty")
	test.Tap(p.button)
	if p.notice.shown() == "" {
		t.Error("nothing says that the host is missing")
	}

	p.entry.SetText("bad.example")
	p.reason.SetText("spam")
	test.Tap(p.button)
	r.shoot("instance-block")
	test.Tap(findButton(t, r.dialogOf(), "Block"))
	r.until("the block", func() bool { return f.noted(`block bad.example "spam"`) })
	r.shows("Blocked: spam")

	p.kind.SetSelectedIndex(1)
	if p.reason.Visible() && findText(page.body, "Why") {
		t.Error("the blacklist asks for a reason")
	}
	p.entry.SetText("busy.example")
	test.Tap(p.button)
	r.until("the blacklist", func() bool { return f.noted("blacklist busy.example") })
	r.shows("Never followed back")

	p.kind.SetSelectedIndex(2)
	p.entry.SetText("https://lists.example/blocks.csv")
	test.Tap(p.button)
	r.until("the list", func() bool { return f.noted("subscribe https://lists.example/blocks.csv") })
	r.shows("Shared list · 12 hosts")
	r.shows("12 hosts are blocked now")
	r.until("all three", func() bool { return len(p.list.lines) == 3 })
	r.shoot("instance-blocks")

	p.importFrom(io.NopCloser(strings.NewReader("a.example\nb.example\n")))
	r.shows("2 hosts are blocked now")
	for name, want := range map[string]string{"blocks.txt": "export text", "blocks.CSV": "export csv"} {
		var file closableBuffer
		p.exportTo(&file, name)
		r.until("the export", func() bool { return f.noted(want) && findText(page.body, "Wrote "+name) })
		if file.String() != "bad.example\n" || !file.closed {
			t.Errorf("%s: %q, closed %v", name, file.String(), file.closed)
		}
	}

	typeKey(p.list, fyne.KeyDelete)
	r.until("the subscription's end", func() bool { return f.noted("unsubscribe https://lists.example/blocks.csv") && len(p.list.lines) == 2 })
	typeKey(p.list, fyne.KeyDelete)
	r.until("the blacklist's end", func() bool { return f.noted("unlist busy.example") && len(p.list.lines) == 1 })
	typeKey(p.list, fyne.KeyReturn)
	test.Tap(findButton(t, r.dialogOf(), "Unblock"))
	r.until("unblocking", func() bool { return f.noted("unblock bad.example") && p.empty })
}

type closableBuffer struct {
	bytes.Buffer
	closed bool
}

func (b *closableBuffer) Close() error { b.closed = true; return nil }

func TestDeliveryQueue(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	f.queue = []instance.QueueHost{
		{Host: "slow.example", Depth: 3, Next: time.Now().Add(10*time.Minute + 5*time.Second), LastError: "the server answered 502: it is not well"},
		{Host: "fast.example", Depth: 1},
	}
	page := r.openTab(tabQueue)
	for _, words := range []string{"slow.example", "3 waiting · the server answered 502", "in 10 min", "4 deliveries wait."} {
		r.shows(words)
	}
	r.until("the number at the tab", func() bool { return page.tabs.entries[tabQueue].count.words == "4" })
	r.shoot("instance-queue")
	test.Tap(findButton(t, page.queue.list, "Retry"))
	r.until("the retry", func() bool { return f.noted(`retry queue "slow.example"`) })
	test.Tap(findButton(t, page.body, "Retry all"))
	r.until("the retry of all", func() bool { return f.noted(`retry queue ""`) })
	f.locked(func() { f.queue = nil })
	page.look()
	r.shows("Everything is delivered")
}

func TestRefusals(t *testing.T) {
	r := newRig(t, withInstance)
	r.pub.refusals = []instance.Refusal{
		{At: time.Now(), Actor: "https://evil.example/accounts/x", Type: "Update", ID: "https://evil.example/u/1", Reason: "the video belongs to good.example, so evil.example may not change it"},
		{At: time.Now().Add(-time.Hour), Host: "odd.example", Type: "Create", ID: "https://odd.example/c/1", Reason: "the video has no channel"},
	}
	p := r.openTab(tabRefused).refused
	r.shows("The video belongs to good.example, so evil.example may not change it.")
	r.shows("Update by https://evil.example/accounts/x")
	r.shoot("instance-refused")
	typeKey(p.list, fyne.KeyReturn)
	if !findText(r.dialogOf(), "https://evil.example/u/1") {
		t.Error("the details lack the id")
	}
	r.shoot("instance-refused-details")
	typeKey(r.w.win.Canvas().Focused(), fyne.KeyReturn)
	if r.dialogOf() != nil {
		t.Error("Enter does not close the details")
	}
}

func TestOwnVideosAreChanged(t *testing.T) {
	r := newRig(t, withInstance)
	f := &r.pub.fakeFederation
	f.videos = []instance.VideoInfo{
		{UUID: "1", URL: "https://my.example/videos/watch/1", Title: "Herring", Channel: "root_channel@my.example", Origin: instance.OriginLocal, Privacy: instance.Public, Published: time.Now(), Views: 12, Likes: 1, Comments: 2},
		{UUID: "2", URL: "https://my.example/videos/watch/2", Title: "A draft", Channel: "root_channel@my.example", Origin: instance.OriginLocal, Privacy: instance.Private, Published: time.Now().Add(-50 * time.Hour)},
		{UUID: "3", URL: "https://a.example/videos/watch/3", Title: "Tide pools", Channel: "sea@a.example", Host: "a.example", Origin: instance.OriginRemote, Published: time.Now()},
	}
	f.comments = []instance.CommentInfo{
		{ID: "https://a.example/c/1", Author: "ann@a.example", AuthorName: "Ann", Text: "How did you film this?", Created: time.Now()},
		{ID: "https://a.example/c/2", Author: "bob@a.example", Deleted: true, Created: time.Now()},
	}
	r.program.resolve = func(context.Context, string) (core.Resolved, error) {
		v := &peertube.VideoDetails{CommentsEnabled: true}
		v.Description, v.Tags = "About herring", []string{"fish"}
		return core.Resolved{Kind: core.KindVideo, Video: v}, nil
	}
	page := r.openTab(tabVideos)
	p := page.videos
	r.shows("Public · root_channel@my.example · 12 views · 1 like · 0 dislikes · 2 comments")
	r.shows("2 videos")
	r.shoot("instance-videos")

	p.do(p.list.lines[0], actEdit)
	r.until("the form", func() bool { return r.dialogOf() != nil })
	r.shoot("instance-edit")
	test.Tap(findButton(t, r.dialogOf(), "Save"))
	if r.dialogOf() != nil || len(f.notes) != 0 {
		t.Error("saving nothing changes something")
	}
	form := newEditForm(f.videos[0])
	form.fill("About herring", []string{"fish"}, true)
	form.title.SetText("Herring at sea")
	form.tags.SetText("fish, sea")
	form.comments.SetChecked(false)
	p.save(f.videos[0], form)
	r.until("the edit", func() bool { return f.noted("edit 1 title=Herring at sea tags=[fish sea] comments=false") })
	form = newEditForm(f.videos[1])
	form.privacy.SetSelectedIndex(0)
	p.save(f.videos[1], form)
	r.until("the publication", func() bool { return f.noted("edit 2 privacy=public") })

	p.do(p.list.lines[0], actComments)
	r.until("the comments", func() bool { return findText(r.dialogOf(), "How did you film this?") })
	r.shoot("instance-comments")
	test.Tap(findButton(t, r.dialogOf(), "Delete"))
	r.until("the question", func() bool { return findText(r.dialogOf(), "Delete this comment?") })
	if f.noted("delete comment https://a.example/c/1") {
		t.Error("a comment is deleted without a question")
	}
	test.Tap(findButton(t, r.dialogOf(), "Delete"))
	r.until("the comment's end", func() bool { return f.noted("delete comment https://a.example/c/1") })
	r.w.instance.escape()
	if r.dialogOf() != nil {
		t.Error("Escape leaves the comments")
	}

	p.do(p.list.lines[0], actDelete)
	r.shoot("instance-delete")
	test.Tap(findButton(t, r.dialogOf(), "Delete"))
	r.until("the video's end", func() bool { return f.noted("delete 1") && len(p.list.lines) == 1 })

	p.origin.SetSelectedIndex(1)
	r.shows("Tide pools")
	test.Tap(findButton(t, p.list, "Watch"))
	r.until("the video to be opened", func() bool { return r.program.noted("resolve https://a.example/videos/watch/3") })
}

func TestInstanceTabsByKeyboard(t *testing.T) {
	r := newRig(t, withInstance)
	page := r.openTab(tabVideos)
	typeKey(page.tabs.entries[tabFollowers], fyne.KeySpace)
	if page.tabs.chosen != tabFollowers {
		t.Error("Space does not choose a tab")
	}
	r.w.stepTab(-1)
	if page.tabs.chosen != tabFollowing {
		t.Error("the tab before is not shown")
	}
	for range tabPolicy {
		r.w.stepTab(1)
	}
	if page.tabs.chosen != tabPublish {
		t.Errorf("after a round, tab %d is shown", page.tabs.chosen)
	}
}

func TestTheKeyboardComesFromTheFormToTheList(t *testing.T) {
	r := newRig(t, withInstance)
	r.pub.following = []instance.FollowInfo{{Target: "https://a.example/accounts/peertube", Handle: "a.example", State: instance.FollowAccepted}}
	p := r.openTab(tabFollowing).following
	r.shows("a.example")
	c := r.w.win.Canvas()
	c.Focus(p.entry)
	for _, want := range []fyne.Focusable{p.button, p.list} {
		c.FocusNext()
		if c.Focused() != want {
			t.Fatalf("the keyboard came to %T", c.Focused())
		}
	}
	typeKey(p.list, fyne.KeyDelete)
	typeKey(c.Focused(), fyne.KeyEscape)
	if r.dialogOf() != nil || c.Focused() != p.list {
		t.Errorf("after Escape the keyboard is at %T", c.Focused())
	}
}
