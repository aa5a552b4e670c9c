// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// TestHungDiskFreezesNoFigures has every write of one swarm hang. What a window asks for is answered all
// the same, and another swarm, on another disk, goes on.
func TestHungDiskFreezesNoFigures(t *testing.T) {
	f, g := newFixture(t, 8*mib, 256<<10), newFixture(t, 4*mib, 256<<10)
	hung, release := make(chan struct{}), make(chan struct{})
	var once, again sync.Once
	let := func() { again.Do(func() { close(release) }) }
	t.Cleanup(let)
	dir := t.TempDir()
	e := newEngine(t, Config{Sources: Sources{SourceWebSeed}, writable: func(path string) error {
		if strings.HasPrefix(path, dir) {
			once.Do(func() { close(hung) })
			<-release
		}
		return nil
	}})
	t.Cleanup(let) // before the engine closes
	target := f.target()
	target.WebSeeds = []string{newWebSeed(t, f, 0).url()}
	s := join(t, e, target, JoinOptions{Dir: dir})
	s.Download()
	select {
	case <-hung:
	case <-time.After(testPatience):
		t.Fatal("nothing was written")
	}

	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for range 100 {
			for _, one := range e.Swarms() {
				_, _, _ = one.Stats(), one.FilePath(0), one.Bitfield(10)
			}
		}
	}()
	select {
	case <-asked:
	case <-time.After(testPatience):
		t.Fatal("the figures are not told while the disk hangs")
	}
	target = g.target()
	target.WebSeeds = []string{newWebSeed(t, g, 0).url()}
	other := join(t, e, target, JoinOptions{})
	other.Download()
	waitComplete(t, other)
	let()
	waitComplete(t, s)
	checkFile(t, s, f)
}
