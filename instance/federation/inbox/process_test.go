// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shoal/instance/federation/fetch"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/resolve"
	"shoal/instance/store"
)

// PeerTube gives a Like the same id each time, as it does the Undo.
func TestSameIdsTakeEffectEachTime(t *testing.T) {
	h := newWorld(t, options{})
	like := func(at int) map[string]any {
		a := activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo)
		a["published"] = time.Unix(int64(at), 0).UTC()
		return a
	}
	for i, want := range []int{1, 0, 1} {
		if want == 1 {
			h.by(goodAlice, like(i))
		} else {
			h.by(goodAlice, activity("Undo", goodAlice, goodAlice+"/likes/1/undo", like(0)))
		}
		if n := h.counts(oursVideo); n.Likes != want {
			t.Errorf("step %d: %+v", i, n)
		}
	}
}

func TestUndoByIdAlone(t *testing.T) {
	h := newWorld(t, options{})
	h.by(goodInstance, activity("Announce", goodInstance, good+"/a/1", goodVideo))
	h.by(goodAlice, activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo))
	h.by(evilAlice, activity("Undo", evilAlice, evil+"/n/1", goodAlice+"/likes/1"))
	if n := h.counts(oursVideo); n.Likes != 1 {
		t.Errorf("counts %+v", n)
	}
	h.by(goodAlice, activity("Undo", goodAlice, good+"/n/2", goodAlice+"/likes/1"))
	h.by(goodInstance, activity("Undo", goodInstance, good+"/n/3", good+"/a/1"))
	if n := h.counts(oursVideo); n.Likes != 0 {
		t.Errorf("counts %+v", n)
	}
	v := h.video(goodVideo)
	if v == nil || slices.Contains(v.Sources, goodInstance) || h.counts(goodVideo).Shares != 0 {
		t.Errorf("got %+v", v)
	}
	h.by(goodAlice, activity("Undo", goodAlice, good+"/n/4", good+"/follows/1"))
	if got := h.follows.types(); !slices.Contains(got, "Undo") {
		t.Errorf("handled %q", got)
	}
}

// A video that is made private is deleted, and comes back under its id when it is public again.
func TestVideoComesBack(t *testing.T) {
	h := newWorld(t, options{})
	h.by(goodChannel, activity("Announce", goodChannel, good+"/a/1", goodVideo))
	h.by(goodCarol, activity("Create", goodCarol, good+"/c/1", noteDoc(good+"/comments/1", goodCarol, goodVideo, "x")))
	h.by(goodAlice, activity("Delete", goodAlice, good+"/d/1", goodVideo))
	if h.video(goodVideo) != nil || h.comment(good+"/comments/1") != nil {
		t.Fatal("it is there still")
	}
	// An update that was under way does not bring it back while it is gone.
	h.docs.mu.Lock()
	was := h.docs.m[goodVideo]
	delete(h.docs.m, goodVideo)
	h.docs.mu.Unlock()
	h.by(goodAlice, activity("Update", goodAlice, good+"/u/1", videoDoc(goodVideo, "Late")))
	if h.video(goodVideo) != nil {
		t.Error("an update brought it back")
	}
	h.docs.mu.Lock()
	h.docs.m[goodVideo] = was
	h.docs.mu.Unlock()
	again := activity("Announce", goodChannel, good+"/a/1", goodVideo)
	again["published"] = "2026-11-22T17:00:00.000Z"
	h.by(goodChannel, again)
	if h.video(goodVideo) == nil {
		t.Errorf("it did not come back: %q", h.refusals())
	}
	h.read(func(tx *store.Tx) {
		if tx.Gone(goodVideo) {
			t.Error("its tombstone stands")
		}
	})
}

func TestUpdateByOwner(t *testing.T) {
	h := newWorld(t, options{})
	h.by(goodChannel, activity("Announce", goodChannel, good+"/a/1", goodVideo))
	for i, actor := range []string{goodAlice, goodChannel, goodInstance} {
		title := fmt.Sprintf("Title %d", i)
		h.by(actor, activity("Update", actor, fmt.Sprintf("%s/u/%d", good, i), videoDoc(goodVideo, title)))
		if v := h.video(goodVideo); v == nil || v.Title != title {
			t.Errorf("by %s: %+v %q", actor, v, h.refusals())
		}
	}
	// One that is older than what is stored changes nothing.
	old := videoDoc(goodVideo, "Old")
	old["updated"] = "2026-11-22T15:30:17.000Z"
	h.by(goodAlice, activity("Update", goodAlice, good+"/u/9", old))
	if v := h.video(goodVideo); v.Title != "Title 2" {
		t.Errorf("got %q", v.Title)
	}
	// One that moves it to another channel is asked of its host.
	moved := videoDoc(goodVideo, "Moved")
	moved["attributedTo"] = []any{map[string]any{"type": "Group", "id": good + "/video-channels/carol_channel"}}
	h.docs.put(good+"/video-channels/carol_channel", actorDoc(good+"/video-channels/carol_channel", keyPEM(testKey())))
	h.by(goodAlice, activity("Update", goodAlice, good+"/u/10", moved))
	if v := h.video(goodVideo); v.Title != "A good video" || v.Channel != goodChannel {
		t.Errorf("got %q of %s", v.Title, v.Channel)
	}
}

func TestCommentsAreRefusedWhereTheyAreDisabled(t *testing.T) {
	h := newWorld(t, options{})
	h.write(func(tx *store.Tx) error {
		v, _ := h.store.Snapshot().VideoByUUID(videoUUID)
		return tx.UpdateVideo(v.ID, func(v *store.Video) error { v.CommentsDisabled = true; return nil })
	})
	closed := videoDoc(goodVideo, "Closed")
	closed["commentsPolicy"] = 2
	h.docs.put(goodVideo, closed)
	h.by(goodChannel, activity("Announce", goodChannel, good+"/a/1", goodVideo))
	for i, video := range []string{oursVideo, goodVideo} {
		id := fmt.Sprintf("%s/comments/%d", good, i)
		h.by(goodCarol, activity("Create", goodCarol, id+"/activity", noteDoc(id, goodCarol, video, "x")))
		if h.comment(id) != nil || len(h.refusals()) != i+1 || !strings.Contains(h.refusals()[0], "disabled") {
			t.Errorf("on %s: %q", video, h.refusals())
		}
	}
	if got := h.queue.messages(); len(got) != 0 {
		t.Errorf("went out: %+v", got)
	}
	// On a video that is not known here: passed over.
	h.by(goodCarol, activity("Create", goodCarol, good+"/c/9", noteDoc(good+"/comments/9", goodCarol, good+"/videos/watch/11111111-2222-4333-8444-777777777777", "x")))
	if len(h.refusals()) != 2 {
		t.Errorf("%q", h.refusals())
	}
}

// A reply brings the comments above it; threads without an end are refused.
func TestThreads(t *testing.T) {
	h := newWorld(t, options{})
	id := func(i int) string { return fmt.Sprintf("%s/comments/%d", good, i) }
	h.docs.put(id(1), noteDoc(id(1), goodAlice, oursVideo, "first <script>alert(1)</script> **bold**"))
	h.docs.put(id(2), noteDoc(id(2), goodCarol, id(1), "second"))
	h.by(goodAlice, activity("Create", goodAlice, good+"/c/3", noteDoc(id(3), goodAlice, id(2), "third")))
	for i := 1; i <= 3; i++ {
		c := h.comment(id(i))
		if c == nil || c.Thread != id(1) || c.Video != oursVideo || strings.Contains(c.HTML, "script") {
			t.Errorf("comment %d: %+v %q", i, c, h.refusals())
		}
	}
	// A circle, and one that goes on for ever.
	h.docs.put(id(10), noteDoc(id(10), goodAlice, id(11), "x"))
	h.docs.put(id(11), noteDoc(id(11), goodAlice, id(10), "x"))
	h.by(goodAlice, activity("Create", goodAlice, good+"/c/10", noteDoc(id(10), goodAlice, id(11), "x")))
	for i := 20; i < 100; i++ {
		h.docs.put(id(i), noteDoc(id(i), goodAlice, id(i+1), "x"))
	}
	h.by(goodAlice, activity("Create", goodAlice, good+"/c/20", noteDoc(id(20), goodAlice, id(21), "x")))
	if got := h.refusals(); len(got) != 2 || !strings.Contains(got[0], "without an end") || !strings.Contains(got[1], "without an end") {
		t.Errorf("%q", got)
	}
	if n := h.fetches(id(60)); n != 0 {
		t.Error("it went up too far")
	}
	// A change and an end.
	changed := noteDoc(id(3), goodAlice, id(2), "changed")
	changed["updated"] = "2026-11-22T18:00:00.000Z"
	h.by(goodAlice, activity("Update", goodAlice, good+"/u/3", changed))
	if c := h.comment(id(3)); c.Text != "changed" || c.Thread != id(1) {
		t.Errorf("%+v", c)
	}
	h.by(goodAlice, activity("Delete", goodAlice, good+"/d/3", map[string]any{"type": "Tombstone", "id": id(3)}))
	h.by(goodAlice, activity("Create", goodAlice, good+"/c/3b", noteDoc(id(3), goodAlice, id(2), "again")))
	if c := h.comment(id(3)); c != nil && c.Deleted.IsZero() {
		t.Errorf("%+v", c)
	}
}

func TestViews(t *testing.T) {
	h := newWorld(t, options{})
	h.by(goodInstance, activity("View", goodInstance, good+"/views/1", oursVideo))
	if v, _ := h.store.Snapshot().VideoByUUID(videoUUID); v.Views != 1 {
		t.Errorf("%d views", v.Views)
	}
	watching := activity("View", goodInstance, good+"/views/2", oursVideo)
	watching["expires"] = time.Now().Add(time.Minute).UTC()
	h.by(goodInstance, watching)
	if n := h.inbox.Viewers(videoUUID); n != 1 {
		t.Errorf("%d viewers", n)
	}
	h.by(goodInstance, activity("Announce", goodInstance, good+"/a/1", goodVideo))
	h.by(evilInstance, activity("View", evilInstance, evil+"/views/1", goodVideo))
	if v := h.video(goodVideo); v.Views != 4 {
		t.Errorf("%d views", v.Views)
	}
	// Signed anew it is the same View.
	again := activity("View", goodInstance, good+"/views/1", oursVideo)
	again["published"] = "2026-11-22T17:00:00.000Z"
	h.by(goodInstance, again)
	if v, _ := h.store.Snapshot().VideoByUUID(videoUUID); v.Views != 1 {
		t.Errorf("%d views", v.Views)
	}
	total := counted(activity("View", goodInstance, good+"/views/3", goodVideo))
	h.by(goodInstance, total)
	if v := h.video(goodVideo); v.Views != 1_000_000 {
		t.Errorf("%d views", v.Views)
	}
	// A newer total under the same id is another one.
	total["result"] = map[string]any{"type": "InteractionCounter", "userInteractionCount": 1_000_001}
	h.by(goodInstance, total)
	if v := h.video(goodVideo); v.Views != 1_000_001 {
		t.Errorf("%d views", v.Views)
	}
}

// An actor that deletes itself takes what it made along; one that was never known costs nothing.
func TestActorsGo(t *testing.T) {
	h := newWorld(t, options{})
	h.by(evilInstance, activity("Delete", evilInstance, evil+"/d/1", evilInstance))
	if h.fetches(evilInstance) != 0 {
		t.Error("an unknown actor was fetched")
	}
	h.by(goodChannel, activity("Announce", goodChannel, good+"/a/1", goodVideo))
	h.by(goodCarol, activity("Like", goodCarol, goodCarol+"/likes/1", oursVideo))
	h.by(goodAlice, activity("Delete", goodAlice, good+"/d/1", goodAlice))
	if h.video(goodVideo) != nil {
		t.Error("its video is there")
	}
	h.read(func(tx *store.Tx) {
		if _, ok, err := tx.Actor(goodAlice); ok || err != nil || !tx.Gone(goodAlice) {
			t.Errorf("it is there: %v", err)
		}
	})
	// One whose key is gone says goodbye: its host says so too.
	h.docs.mu.Lock()
	delete(h.docs.m, goodCarol)
	h.docs.mu.Unlock()
	h.write(func(tx *store.Tx) error {
		a, _, err := tx.Actor(goodCarol)
		if err != nil {
			return err
		}
		a.Fetched = a.Fetched.Add(-time.Hour)
		return tx.PutActor(a)
	})
	body := encode(activity("Delete", goodCarol, good+"/d/2", goodCarol))
	r := httptest.NewRequest(http.MethodPost, ours+"/inbox", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(r, goodCarol, evilKey(), body, time.Now()); err != nil {
		t.Fatal(err)
	}
	if status, reason := h.post(r); status != http.StatusNoContent {
		t.Errorf("answered %d %s", status, reason)
	}
	h.read(func(tx *store.Tx) {
		if a, ok, err := tx.Actor(goodCarol); !ok || err != nil || a.Gone.IsZero() {
			t.Errorf("what a 404 says is not noted: %+v, %v", a, err)
		}
	})
}

// flaky is a Fetcher that fails for a while.
type flaky struct {
	*docs
	mu   sync.Mutex
	down map[string]bool
}

func (f *flaky) set(id string, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down[id] = down
}

func (f *flaky) Object(ctx context.Context, url string) ([]byte, string, error) {
	f.mu.Lock()
	down := f.down[url]
	f.mu.Unlock()
	if down {
		return nil, url, &fetch.Error{Code: fetch.CodeTimeout, URL: url, Text: "no answer in time"}
	}
	return f.docs.Object(ctx, url)
}

// An item whose fetch fails is tried again and holds up what is about the same object, and no more.
func TestTriedAgainInOrder(t *testing.T) {
	f := &flaky{docs: newDocs(), down: map[string]bool{goodVideo: true}}
	h := newWorld(t, options{})
	f.docs = h.docs
	h.resolver = resolve.New(resolve.Config{Store: h.store, Fetch: f, Base: ours, Dev: true})
	h.inbox.cfg.Resolver = h.resolver
	post := func(actor string, a map[string]any) {
		if status, reason := h.post(signed(t, actor, "/inbox", encode(a))); status != http.StatusNoContent {
			t.Fatalf("answered %d %s", status, reason)
		}
	}
	announce := activity("Announce", goodInstance, good+"/a/1", goodVideo)
	post(goodInstance, announce)
	post(goodInstance, activity("Undo", goodInstance, good+"/a/1/undo", announce))
	post(goodAlice, activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo))
	h.until("the like counts", func() bool { return h.counts(oursVideo).Likes == 1 })
	h.until("the announce is tried again", func() bool {
		again := false
		h.read(func(tx *store.Tx) {
			_ = tx.EachInbox(func(it *store.InboxItem) (bool, error) {
				again = again || (it.Attempts >= 2 && strings.Contains(it.Error, "no answer in time"))
				return true, nil
			})
		})
		return again
	})
	h.until("the like is off the line and no other item is", func() bool { return h.inbox.Depth() == 2 })
	f.set(goodVideo, false)
	h.settle()
	v := h.video(goodVideo)
	if v == nil || slices.Contains(v.Sources, goodInstance) || h.counts(goodVideo).Shares != 0 {
		t.Errorf("got %+v", v)
	}
}

// What fails for long is given up, with a reason.
func TestGivenUp(t *testing.T) {
	h := newWorld(t, options{limits: Limits{Lifetime: time.Millisecond, Pause: time.Millisecond}})
	h.follows.fail = 1000
	h.by(goodAlice, activity("Follow", goodAlice, good+"/f/1", ours+"/accounts/alice"))
	if got := h.refusals(); len(got) != 1 || !strings.Contains(got[0], "given up") || !strings.Contains(got[0], "not now") {
		t.Errorf("%q", got)
	}
}

// PeerTube follows again, after an Undo, with an activity that can be the same to the byte.
func TestTheSameFollowAgain(t *testing.T) {
	h := newWorld(t, options{})
	follow := activity("Follow", goodAlice, good+"/f/1", ours+"/accounts/alice")
	h.by(goodAlice, follow)
	h.by(goodAlice, activity("Undo", goodAlice, good+"/f/1/undo", follow))
	h.by(goodAlice, follow)
	if got := h.follows.types(); !slices.Equal(got, []string{"Follow", "Undo", "Follow"}) {
		t.Errorf("handled %q", got)
	}
}

// What was answered with 204 takes effect after a restart, once.
func TestKeptOverRestart(t *testing.T) {
	h := newWorld(t, options{idle: true})
	for i := range 20 {
		a := activity("View", goodInstance, fmt.Sprintf("%s/views/%d", good, i), oursVideo)
		if status, reason := h.post(signed(t, goodInstance, "/inbox", encode(a))); status != http.StatusNoContent {
			t.Fatalf("answered %d %s", status, reason)
		}
	}
	// Another process finds them on disk.
	h.inbox.lines = newLines(8)
	stop := h.serve()
	h.until("they took effect", func() bool {
		v, _ := h.store.Snapshot().VideoByUUID(videoUUID)
		return v.Views == 20
	})
	h.settle()
	stop()
	h.inbox.lines = newLines(8)
	h.serve()
	h.settle()
	if v, _ := h.store.Snapshot().VideoByUUID(videoUUID); v.Views != 20 {
		t.Errorf("%d views", v.Views)
	}
}

// Many senders at once: each activity takes effect once, also when it comes twice.
func TestManyAtOnce(t *testing.T) {
	h := newWorld(t, options{limits: Limits{HostConcurrent: 64}})
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			actor := goodInstance
			if i%2 == 1 {
				actor = evilInstance
			}
			body := encode(activity("View", actor, fmt.Sprintf("%s/views/%d", strings.TrimSuffix(actor, "/accounts/peertube"), i/4), oursVideo))
			if status, reason := h.post(signed(t, actor, "/inbox", body)); status != http.StatusNoContent {
				t.Errorf("answered %d %s", status, reason)
			}
		})
	}
	all.Wait()
	h.settle()
	if v, _ := h.store.Snapshot().VideoByUUID(videoUUID); v.Views != 30 {
		t.Errorf("%d views", v.Views)
	}
}

// Nobody's videos are stored in any number.
func TestUnaskedVideosAreBounded(t *testing.T) {
	h := newWorld(t, options{})
	h.inbox.unasked = newLimits(0, 2, 0, 100)
	for i := range 4 {
		id := fmt.Sprintf("%s/videos/watch/11111111-2222-4333-8444-00000000000%d", evil, i)
		h.docs.put(id, videoDoc(id, "Unasked"))
		h.by(evilInstance, activity("Announce", evilInstance, id+"/announces/1", id))
		if known := h.video(id) != nil; known != (i < 2) {
			t.Errorf("video %d: %v", i, known)
		}
	}
	h.write(func(tx *store.Tx) error {
		return tx.PutFollowing(&store.Follow{ID: ours + "/f/1", Local: ours + "/accounts/peertube", Remote: evilInstance, Host: "evil.example", State: store.FollowAccepted})
	})
	id := evil + "/videos/watch/11111111-2222-4333-8444-000000000009"
	h.docs.put(id, videoDoc(id, "Asked for"))
	h.by(evilInstance, activity("Announce", evilInstance, id+"/announces/1", id))
	if h.video(id) == nil {
		t.Error("a followed instance's video is not stored")
	}
}

// What an outbox has goes the same way.
func TestBring(t *testing.T) {
	h := newWorld(t, options{})
	actor, err := h.resolver.Actor(t.Context(), goodInstance, resolve.Stored)
	if err != nil {
		t.Fatal(err)
	}
	announce := encode(activity("Announce", goodInstance, good+"/a/1", goodVideo))
	for i, want := range []bool{true, false} {
		if brought, err := h.inbox.Bring(t.Context(), actor, announce); err != nil || brought != want {
			t.Errorf("%d: %v, %v", i, brought, err)
		}
	}
	if v := h.video(goodVideo); v == nil || !slices.Contains(v.Sources, goodInstance) {
		t.Errorf("got %+v", v)
	}
	like := encode(activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo))
	if brought, err := h.inbox.Bring(t.Context(), actor, like); err != nil || brought || h.counts(oursVideo).Likes != 0 {
		t.Errorf("a Like: %v, %v", brought, err)
	}
	other := encode(activity("Announce", evilInstance, evil+"/a/1", goodVideo))
	if _, err := h.inbox.Bring(t.Context(), actor, other); err == nil {
		t.Error("another server's is taken")
	}
}
