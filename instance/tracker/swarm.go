// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"math/rand/v2"
	"net/netip"
	"sync"
)

// shardCount spreads the swarms over that many locks. It is a power of two.
const shardCount = 64

type shard struct {
	mu     sync.Mutex
	swarms map[Hash]*swarm
}

// swarm is who takes part in one torrent. Its shard's lock guards it and its peers.
type swarm struct {
	peers     map[[20]byte]*peer
	sockets   []*peer // those with a connection, for offers
	addrs     []*peer // those with an address, for HTTP clients
	seeders   int
	completed int
}

// peer is one member of one swarm. A client that announces over both protocols under one peer id
// is one peer with both a connection and an address.
type peer struct {
	id      [20]byte
	hash    Hash
	conn    *conn          // nil without a WebSocket
	addr    netip.AddrPort // zero without HTTP announces
	counted netip.Addr     // what ipCounter counts addr under
	wsIndex int32          // in sockets
	atIndex int32          // in addrs
	wsSeen  int64          // Unix seconds of the last announce on the socket
	atSeen  int64          // and over HTTP
	done    bool           // left is 0
	fresh   bool           // its "completed" was counted
}

func (t *Tracker) shard(h Hash) *shard { return &t.shards[h[0]&(shardCount-1)] }

// get returns a swarm, made when it is missing. The shard's lock is held.
func (sh *shard) get(h Hash) *swarm {
	s := sh.swarms[h]
	if s == nil {
		s = &swarm{peers: map[[20]byte]*peer{}}
		sh.swarms[h] = s
	}
	return s
}

func (s *swarm) stats() Stats {
	if s == nil {
		return Stats{}
	}
	return Stats{Seeders: s.seeders, Leechers: len(s.peers) - s.seeders, Downloads: max(s.completed, s.seeders)}
}

// get returns a peer, made when it is missing.
func (s *swarm) get(h Hash, id [20]byte) *peer {
	p := s.peers[id]
	if p == nil {
		p = &peer{id: id, hash: h}
		s.peers[id] = p
	}
	return p
}

// setConn notes that a peer is reached through c.
func (s *swarm) setConn(p *peer, c *conn) {
	if p.conn == nil {
		p.wsIndex = int32(len(s.sockets)) //nolint:gosec // bounded by MaxConns
		s.sockets = append(s.sockets, p)
	}
	p.conn = c
}

// setAddr notes that a peer is reached at an address, which counts under ip.
func (s *swarm) setAddr(p *peer, addr netip.AddrPort, ip netip.Addr) {
	if !p.addr.IsValid() {
		p.atIndex = int32(len(s.addrs)) //nolint:gosec // bounded by MaxHTTPPeers
		s.addrs = append(s.addrs, p)
	}
	p.addr, p.counted = addr, ip
}

// dropConn forgets a peer's connection, and the peer when nothing else reaches it.
func (s *swarm) dropConn(p *peer) {
	if p.conn == nil {
		return
	}
	last := s.sockets[len(s.sockets)-1]
	s.sockets[p.wsIndex], last.wsIndex = last, p.wsIndex
	s.sockets[len(s.sockets)-1] = nil
	s.sockets = s.sockets[:len(s.sockets)-1]
	p.conn = nil
	s.dropEmpty(p)
}

// dropAddr forgets a peer's address, and the peer when nothing else reaches it.
func (s *swarm) dropAddr(p *peer, count *ipCounter) {
	if !p.addr.IsValid() {
		return
	}
	last := s.addrs[len(s.addrs)-1]
	s.addrs[p.atIndex], last.atIndex = last, p.atIndex
	s.addrs[len(s.addrs)-1] = nil
	s.addrs = s.addrs[:len(s.addrs)-1]
	count.sub(p.counted)
	p.addr = netip.AddrPort{}
	s.dropEmpty(p)
}

func (s *swarm) dropEmpty(p *peer) {
	if p.conn != nil || p.addr.IsValid() {
		return
	}
	s.setDone(p, false)
	delete(s.peers, p.id)
}

func (s *swarm) setDone(p *peer, done bool) {
	if done && !p.done {
		s.seeders++
	}
	if !done && p.done {
		s.seeders--
	}
	p.done = done
}

// note takes over what an announce says of a peer's progress.
func (s *swarm) note(p *peer, done, completed bool) {
	s.setDone(p, done)
	if completed && !p.fresh {
		p.fresh = true
		s.completed++
	}
}

// pick calls yield with up to n random members of list, none twice and never self.
func pick(list []*peer, n int, self *peer, yield func(*peer)) {
	if len(list) <= 4*n { // dense: walk a random permutation's start
		for _, i := range rand.Perm(len(list)) {
			if n == 0 {
				return
			}
			if list[i] != self {
				yield(list[i])
				n--
			}
		}
		return
	}
	taken := make([]int, 0, 128)
draw:
	for len(taken) < n { // sparse: at most a quarter is taken, so a draw is rarely wasted
		i := rand.IntN(len(list))
		if list[i] == self {
			continue
		}
		for _, j := range taken {
			if i == j {
				continue draw
			}
		}
		taken = append(taken, i)
		yield(list[i])
	}
}
