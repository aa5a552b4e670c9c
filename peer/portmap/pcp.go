// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// maxDatagram bounds an answer (RFC 6887 §7).
const maxDatagram = 1100

var (
	errMalformed = errors.New("the router's answer is malformed")
	errSilent    = errors.New("the router does not answer")
	errForeign   = errors.New("the answer is to another request")
)

// resultError is a result code that is not success.
type resultError int

func (e resultError) Error() string { return fmt.Sprintf("the router refuses with result %d", int(e)) }

// udpClient asks the router's UDP port and waits for its answer.
type udpClient struct {
	router netip.AddrPort
	local  netip.Addr
	times  timings
}

// exchange sends a request until parse takes an answer. Answers of others than the router do not
// come through, since the socket is connected.
func (u *udpClient) exchange(ctx context.Context, request []byte, parse func([]byte) error) error {
	dialer := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(u.local, 0))}
	conn, err := dialer.DialContext(ctx, "udp", u.router.String())
	if err != nil {
		return fmt.Errorf("reaching the router: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, maxDatagram)
	wait := u.times.answer
	for range u.times.tries {
		if ctx.Err() != nil {
			break
		}
		if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
			return fmt.Errorf("asking the router: %w", err)
		}
		if _, err := conn.Write(request); err != nil {
			return fmt.Errorf("asking the router: %w", err)
		}
		for {
			n, err := conn.Read(buf)
			if err != nil {
				var timeout net.Error
				if errors.As(err, &timeout) && timeout.Timeout() {
					break
				}
				return fmt.Errorf("asking the router: %w", err)
			}
			if err := parse(buf[:n]); !errors.Is(err, errForeign) && !errors.Is(err, errMalformed) {
				return err
			}
		}
		wait *= 2
	}
	return errSilent
}

func protocolNumber(p Protocol) byte {
	if p == TCP {
		return 6
	}
	return 17
}

// pcpClient speaks PCP (RFC 6887).
type pcpClient struct {
	*udpClient
	nonce [12]byte // one for all mappings: only who knows it may change them (§11.2)
}

func newPCP(ctx context.Context, u *udpClient) (*pcpClient, error) {
	c := &pcpClient{udpClient: u}
	if _, err := rand.Read(c.nonce[:]); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	// ANNOUNCE asks for nothing but an answer (§14.1).
	request := make([]byte, 24)
	c.header(request, 0, 0)
	return c, c.exchange(ctx, request, func(b []byte) error { return pcpHeader(b, 0) })
}

func (c *pcpClient) header(b []byte, opcode byte, lease time.Duration) {
	b[0], b[1] = 2, opcode
	binary.BigEndian.PutUint32(b[4:], uint32(lease/time.Second))
	local := c.local.As16()
	copy(b[8:24], local[:])
}

// pcpHeader checks a response's header (§7.2).
func pcpHeader(b []byte, opcode byte) error {
	if len(b) >= 2 && b[0] == 0 {
		return resultError(1) // NAT-PMP alone: unsupported version (RFC 6886 §3.5)
	}
	if len(b) < 24 || len(b) > maxDatagram || b[0] != 2 {
		return errMalformed
	}
	if b[1] != 0x80|opcode {
		return errForeign
	}
	if b[3] != 0 {
		return resultError(b[3])
	}
	return nil
}

// parsePCPMap reads the answer to a MAP request (§11.1).
func parsePCPMap(b []byte, nonce [12]byte, p Port) (netip.AddrPort, time.Duration, error) {
	if err := pcpHeader(b, 1); err != nil {
		return netip.AddrPort{}, 0, err
	}
	if len(b) < 60 {
		return netip.AddrPort{}, 0, errMalformed
	}
	if [12]byte(b[24:36]) != nonce || b[36] != protocolNumber(p.Protocol) || int(binary.BigEndian.Uint16(b[40:])) != p.Number {
		return netip.AddrPort{}, 0, errForeign
	}
	external := netip.AddrFrom16([16]byte(b[44:60])).Unmap()
	port := binary.BigEndian.Uint16(b[42:])
	if port == 0 {
		return netip.AddrPort{}, 0, errMalformed
	}
	return netip.AddrPortFrom(external, port), seconds(binary.BigEndian.Uint32(b[4:])), nil
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

func (c *pcpClient) method() Method { return PCP }

func (c *pcpClient) mapRequest(p Port, external uint16, lease time.Duration) []byte {
	b := make([]byte, 60)
	c.header(b, 1, lease)
	copy(b[24:], c.nonce[:])
	b[36] = protocolNumber(p.Protocol)
	binary.BigEndian.PutUint16(b[40:], uint16(p.Number))
	binary.BigEndian.PutUint16(b[42:], external)
	any16 := netip.IPv4Unspecified().As16()
	if c.local.Is6() && !c.local.Is4In6() {
		any16 = netip.IPv6Unspecified().As16()
	}
	copy(b[44:], any16[:])
	return b
}

func (c *pcpClient) add(ctx context.Context, p Port, lease time.Duration) (external netip.AddrPort, got time.Duration, err error) {
	err = c.exchange(ctx, c.mapRequest(p, uint16(p.Number), lease), func(b []byte) (err error) {
		external, got, err = parsePCPMap(b, c.nonce, p)
		return err
	})
	return external, got, err
}

func (c *pcpClient) remove(ctx context.Context, p Port) error {
	return c.exchange(ctx, c.mapRequest(p, 0, 0), func(b []byte) error {
		if err := pcpHeader(b, 1); err != nil {
			return err
		}
		if len(b) < 60 || [12]byte(b[24:36]) != c.nonce || int(binary.BigEndian.Uint16(b[40:])) != p.Number {
			return errForeign
		}
		return nil
	})
}

// pmpClient speaks NAT-PMP (RFC 6886).
type pmpClient struct {
	*udpClient
	external netip.Addr
}

func newNATPMP(ctx context.Context, u *udpClient) (*pmpClient, error) {
	c := &pmpClient{udpClient: u}
	return c, c.ask(ctx)
}

// ask asks for the external address (§3.2).
func (c *pmpClient) ask(ctx context.Context) error {
	return c.exchange(ctx, []byte{0, 0}, func(b []byte) (err error) {
		c.external, err = parsePMPAddress(b)
		return err
	})
}

// pmpHeader checks a response (§3.5).
func pmpHeader(b []byte, opcode byte, length int) error {
	if len(b) < 4 || len(b) > maxDatagram || b[0] != 0 {
		return errMalformed
	}
	if b[1] != 0x80|opcode {
		return errForeign
	}
	if code := binary.BigEndian.Uint16(b[2:]); code != 0 {
		return resultError(code)
	}
	if len(b) < length {
		return errMalformed
	}
	return nil
}

func parsePMPAddress(b []byte) (netip.Addr, error) {
	if err := pmpHeader(b, 0, 12); err != nil {
		return netip.Addr{}, err
	}
	return netip.AddrFrom4([4]byte(b[8:12])), nil
}

func pmpOpcode(p Protocol) byte {
	if p == TCP {
		return 2
	}
	return 1
}

// parsePMPMap reads the answer to a mapping request (§3.3).
func parsePMPMap(b []byte, p Port) (external uint16, lease time.Duration, err error) {
	if err := pmpHeader(b, pmpOpcode(p.Protocol), 16); err != nil {
		return 0, 0, err
	}
	if int(binary.BigEndian.Uint16(b[8:])) != p.Number {
		return 0, 0, errForeign
	}
	return binary.BigEndian.Uint16(b[10:]), seconds(binary.BigEndian.Uint32(b[12:])), nil
}

func (c *pmpClient) method() Method { return NATPMP }

func (c *pmpClient) request(p Port, external uint16, lease time.Duration) []byte {
	b := []byte{0, pmpOpcode(p.Protocol), 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(p.Number))
	b = binary.BigEndian.AppendUint16(b, external)
	return binary.BigEndian.AppendUint32(b, uint32(lease/time.Second))
}

func (c *pmpClient) add(ctx context.Context, p Port, lease time.Duration) (netip.AddrPort, time.Duration, error) {
	if err := c.ask(ctx); err != nil { // it may have changed
		return netip.AddrPort{}, 0, err
	}
	var external uint16
	err := c.exchange(ctx, c.request(p, uint16(p.Number), lease), func(b []byte) (err error) {
		external, lease, err = parsePMPMap(b, p)
		if err == nil && external == 0 {
			return errMalformed
		}
		return err
	})
	return netip.AddrPortFrom(c.external, external), lease, err
}

func (c *pmpClient) remove(ctx context.Context, p Port) error {
	return c.exchange(ctx, c.request(p, 0, 0), func(b []byte) error {
		_, _, err := parsePMPMap(b, p)
		return err
	})
}
