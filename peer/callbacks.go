// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/anacrolix/torrent"
	pp "github.com/anacrolix/torrent/peer_protocol"
)

// connTable knows the open connections. The torrent client calls back under its lock, so nothing
// here may call the client.
type connTable struct {
	counting sync.Mutex // one count at a time; taken before mu

	mu      sync.Mutex
	open    map[*torrent.PeerConn]*conn
	live    int     // of open, those neither refused nor ending
	serial  int64   // of the last one
	closed  []*conn // not yet counted by poll
	refused atomic.Int64
}

type conn struct {
	pc      *torrent.PeerConn
	swarm   *Swarm
	source  Source
	refused bool  // of a source this swarm does not allow, or one too many: nothing it says is heard
	ending  bool  // being closed to make room
	serial  int64 // order of arrival
	sent    int64 // payload counted so far; under counting
	use     use
}

// sourceOf tells the source of a connection by its network's name.
func sourceOf(network string) Source {
	switch {
	case network == "webrtc":
		return SourceWebRTC
	case strings.HasPrefix(network, "tcp"):
		return SourceTCP
	case strings.HasPrefix(network, "udp"), strings.HasPrefix(network, "utp"):
		return SourceUTP
	default: // "http", the torrent client's name for WebSeeds
		return SourceWebSeed
	}
}

func (e *Engine) addCallbacks(c *torrent.Callbacks) {
	e.conns.open = map[*torrent.PeerConn]*conn{}
	c.PeerConnAdded = append(c.PeerConnAdded, e.connAdded)
	c.PeerConnClosed = e.connClosed
	c.ReadMessage = e.readMessage
	c.CompletedHandshake = e.greeted
	c.ReceiveEncryptedHandshakeSkeys = e.secretKeys
	c.ReceivedUsefulData = append(c.ReceivedUsefulData, e.receivedData)
}

// connAdded is called before the first message goes either way. A connection that its swarm does
// not allow is cut off here: it is never asked for anything, and what it says is not heard.
func (e *Engine) connAdded(pc *torrent.PeerConn) {
	if from, ok := pc.RemoteAddr.(*arrivalAddr); ok {
		from.arrival.over()
	}
	s, ok := e.entering(pc.Torrent().InfoHash())
	if !ok {
		return
	}
	c := &conn{pc: pc, swarm: s, source: sourceOf(pc.Network)}
	c.refused = !s.allows(c.source) || e.conns.crowded(c)
	surplus := e.conns.add(c, e.Limits().Connections)
	if surplus != nil {
		go surplus.Close() // takes the client's lock, which is held here
	}
	if !c.refused {
		s.peersBy.add(c.source, 1)
		e.noteIncoming(pc, c.source)
		s.meet(c)
		return
	}
	e.conns.refused.Add(1)
	pc.PeerMaxRequests = 0
	if surplus != pc {
		go pc.Close()
	}
}

func (e *Engine) connClosed(pc *torrent.PeerConn) {
	e.conns.mu.Lock()
	c := e.conns.open[pc]
	e.conns.remove(pc)
	if c != nil && !c.refused {
		e.conns.closed = append(e.conns.closed, c)
	}
	e.conns.mu.Unlock()
	switch {
	case c == nil:
	case c.refused:
		e.conns.refused.Add(-1)
	default:
		c.swarm.peersBy.add(c.source, -1)
	}
}

// readMessage silences refused connections, those that ask for more than they should, and requests that
// are larger than BEP 3 has them.
func (e *Engine) readMessage(pc *torrent.PeerConn, msg *pp.Message) {
	if msg.Type == pp.Request && msg.Length > maxRequest {
		*msg = pp.Message{Keepalive: true}
		return
	}
	if e.conns.refused.Load() == 0 && !guarded(msg.Type) {
		return
	}
	e.conns.mu.Lock()
	c := e.conns.open[pc]
	e.conns.mu.Unlock()
	if c != nil && (c.refused || c.misuses(msg)) {
		*msg = pp.Message{Keepalive: true}
	}
}

// receivedData counts a chunk towards its source.
func (e *Engine) receivedData(event torrent.ReceivedUsefulDataEvent) {
	if s, ok := e.entering(event.Peer.Torrent().InfoHash()); ok {
		m, source, host := event.Message, sourceOf(event.Peer.Network), ""
		if source == SourceWebSeed && event.Peer.RemoteAddr != nil {
			host = event.Peer.RemoteAddr.String()
		}
		s.tally.receive(int(m.Index), int(m.Begin), len(m.Piece), source, host)
	}
}

// countClosed adds up what closed connections have sent. They are never many: a connection is
// counted at the poll that follows its end.
func (e *Engine) countClosed() {
	e.conns.counting.Lock()
	defer e.conns.counting.Unlock()
	e.conns.mu.Lock()
	closed := e.conns.closed
	e.conns.closed = nil
	e.conns.mu.Unlock()
	for _, c := range closed {
		c.count()
	}
}

// count adds what a connection has sent since it was last counted.
func (c *conn) count() {
	stats := c.pc.Stats()
	sent := stats.BytesWrittenData.Int64()
	c.swarm.tally.upload(c.source, sent-c.sent)
	c.sent = sent
	c.weigh(&stats.ConnStats)
}

// countOpen adds up what the swarm's open connections have sent.
func (e *Engine) countOpen(s *Swarm) {
	e.conns.counting.Lock()
	defer e.conns.counting.Unlock()
	var conns []*conn
	e.conns.mu.Lock()
	for _, c := range e.conns.open {
		if c.swarm == s && !c.refused {
			conns = append(conns, c)
		}
	}
	e.conns.mu.Unlock()
	for _, c := range conns {
		c.count()
	}
}

// countAll adds up what all open connections have sent.
func (e *Engine) countAll() {
	e.conns.counting.Lock()
	defer e.conns.counting.Unlock()
	var conns []*conn
	e.conns.mu.Lock()
	for _, c := range e.conns.open {
		if !c.refused {
			conns = append(conns, c)
		}
	}
	e.conns.mu.Unlock()
	for _, c := range conns {
		c.count()
	}
}
