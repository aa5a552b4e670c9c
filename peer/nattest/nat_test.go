// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e && linux

package nattest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"shoal/peer"
	"shoal/peer/webrtc"
)

// The public network of the tests (RFC 5737).
const (
	firstServer, secondServer = "198.51.100.1", "198.51.100.2"
	trackerURL                = "ws://" + firstServer + ":8000/"
)

// twoHomes is two machines, each behind a router of its own, and a public network between them with
// the servers. The routers translate as told ("--random" gives each destination another port: that
// is symmetric NAT) and let nothing in that was not asked for.
func twoHomes(t *testing.T, masquerade ...string) *lab {
	t.Helper()
	l := newLab(t, "public", "routerA", "routerB", "hostA", "hostB")
	l.ip("public", "link", "add", "bridge", "type", "bridge")
	for _, ip := range []string{firstServer, secondServer} {
		l.ip("public", "addr", "add", ip+"/24", "dev", "bridge")
	}
	l.ip("public", "link", "set", "bridge", "up")
	for i, side := range []string{"A", "B"} {
		router, host, net := "router"+side, "host"+side, []string{"10.1.0.", "10.2.0."}[i]
		l.cable("public to"+side, router+" wan 198.51.100.1"+[]string{"1", "2"}[i]+"/24")
		l.ip("public", "link", "set", "to"+side, "master", "bridge")
		l.cable(router+" lan "+net+"1/24", host+" eth "+net+"2/24")
		l.ip(host, "route", "add", "default", "via", net+"1")
		l.in(router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
		table := []string{"iptables-legacy", "-w", "-t", "nat", "-A", "POSTROUTING", "-o", "wan", "-j", "MASQUERADE"}
		l.in(router, append(table, masquerade...)...)
		l.in(router, "iptables-legacy", "-w", "-A", "FORWARD", "-i", "wan", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT")
		l.in(router, "iptables-legacy", "-w", "-A", "FORWARD", "-i", "wan", "-j", "DROP")
		l.in(router, "iptables-legacy", "-w", "-A", "INPUT", "-i", "wan", "-j", "DROP")
	}
	return l
}

// certificate is one for the first server.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.ParseIP(firstServer)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// meet starts the servers and two peers that have the given ICE servers beside STUN.
func meet(t *testing.T, l *lab, turn ...string) (seeder, fetcher *process) {
	t.Helper()
	cert, key := certificate(t)
	public := l.start("public", "public", roleOptions{
		Listen: []string{firstServer, secondServer}, CertFile: cert, KeyFile: key, Tracker: trackerURL,
	})
	public.until("serving", func(r report) bool { return r.Ready })
	o := roleOptions{
		CertFile: cert, Tracker: trackerURL, Sources: peer.Sources{peer.SourceWebRTC},
		ICEServers: []webrtc.ICEServer{{URLs: []string{"stun:" + firstServer + ":3478", "stun:" + secondServer + ":3478"}}},
	}
	if len(turn) > 0 {
		o.ICEServers = append(o.ICEServers, webrtc.ICEServer{URLs: turn, Username: turnUser, Credential: turnPassword})
	}
	seed := o
	seed.Seed = true
	seeder = l.start("hostA", "peer", seed)
	seeder.until("announced", func(r report) bool { return r.Ready })
	return seeder, l.start("hostB", "peer", o)
}

func wantFilm(t *testing.T, p *process) report {
	t.Helper()
	data, _, err := film()
	if err != nil {
		t.Fatal(err)
	}
	r := p.until("the film is complete", func(r report) bool { return r.Complete })
	if r.SHA256 != sum(data) {
		t.Errorf("it came out as another file: %s", r.SHA256)
	}
	return r
}

// TestSTUNIsEnough: the routers keep ports as they are, so the address that STUN sees is the one that
// the other side can send to.
func TestSTUNIsEnough(t *testing.T) {
	t.Parallel()
	_, fetcher := meet(t, twoHomes(t))
	r := wantFilm(t, fetcher)
	if r.Met.Direct == 0 || r.Met.Relayed != 0 || r.Met.Local != 0 {
		t.Errorf("connections: %+v", r.Met)
	}
	if len(r.NAT.Mapped) != 1 || r.NAT.Answered != 2 {
		t.Errorf("the NAT looks like %+v", r.NAT)
	}
}

// TestSTUNIsNotEnough: with symmetric NAT on both sides, ICE fails.
func TestSTUNIsNotEnough(t *testing.T) {
	t.Parallel()
	seeder, fetcher := meet(t, twoHomes(t, "--random"))
	// Whose connection it is that fails depends on who offers last.
	fetched := func(r report) bool { return r.SHA256 != "" }
	r := fetcher.eitherUntil(seeder, "ICE failed", func(r report) bool { return r.Failed > 0 || fetched(r) })
	if fetched(r) || r.Met != (webrtc.Met{}) {
		t.Errorf("they met: %+v", r)
	}
	if len(r.NAT.Mapped) != 2 {
		t.Errorf("the NAT looks like %+v", r.NAT)
	}
}

// TestTURN: where STUN is not enough, a TURN server carries the film, by each of its protocols.
func TestTURN(t *testing.T) {
	for name, server := range map[string]string{
		"udp": "turn:" + firstServer + ":3478?transport=udp",
		"tcp": "turn:" + firstServer + ":3478?transport=tcp",
		"tls": "turns:" + firstServer + ":5349?transport=tcp",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, fetcher := meet(t, twoHomes(t, "--random"), server)
			if r := wantFilm(t, fetcher); r.Met.Relayed == 0 || r.Met.Direct != 0 {
				t.Errorf("connections: %+v", r.Met)
			}
		})
	}
}
