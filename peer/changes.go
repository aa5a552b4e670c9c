// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/anacrolix/torrent"
)

const (
	// sleepGap is how much longer than planned a pause must be for the machine to have slept.
	sleepGap = time.Minute
	// spread is how far apart swarms announce again, by and large, and maxSpread how long all of
	// them may take.
	spread    = 20 * time.Millisecond
	maxSpread = time.Minute
)

// changes knows who wants to hear that the network has changed.
type changes struct {
	mu    sync.Mutex
	hooks []func()
	began time.Time
}

// ticks is a clock for comparisons, in nanoseconds. Nobody can set it back.
func (e *Engine) ticks() int64 { return int64(time.Since(e.changes.began)) }

// onNetworkChange has f called, from a goroutine of the engine's, when the machine's addresses have
// changed and when it wakes up. f must not block.
func (e *Engine) onNetworkChange(f func()) {
	e.changes.mu.Lock()
	defer e.changes.mu.Unlock()
	e.changes.hooks = append(e.changes.hooks, f)
}

// watchNetwork notices that the machine has slept, or stood still, and that its addresses changed.
func (e *Engine) watchNetwork() {
	now, addresses := e.config.now, e.config.addresses
	if now == nil {
		now = time.Now
	}
	if addresses == nil {
		addresses = net.InterfaceAddrs
	}
	times := &e.config.times
	ticker := time.NewTicker(times.network)
	defer ticker.Stop()
	known := publicAddresses(addresses)
	latest := known
	last, reacted := now(), time.Time{}
	slept, lost, changed := false, false, false
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-ticker.C:
		}
		at := now()
		// The monotonic clock stands still during sleep on some systems; the wall clock may be set back.
		gap := max(at.Sub(last), at.Round(0).Sub(last.Round(0)))
		last = at
		slept = slept || gap > times.network+sleepGap
		found := publicAddresses(addresses)
		settled := slices.Equal(found, latest) // changes come in bursts
		latest = found
		if !slices.Equal(found, known) {
			changed = true
			lost = lost || slices.ContainsFunc(known, func(a string) bool { return !slices.Contains(found, a) })
		}
		soon := !reacted.IsZero() && time.Since(reacted) < times.refresh
		if !slept && !changed || !settled || soon || len(found) == 0 && len(known) > 0 {
			continue
		}
		e.logger.Info("the network has changed", "slept", slept, "addresses", changed)
		e.networkChanged(slept || lost)
		known, reacted = found, time.Now()
		slept, lost, changed = false, false, false
	}
}

// publicAddresses are the addresses at which others may reach the machine, sorted.
func publicAddresses(list func() ([]net.Addr, error)) []string {
	addrs, err := list()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			out = append(out, n.IP.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// networkChanged tells trackers where we are now. With drop, the connections there are cannot be of
// use any more: they are closed, for the operating system would keep them for many minutes, and the
// peers are dialed anew.
func (e *Engine) networkChanged(drop bool) {
	e.changes.mu.Lock()
	hooks := slices.Clone(e.changes.hooks)
	e.changes.mu.Unlock()
	for _, f := range hooks {
		f()
	}
	if drop {
		e.dropConns()
	}
	e.http.CloseIdleConnections()
	if e.transport != nil {
		e.transport.Refresh()
	}
	swarms := e.Swarms()
	for _, s := range swarms {
		within := min(maxSpread, time.Duration(len(swarms))*spread)
		delay := time.NewTimer(rand.N(within + 1))
		e.wg.Go(func() {
			defer delay.Stop()
			select {
			case <-delay.C:
				s.announceAgain()
			case <-s.ctx.Done():
			}
		})
	}
}

// dropConns closes every connection, and has the peers dialed again whose addresses we know.
func (e *Engine) dropConns() {
	var conns []*conn
	e.conns.mu.Lock()
	for _, c := range e.conns.open {
		conns = append(conns, c)
	}
	e.conns.mu.Unlock()
	known := map[*Swarm][]string{}
	for _, c := range conns {
		if c.pc.Discovery != torrent.PeerSourceIncoming && (c.source == SourceTCP || c.source == SourceUTP) {
			known[c.swarm] = append(known[c.swarm], c.pc.RemoteAddr.String())
		}
		_ = c.pc.Close()
	}
	for s, addrs := range known {
		s.addPeers(peerInfos(addrs, torrent.PeerSourceDirect))
	}
}

// announceAgain announces to every tracker at once, and dials the peers that came with the magnet link.
func (s *Swarm) announceAgain() {
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	trackers, connected := s.trackers, s.network != nil
	s.mu.Unlock()
	if !connected {
		return
	}
	for _, a := range trackers {
		a.hurry()
	}
	s.connect()
}
