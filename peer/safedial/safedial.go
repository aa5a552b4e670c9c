// SPDX-License-Identifier: AGPL-3.0-or-later

package safedial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Timeout bounds one connect of Dialer and Context.
const Timeout = 10 * time.Second

// ErrPrivate is a connect that was refused: the address is not on the public Internet.
var ErrPrivate = errors.New("address is not public")

// Dialer returns a dialer for TCP that connects to public addresses, and to any with allowPrivate.
func Dialer(allowPrivate bool) *net.Dialer {
	return &net.Dialer{Timeout: Timeout, ControlContext: Control(allowPrivate)}
}

// Context returns what http.Transport.DialContext takes. See Dialer.
func Context(allowPrivate bool) func(ctx context.Context, network, address string) (net.Conn, error) {
	return Dialer(allowPrivate).DialContext
}

// Control returns what net.Dialer.ControlContext takes: it runs after the name is resolved and
// before each connect, and refuses an address that is not public with an error that is ErrPrivate.
// With allowPrivate it is nil.
func Control(allowPrivate bool) func(ctx context.Context, network, address string, c syscall.RawConn) error {
	if allowPrivate {
		return nil
	}
	return refusePrivate
}

func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	if !Public(ap.Addr()) {
		return fmt.Errorf("connecting to %s: %w", ap.Addr(), ErrPrivate)
	}
	return nil
}

// notPublic are the ranges of the IANA special-purpose registries (RFC 6890)
// that netip has no word for.
func notPublic() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
		netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT, RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments, RFC 6890
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays, RFC 7526
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks, RFC 2544
		netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved and broadcast, RFC 1112
		netip.MustParsePrefix("2001::/23"),       // protocol assignments and Teredo, RFC 2928
		netip.MustParsePrefix("2001:db8::/32"),   // documentation, RFC 3849
		netip.MustParsePrefix("2002::/16"),       // 6to4, RFC 3056
		netip.MustParsePrefix("3fff::/20"),       // documentation, RFC 9637
	}
}

// Public reports whether a is an address on the public Internet. An IPv4 address inside an IPv6 one
// (mapped, RFC 4291 §2.5.5.2, or NAT64, RFC 6052) counts as itself.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	if a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a) {
		return false
	}
	for _, p := range notPublic() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
