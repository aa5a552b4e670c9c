// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"net/netip"
	"sync/atomic"

	"github.com/anacrolix/torrent"
	pp "github.com/anacrolix/torrent/peer_protocol"
)

// Bounds on what one peer may do. The client keeps an answer in memory until the peer reads it, so
// whoever asks and does not read must go.
const (
	maxPerAddress   = 16       // connections from one address (IPv6: one /64) to one swarm
	maxAsked        = 64 << 10 // requests between two polls
	maxOwed         = 16 << 10 // requests without an answer, beyond what is forgiven
	forgiven        = 4 << 10  // of them at each poll: a peer that is choked asks in vain
	maxUnread       = 60       // polls with requests, in a row, in which the peer read nothing
	maxPEX          = 8 << 10  // bytes of a PEX message; BEP 11 allows 100 addresses of each kind
	maxExtHandshake = 32       // extended handshakes (BEP 10) of a connection
	metadataRounds  = 3        // how often a peer may ask for the whole info
)

// use is what a peer has asked of us.
type use struct {
	cut      atomic.Bool  // it is being hung up on: what it says is not heard any more
	asked    atomic.Int64 // requests since the last poll
	metadata int          // requests for parts of the info; under the client's lock, as the next
	greeted  int          // extended handshakes

	owed, chunks, written int64 // as of the last poll; under counting
	unread                int
}

// crowded reports whether a connection would be one too many from its address.
func (t *connTable) crowded(c *conn) bool {
	if c.source == SourceWebRTC {
		return false // each has an address of its own
	}
	from := networkOf(c.pc.RemoteAddr)
	if !from.IsValid() {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, o := range t.open {
		if o.swarm == c.swarm && !o.refused && networkOf(o.pc.RemoteAddr) == from {
			n++
		}
	}
	return n >= maxPerAddress
}

// networkOf is what belongs to one host by and large: an IPv4 address, or an IPv6 /64.
func networkOf(a interface{ String() string }) netip.Prefix {
	if a == nil {
		return netip.Prefix{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ap.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// guarded reports whether a kind of message can be misused.
func guarded(kind pp.MessageType) bool {
	return kind == pp.Request || kind == pp.Extended || kind == pp.AllowedFast
}

// misuses reports whether a message is not to be heard. The client calls it under its lock.
func (c *conn) misuses(msg *pp.Message) bool {
	if c.use.cut.Load() {
		return true
	}
	switch msg.Type {
	case pp.Request:
		return c.use.asked.Add(1) > maxAsked && c.hangUp("it asks for too much at once")
	case pp.AllowedFast:
		n := c.swarm.store.pieces.Load()
		return n > 0 && int64(msg.Index) >= n
	case pp.Extended:
		return c.misusesExtension(msg)
	default:
		return false
	}
}

func (c *conn) misusesExtension(msg *pp.Message) bool {
	if msg.ExtendedID == pp.HandshakeExtendedID {
		c.use.greeted++
		if c.use.greeted > maxExtHandshake {
			c.hangUp("it greets again and again")
		}
		return c.use.greeted > 1 // the client sets up PEX anew each time, with a data race
	}
	name, _, err := c.pc.LocalLtepProtocolMap.LookupId(msg.ExtendedID)
	if err != nil {
		return false // the client hangs up
	}
	switch name {
	case pp.ExtensionNamePex:
		return len(msg.ExtendedPayload) > maxPEX
	case pp.ExtensionNameMetadata:
		if !bytes.Contains(msg.ExtendedPayload, []byte("8:msg_typei0e")) {
			return false
		}
		c.use.metadata++
		parts := int(c.swarm.infoSize.Load()/(16<<10)) + 1
		return c.use.metadata > metadataRounds*parts+10 && c.hangUp("it asks for the info again and again")
	default:
		return false
	}
}

// hangUp ends the connection, soon, since the client's lock is held. It returns true.
func (c *conn) hangUp(why string) bool {
	if !c.use.cut.Swap(true) {
		c.swarm.engine.logger.Debug("hanging up on a peer", "infohash", c.swarm.infohash.HexString(), "peer", c.pc.RemoteAddr.String(), "reason", why)
		go func() { _ = c.pc.Close() }()
	}
	return true
}

// weigh compares what a peer asked for since the last poll with what it took.
func (c *conn) weigh(stats *torrent.ConnStats) {
	asked, u := c.use.asked.Swap(0), &c.use
	chunks, written := stats.ChunksWritten.Int64(), stats.BytesWritten.Int64()
	u.owed = max(0, u.owed+asked-(chunks-u.chunks)-forgiven)
	switch {
	case written != u.written:
		u.unread = 0
	case asked > 0:
		u.unread++
	}
	u.chunks, u.written = chunks, written
	if u.owed > maxOwed || u.unread > maxUnread {
		c.hangUp("it asks and does not take the answers")
	}
}
