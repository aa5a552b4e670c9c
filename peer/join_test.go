// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"testing"
)

// A swarm was listed before its torrent was set, and the poll that met it brought the program down.
func TestASwarmIsListedOnlyOnceItIsEntered(t *testing.T) {
	f := newFixture(t, 100<<10, 32<<10)
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	target, err := targetFromMetaInfo(f.target().MetaInfo)
	if err != nil {
		t.Fatal(err)
	}
	s := e.newSwarm(target, e.Sources(), &store{dir: t.TempDir()})
	opened, early := s.store.onOpen, -1
	s.store.onOpen = func(err error) { // while the torrent is being added
		early = len(e.Swarms())
		opened(err)
	}
	if _, err := e.enter(context.Background(), s, target); err != nil {
		t.Fatal(err)
	}
	if early != 0 {
		t.Fatalf("%d swarms were listed early", early)
	}
	if len(e.Swarms()) != 1 {
		t.Fatal("the swarm is not listed")
	}
}
