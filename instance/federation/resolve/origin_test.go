// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"errors"
	"fmt"
	"testing"

	"shoal/instance/store"
)

const (
	oursVideo    = ours + "/videos/watch/" + videoUUID
	evilAlice    = evil + "/accounts/alice"
	evilChannel  = evil + "/video-channels/alice_channel"
	evilVideo    = evil + "/videos/watch/11111111-2222-4333-8444-666666666666"
	unknownVideo = good + "/videos/watch/11111111-2222-4333-8444-777777777777"
)

// An actor, a key or an object that is asked for by its id is never another server's.
func TestAnIDThatLeadsToAnotherServersActor(t *testing.T) {
	b := newBench(t)
	moved := evil + "/accounts/moved"
	b.web.moved[moved] = alice
	if a, err := b.Actor(t.Context(), moved, Stored); !errors.Is(err, ErrRefused) {
		t.Errorf("an actor: %+v, %v", a, err)
	}
	if k, err := b.Key(t.Context(), moved+"#main-key", false); err == nil {
		t.Errorf("a key: %+v", k)
	}
	if _, _, id, err := b.Object(t.Context(), moved); !errors.Is(err, ErrRefused) {
		t.Errorf("an object: %s, %v", id, err)
	}
	d := actorDoc("Group", evil+"/video-channels/x")
	d["attributedTo"] = []any{moved}
	b.web.set(evil+"/video-channels/x", d)
	if a, err := b.Actor(t.Context(), evil+"/video-channels/x", Stored); !errors.Is(err, ErrRefused) {
		t.Errorf("an owner: %+v, %v", a, err)
	}
	// A person may give such an address: whose it is, is what is found there.
	for _, text := range []string{moved, evil + "/a/page"} {
		b.web.moved[text] = alice
		if id, err := b.Target(t.Context(), text); err != nil || id != alice {
			t.Errorf("%s: %s, %v", text, id, err)
		}
	}
	// A video as well.
	b.web.moved[evil+"/videos/watch/11111111-2222-4333-8444-555555555555"] = theirs
	if v, err := b.Video(t.Context(), evil+"/videos/watch/11111111-2222-4333-8444-555555555555", Stored); err != nil || v.ID != theirs || v.Channel != channel {
		t.Errorf("a video: %+v, %v", v, err)
	}
}

// A channel whose owner has another address on its host names the owner that is stored.
func TestAChannelsOwnerByAnotherAddress(t *testing.T) {
	b := newBench(t)
	d := actorDoc("Group", channel)
	d["attributedTo"] = []any{good + "/a/alice"}
	b.web.set(channel, d)
	b.web.set(good+"/a/alice", actorDoc("Person", alice))
	a, err := b.Actor(t.Context(), channel, Stored)
	if err != nil || a.Owner != alice {
		t.Fatalf("got %+v, %v", a, err)
	}
	if owner, err := b.storedActor(a.Owner); err != nil || owner == nil {
		t.Errorf("its owner is not stored: %v", err)
	}
}

// has reports whether a comment is stored.
func (b *bench) has(id string) bool {
	b.Helper()
	_, err := b.storedComment(id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.Fatal(err)
	}
	return err == nil
}

// A video's comments are those on it: a collection brings none to other videos, and no videos.
func TestACollectionOfCommentsOnOtherVideos(t *testing.T) {
	b := newBench(t)
	b.web.set(evilVideo, videoDoc(evilVideo))
	b.web.set(unknownVideo, videoDoc(unknownVideo))
	for _, id := range []string{theirs, evilVideo} {
		if _, err := b.Video(t.Context(), id, Stored); err != nil {
			t.Fatal(err)
		}
	}
	on := map[string]string{"own": evilVideo, "ours": oursVideo, "known": theirs, "unknown": unknownVideo}
	var notes []any
	for name, video := range on {
		id := evil + "/notes/" + name
		b.web.set(id, noteDoc(id, video))
		notes = append(notes, id)
	}
	b.web.set(evilVideo+"/comments", collection(evilVideo+"/comments", len(notes), notes...))
	v, err := b.storedVideo(evilVideo)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.talk(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	for name := range on {
		if got := b.has(evil + "/notes/" + name); got != (name == "own") {
			t.Errorf("the comment on %s: stored %v", name, got)
		}
	}
	if v, err := b.storedVideo(unknownVideo); err != nil || v != nil {
		t.Errorf("a video came with a comment: %v", err)
	}
	if _, err := b.Comment(t.Context(), theirs, evil+"/notes/ours"); !errors.Is(err, ErrUnrelated) {
		t.Errorf("got %v", err)
	}
}

// Comments are stored where the video takes them, whichever way they come.
func TestACollectionOfCommentsWhereTheyAreDisabled(t *testing.T) {
	b := newBench(t)
	note := evil + "/notes/1"
	d := videoDoc(evilVideo)
	d["commentsPolicy"] = 2
	b.web.set(evilVideo, d)
	b.web.set(evilVideo+"/comments", collection(evilVideo+"/comments", 1, note))
	b.web.set(note, noteDoc(note, evilVideo))
	v, err := b.Video(t.Context(), evilVideo, Stored)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.talk(t.Context(), v); err != nil || b.web.count(evilVideo+"/comments") != 0 || b.has(note) {
		t.Errorf("the collection was read: %v", err)
	}
	if _, err := b.Comment(t.Context(), evilVideo, note); !errors.Is(err, ErrRefused) || b.has(note) {
		t.Errorf("on a remote video: %v", err)
	}
	err = b.store.Write("testing", func(tx *store.Tx) error {
		local, _ := b.store.Snapshot().VideoByUUID(videoUUID)
		return tx.UpdateVideo(local.ID, func(v *store.Video) error { v.CommentsDisabled = true; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	b.web.set(evil+"/notes/2", noteDoc(evil+"/notes/2", oursVideo))
	if _, err := b.Comment(t.Context(), oursVideo, evil+"/notes/2"); !errors.Is(err, ErrRefused) || b.has(evil+"/notes/2") {
		t.Errorf("on a local video: %v", err)
	}
}

// A collection of comments cannot make this instance read threads without end, each of its own.
func TestACollectionOfDeepThreads(t *testing.T) {
	b := newBench(t)
	b.web.set(evilVideo, videoDoc(evilVideo))
	v, err := b.Video(t.Context(), evilVideo, Stored)
	if err != nil {
		t.Fatal(err)
	}
	var notes []any
	for i := range 50 {
		for j := range 2 * maxParents {
			id := fmt.Sprintf("%s/notes/%d/%d", evil, i, j)
			b.web.set(id, noteDoc(id, fmt.Sprintf("%s/notes/%d/%d", evil, i, j+1)))
		}
		notes = append(notes, fmt.Sprintf("%s/notes/%d/0", evil, i))
	}
	b.web.set(evilVideo+"/comments", collection(evilVideo+"/comments", len(notes), notes...))
	if err := b.talk(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	b.web.mu.Lock()
	defer b.web.mu.Unlock()
	read := 0
	for i := range 50 {
		for j := range 2 * maxParents {
			read += b.web.asked[fmt.Sprintf("%s/notes/%d/%d", evil, i, j)]
		}
	}
	if read < maxComments/2 || read > maxComments+1 {
		t.Errorf("%d comments were read", read)
	}
}

// What was deleted here is not stored with a reply to it.
func TestADeletedCommentDoesNotComeWithItsReply(t *testing.T) {
	b := newBench(t)
	if _, err := b.Video(t.Context(), theirs, Stored); err != nil {
		t.Fatal(err)
	}
	first, copied, reply := good+"/notes/1", good+"/copies/1", good+"/notes/2"
	b.web.set(first, noteDoc(first, theirs))
	b.web.moved[copied] = first
	b.web.set(reply, noteDoc(reply, copied))
	if err := b.store.Write("testing", func(tx *store.Tx) error { return tx.Tombstone(first, b.clock()) }); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Comment(t.Context(), theirs, reply); !errors.Is(err, ErrGone) || b.has(first) || b.has(reply) {
		t.Errorf("got %v", err)
	}
}
