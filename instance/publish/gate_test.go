// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"errors"
	"testing"
)

func TestPausedGivesItsTurnToOthers(t *testing.T) {
	slot := make(chan struct{}, 1)
	var gate, open Gate
	first, second := turn{slot: slot, gate: &gate}, turn{slot: slot, gate: &open}
	if err := first.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	gate.Pause()
	back := make(chan error, 1)
	go func() { back <- first.wait(t.Context()) }()
	if err := second.wait(t.Context()); err != nil { // returns once the first gave its turn up
		t.Fatal(err)
	}
	gate.Resume()
	select {
	case err := <-back:
		t.Fatalf("two have their turn: %v", err)
	default:
	}
	second.end()
	if err := <-back; err != nil {
		t.Fatal(err)
	}
	first.end()
	if len(slot) != 0 {
		t.Error("a turn was not given back")
	}
}

func TestPausedEndsWithItsContext(t *testing.T) {
	var gate Gate
	gate.Pause()
	gate.Pause()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := turn{slot: make(chan struct{}, 1), gate: &gate}
	ended := make(chan error, 1)
	go func() { ended <- waiting.wait(ctx) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !gate.Paused() {
		t.Errorf("got %v", err)
	}
	waiting.end()
	gate.Resume()
	gate.Resume()
	if gate.Paused() {
		t.Error("it is paused still")
	}
}
