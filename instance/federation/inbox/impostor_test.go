// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"shoal/instance/federation/fetch"
	"shoal/instance/federation/resolve"
	"shoal/instance/store"
)

// deliver posts an activity and does not wait for its effect.
func (h *house) deliver(actor string, a map[string]any) {
	h.Helper()
	if status, reason := h.post(signed(h, actor, "/inbox", encode(a))); status != http.StatusNoContent {
		h.Fatalf("answered %d %s", status, reason)
	}
}

// An actor that deletes itself and then leads to somebody else's address does not act as that one.
func TestAnActorThatTurnsIntoAnother(t *testing.T) {
	for name, goodbye := range map[string]bool{"after its own end": true, "without one": false} {
		h := newWorld(t, options{idle: true})
		if _, err := h.resolver.Video(t.Context(), goodVideo, resolve.Stored); err != nil {
			t.Fatal(err)
		}
		if _, err := h.resolver.Actor(t.Context(), evilAlice, resolve.Stored); err != nil {
			t.Fatal(err)
		}
		// All is in at the door while she is known.
		if goodbye {
			h.deliver(evilAlice, activity("Delete", evilAlice, evilAlice+"/d/1", evilAlice))
		}
		h.deliver(evilAlice, activity("Delete", evilAlice, evilAlice+"/d/2", goodVideo))
		h.deliver(evilAlice, activity("Like", evilAlice, evilAlice+"/likes/1", oursVideo))
		h.docs.move(evilAlice, goodAlice)
		if !goodbye {
			h.write(func(tx *store.Tx) error { return tx.DeleteActor(evilAlice) })
		}
		h.serve()
		h.settle()
		if h.video(goodVideo) == nil {
			t.Errorf("%s: evil's alice deleted good's video", name)
		}
		if n := h.counts(oursVideo).Likes; n != 0 {
			t.Errorf("%s: %d likes", name, n)
		}
		if got := h.refusals(); goodbye != (len(got) == 0) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What was signed by one actor is not done by another of the same server.
func TestAnActorWhoseAddressIsAnothersNow(t *testing.T) {
	h := newWorld(t, options{idle: true})
	if _, err := h.resolver.Actor(t.Context(), evilAlice, resolve.Stored); err != nil {
		t.Fatal(err)
	}
	h.deliver(evilAlice, activity("Like", evilAlice, evilAlice+"/likes/1", oursVideo))
	h.write(func(tx *store.Tx) error { return tx.DeleteActor(evilAlice) })
	bob := evil + "/accounts/bob"
	h.docs.put(bob, actorDoc(bob, keyPEM(evilKey())))
	h.docs.move(evilAlice, bob)
	h.serve()
	h.settle()
	if n := h.counts(oursVideo).Likes; n != 0 || len(h.refusals()) != 1 {
		t.Errorf("%d likes, %q", n, h.refusals())
	}
	instance, err := h.resolver.Actor(t.Context(), evilInstance, resolve.Stored)
	if err != nil {
		t.Fatal(err)
	}
	group := evil + "/video-channels/moved"
	h.docs.move(group, evil+"/video-channels/alice_channel")
	id := evil + "/videos/watch/11111111-2222-4333-8444-666666666666"
	h.docs.put(id, videoDoc(id, "Brought"))
	if brought, err := h.inbox.Bring(t.Context(), instance, encode(activity("Announce", group, evil+"/a/1", id))); brought || err == nil {
		t.Errorf("brought: %v, %v", brought, err)
	}
}

// An actor that said goodbye and is proved to be there again counts again.
func TestAnActorThatComesBack(t *testing.T) {
	h := newWorld(t, options{})
	h.by(evilAlice, activity("Like", evilAlice, evilAlice+"/likes/1", oursVideo))
	h.by(evilAlice, activity("Delete", evilAlice, evilAlice+"/d/1", evilAlice))
	h.by(evilAlice, activity("Like", evilAlice, evilAlice+"/likes/2", oursVideo))
	if n := h.counts(oursVideo).Likes; n != 1 {
		t.Errorf("%d likes", n)
	}
}

// A video that is attributed to an address of its own host which leads to another's channel is not
// that channel's.
func TestAVideoUnderAnothersChannelByARedirect(t *testing.T) {
	h := newWorld(t, options{})
	id := evil + "/videos/watch/11111111-2222-4333-8444-666666666666"
	forged := videoDoc(id, "Forged")
	forged["attributedTo"] = []any{map[string]any{"type": "Group", "id": evil + "/elsewhere"}}
	h.docs.put(id, forged)
	h.docs.move(evil+"/elsewhere", goodChannel)
	h.by(evilInstance, activity("Announce", evilInstance, evilInstance+"/announces/1", id))
	if v := h.video(id); v != nil {
		t.Errorf("it is stored under %s of %s", v.Channel, v.Account)
	}
	if got := h.refusals(); len(got) != 1 || !strings.Contains(got[0], "another server") {
		t.Errorf("%q", got)
	}
}

// The same of a comment above one, which nobody signed.
func TestACommentUnderAnothersNameByARedirect(t *testing.T) {
	h := newWorld(t, options{})
	h.docs.put(evil+"/notes/1", noteDoc(evil+"/notes/1", evil+"/elsewhere", oursVideo, "I am good's alice"))
	h.docs.move(evil+"/elsewhere", goodAlice)
	h.by(evilAlice, activity("Create", evilAlice, evilAlice+"/c/1", noteDoc(evil+"/notes/2", evilAlice, evil+"/notes/1", "hi")))
	if c := h.comment(evil + "/notes/1"); c != nil {
		t.Errorf("it is stored as by %s", c.Author)
	}
	if got := h.refusals(); len(got) != 1 || !strings.Contains(got[0], "another server") {
		t.Errorf("%q", got)
	}
}

// The address of a comment on another server leads to that server's comment: the thread is whole.
func TestACommentAboveIsFoundByARedirect(t *testing.T) {
	h := newWorld(t, options{})
	h.docs.put(good+"/notes/1", noteDoc(good+"/notes/1", goodAlice, oursVideo, "first"))
	h.docs.move(evil+"/copies/1", good+"/notes/1")
	h.by(evilAlice, activity("Create", evilAlice, evilAlice+"/c/1", noteDoc(evil+"/notes/2", evilAlice, evil+"/copies/1", "second")))
	first, second := h.comment(good+"/notes/1"), h.comment(evil+"/notes/2")
	if first == nil || first.Author != goodAlice || second == nil || second.InReplyTo != first.ID || second.Thread != first.ID {
		t.Errorf("got %+v, %+v, %q", first, second, h.refusals())
	}
}

// What is in an outbox under an address that leads to another server is not that server's to share.
func TestAnOutboxInAnothersNameByARedirect(t *testing.T) {
	h := newWorld(t, options{})
	actor, err := h.resolver.Actor(t.Context(), evilInstance, resolve.Stored)
	if err != nil {
		t.Fatal(err)
	}
	id := evil + "/videos/watch/11111111-2222-4333-8444-666666666666"
	h.docs.put(id, videoDoc(id, "Brought"))
	h.docs.move(evil+"/elsewhere", goodInstance)
	announce := encode(activity("Announce", evil+"/elsewhere", evil+"/a/1", id))
	if brought, err := h.inbox.Bring(t.Context(), actor, announce); brought || err == nil {
		t.Errorf("brought: %v, %v", brought, err)
	}
	if h.video(id) != nil {
		t.Error("it is stored")
	}
}

// A Create's object that leads to another server is not the actor's to tell of; an Announce's is found.
func TestACreateThatLeadsElsewhere(t *testing.T) {
	h := newWorld(t, options{})
	id := evil + "/videos/watch/11111111-2222-4333-8444-555555555555"
	h.docs.move(id, goodVideo)
	h.by(evilAlice, activity("Create", evilAlice, evilAlice+"/c/1", map[string]any{"type": "Video", "id": id}))
	h.by(evilAlice, activity("Create", evilAlice, evilAlice+"/c/2", id))
	if v := h.video(goodVideo); v != nil && slices.Contains(v.Sources, evilAlice) {
		t.Errorf("brought by %q", v.Sources)
	}
	if got := h.refusals(); len(got) != 2 || !strings.Contains(got[0], "another server") || !strings.Contains(got[1], "another server") {
		t.Errorf("%q", got)
	}
	h.by(evilInstance, activity("Announce", evilInstance, evil+"/a/1", id))
	if v := h.video(goodVideo); v == nil || v.Channel != goodChannel || h.video(id) != nil || !slices.Contains(v.Sources, evilInstance) {
		t.Errorf("got %+v", v)
	}
}

// Spaces that a Linked Data signature leaves free do not make a new activity of an old one.
func TestAnOldLikeWithOneMoreSpace(t *testing.T) {
	h := newWorld(t, options{})
	post := func(by string, body []byte) {
		t.Helper()
		if status, reason := h.post(signed(h, by, "/inbox", body)); status != http.StatusNoContent {
			t.Fatalf("answered %d %s", status, reason)
		}
		h.settle()
	}
	a := activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo)
	now := time.Now()
	like := h.ld(encode(a), goodAlice, testKey(), now)
	post(goodAlice, like)
	post(goodAlice, encode(activity("Undo", goodAlice, goodAlice+"/likes/1/undo", a)))
	for _, old := range []string{string(like), strings.Replace(string(like), "{", "{ ", 1), strings.Replace(string(like), `"type":"Like"`, `"type" : "Like"`, 1)} {
		post(evilInstance, []byte(old))
		if n := h.counts(oursVideo).Likes; n != 0 {
			t.Errorf("%d likes after %.60s", n, old)
		}
	}
	// Signed anew it is another one.
	post(evilInstance, h.ld(encode(a), goodAlice, testKey(), now.Add(time.Minute)))
	if n := h.counts(oursVideo).Likes; n != 1 {
		t.Errorf("%d likes", n)
	}
}

// The list of refusals says who sent what was refused, not whom it names.
func TestRefusalsAreKeptUnderTheSendersName(t *testing.T) {
	h := newWorld(t, options{})
	for _, a := range []map[string]any{
		activity("Like", goodAlice, evil+"/likes/1", oursVideo),  // an id that is not its actor's
		activity("Like", goodAlice, good+"/likes/1", oursVideo),  // no signature of its actor
		activity("Like", goodAlice, ours+"/likes/1", oursVideo),  // ours
		activity("Like", evilAlice, good+"/likes/1", goodVideo),  // its own actor's
		activity("Like", goodAlice, evil+"/likes/2", evilAlice),  // of nothing
		activity("Like", evilInstance, good+"/likes/3", "x:y:z"), // of less
	} {
		if status, _ := h.post(signed(h, evilInstance, "/inbox", encode(a))); status != http.StatusForbidden {
			t.Errorf("answered %d", status)
		}
	}
	h.read(func(tx *store.Tx) {
		all, err := tx.Refusals(100)
		if err != nil || len(all) != 6 {
			t.Errorf("%d are kept, %v", len(all), err)
		}
		for _, r := range all {
			if r.Actor != evilInstance || r.Host != "evil.example" {
				t.Errorf("kept under %s of %s: %s", r.Actor, r.Host, r.Reason)
			}
		}
	})
}

// The account of a remote video deletes any comment on it, also one of ours.
func TestACommentOfOursIsDeletedByTheVideosAccount(t *testing.T) {
	h := newWorld(t, options{})
	h.by(goodChannel, activity("Announce", goodChannel, good+"/a/1", goodVideo))
	here := func(n string, video string) string {
		id := ours + "/videos/watch/x/comments/" + n
		h.write(func(tx *store.Tx) error {
			return tx.PutComment(&store.Comment{
				ID: id, Video: video, InReplyTo: video, Author: ours + "/accounts/alice", Text: "ours", Local: true, Created: time.Now(), Updated: time.Now(),
			})
		})
		return id
	}
	id, other := here("1", goodVideo), here("2", oursVideo)
	var before, after []store.Change
	changes := func(to *[]store.Change) {
		h.read(func(tx *store.Tx) {
			var err error
			if *to, err = tx.Changes(100); err != nil {
				t.Error(err)
			}
		})
	}
	changes(&before)
	for name, del := range map[string]struct{ actor, id string }{
		"by somebody else there":  {goodCarol, id},
		"by somebody elsewhere":   {evilAlice, id},
		"one on a video of ours":  {goodAlice, other},
		"one that is none":        {goodAlice, ours + "/videos/watch/x/comments/3"},
		"a video of ours":         {goodAlice, oursVideo},
		"an actor of ours":        {goodAlice, ours + "/accounts/alice"},
		"by its channel, no less": {goodChannel, id},
	} {
		was := len(h.refusals())
		h.by(del.actor, activity("Delete", del.actor, del.actor+"/d/"+name, del.id))
		if len(h.refusals()) != was+1 || h.comment(id) == nil || h.comment(other) == nil {
			t.Errorf("%s: %q", name, h.refusals())
		}
	}
	h.by(goodAlice, activity("Delete", goodAlice, id+"/delete", id)) // as PeerTube names it
	if h.comment(id) != nil {
		t.Errorf("it is there: %q", h.refusals())
	}
	// Its server tells everybody: we do not.
	if changes(&after); len(after) != len(before) {
		t.Errorf("the change log has %+v", after)
	}
}

// blocker is a Fetcher during whose first answer about a document a host is blocked and purged.
type blocker struct {
	*docs
	at    string
	block func()
}

func (b *blocker) Object(ctx context.Context, url string) ([]byte, string, error) {
	body, final, err := b.docs.Object(ctx, url)
	if url == b.at && b.block != nil {
		block := b.block
		b.block = nil
		block()
	}
	return body, final, err
}

// What is under way while its host is blocked is not there after the purge.
func TestNothingOfAHostThatIsBlockedMeanwhile(t *testing.T) {
	note := noteDoc(evil+"/notes/1", evilAlice, evil+"/notes/0", "hi")
	video := evil + "/videos/watch/11111111-2222-4333-8444-666666666666"
	for name, c := range map[string]struct {
		at, actor string
		a         map[string]any
	}{
		"a video":                       {video, evilInstance, activity("Announce", evilInstance, evil+"/a/1", video)},
		"its channel":                   {evil + "/video-channels/alice_channel", evilInstance, activity("Announce", evilInstance, evil+"/a/1", video)},
		"a comment":                     {evil + "/notes/0", evilAlice, activity("Create", evilAlice, evil+"/c/1", note)},
		"somebody else's video":         {goodVideo, evilInstance, activity("Announce", evilInstance, evil+"/a/1", goodVideo)},
		"somebody else's comment above": {good + "/notes/0", evilAlice, activity("Create", evilAlice, evil+"/c/1", noteDoc(evil+"/notes/1", evilAlice, good+"/notes/0", "hi"))},
	} {
		h := newWorld(t, options{})
		h.docs.put(video, videoDoc(video, "Theirs"))
		h.docs.put(evil+"/notes/0", noteDoc(evil+"/notes/0", evilAlice, oursVideo, "before"))
		h.docs.put(good+"/notes/0", noteDoc(good+"/notes/0", goodAlice, oursVideo, "before"))
		f := &blocker{docs: h.docs, at: c.at, block: func() {
			h.write(func(tx *store.Tx) error {
				return tx.PutBlock(store.Block{Host: "evil.example"})
			})
			if err := h.store.PurgeBlocked(t.Context()); err != nil {
				t.Error(err)
			}
		}}
		h.resolver = resolve.New(resolve.Config{Store: h.store, Fetch: f, Base: ours, Dev: true})
		h.inbox.cfg.Resolver = h.resolver
		h.by(c.actor, c.a)
		if f.block != nil {
			t.Errorf("%s: nothing was asked", name)
		}
		h.read(func(tx *store.Tx) {
			for _, id := range []string{evilAlice, evilInstance, evil + "/video-channels/alice_channel"} {
				if _, ok, err := tx.Actor(id); ok || err != nil {
					t.Errorf("%s: %s is there, %v", name, id, err)
				}
			}
		})
		if h.video(video) != nil || h.comment(evil+"/notes/0") != nil || h.comment(evil+"/notes/1") != nil {
			t.Errorf("%s: something is there", name)
		}
		if v := h.video(goodVideo); v != nil && slices.Contains(v.Sources, evilInstance) || h.counts(goodVideo).Shares != 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// What can never be stored is refused at once, at the door or after it.
func TestWhatCanNeverBeStoredIsNotTriedAgain(t *testing.T) {
	h := newWorld(t, options{})
	for _, id := range []string{good + "/" + strings.Repeat("x", maxID), "x\x00y"} {
		status, reason := h.post(signed(h, goodAlice, "/inbox", encode(activity("Announce", goodAlice, good+"/a/1", id))))
		if status != http.StatusBadRequest || !strings.Contains(reason, "an id is too long") {
			t.Errorf("answered %d %s", status, reason)
		}
	}
	// A comment on our video under an address of it that is too long for a key.
	long := oursVideo + "?" + strings.Repeat("x", 40_000)
	h.by(goodAlice, activity("Create", goodAlice, good+"/c/1", noteDoc(good+"/notes/1", goodAlice, long, "hi")))
	// One that the database refuses.
	if err := h.store.Write("testing", func(tx *store.Tx) error { return tx.PutShare("", goodAlice, "") }); err == nil {
		t.Fatal("an empty id can be stored")
	} else if reason, ok := refusal(err); !ok || !strings.Contains(reason, "cannot be stored") {
		t.Errorf("%v is tried again", err)
	}
	if got := h.refusals(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// What is tried again uses up what its host may bring once.
func TestAttemptsDoNotUseUpWhatAHostMayBring(t *testing.T) {
	h := newWorld(t, options{limits: Limits{Pause: time.Millisecond}})
	h.inbox.unasked = newLimits(0, 1, 0, 100)
	id := evil + "/videos/watch/11111111-2222-4333-8444-666666666666"
	f := &failing{docs: h.docs, at: id, left: 3}
	h.docs.put(id, videoDoc(id, "Theirs"))
	// Each attempt asks anew.
	h.inbox.cfg.Resolver = resolve.New(resolve.Config{Store: h.store, Fetch: f, Base: ours, Dev: true, Now: f.clock})
	h.by(evilInstance, activity("Announce", evilInstance, evil+"/a/1", id))
	if h.video(id) == nil || f.left != 0 {
		t.Errorf("it is not there: %q, %d", h.refusals(), f.left)
	}
	other := evil + "/videos/watch/11111111-2222-4333-8444-777777777777"
	h.docs.put(other, videoDoc(other, "One too many"))
	h.by(evilInstance, activity("Announce", evilInstance, evil+"/a/2", other))
	if h.video(other) != nil || len(h.refusals()) != 1 {
		t.Errorf("%q", h.refusals())
	}
}

// failing is a Fetcher that fails some times about one document, and a clock on which failures are
// long ago when they are asked for again.
type failing struct {
	*docs
	at   string
	left int
	now  time.Time
}

func (f *failing) Object(ctx context.Context, url string) ([]byte, string, error) {
	f.mu.Lock()
	down := url == f.at && f.left > 0
	if down {
		f.left--
	}
	f.mu.Unlock()
	if down {
		return nil, url, &fetch.Error{Code: fetch.CodeTimeout, URL: url, Text: "no answer in time"}
	}
	return f.docs.Object(ctx, url)
}

func (f *failing) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now.IsZero() {
		f.now = time.Now()
	}
	f.now = f.now.Add(time.Minute)
	return f.now
}
