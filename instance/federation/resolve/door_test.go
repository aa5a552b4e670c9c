// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"shoal/instance/federation/fetch"
	"shoal/instance/store"
)

func unproved(t *testing.T, client string) context.Context {
	return fetch.Unproved(t.Context(), fetch.Asker{Client: client})
}

func (b *bench) stored(t *testing.T, id string) bool {
	t.Helper()
	found := false
	err := b.store.Read(func(tx *store.Tx) (err error) {
		_, found, err = tx.Actor(id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Every keyId that anybody named was fetched and stored for ever.
func TestKeysOfUnprovedRequestsAreNotStored(t *testing.T) {
	b := newBench(t)
	for range 3 {
		k, err := b.Key(unproved(t, "one"), alice+"#main-key", false)
		if err != nil || k.Owner != alice {
			t.Fatalf("got %+v, %v", k, err)
		}
	}
	if n := b.web.count(alice); n != 1 || b.stored(t, alice) {
		t.Errorf("asked %d times, stored: %t", n, b.stored(t, alice))
	}
	if err := b.Proved(alice); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Actor(t.Context(), alice, Stored); err != nil || !b.stored(t, alice) {
		t.Errorf("after a signature held: stored %t, %v", b.stored(t, alice), err)
	}
	if n := b.web.count(alice); n != 1 {
		t.Errorf("asked %d times", n)
	}
	for n := range 2 * maxHeld {
		b.door.held.put(fmt.Sprint(n), &store.Actor{})
	}
	if n := len(b.door.held.t.m); n != maxHeld {
		t.Errorf("%d are held", n)
	}
}

// A bad signature of an actor that was fetched a moment ago had it fetched again.
func TestBadSignatureRightAfterAFetchFetchesNothing(t *testing.T) {
	b := newBench(t)
	for _, ctx := range []context.Context{unproved(t, "one"), t.Context()} {
		for _, refresh := range []bool{false, true, true} {
			if _, err := b.Key(ctx, alice, refresh); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := b.web.count(alice); n != 2 { // once to hold, once to store
		t.Errorf("asked %d times", n)
	}
	b.later(2 * time.Minute)
	if _, err := b.Key(unproved(t, "one"), alice, true); err != nil || b.web.count(alice) != 3 {
		t.Errorf("asked %d times, %v", b.web.count(alice), err)
	}
}

// Random handles in keyIds made this instance ask any host for each of them, without any bound.
func TestRandomHandlesAreBounded(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithTimeout(unproved(t, "one"), 200*time.Millisecond)
	defer cancel()
	asked, refused := 0, 0
	for n := range 300 {
		handle := fmt.Sprintf("random%d@good.example", n)
		if _, err := b.Key(ctx, "acct:"+handle, false); errors.Is(err, ErrUnreachable) {
			refused++
		}
		asked += b.web.count("acct:" + handle)
	}
	if asked > 60 || refused < 240 {
		t.Errorf("%d were asked, %d refused", asked, refused)
	}
	// The host's own objects, and what others ask, are not held up by that.
	if _, err := b.Actor(t.Context(), alice, Fresh); err != nil {
		t.Error(err)
	}
	if _, err := b.Key(unproved(t, "other"), instance, false); err != nil {
		t.Error(err)
	}
}
