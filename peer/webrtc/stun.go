// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// stunSettle is how much longer than the first STUN server the others may take.
	stunSettle = 200 * time.Millisecond
	// stunSilence is how long a STUN server is left alone that did not answer, so that a dead one
	// delays no offer but the first.
	stunSilence = time.Minute
	// maxSTUNServers bounds how many are asked.
	maxSTUNServers = 8
)

// NAT is what STUN servers say of the Transport's port (RFC 4787 §4.1).
type NAT struct {
	// Asked and Answered count STUN servers.
	Asked, Answered int
	// Mapped are the addresses that the port was seen as, each once. More than one of the same kind
	// says that the router gives each destination its own: its NAT is symmetric.
	Mapped []netip.AddrPort
}

// AskSTUN asks all STUN servers, including those that were silent before, how the port looks from
// outside. It takes no longer than gathering may.
func (t *Transport) AskSTUN(ctx context.Context) NAT {
	m := t.ports.current().mux
	t.stun.forgive()
	servers := t.stunServers()
	answers := t.askSTUN(ctx, m, servers, t.times.gather)
	nat := NAT{Asked: len(servers), Answered: len(answers)}
	for _, a := range answers {
		if !slices.Contains(nat.Mapped, a) {
			nat.Mapped = append(nat.Mapped, a)
		}
	}
	return nat
}

// silence remembers which STUN servers did not answer lately.
type silence struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (s *silence) note(server string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil || len(s.until) > maxSTUNServers {
		s.until = make(map[string]time.Time)
	}
	s.until[server] = time.Now().Add(stunSilence)
}

func (s *silence) has(server string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.until[server])
}

func (s *silence) forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = nil
}

// stunServers are the servers to ask, at most maxSTUNServers.
func (t *Transport) stunServers() []*stun.URI {
	var out []*stun.URI
	for _, s := range *t.iceServers.Load() {
		for _, u := range s.URLs {
			parsed, err := stun.ParseURI(u)
			if err == nil && parsed.Scheme == stun.SchemeTypeSTUN && len(out) < maxSTUNServers {
				out = append(out, parsed)
			}
		}
	}
	return out
}

// toAsk are the servers that were not silent lately.
func (t *Transport) toAsk() []*stun.URI {
	return slices.DeleteFunc(t.stunServers(), func(s *stun.URI) bool { return t.stun.has(s.String()) })
}

// mapped tells how a port of ours looks from outside, as the router and the STUN servers say. It takes no longer than the
// gathering of candidates may, and little longer than the first answer; answers are kept for some
// seconds by the mux.
func (t *Transport) mapped(ctx context.Context, m *mux) []netip.AddrPort {
	var out []netip.AddrPort
	if t.cfg.Mapped != nil && m == t.ports.current().mux {
		if a := t.cfg.Mapped(); a.IsValid() {
			out = append(out, a)
		}
	}
	for _, a := range t.askSTUN(ctx, m, t.toAsk(), stunSettle) {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// askSTUN asks servers at the same time and returns their answers. After the first one, the others
// have settle left.
func (t *Transport) askSTUN(ctx context.Context, m *mux, servers []*stun.URI, settle time.Duration) []netip.AddrPort {
	if len(servers) == 0 || t.cfg.Interface.Held() {
		return nil
	}
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, t.times.gather)
	defer cancel()
	answers := make(chan netip.AddrPort, len(servers))
	for _, s := range servers {
		t.spawn(func() {
			a, err := t.mappedBy(ctx, m, s)
			if err != nil {
				t.logger.Debug("STUN server did not answer", "url", s.String(), "error", err)
				if parent.Err() == nil {
					t.stun.note(s.String())
				}
			}
			answers <- a
		})
	}
	var out []netip.AddrPort
	for range servers {
		select {
		case a := <-answers:
			if !a.IsValid() {
				continue
			}
			if out = append(out, a); len(out) == 1 {
				late := time.AfterFunc(settle, cancel)
				defer late.Stop()
			}
		case <-ctx.Done():
			return out
		}
	}
	return out
}

func (t *Transport) mappedBy(ctx context.Context, m *mux, server *stun.URI) (netip.AddrPort, error) {
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", server.Host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("looking up STUN server: %w", err)
	}
	got, err := m.GetXORMappedAddrContext(ctx, &net.UDPAddr{IP: ips[0], Port: server.Port}, t.times.gather)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("asking STUN server: %w", err)
	}
	ip, ok := netip.AddrFromSlice(got.IP)
	if !ok || got.Port <= 0 || got.Port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("STUN server answered %v", got)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(got.Port)), nil
}
