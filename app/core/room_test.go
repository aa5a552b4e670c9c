// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"shoal/app/config"
	"shoal/peer"
	"shoal/peer/library"
)

func TestFilesOnAnotherDiskStayWhenTheDiskIsFull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "downloads")
	var list []SwarmInfo
	var holdings []library.Holding
	for _, x := range []struct{ infohash, dir string }{
		{"a", filepath.Join(filepath.Dir(dir), "downloads2")}, {"b", filepath.Join(dir, "b")}, {"c", filepath.Join(dir, "c")},
	} {
		s := SwarmInfo{Dir: x.dir, Stats: peer.Stats{Infohash: x.infohash, Bytes: 10, Completed: 10, Complete: true}}
		list, holdings = append(list, s), append(holdings, holding(s))
	}
	tried := map[string]bool{}
	for _, want := range []string{"b", "c", ""} {
		got := firstToFree(list, holdings, dir, 100, time.Now(), tried)
		if got != want {
			t.Errorf("%q goes, want %q", got, want)
		}
		tried[got] = true
	}
}

// crowded is a program with four videos that are held for nobody, on a disk that has no byte free and wants
// to have. A deletion frees what gives says of it.
func crowded(t *testing.T, gives func(bytes int64) int64) (a *App, c *clock, disk *fakeDisk) {
	t.Helper()
	f, c, disk := newFakePeerTube(t), newClock(), newDisk(plenty)
	for i, name := range []string{"a1", "b2", "c3", "d4"} {
		f.add(name, c.now().Add(time.Duration(i)*time.Hour), videoSize)
	}
	a, _ = startedOn(t, t.TempDir(), c, disk)
	s, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 5 * videoSize})
	if err != nil {
		t.Fatal(err)
	}
	until(t, a, "all are held", holds(a, "a1", "b2", "c3", "d4"))
	if err := a.RemoveSupport(t.Context(), s.ID, false); err != nil {
		t.Fatal(err)
	}
	c.pass(40 * 24 * time.Hour)
	disk.have(func() int64 { return gives(4*videoSize - kept(a.Swarms())) })
	return a, c, disk
}

// TestNothingMoreIsDeletedWhereThatFreesNothing is a downloads folder of which there are snapshots.
func TestNothingMoreIsDeletedWhereThatFreesNothing(t *testing.T) {
	a, c, disk := crowded(t, func(int64) int64 { return 0 })
	look := func(want int, problem bool, what string) {
		t.Helper()
		a.makeRoom(t.Context())
		if n := len(a.Swarms()); n != want || (a.DiskProblem() != "") != problem {
			t.Errorf("%s: %d swarms are held, want %d; the problem is %q", what, n, want, a.DiskProblem())
		}
	}
	keepFree(t, a, 3*videoSize)
	until(t, a, "the first is deleted", func() bool { return len(a.Swarms()) == 3 })
	a.toFree(func() {}) // it is noted
	if !a.makeRoom(t.Context()) {
		t.Error("it does not wait for the space")
	}
	look(3, false, "at once")
	c.pass(freesLate)
	for range 3 {
		look(3, true, "later")
	}
	if p := a.Status().Disk.Problem; !strings.Contains(p, "snapshots") {
		t.Errorf("the status says %q", p)
	}
	// Other settings: it tries once more.
	keepFree(t, a, 2*videoSize)
	until(t, a, "the second is deleted", func() bool { return len(a.Swarms()) == 2 })
	a.toFree(func() {}) // it is noted
	look(2, false, "with other settings")
	c.pass(freesLate)
	look(2, true, "with other settings, later")
	disk.have(func() int64 { return plenty })
	look(2, false, "with space that was freed by hand")
}

func keepFree(t *testing.T, a *App, bytes int64) {
	t.Helper()
	if err := a.Config().Update(func(cfg *config.Config) { cfg.Sharing.KeepFree = bytes }); err != nil {
		t.Fatal(err)
	}
}

func TestDeletingGoesOnOnceTheDiskHasFreedLate(t *testing.T) {
	var freed atomic.Bool
	a, c, _ := crowded(t, func(bytes int64) int64 {
		if freed.Load() {
			return bytes
		}
		return 0
	})
	keepFree(t, a, 2*videoSize)
	until(t, a, "the first is deleted", func() bool { return len(a.Swarms()) == 3 })
	a.toFree(func() {}) // it is noted
	c.pass(freesLate / 2)
	if !a.makeRoom(t.Context()) || len(a.Swarms()) != 3 {
		t.Error("it does not wait for the space")
	}
	freed.Store(true)
	if a.makeRoom(t.Context()) || len(a.Swarms()) != 2 || a.DiskProblem() != "" {
		t.Errorf("%d swarms are held; the problem is %q", len(a.Swarms()), a.DiskProblem())
	}
}

func TestWhatIsFetchedMeanwhileDoesNotHideWhatWasFreed(t *testing.T) {
	now := time.Now()
	s := space{sharing: config.Sharing{KeepFree: 1000}, free: 100, kept: 500}
	f := freeing{least: 1}
	f.deleted(s, 200, now)
	for _, x := range []struct {
		free, kept int64
		may        bool
	}{
		{100, 300, false}, {199, 300, false}, {200, 300, true}, // 200 deleted, nothing fetched
		{110, 380, false}, {110, 390, true}, // 80, 90 fetched
		{-1, 300, true}, {1000, 300, true},
	} {
		g := freeing{least: 1, before: f.before, bytes: f.bytes, since: f.since}
		later := s
		later.free, later.kept = x.free, x.kept
		if may, soon, _ := g.judge(later, now); may != x.may || soon == x.may {
			t.Errorf("with %d free and %d kept: %v, %v", x.free, x.kept, may, soon)
		}
	}
	f.least = 201
	if may, _, _ := f.judge(s, now.Add(freesLate)); !may {
		t.Error("so little was judged")
	}
}

// TestASupportKeepsItsCopiesWhereDeletingFreesNothing is the same for what a support lets go of.
func TestASupportKeepsItsCopiesWhereDeletingFreesNothing(t *testing.T) {
	f, c, disk := newFakePeerTube(t), newClock(), newDisk(plenty)
	for i, name := range []string{"a1", "b2", "c3"} {
		f.add(name, c.now().Add(time.Duration(i)*time.Hour), videoSize)
	}
	a, _ := startedOn(t, t.TempDir(), c, disk)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: forThree}); err != nil {
		t.Fatal(err)
	}
	until(t, a, "all are held", holds(a, "a1", "b2", "c3"))
	disk.have(func() int64 { return 0 })
	keepFree(t, a, 3*videoSize)
	until(t, a, "the first is deleted", func() bool { return len(names(a)) == 2 })
	a.toFree(func() {}) // it is noted
	c.pass(freesLate)
	until(t, a, "it is found to be for nothing", func() bool { may, _ := a.mayFree(); return !may && a.DiskProblem() != "" })
	newSupporter(a).step(t.Context())
	if got := names(a); len(got) != 2 {
		t.Errorf("%q are held", got)
	}
}
