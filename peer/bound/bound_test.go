// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build linux

package bound

import (
	"errors"
	"net"
	"testing"
)

// TestAnInterfaceThatIsNotThere: with the kill switch no connect is begun, and a port opens that only
// this machine reaches; without it both work as if no interface were set.
func TestAnInterfaceThatIsNotThere(t *testing.T) {
	for _, strict := range []bool{true, false} {
		gone := Interface{Name: "shoal-none", Strict: strict}
		if !gone.On() || gone.Up() || gone.Held() != strict {
			t.Errorf("strict %t: on %t, up %t, held %t", strict, gone.On(), gone.Up(), gone.Held())
		}
		// A datagram socket: its connect sends nothing. The address is of documentation (RFC 5737).
		conn, err := (&net.Dialer{Control: gone.Dial}).DialContext(t.Context(), "udp4", "192.0.2.1:9")
		if err == nil {
			_ = conn.Close()
		}
		if errors.Is(err, ErrHeld) != strict {
			t.Errorf("strict %t: %v", strict, err)
		}
		port, err := gone.ListenPacket("udp4", "0.0.0.0:0")
		if err != nil {
			t.Fatalf("strict %t: %v", strict, err)
		}
		_ = port.Close()
	}
}

// TestThisMachineIsLeftAlone: what does not leave this machine, such as its own proxy, is reached.
func TestThisMachineIsLeftAlone(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := (&net.Dialer{Control: Interface{Name: "shoal-none", Strict: true}.Dial}).DialContext(t.Context(), "tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// TestLoopbackInterface binds to the one interface that every machine has.
func TestLoopbackInterface(t *testing.T) {
	lo := Interface{Name: loopback, Strict: true}
	if !lo.Up() || lo.Held() {
		t.Fatalf("up %t, held %t: %v", lo.Up(), lo.Held(), lo.Addresses())
	}
	port, err := lo.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if _, err := port.WriteTo([]byte("here"), port.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, _, err := port.ReadFrom(b); err != nil || string(b[:n]) != "here" {
		t.Fatalf("read %q, %v", b[:n], err)
	}
}
