// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"errors"
	"testing"
	"time"

	"shoal/app/config"
	"shoal/peer/library"
)

// heldDisk is a library whose writes wait until they are let go.
type heldDisk struct {
	*library.Library
	began, release chan struct{}
}

func (d heldDisk) wait() {
	select {
	case d.began <- struct{}{}:
	default:
	}
	<-d.release
}

func (d heldDisk) Put(entries ...library.Entry) error {
	d.wait()
	return d.Library.Put(entries...)
}

func (d heldDisk) PutSupport(s library.Support) error {
	d.wait()
	return d.Library.PutSupport(s)
}

// soon fails where something waits.
func soon(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s waits for the disk", what)
	}
}

func TestNobodyWhoReadsWaitsForASlowDisk(t *testing.T) {
	a, _, infohashes := seeding(t)
	id := a.Supports()[0].ID
	disk := heldDisk{a.library, make(chan struct{}, 2), make(chan struct{})}
	hold := func(held bool) {
		a.keeper.writing.Lock()
		defer a.keeper.writing.Unlock()
		a.supports.writing.Lock()
		defer a.supports.writing.Unlock()
		a.keeper.library, a.supports.library = a.library, a.library
		if held {
			a.keeper.library, a.supports.library = disk, disk
		}
	}
	hold(true)
	written := make(chan error, 2)
	go func() { written <- a.SetPinned(infohashes[0], true) }()
	go func() { written <- a.supports.change(id, func(s *library.Support) { s.Order = library.OrderRarest }) }()
	<-disk.began
	<-disk.began
	soon(t, "the window", func() {
		if len(a.Swarms()) != 2 || len(a.Supports()) != 1 {
			t.Error("not everything is told")
		}
	})
	soon(t, "the status", func() {
		if s := a.Status(); len(s.Swarms) != 2 || s.Swarms[0].Pinned || s.Supports[0].Order != library.OrderNewest {
			t.Errorf("what is not written is told: %+v", s)
		}
	})
	close(disk.release)
	for range 2 {
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
	hold(false)
	if s := a.Status(); !s.Swarms[0].Pinned || s.Supports[0].Order != library.OrderRarest {
		t.Errorf("what is written is not told: %+v", s)
	}
}

func TestTheStatusDoesNotWaitForTheDiskToBeMeasured(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, Options{})
	answer := make(chan int64)
	a.free = func(string) int64 { return <-answer }
	soon(t, "the status", func() {
		if d := a.Status().Disk; d.Used != -1 || d.Free != -1 || !d.Measured.IsZero() {
			t.Errorf("nothing was measured, but it tells %+v", d)
		}
	})
	answer <- 42
	soon(t, "the measured status", func() {
		for a.Status().Disk.Measured.IsZero() {
			time.Sleep(time.Millisecond)
		}
	})
	if d := a.Status().Disk; d.Used != 0 || d.Free != 42 {
		t.Errorf("measured: %+v", d)
	}
	// Later ones tell what was found last.
	a.disk.mu.Lock()
	a.disk.last.at = a.disk.last.at.Add(-usageFresh)
	at := a.disk.last.at
	a.disk.mu.Unlock()
	soon(t, "a later status", func() {
		if d := a.Status().Disk; d.Free != 42 || !d.Measured.Equal(at) {
			t.Errorf("while it is measured anew: %+v", d)
		}
	})
	// Nor does the end wait.
	soon(t, "closing", func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	close(answer)
}

// failingDisk is a library on a full disk.
type failingDisk struct{ *library.Library }

var errFull = errors.New("the disk is full")

func (failingDisk) Put(...library.Entry) error { return errFull }

func TestFiguresThatCouldNotBeSavedAreSavedLater(t *testing.T) {
	a, c, infohashes := seeding(t)
	if err := a.Config().Update(func(cfg *config.Config) { cfg.Sharing.SeedHours = 1 }); err != nil {
		t.Fatal(err)
	}
	whole := a.library
	use := func(s entryStore) {
		a.keeper.writing.Lock()
		defer a.keeper.writing.Unlock()
		a.keeper.library = s
	}
	use(failingDisk{whole})
	failed := false
	for range 65 {
		c.pass(time.Minute)
		failed = a.keeper.tick(false) != nil || failed
	}
	if e, _ := a.keeper.entry(infohashes[0]); !failed || !e.Paused || e.Stopped != library.StopTime {
		t.Fatalf("it was not stopped, or it was saved: %+v", e)
	}
	use(whole)
	if err := a.keeper.tick(false); err != nil {
		t.Fatal(err)
	}
	if e, err := whole.Get(infohashes[0]); err != nil || !e.Paused || e.Stopped != library.StopTime {
		t.Errorf("the library has %+v, %v", e, err)
	}
}
