// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e && linux

package nattest

import (
	"strings"
	"testing"
	"time"

	"shoal/peer"
	"shoal/peer/webrtc"
)

// vpnAndLAN is a machine with a VPN, the way to the servers, and a LAN that would lead there too.
func vpnAndLAN(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, "host", "public")
	l.ip("public", "addr", "add", firstServer+"/32", "dev", "lo")
	l.cable("host lan 10.8.0.2/24", "public lan 10.8.0.1/24")
	l.in("host", "sysctl", "-qw", "net.ipv6.conf.lan.disable_ipv6=1")
	l.ip("host", "route", "add", "default", "via", "10.8.0.1")
	for _, protocol := range []string{"icmp", "udp", "tcp", "all"} {
		l.in("host", "iptables-legacy", "-w", "-A", "OUTPUT", "-o", "lan", "-p", protocol)
	}
	return l
}

// connectVPN makes the interface anew, as a VPN program does.
func (l *lab) connectVPN() {
	l.t.Helper()
	l.run("ip", "link", "add", "vpn", "netns", l.space("host"), "type", "veth", "peer", "name", "vpn", "netns", l.space("public"))
	l.ip("host", "addr", "add", "10.9.0.2/24", "dev", "vpn")
	l.ip("host", "link", "set", "vpn", "up")
	// Before anything arrives: the kernel answers what it has no socket for by whatever route there is.
	l.ip("host", "route", "add", "198.51.100.0/24", "via", "10.9.0.1", "onlink", "dev", "vpn")
	l.ip("public", "addr", "add", "10.9.0.1/24", "dev", "vpn")
	l.ip("public", "link", "set", "vpn", "up")
}

// beside is how many packets have left by the LAN.
func (l *lab) beside() string {
	l.t.Helper()
	lines := strings.Split(strings.TrimSpace(l.in("host", "iptables-legacy", "-w", "-nvxL", "OUTPUT")), "\n")
	return strings.Fields(lines[len(lines)-1])[0]
}

func (l *lab) wantNothingBeside(when string) {
	l.t.Helper()
	if n := l.beside(); n != "0" {
		l.t.Errorf("%s %s packets left by the LAN:\n%s", when, n, l.in("host", "iptables-legacy", "-w", "-nvxL", "OUTPUT"))
	}
}

// TestKillSwitch: without the VPN not a packet leaves, not even by the LAN; with it everything works,
// as often as it comes and goes.
func TestKillSwitch(t *testing.T) {
	t.Parallel()
	l := vpnAndLAN(t)
	cert, key := certificate(t)
	public := l.start("public", "public", roleOptions{Listen: []string{firstServer}, CertFile: cert, KeyFile: key, Tracker: trackerURL})
	public.until("serving", func(r report) bool { return r.Ready })
	o := roleOptions{
		CertFile: cert, Tracker: trackerURL, Sources: peer.Sources{peer.SourceWebRTC, peer.SourceTCP},
		ICEServers: []webrtc.ICEServer{
			{URLs: []string{"stun:" + firstServer + ":3478"}},
			{URLs: []string{"turn:" + firstServer + ":3478?transport=udp", "turn:" + firstServer + ":3478?transport=tcp"}, Username: turnUser, Credential: turnPassword},
		},
	}
	seed := o
	seed.Seed = true
	l.start("public", "peer", seed).until("announced", func(r report) bool { return r.Ready })

	bound := o
	bound.Interface = "vpn"
	p := l.start("host", "peer", bound)
	held := func(r report) bool { return r.Held && !r.Ready && strings.Contains(r.Trouble, "kill switch") }
	p.until("held back, and why", held)
	l.connectVPN()
	wantFilm(t, p)
	l.wantNothingBeside("while the VPN was not there yet, and with it")
	l.ip("host", "link", "del", "vpn")
	p.until("held back again", func(r report) bool { return r.Held })
	l.wantNothingBeside("after the VPN went")
	l.connectVPN()
	back := time.Now()
	p.until("announced again", func(r report) bool { return !r.Held && r.Announced.After(back) })
	l.wantNothingBeside("when the VPN came back")

	l.ip("host", "link", "del", "vpn")
	free := l.start("host", "peer", o)
	free.until("announced by the LAN", func(r report) bool { return r.Ready })
	if l.beside() == "0" {
		t.Error("the counter counts nothing: this test proves nothing")
	}
}
