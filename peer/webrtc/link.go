// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// link is one peer connection from its offer to its end.
type link struct {
	s        *Swarm
	by       *announcer             // whose tracker brings the peers together
	port     *port                  // set once, by connect
	pc       *webrtc.PeerConnection // set once, by connect
	offerID  string                 // ours; empty if the peer made the offer
	ended    chan struct{}          // closed by finish
	setup    sync.Mutex             // held while pc is set up, for it leaks if it is closed meanwhile
	channels atomic.Int32           // that the peer opened; the first counts

	// Under s.mu.
	state  linkState
	peerID [20]byte    // known from the answer on
	timer  *time.Timer // ends what takes too long
	since  time.Time   // when this state began
	conn   *conn
	owned  bool // pc is set, and closed by finish
}

func newLink(s *Swarm, by *announcer) *link {
	return &link{s: s, by: by, ended: make(chan struct{}), since: time.Now()}
}

type linkState int

const (
	linkNew      linkState = iota // in no map yet
	linkOffered                   // in s.offers
	linkOpening                   // in s.links
	linkOpen                      // in s.links, with a conn
	linkFinished                  // in no map any more
)

// maxChannels is how many data channels a peer may open; only the first is used.
const maxChannels = 4

// connect makes the link's peer connection, on a port from which remote can be told apart.
func (l *link) connect(remote []netip.AddrPort) error {
	port, err := l.s.t.ports.use(l, remote)
	if err != nil {
		return err
	}
	pc, err := l.s.t.newPeerConnection(port)
	if err != nil {
		l.s.t.ports.release(l)
		return err
	}
	l.port, l.pc = port, pc
	if !l.s.adopt(l) {
		err := pc.GracefulClose()
		l.s.t.ports.release(l)
		return errors.Join(errFinished, err)
	}
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			l.finish(errors.New("connection " + state.String()))
		}
	})
	return nil
}

// describe sets the local description and waits, no longer than gathering may take, until all
// candidates are in it: none can follow later (there is no trickle ICE here).
func (l *link) describe(ctx context.Context, local webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(l.pc)
	if err := l.pc.SetLocalDescription(local); err != nil {
		return "", fmt.Errorf("setting local description: %w", err)
	}
	mapped := l.s.t.mapped(ctx, l.port.mux)
	timeout := time.NewTimer(l.s.t.times.gather)
	defer timeout.Stop()
	select {
	case <-gathered:
	case <-timeout.C:
	case <-l.ended:
		return "", errFinished
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return addCandidates(l.pc.LocalDescription().SDP, mapped), nil
}

// offer makes the offer that this link begins with.
func (l *link) offer(ctx context.Context) (description, error) {
	l.setup.Lock()
	defer l.setup.Unlock()
	if err := l.connect(nil); err != nil {
		return description{}, err
	}
	dc, err := l.pc.CreateDataChannel(l.offerID[:8], nil)
	if err != nil {
		return description{}, fmt.Errorf("creating data channel: %w", err)
	}
	dc.OnOpen(func() { l.open(dc) })
	local, err := l.pc.CreateOffer(nil)
	if err != nil {
		return description{}, fmt.Errorf("creating offer: %w", err)
	}
	sdp, err := l.describe(ctx, local)
	return description{Type: "offer", SDP: sdp}, err
}

// answer makes the answer to a peer's offer.
func (l *link) answer(ctx context.Context, remote description) (description, error) {
	l.setup.Lock()
	defer l.setup.Unlock()
	sdp, addresses := cleanSDP(remote.SDP, l.s.t.cfg.Loopback)
	if err := l.connect(addresses); err != nil {
		return description{}, err
	}
	l.pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		switch n := l.channels.Add(1); {
		case n == 1:
			dc.OnOpen(func() { l.open(dc) })
		case n > maxChannels:
			l.finish(errors.New("peer opens too many data channels"))
		}
	})
	if err := l.apply(webrtc.SDPTypeOffer, sdp); err != nil {
		return description{}, err
	}
	local, err := l.pc.CreateAnswer(nil)
	if err != nil {
		return description{}, fmt.Errorf("creating answer: %w", err)
	}
	sdp, err = l.describe(ctx, local)
	return description{Type: "answer", SDP: sdp}, err
}

// answered connects to the peer that answered this link's offer.
func (l *link) answered(remote description) error {
	l.setup.Lock()
	defer l.setup.Unlock()
	select {
	case <-l.ended:
		return errFinished
	default:
	}
	sdp, addresses := cleanSDP(remote.SDP, l.s.t.cfg.Loopback)
	if rival := l.s.t.ports.meet(l, addresses); rival != nil {
		// The same two peers have answered each other from the same ports, in two swarms.
		if rival.offerID != "" || !l.s.outranks(l) {
			return errSamePorts
		}
		rival.finish(errSamePorts)
	}
	return l.apply(webrtc.SDPTypeAnswer, sdp)
}

// apply sets the peer's description.
func (l *link) apply(kind webrtc.SDPType, sdp string) error {
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return fmt.Errorf("setting remote description: %w", err)
	}
	return nil
}

// open makes a conn of the data channel and gives it to the torrent client.
func (l *link) open(dc *webrtc.DataChannel) {
	c, err := l.newConn(dc)
	if err != nil {
		l.finish(err)
		return
	}
	if !l.s.opened(l, c) {
		return
	}
	if err := c.start(); err != nil {
		l.finish(err)
		return
	}
	ctx, cancel := context.WithTimeout(l.s.ctx, l.s.t.times.accept)
	defer cancel()
	if !l.s.t.listener.deliver(ctx, c) {
		l.finish(errors.New("torrent client did not accept the connection"))
	}
}

func (l *link) newConn(dc *webrtc.DataChannel) (*conn, error) {
	if !dc.Ordered() || dc.MaxPacketLifeTime() != nil || dc.MaxRetransmits() != nil {
		return nil, errors.New("data channel is not reliable")
	}
	raw, err := dc.DetachWithDeadline()
	if err != nil {
		return nil, fmt.Errorf("detaching data channel: %w", err)
	}
	ch, ok := raw.(channel)
	if !ok {
		return nil, fmt.Errorf("data channel is a %T", raw)
	}
	l.s.t.met.note(l.pair())
	remote := newAddr(l.s.t.salt, l.s.peerOf(l), l.remoteIP())
	return newConn(ch, handshake(&l.s.cfg), remote, newAddr(l.s.t.salt, l.s.cfg.PeerID, ""), &l.s.t.buffers, l.finish), nil
}

// remoteIP is the address that packets go to.
func (l *link) remoteIP() string {
	if pair := l.pair(); pair != nil && pair.Remote != nil {
		return pair.Remote.Address
	}
	return ""
}

// pair is the candidate pair that carries the connection; nil where there is none.
func (l *link) pair() *webrtc.ICECandidatePair {
	sctp := l.pc.SCTP()
	if sctp == nil {
		return nil
	}
	pair, err := sctp.Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil {
		return nil
	}
	return pair
}

// finish ends the link, whatever its state; why is nil when the torrent client ended it.
func (l *link) finish(why error) {
	c, owned, ok := l.s.finished(l, why)
	if !ok {
		return
	}
	close(l.ended)
	if c != nil {
		_ = c.Close()
	}
	if !owned {
		return
	}
	l.s.t.spawn(func() {
		l.setup.Lock()
		defer l.setup.Unlock()
		if err := l.pc.GracefulClose(); err != nil {
			l.s.t.logger.Debug("closing peer connection failed", "error", err)
		}
		l.s.t.ports.release(l)
	})
}
