// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"slices"
	"testing"
	"time"

	"shoal/peer/library"
)

func TestASupportLeavesWhatAPersonCoSeeds(t *testing.T) {
	f, c, a, _, _ := threeOfFour(t)
	page := ""
	for _, s := range a.Swarms() {
		if s.Name == "b2" {
			page = s.Page
		}
	}
	if _, err := a.Seed(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	f.add("e5", c.now(), videoSize)
	c.pass(40 * time.Minute)
	until(t, a, "the newer video is held, and the one that is co-seeded still is", holds(a, "b2", "c3", "d4", "e5"))
	if err := a.RemoveSupport(t.Context(), a.Supports()[0].ID, true); err != nil {
		t.Fatal(err)
	}
	if got := names(a); !slices.Equal(got, []string{"b2"}) {
		t.Errorf("after the support %q are held", got)
	}
}

func TestASupportGoesOnAfterTheClockWasWrong(t *testing.T) {
	f, c, a, _, _ := threeOfFour(t)
	const years = 10 * 365 * 24 * time.Hour
	c.pass(years)
	until(t, a, "the next look is far away", func() bool { return a.Supports()[0].Next.After(c.now()) })
	c.pass(-years)
	f.add("e5", c.now(), videoSize)
	until(t, a, "the newer video is held", holds(a, "c3", "d4", "e5"))
}

func TestWhatWasHeldWhileMeteredGoesOnWithoutItsSupport(t *testing.T) {
	a, _, infohashes := seeding(t)
	if err := a.RemoveSupport(t.Context(), a.Supports()[0].ID, false); err != nil {
		t.Fatal(err)
	}
	swarm, ok := a.joined(infohashes[0])
	if !ok {
		t.Fatal("it is not joined")
	}
	swarm.Pause()
	err := a.keeper.change(infohashes[0], func(e *library.Entry) { e.Paused, e.Stopped = true, library.StopMetered })
	if err != nil {
		t.Fatal(err)
	}
	newSupporter(a).switchMetered(t.Context(), false)
	if e, _ := a.keeper.entry(infohashes[0]); swarm.Paused() || e.Paused || e.Stopped != library.StopNone {
		t.Errorf("it does not go on: %+v", e)
	}
}
