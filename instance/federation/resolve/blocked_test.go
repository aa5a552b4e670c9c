// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"testing"

	"shoal/instance/store"
)

// blocking is a web during whose answer about one document something happens.
type blocking struct {
	*web
	at   string
	then func()
}

func (b *blocking) Object(ctx context.Context, url string) ([]byte, string, error) {
	body, final, err := b.web.Object(ctx, url)
	if url == b.at {
		b.then()
	}
	return body, final, err
}

// block blocks a host and purges it, as the administrator does.
func (b *bench) block(host string) {
	err := b.store.Write("testing", func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: host}) })
	if err == nil {
		err = b.store.PurgeBlocked(b.Context())
	}
	if err != nil {
		b.Error(err)
	}
}

// What is fetched while its host is blocked is not stored after the purge.
func TestWhatWasFetchedWhileItsHostWasBlocked(t *testing.T) {
	newBench := func(at string) *bench {
		b := newBench(t)
		b.web.set(evilVideo, videoDoc(evilVideo))
		b.fetch = &blocking{b.web, at, func() { b.block("evil.example") }}
		return b
	}
	b := newBench("")
	a, err := b.readActor(t.Context(), evilAlice)
	if err != nil {
		t.Fatal(err)
	}
	b.block("evil.example")
	if err := b.keepActor(a); !errors.Is(err, ErrBlocked) {
		t.Errorf("an actor: %v", err)
	}
	if a, err := b.storedActor(evilAlice); a != nil || err != nil {
		t.Errorf("an actor is stored: %v", err)
	}
	b = newBench(evilVideo + "/dislikes")
	if _, err := b.Video(t.Context(), evilVideo, Stored); !errors.Is(err, ErrBlocked) {
		t.Errorf("a video: %v", err)
	}
	if v, err := b.storedVideo(evilVideo); v != nil || err != nil {
		t.Errorf("a video is stored: %v", err)
	}
	b = newBench("")
	note := evil + "/notes/1"
	b.web.set(note, noteDoc(note, oursVideo))
	chain, err := b.Thread(t.Context(), note, nil)
	if err != nil || len(chain) != 1 {
		t.Fatalf("got %+v, %v", chain, err)
	}
	b.block("evil.example")
	err = b.store.Write("testing", func(tx *store.Tx) error { return b.PutThread(tx, chain) })
	if !errors.Is(err, ErrBlocked) || b.has(note) {
		t.Errorf("a comment: %v", err)
	}
}
