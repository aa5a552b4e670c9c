// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"shoal/peer"
	"shoal/peer/library"
)

// TestVideosThatNobodySeedsHoldUpNothing is a channel whose newest videos are seeded by nobody: as many as
// take the whole budget.
func TestVideosThatNobodySeedsHoldUpNothing(t *testing.T) {
	f, c, dir := newFakePeerTube(t), newClock(), t.TempDir()
	for i, name := range []string{"a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8", "i9"} {
		f.add(name, c.now().Add(time.Duration(i-10)*time.Hour), videoSize)
		if i > 1 {
			f.dead = append(f.dead, name)
		}
	}
	a, stop := started(t, dir, c, plenty)
	if _, err := a.AddSupport(t.Context(), f.channel(), SupportOptions{Budget: 7*videoSize + videoSize/2}); err != nil {
		t.Fatal(err)
	}
	pass := func() {
		c.pass(2 * time.Minute)
		if err := a.keeper.tick(false); err != nil {
			t.Fatal(err)
		}
	}
	until(t, a, "all that are dead are waited for", func() bool {
		pass()
		return len(a.Swarms()) == len(f.dead)
	})
	for range deadTime / (2 * time.Minute) {
		pass()
	}
	until(t, a, "those that can be had are held", holds(a, "a1", "b2"))
	if n := len(a.Swarms()); n != 9 {
		t.Errorf("%d swarms are held: those that are dead are waited for no more", n)
	}
	// It stays so when the program starts again.
	stop()
	a, _ = started(t, dir, c, plenty)
	checked := a.Supports()[0].Checked
	c.pass(40 * time.Minute)
	until(t, a, "it has looked again", func() bool { return a.Supports()[0].Checked.After(checked) })
	newSupporter(a).step(t.Context())
	if !holds(a, "a1", "b2")() || len(a.Swarms()) != 9 {
		t.Errorf("after a restart %q of %d are whole", names(a), len(a.Swarms()))
	}
}

func TestWhatIsWaitedForIsBounded(t *testing.T) {
	a, _, infohashes := seeding(t)
	w := newSupporter(a)
	if may, why := w.mayStart(); !may || why != "" {
		t.Errorf("with nothing to wait for: %v, %q", may, why)
	}
	// Of what is whole nothing is waited for, whatever its figure.
	if err := a.keeper.change(infohashes[0], func(e *library.Entry) { e.Stalled = 1 << 40 }); err != nil {
		t.Fatal(err)
	}
	if may, _ := w.mayStart(); !may {
		t.Error("one that is whole holds up the others")
	}
	for i := range maxStalled {
		e := library.Entry{
			Infohash: fmt.Sprintf("%040x", i+1), Support: "one", Want: true, Stalled: int64(stalledTime / time.Second),
		}
		e.Magnet = "magnet:?xt=urn:btih:" + e.Infohash
		a.keeper.writing.Lock()
		err := a.keeper.put(e)
		a.keeper.writing.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Join(t.Context(), a.engine); err != nil {
			t.Fatal(err)
		}
	}
	if may, why := w.mayStart(); may || !strings.Contains(why, "nobody seeds") {
		t.Errorf("with so much to wait for: %v, %q", may, why)
	}
}

func TestTheTimeWithoutAByteIsCounted(t *testing.T) {
	now := time.Now()
	e := library.Entry{Want: true}
	for i, x := range []struct {
		stats peer.Stats
		want  int64
	}{
		{peer.Stats{}, 5},
		{peer.Stats{}, 10},
		{peer.Stats{Paused: true}, 10},
		{peer.Stats{}, 15},
		{peer.Stats{Downloaded: peer.Bytes{TCP: 1}}, 0},
		{peer.Stats{Downloaded: peer.Bytes{TCP: 1}}, 5},
		{peer.Stats{Complete: true}, 0},
	} {
		if e = counted(e, x.stats, now, 5); e.Stalled != x.want {
			t.Errorf("step %d: %d s, want %d", i, e.Stalled, x.want)
		}
	}
	e.Want = false
	if e = counted(e, peer.Stats{}, now, 5); e.Stalled != 0 {
		t.Error("what nobody wants is waited for")
	}
}
