// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"testing"

	"github.com/anacrolix/torrent/metainfo"
)

// A swarm was listed before its torrent was set, and the poll that met it brought the program down.
func TestASwarmIsListedOnlyOnceItIsEntered(t *testing.T) {
	e := newEngine(t, Config{Sources: Sources{SourceTCP}})
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, s := range e.Swarms() {
				if s.torrent == nil {
					t.Error("a swarm without its torrent is listed")
					return
				}
			}
		}
	}()
	for i := range 100 {
		if _, err := e.Join(context.Background(), Target{Infohash: metainfo.Hash{byte(i), 1}}, JoinOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-done
}
