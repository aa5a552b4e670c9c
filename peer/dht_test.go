// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	peer_store "github.com/anacrolix/dht/v2/peer-store"
	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
)

// dhtBench is an announcer without a network, in the time of a synctest bubble. Its announces last.
type dhtBench struct {
	mu      sync.Mutex
	swarms  []dhtSwarm
	lasts   time.Duration
	err     error
	began   map[metainfo.Hash][]time.Time
	order   []metainfo.Hash
	running int
	most    int
	cancel  context.CancelFunc
	end     chan struct{}
}

func newDHTBench(t *testing.T, lasts time.Duration, swarms ...dhtSwarm) *dhtBench {
	t.Helper()
	b := &dhtBench{swarms: swarms, lasts: lasts, began: map[metainfo.Hash][]time.Time{}, end: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	b.cancel = cancel
	ticker := time.NewTicker(dhtLook)
	go func() {
		defer close(b.end)
		defer ticker.Stop()
		newDHTAnnouncer(b.list, b.announce, time.Now).run(ctx, ticker.C)
	}()
	return b
}

func (b *dhtBench) list() []dhtSwarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.swarms)
}

func (b *dhtBench) announce(ctx context.Context, ih metainfo.Hash) error {
	b.mu.Lock()
	b.began[ih] = append(b.began[ih], time.Now())
	b.order = append(b.order, ih)
	b.running++
	b.most = max(b.most, b.running)
	err := b.err
	b.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(b.lasts):
	}
	b.mu.Lock()
	b.running--
	b.mu.Unlock()
	return err
}

// stop ends the announcer, and fails where an announce goes on.
func (b *dhtBench) stop(t *testing.T) {
	t.Helper()
	b.cancel()
	<-b.end
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != 0 {
		t.Errorf("%d announces go on after the end", b.running)
	}
}

func dhtSwarmsOf(from, n int, looking bool) []dhtSwarm {
	var out []dhtSwarm
	for i := range n {
		s := dhtSwarm{looking: looking}
		binary.BigEndian.PutUint32(s.infohash[:], uint32(from+i))
		out = append(out, s)
	}
	return out
}

func TestDHTAnnouncesEachSwarmInItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seeds := dhtSwarmsOf(0, 40, false)
		b := newDHTBench(t, 20*time.Second, seeds...)
		time.Sleep(2 * time.Hour)
		b.stop(t)
		if b.most != dhtAtOnce-dhtKept {
			t.Errorf("%d announces of seeds at once, want %d", b.most, dhtAtOnce-dhtKept)
		}
		for _, s := range seeds {
			times := b.began[s.infohash]
			if len(times) < 4 {
				t.Errorf("a swarm was announced %d times in two hours", len(times))
			}
			for i := 1; i < len(times); i++ {
				if gap := times[i].Sub(times[i-1]); gap < dhtInterval || gap > 35*time.Minute {
					t.Errorf("announced again after %s", gap)
				}
			}
		}
	})
}

func TestDHTSeedsBeyondItsPaceHaveTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seeds := dhtSwarmsOf(0, 1000, false)
		b := newDHTBench(t, 20*time.Second, seeds...)
		time.Sleep(4 * time.Hour) // a round takes 1h51m
		b.stop(t)
		for _, s := range seeds {
			if n := len(b.began[s.infohash]); n < 2 || n > 3 {
				t.Fatalf("a swarm was announced %d times", n)
			}
		}
	})
}

func TestDHTWatchedSwarmGoesFirstAndMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched := dhtSwarmsOf(5000, 1, true)[0]
		b := newDHTBench(t, 20*time.Second, dhtSwarmsOf(0, 1000, false)...)
		time.Sleep(10 * time.Minute)
		b.mu.Lock()
		b.swarms = append(b.swarms, watched)
		b.mu.Unlock()
		asked := time.Now()
		time.Sleep(time.Hour)
		b.stop(t)
		times := b.began[watched.infohash]
		if len(times) < 16 || len(times) > 20 {
			t.Fatalf("announced %d times in an hour", len(times))
		}
		if wait := times[0].Sub(asked); wait > dhtLook {
			t.Errorf("waited %s for its first announce", wait)
		}
		if b.most > dhtAtOnce {
			t.Errorf("%d announces at once", b.most)
		}
	})
}

func TestDHTLooksForPeersBeforeItAnnouncesSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looking := dhtSwarmsOf(100, dhtAtOnce, true)
		b := newDHTBench(t, 20*time.Second, append(dhtSwarmsOf(0, 20, false), looking...)...)
		time.Sleep(30 * time.Second)
		b.stop(t)
		for i, ih := range b.order[:dhtAtOnce] { // those that begin together do so in any order
			if !slices.Contains(looking, dhtSwarm{ih, true}) {
				t.Errorf("announce %d is of a seed", i)
			}
		}
		if len(b.order) == dhtAtOnce {
			t.Error("no seed was announced after them")
		}
	})
}

func TestDHTWithoutNodesIsLeftInPeace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seeds := dhtSwarmsOf(0, 1000, false)
		b := newDHTBench(t, 0, seeds...)
		b.mu.Lock()
		b.err = errNoDHTNode
		b.mu.Unlock()
		time.Sleep(10 * time.Minute)
		b.mu.Lock()
		if n := len(b.order); n == 0 || n > 80 {
			t.Errorf("%d announces in ten minutes without a node", n)
		}
		b.err = nil
		b.mu.Unlock()
		time.Sleep(30 * time.Minute)
		b.stop(t)
		for _, s := range seeds {
			if len(b.began[s.infohash]) == 0 {
				t.Fatal("a swarm was not announced when nodes were back")
			}
		}
	})
}

func TestDHTForgetsSwarmsThatAreGone(t *testing.T) {
	list := dhtSwarmsOf(0, 3, false)
	end := make(chan struct{})
	a := newDHTAnnouncer(func() []dhtSwarm { return list }, func(context.Context, metainfo.Hash) error {
		<-end
		return errOffline
	}, time.Now)
	a.begin(t.Context())
	list = nil
	a.begin(t.Context())
	if len(a.turns) != 3 {
		t.Errorf("%d turns known while 3 announces run", len(a.turns))
	}
	close(end)
	for range 3 {
		a.end(<-a.ended)
	}
	a.begin(t.Context())
	if len(a.turns) != 0 || a.running != 0 || !a.paused.IsZero() {
		t.Errorf("%d turns, %d running, paused until %s", len(a.turns), a.running, a.paused)
	}
}

func TestDHTListsSwarmsThatMayBeAnnounced(t *testing.T) {
	open, private := newFixture(t, 1<<16, 1<<15), newFixture(t, 1<<16+1, 1<<15)
	info, err := private.mi.UnmarshalInfo()
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	info.Private = &yes
	if private.mi.InfoBytes, err = bencode.Marshal(info); err != nil {
		t.Fatal(err)
	}
	private.hash = private.mi.HashInfoBytes()
	e := newSeeder(t, open, Config{})
	hidden := join(t, e, private.target(), JoinOptions{})
	waitUntil(t, "the private torrent's metadata", hidden.isReady)
	join(t, e, Target{Infohash: metainfo.Hash{1}}, JoinOptions{Sources: Sources{SourceWebRTC}})
	magnet := join(t, e, Target{Infohash: metainfo.Hash{2}}, JoinOptions{})
	want := []dhtSwarm{{open.hash, false}, {magnet.infohash, true}}
	if got := e.dhtSwarms(); !slices.Equal(got, want) {
		t.Errorf("to be announced: %v, want %v", got, want)
	}
	magnet.Pause()
	if got := e.dhtSwarms(); !slices.Equal(got, want[:1]) {
		t.Errorf("to be announced after a pause: %v, want %v", got, want[:1])
	}
	if err := e.announceToDHT(t.Context(), magnet.infohash); !errors.Is(err, errOffline) {
		t.Errorf("announcing a paused swarm: %v", err)
	}
}

// dhtStore keeps what is announced to a node. The library's own store loses the port.
type dhtStore struct {
	mu    sync.Mutex
	peers map[peer_store.InfoHash][]krpc.NodeAddr
}

func (d *dhtStore) AddPeer(ih peer_store.InfoHash, peer krpc.NodeAddr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.peers[ih] = append(d.peers[ih], peer)
}

func (d *dhtStore) GetPeers(ih peer_store.InfoHash) []krpc.NodeAddr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.peers[ih])
}

func TestDHTEnginesFindEachOther(t *testing.T) {
	if !haveUTP {
		t.Skip("the DHT needs µTP, which this build does not have")
	}
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kept := &dhtStore{peers: map[peer_store.InfoHash][]krpc.NodeAddr{}}
	config := dht.NewDefaultServerConfig()
	config.Conn, config.PeerStore = socket, kept
	config.StartingNodes = func() ([]dht.Addr, error) { return nil, nil }
	node, err := dht.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	nodes := func() ([]dht.Addr, error) { return []dht.Addr{dht.NewAddr(socket.LocalAddr())}, nil }
	f := newFixture(t, 1<<18, 1<<15)
	newSeeder(t, f, Config{DHT: true, dhtNodes: nodes})
	waitUntil(t, "the seeder's announce", func() bool { return len(kept.GetPeers(f.hash)) > 0 })
	viewer := newEngine(t, Config{DHT: true, dhtNodes: nodes})
	s := join(t, viewer, Target{Infohash: f.hash}, JoinOptions{}) // no tracker, no address
	s.Download()
	waitComplete(t, s)
	checkFile(t, s, f)
}
