// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"net/netip"
	"testing"
)

// FuzzUDPAnswers: what is taken for an answer has a port outside and is for the port asked for.
func FuzzUDPAnswers(f *testing.F) {
	r := &fakeRouter{mapped: map[Port]uint16{}, version: 2}
	c := &pcpClient{udpClient: &udpClient{local: netip.MustParseAddr("10.0.0.2")}}
	f.Add(r.speakPCP(c.mapRequest(udp, 42070, 3600e9)))
	f.Add(r.speakPMP((&pmpClient{}).request(udp, 42070, 3600e9)))
	f.Add([]byte{0, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		if external, lease, err := parsePCPMap(b, [12]byte{}, udp); err == nil && (external.Port() == 0 || lease < 0 || len(b) < 60) {
			t.Fatalf("%x gave %s for %s", b, external, lease)
		}
		if _, lease, err := parsePMPMap(b, udp); err == nil && (lease < 0 || len(b) < 16) {
			t.Fatalf("%x gave %s", b, lease)
		}
		if a, err := parsePMPAddress(b); err == nil && !a.Is4() {
			t.Fatalf("%x gave %s", b, a)
		}
	})
}

// FuzzUPnP: wherever a router's words lead, it is to the router.
func FuzzUPnP(f *testing.F) {
	router := netip.MustParseAddr("192.168.1.1")
	const location = "http://192.168.1.1:5000/root.xml"
	f.Add([]byte(description))
	f.Add([]byte("HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: " + location + "\r\n\r\n"))
	f.Add([]byte("<root><URLBase>http://10.0.0.1/</URLBase></root>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if to, err := parseSearch(b, router); err == nil && onRouter(to, router) != nil {
			t.Fatalf("the search leads to %q", to)
		}
		if service, to, err := parseDescription(b, location, router); err == nil && (service == "" || onRouter(to, router) != nil) {
			t.Fatalf("the description leads to %q", to)
		}
		if text := element(b, "errorCode"); len(text) > len(b) {
			t.Fatalf("%q is longer than what it was read from", text)
		}
	})
}
