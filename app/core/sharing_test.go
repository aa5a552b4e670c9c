// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"slices"
	"testing"
	"time"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/library"
)

func TestSeedingTimeIsCounted(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	k := &keeper{}
	for i, step := range []struct {
		pass time.Duration
		want int64
	}{{0, 0}, {1500 * time.Millisecond, 1}, {1500 * time.Millisecond, 2}, {30 * time.Second, 30}, {8 * time.Hour, 0}, {-time.Hour, 0}, {10 * time.Second, 10}} {
		now = now.Add(step.pass)
		if got := k.elapsed(now); got != step.want {
			t.Errorf("step %d: %d s, want %d", i, got, step.want)
		}
	}
	whole := peer.Stats{Complete: true, Bytes: 100, Uploaded: peer.Bytes{TCP: 10}}
	e := counted(library.Entry{}, whole, now, 5)
	if e.SeededFor != 5 || e.IdleFrom != 5 || !e.LastUpload.Equal(now) || !e.Complete || e.Bytes != 100 {
		t.Errorf("got %+v", e)
	}
	if e = counted(e, whole, now.Add(time.Hour), 7); e.SeededFor != 12 || e.IdleFrom != 5 || !e.LastUpload.Equal(now) {
		t.Errorf("without an upload: %+v", e)
	}
	whole.Paused = true
	if e = counted(e, whole, now, 7); e.SeededFor != 12 {
		t.Errorf("paused: %+v", e)
	}
}

// seeding is a program that holds two whole videos of a support.
func seeding(t *testing.T) (a *App, c *clock, infohashes []string) {
	t.Helper()
	f, c := newFakePeerTube(t), newClock()
	for i, name := range []string{"a1", "b2"} {
		f.add(name, c.now().Add(time.Duration(i)*time.Hour), videoSize)
	}
	a, _ = started(t, t.TempDir(), c, plenty)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: forThree}); err != nil {
		t.Fatal(err)
	}
	until(t, a, "both are held", holds(a, "a1", "b2"))
	for _, s := range a.Swarms() {
		infohashes = append(infohashes, s.Infohash)
	}
	return a, c, infohashes
}

func TestALimitStopsSeedingUntilAPersonResumes(t *testing.T) {
	a, c, infohashes := seeding(t)
	stopped, pinned := infohashes[0], infohashes[1]
	if err := a.SetPinned(pinned, true); err != nil {
		t.Fatal(err)
	}
	if err := a.Config().Update(func(cfg *config.Config) { cfg.Sharing.SeedHours = 1 }); err != nil {
		t.Fatal(err)
	}
	seed := func(d time.Duration) {
		for ; d > 0; d -= time.Minute {
			c.pass(time.Minute)
			if err := a.keeper.tick(false); err != nil {
				t.Fatal(err)
			}
		}
	}
	state := func(infohash string) SwarmInfo {
		i := slices.IndexFunc(a.Swarms(), func(s SwarmInfo) bool { return s.Infohash == infohash })
		return a.Swarms()[i]
	}
	seed(50 * time.Minute)
	if s := state(stopped); s.Paused || s.Stopped != library.StopNone || s.SeededFor < 49*time.Minute {
		t.Errorf("before: %+v", s)
	}
	seed(15 * time.Minute)
	if s := state(stopped); !s.Paused || s.Stopped != library.StopTime {
		t.Errorf("after an hour: %+v", s)
	}
	if s := state(pinned); s.Paused || s.SeededFor < time.Hour {
		t.Errorf("pinned, after an hour: %+v", s)
	}
	// It was saved, and stays so.
	if e, err := a.library.Get(stopped); err != nil || !e.Paused || e.Stopped != library.StopTime {
		t.Errorf("the library has %+v, %v", e, err)
	}
	if err := a.ResumeSwarm(stopped); err != nil {
		t.Fatal(err)
	}
	seed(50 * time.Minute)
	if s := state(stopped); s.Paused {
		t.Errorf("resumed by hand: %+v", s)
	}
	seed(15 * time.Minute)
	if s := state(stopped); !s.Paused || s.Stopped != library.StopTime {
		t.Errorf("an hour later: %+v", s)
	}
	// Pinning lets it go on.
	if err := a.SetPinned(stopped, true); err != nil {
		t.Fatal(err)
	}
	if s := state(stopped); s.Paused || s.Stopped != library.StopNone {
		t.Errorf("pinned: %+v", s)
	}
}

func TestWhatIsNeededLeastIsDeletedPastTheBudget(t *testing.T) {
	a, c, infohashes := seeding(t)
	// No support any more: they are as what was watched long ago.
	if err := a.RemoveSupport(t.Context(), a.Supports()[0].ID, false); err != nil {
		t.Fatal(err)
	}
	c.pass(40 * 24 * time.Hour)
	for _, s := range a.Swarms() {
		if s.SupportedBy != "" || s.Keep.Reason != library.ReasonUnwatched || s.Keep.Value != 40 {
			t.Errorf("got %+v", s)
		}
	}
	if err := a.SetPinned(infohashes[0], true); err != nil {
		t.Fatal(err)
	}
	if err := a.Config().Update(func(cfg *config.Config) { cfg.Sharing.Budget = videoSize }); err != nil {
		t.Fatal(err)
	}
	until(t, a, "one is left", func() bool { return len(a.Swarms()) == 1 })
	if s := a.Swarms()[0]; s.Infohash != infohashes[0] || !s.Complete {
		t.Errorf("left is %+v", s)
	}
	disk := a.Status().Disk
	if disk.Kept != videoSize || disk.Budget != videoSize || disk.Free != plenty {
		t.Errorf("the disk: %+v", disk)
	}
	// What is pinned stays even when that is too much.
	if err := a.Config().Update(func(cfg *config.Config) { cfg.Sharing.Budget = 1 }); err != nil {
		t.Fatal(err)
	}
	a.makeRoom(t.Context())
	if len(a.Swarms()) != 1 {
		t.Error("the pinned one was deleted")
	}
}

func TestHowMuchIsTooMuch(t *testing.T) {
	for _, x := range []struct {
		sharing    config.Sharing
		kept, free int64
		want       int64
	}{
		{config.Sharing{}, 1000, 0, 0},
		{config.Sharing{Budget: 100}, 130, 1000, 30},
		{config.Sharing{Budget: 100, KeepFree: 50}, 80, 1000, -20},
		{config.Sharing{Budget: 100, KeepFree: 50}, 80, 10, 40},
		{config.Sharing{Budget: 100, KeepFree: 50}, 170, 10, 70},
		{config.Sharing{KeepFree: 50}, 80, -1, 0},
	} {
		if got := over(x.sharing, x.kept, x.free); max(got, 0) != max(x.want, 0) {
			t.Errorf("%+v: got %d", x, got)
		}
	}
}
