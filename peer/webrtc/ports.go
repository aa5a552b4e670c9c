// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"github.com/pion/webrtc/v4"
)

// ports is the one UDP port of the Transport, and the few more that are needed at times.
//
// Once a connection is set up, its packets carry nothing but addresses to tell it from others. So
// two peers that both keep to one port can have one connection between these two, while they may
// meet in several swarms (a film and its sound, say). Whoever answers an offer sees the other's
// port in it, and answers from another port where the pair is taken.
type ports struct {
	cfg    Config
	logger *slog.Logger
	main   *port

	mu    sync.Mutex
	extra []*port
}

// port is a UDP port with what makes connections on it.
type port struct {
	mux   *mux
	api   *webrtc.API
	users map[*link][]netip.AddrPort // with the candidates of the other side, once known
}

// maxExtraPorts bounds in how many swarms, more or less, two peers can meet.
const maxExtraPorts = 32

var errNoPort = errors.New("too many connections to the same peer")

func newPorts(cfg Config, logger *slog.Logger) (*ports, error) {
	p := &ports{cfg: cfg, logger: logger}
	var err error
	p.main, err = p.open(cfg.UDPPort)
	return p, err
}

func (p *ports) open(number int) (*port, error) {
	m, err := listenMux(number, p.cfg, p.logger)
	if err != nil {
		return nil, err
	}
	return &port{mux: m, api: newAPI(p.cfg, m, p.logger), users: make(map[*link][]netip.AddrPort)}, nil
}

// use books a link on a port that has no connection to any of the addresses, opening one if need
// be. release undoes it.
func (p *ports) use(l *link, remote []netip.AddrPort) (*port, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, candidate := range append([]*port{p.main}, p.extra...) {
		if candidate.rival(l, remote) == nil {
			candidate.users[l] = remote
			return candidate, nil
		}
	}
	if len(p.extra) >= maxExtraPorts {
		return nil, errNoPort
	}
	fresh, err := p.open(0)
	if err != nil {
		return nil, err
	}
	p.extra = append(p.extra, fresh)
	fresh.users[l] = remote
	return fresh, nil
}

// meet tells the addresses of a link's other side, when its offer is answered. It returns the
// link that has the same two ports already, if there is one.
func (p *ports) meet(l *link, remote []netip.AddrPort) (rival *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, candidate := range append([]*port{p.main}, p.extra...) {
		if _, ok := candidate.users[l]; ok {
			rival = candidate.rival(l, remote)
			candidate.users[l] = remote
			return rival
		}
	}
	return nil
}

func (p *ports) release(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.main.users, l)
	p.extra = slices.DeleteFunc(p.extra, func(e *port) bool {
		delete(e.users, l)
		if len(e.users) > 0 {
			return false
		}
		if err := e.mux.Close(); err != nil {
			p.logger.Debug("closing UDP port failed", "error", err)
		}
		return true
	})
}

// current is the one port.
func (p *ports) current() *port {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.main
}

// all are the links that use a port.
func (p *ports) all() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	var links []*link
	for _, candidate := range append([]*port{p.main}, p.extra...) {
		for l := range candidate.users {
			links = append(links, l)
		}
	}
	return links
}

// reopen closes the one port and opens it again with the same number.
func (p *ports) reopen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	number := p.main.mux.port
	if err := p.main.mux.Close(); err != nil {
		p.logger.Debug("closing UDP port failed", "error", err)
	}
	fresh, err := p.open(number)
	if err != nil {
		return err
	}
	fresh.users = p.main.users // those that are ending
	p.main = fresh
	return nil
}

// close closes all ports; no link uses any by then.
func (p *ports) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := []error{p.main.mux.Close()}
	for _, e := range p.extra {
		errs = append(errs, e.mux.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing UDP port: %w", err)
	}
	return nil
}

func (p *port) rival(l *link, remote []netip.AddrPort) *link {
	for other, addresses := range p.users {
		if other == l {
			continue
		}
		for _, a := range addresses {
			if slices.Contains(remote, a) {
				return other
			}
		}
	}
	return nil
}
