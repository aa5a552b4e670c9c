// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shoal/app/config"
	"shoal/peer/library"
)

// clock is a time that the test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)} }

// started is a program that resumes and supports, until stop.
func started(t *testing.T, dir string, c *clock, free int64) (a *App, stop func()) {
	t.Helper()
	return startedOn(t, dir, c, newDisk(free))
}

// fakeDisk tells how much of it is free.
type fakeDisk struct{ free atomic.Pointer[func() int64] }

func newDisk(free int64) *fakeDisk {
	d := &fakeDisk{}
	d.have(func() int64 { return free })
	return d
}

func (d *fakeDisk) have(free func() int64) { d.free.Store(&free) }

func startedOn(t *testing.T, dir string, c *clock, disk *fakeDisk) (a *App, stop func()) {
	t.Helper()
	a = open(t, dir, Options{Resume: true})
	a.keeper.now = c.now
	a.free = func(string) int64 { return (*disk.free.Load())() }
	a.freeing.least = 1
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("running: %v", err)
		}
	})
	t.Cleanup(stop)
	return a, stop
}

// until waits for a condition, and wakes the worker meanwhile.
func until(t *testing.T, a *App, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s; supports %+v, held %q", what, a.Supports(), names(a))
		}
		a.supports.look()
		time.Sleep(20 * time.Millisecond)
	}
}

// names are the names of what is held whole, in order.
func names(a *App) []string {
	var out []string
	for _, s := range a.Swarms() {
		if s.Complete {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return out
}

func holds(a *App, want ...string) func() bool {
	return func() bool { return slices.Equal(names(a), want) }
}

const (
	videoSize = 300 << 10
	forThree  = 3*videoSize + videoSize/2
	plenty    = 1 << 40
)

// threeOfFour is a channel of four videos, and a program that holds the newest three of them.
func threeOfFour(t *testing.T) (f *fakePeerTube, c *clock, a *App, stop func(), dir string) {
	t.Helper()
	f, c, dir = newFakePeerTube(t), newClock(), t.TempDir()
	for i, name := range []string{"a1", "b2", "c3", "d4"} {
		f.add(name, c.now().Add(time.Duration(i-10)*time.Hour), videoSize)
	}
	a, stop = started(t, dir, c, plenty)
	s, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: forThree})
	if err != nil {
		t.Fatal(err)
	}
	if s.DisplayName != "Alice Channel Display" || s.Kind != KindChannel {
		t.Errorf("it is named %+v", s)
	}
	until(t, a, "the newest three are held", holds(a, "b2", "c3", "d4"))
	return f, c, a, stop, dir
}

func TestASupportIsFilledRenewedAndResumed(t *testing.T) {
	f, c, a, stop, dir := threeOfFour(t)
	s := a.Supports()[0]
	if s.Used != 3*videoSize || s.Videos != 3 || s.Complete != 3 || s.Problem != "" || s.Checked.IsZero() || !s.Next.After(c.now()) {
		t.Errorf("filled: %+v", s)
	}
	for _, w := range a.Swarms() {
		if w.SupportedBy != s.ID || w.Keep.Reason != library.ReasonSupport || w.Page == "" || w.Paused {
			t.Errorf("held: %+v", w)
		}
	}
	var oldest string
	for _, w := range a.Swarms() {
		if w.Name == "b2" {
			oldest = w.Path
		}
	}
	if _, err := os.Stat(oldest); err != nil {
		t.Error(err)
	}

	f.add("e5", c.now(), videoSize)
	lists := f.count("list")
	a.supports.look()
	if n := f.count("list"); n != lists {
		t.Errorf("the list was asked for again after no time")
	}
	c.pass(40 * time.Minute)
	until(t, a, "the newer video has pushed out the oldest", holds(a, "c3", "d4", "e5"))
	if _, err := os.Stat(oldest); !os.IsNotExist(err) {
		t.Errorf("the file of the one pushed out: %v", err)
	}
	if s := a.Supports()[0]; s.Used > s.Budget || s.Videos != 3 {
		t.Errorf("renewed: %+v", s)
	}

	lists, details, files := f.count("list"), f.count("video"), f.count("file")
	stop()
	a, _ = started(t, dir, c, plenty)
	until(t, a, "everything is held again", holds(a, "c3", "d4", "e5"))
	until(t, a, "the swarms are joined", func() bool {
		return !slices.ContainsFunc(a.Swarms(), func(s SwarmInfo) bool { return !s.Joined })
	})
	if s := a.Supports()[0]; s.Used != 3*videoSize || s.Complete != 3 {
		t.Errorf("resumed: %+v", s)
	}
	if f.count("list") != lists || f.count("video") != details || f.count("file") != files {
		t.Errorf("resuming asked for %d lists, %d videos and %d pieces of files", f.count("list")-lists, f.count("video")-details, f.count("file")-files)
	}

	// A video that its creator takes away is not shared on.
	f.remove(f.videos[4].uuid)
	c.pass(40 * time.Minute)
	until(t, a, "the removed one has gone and an older one has come", holds(a, "b2", "c3", "d4"))
}

func TestWhatAPersonWatchedPinnedOrRemoved(t *testing.T) {
	f, c, a, _, _ := threeOfFour(t)
	byName := func(name string) SwarmInfo {
		for _, s := range a.Swarms() {
			if s.Name == name {
				return s
			}
		}
		t.Fatalf("%s is not held", name)
		return SwarmInfo{}
	}
	session, err := a.Watch(t.Context(), byName("b2").Page, WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := byName("b2").Keep.Reason; got != library.ReasonWatching {
		t.Errorf("while it is watched it is kept because of %q", got)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.SetPinned(byName("c3").Infohash, true); err != nil {
		t.Fatal(err)
	}
	// Two newer ones push out the two oldest, which stay for other reasons.
	f.add("e5", c.now(), videoSize)
	f.add("f6", c.now().Add(time.Minute), videoSize)
	c.pass(40 * time.Minute)
	until(t, a, "two newer ones are held beside the others", holds(a, "b2", "c3", "d4", "e5", "f6"))
	for name, want := range map[string]library.Reason{"b2": library.ReasonRecent, "c3": library.ReasonPinned} {
		if s := byName(name); s.SupportedBy != "" || s.Keep.Reason != want {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := a.Supports()[0]; s.Videos != 3 || s.Used > s.Budget {
		t.Errorf("the support: %+v", s)
	}
	// What a person removes is not fetched again; an older one takes its place.
	if err := a.Remove(t.Context(), byName("f6").Infohash, true); err != nil {
		t.Fatal(err)
	}
	until(t, a, "another one has come for the removed one", func() bool {
		s := a.Supports()[0]
		return s.Complete == 3 && !slices.Contains(names(a), "f6")
	})
	// Ending the support leaves what a person wanted.
	if err := a.RemoveSupport(t.Context(), a.Supports()[0].ID, true); err != nil {
		t.Fatal(err)
	}
	if got := names(a); !slices.Equal(got, []string{"b2", "c3"}) {
		t.Errorf("after the support %q are held", got)
	}
}

func TestASupportWhoseInstanceIsDown(t *testing.T) {
	f, c, a, _, _ := threeOfFour(t)
	f.setDown(true)
	c.pass(40 * time.Minute)
	until(t, a, "the trouble is said", func() bool { return a.Supports()[0].Problem != "" })
	s := a.Supports()[0]
	if strings.Contains(s.Problem, "\n") || !s.Next.After(c.now()) || s.Next.After(c.now().Add(lastRetry*2)) {
		t.Errorf("got %+v", s)
	}
	if got := names(a); len(got) != 3 {
		t.Errorf("meanwhile %q are held", got)
	}
	f.setDown(false)
	c.pass(2 * lastRetry)
	until(t, a, "the trouble is over", func() bool { return a.Supports()[0].Problem == "" })

	// An instance that has lost its list does not take the copies with it.
	for _, v := range slices.Clone(f.videos) {
		f.remove(v.uuid)
	}
	c.pass(40 * time.Minute)
	until(t, a, "the empty list is said", func() bool { return a.Supports()[0].Problem != "" })
	if got := names(a); len(got) != 3 {
		t.Errorf("with an empty list %q are held", got)
	}
}

// A list that breaks off in the middle does not cost the copies of what it does not name.
func TestAListThatBreaksOff(t *testing.T) {
	f, c, a, _, _ := threeOfFour(t)
	f.mu.Lock()
	f.cut = 3 // it names the newest alone
	f.mu.Unlock()
	before := a.Supports()[0].Checked
	c.pass(40 * time.Minute)
	until(t, a, "it has looked again", func() bool { return a.Supports()[0].Checked.After(before) })
	f.add("e5", c.now(), videoSize)
	c.pass(40 * time.Minute)
	until(t, a, "a newer one takes the place of the oldest", holds(a, "c3", "d4", "e5"))
}

func TestNothingIsFetchedForASupportWhileMetered(t *testing.T) {
	f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
	f.add("a1", c.now(), videoSize)
	a, stop := started(t, dir, c, plenty)
	metered := func(on bool) {
		if err := a.Config().Update(func(cfg *config.Config) { cfg.Network.Metered = on }); err != nil {
			t.Fatal(err)
		}
	}
	metered(true)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: forThree}); err != nil {
		t.Fatal(err)
	}
	stop()
	if f.count("list")+f.count("video")+f.count("file") != 0 || len(a.Swarms()) != 0 {
		t.Error("it was fetched while metered")
	}
	a, _ = started(t, dir, c, plenty)
	metered(false)
	until(t, a, "it is fetched afterwards", holds(a, "a1"))
	metered(true)
	f.add("b2", c.now().Add(time.Hour), videoSize)
	files := f.count("file")
	c.pass(2 * time.Hour)
	a.supports.look()
	metered(false)
	until(t, a, "the second is fetched", holds(a, "a1", "b2"))
	if f.count("file") == files {
		t.Error("the second came from nowhere")
	}
}

func TestASupportKeepsToTheWholeBudgetAndTheDisk(t *testing.T) {
	for name, test := range map[string]struct {
		budget, free int64
		say          string
	}{
		"budget": {2*videoSize + 1000, plenty, "disk budget"},
		"disk":   {0, config.Defaults().Sharing.KeepFree + 2*videoSize + 1000, "disk has no room"},
	} {
		t.Run(name, func(t *testing.T) {
			f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
			for i, name := range []string{"a1", "b2", "c3"} {
				f.add(name, c.now().Add(time.Duration(i)*time.Hour), videoSize)
			}
			a := open(t, dir, Options{Resume: true})
			a.keeper.now = c.now
			a.free = func(string) int64 { return test.free - kept(a.Swarms()) }
			serve(t, a)
			if err := a.Config().Update(func(cfg *config.Config) { cfg.Sharing.Budget = test.budget }); err != nil {
				t.Fatal(err)
			}
			if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 100 * videoSize}); err != nil {
				t.Fatal(err)
			}
			until(t, a, "the newest two are held", holds(a, "b2", "c3"))
			until(t, a, "it is said why no more", func() bool { return strings.Contains(a.Supports()[0].Problem, test.say) })
		})
	}
}

func TestTheRarestAreHeldAndASmallerRendition(t *testing.T) {
	f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
	for i, one := range []struct {
		name    string
		seeders int
	}{{"a1", 2}, {"b2", 9}, {"c3", 1}, {"d4", 8}} {
		v := f.add(one.name, c.now().Add(time.Duration(i)*time.Hour), 4*videoSize, videoSize)
		f.mu.Lock()
		for _, file := range v.files {
			f.seeders[file.infohash] = one.seeders
		}
		f.mu.Unlock()
	}
	a, _ := started(t, dir, c, plenty)
	// The budget holds four small copies, and not one large one in its share.
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 4*videoSize + 10, Order: library.OrderRarest}); err != nil {
		t.Fatal(err)
	}
	until(t, a, "all are held in the smaller rendition", holds(a, "a1", "b2", "c3", "d4"))
	if f.count("scrape") == 0 {
		t.Error("the tracker was not asked")
	}
	if s := a.Supports()[0]; s.Used != 4*videoSize {
		t.Errorf("got %+v", s)
	}
	if _, err := a.SetSupport(a.Supports()[0].ID, SupportOptions{Budget: forThree}); err != nil {
		t.Fatal(err)
	}
	until(t, a, "the one with the most seeders has gone", holds(a, "a1", "c3", "d4"))
}

func TestATorrentLargerThanItsInstanceSays(t *testing.T) {
	f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
	f.add("a1", c.now(), videoSize)
	f.add("liar", c.now().Add(time.Hour), 4<<20)
	f.videos[1].files[0].claimed = videoSize
	a, _ := started(t, dir, c, plenty)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 2 << 20}); err != nil {
		t.Fatal(err)
	}
	until(t, a, "the honest one is held, and the other is spoken of", func() bool {
		return slices.Equal(names(a), []string{"a1"}) && strings.Contains(a.Supports()[0].Problem, "torrent has")
	})
	if entries, err := os.ReadDir(filepath.Join(dir, "downloads")); err == nil && len(entries) > 1 {
		t.Errorf("left on disk: %v", entries)
	}
}

func TestWhatIsHeldForNoSupportAnyMoreIsReleased(t *testing.T) {
	_, c, a, stop, dir := threeOfFour(t)
	id := a.Supports()[0].ID
	stop()
	// As if the program had ended in the middle of removing the support.
	l, err := library.Open(filepath.Join(dir, libraryFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.DeleteSupport(id), l.Close()); err != nil {
		t.Fatal(err)
	}
	a, _ = started(t, dir, c, plenty)
	until(t, a, "the videos are held as any other", func() bool {
		return len(names(a)) == 3 && !slices.ContainsFunc(a.Swarms(), func(s SwarmInfo) bool { return s.SupportedBy != "" })
	})
}

func TestMoreVideosThanAreAskedAboutInOneGo(t *testing.T) {
	f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
	for i := range maxLooks + 5 {
		f.add(fmt.Sprintf("v%02d", i), c.now().Add(-time.Duration(i)*time.Hour), 1000)
	}
	a, _ := started(t, dir, c, plenty)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 2 << 20}); err != nil {
		t.Fatal(err)
	}
	id := a.Supports()[0].ID
	looked := func() (n int) {
		catalog, err := a.library.Catalog(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range catalog.Videos {
			if v.Looked {
				n++
			}
		}
		return n
	}
	until(t, a, "so many were asked about", func() bool { return looked() == maxLooks && !a.Supports()[0].Checked.IsZero() })
	if next := a.Supports()[0].Next.Sub(c.now()); next > lookEvery/2 {
		t.Errorf("the rest is asked about after %s", next)
	}
	c.pass(10 * time.Minute)
	until(t, a, "all were asked about", func() bool { return looked() == maxLooks+5 })
}

func TestSoundInAnotherFileIsHeldWithItsPicture(t *testing.T) {
	f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
	f.add("split", c.now(), videoSize, videoSize/3)
	f.videos[0].split = true
	a, _ := started(t, dir, c, plenty)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 5 * videoSize}); err != nil {
		t.Fatal(err)
	}
	until(t, a, "both swarms are held", holds(a, "split", "split"))
	if s := a.Supports()[0]; s.Videos != 1 || s.Complete != 1 || s.Used != videoSize+videoSize/3 {
		t.Errorf("got %+v", s)
	}
	// Something newer that takes all of the budget pushes out both.
	f.add("large", c.now().Add(time.Hour), 5*videoSize-1000)
	c.pass(2 * time.Hour)
	until(t, a, "both have gone", holds(a, "large"))
}
