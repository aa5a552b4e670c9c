// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeRouter is a router on loopback.
type fakeRouter struct {
	mu      sync.Mutex
	mapped  map[Port]uint16 // outside ports
	adds    int
	address [4]byte

	version byte // of its UDP protocol: 2 PCP, 0 NAT-PMP; 255 none
	answer  func(request []byte) []byte
	udp     net.PacketConn

	ssdp      net.PacketConn
	web       *httptest.Server
	location  string // instead of the true one
	body      func(w http.ResponseWriter)
	permanent bool
	taken     int // this port outside belongs to somebody else
}

func newFakeRouter(t *testing.T, version byte, upnp bool) *fakeRouter {
	t.Helper()
	f := &fakeRouter{mapped: map[Port]uint16{}, version: version, address: [4]byte{203, 0, 113, 5}}
	f.udp = listen(t)
	go f.serveUDP()
	f.ssdp = listen(t)
	if upnp {
		f.web = httptest.NewServer(http.HandlerFunc(f.serveHTTP))
		t.Cleanup(f.web.Close)
		go f.serveSSDP()
	}
	return f
}

func listen(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (f *fakeRouter) outside(p Port) (uint16, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.mapped[p]
	return n, ok
}

func (f *fakeRouter) added() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.adds
}

// set maps a port, or takes it away.
func (f *fakeRouter) set(p Port, outside uint16, on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !on {
		delete(f.mapped, p)
		return
	}
	f.adds++
	f.mapped[p] = outside
}

func (f *fakeRouter) serveUDP() {
	for buf := make([]byte, 2000); ; {
		n, from, err := f.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		f.mu.Lock()
		answer := f.answer
		f.mu.Unlock()
		if answer == nil {
			answer = f.speak
		}
		if b := answer(buf[:n]); b != nil {
			_, _ = f.udp.WriteTo(b, from)
		}
	}
}

func (f *fakeRouter) speak(b []byte) []byte {
	switch {
	case f.version == 255:
		return nil
	case f.version == 0 && b[0] != 0:
		return []byte{0, 0x80, 0, 1, 0, 0, 0, 0} // unsupported version
	case b[0] == 0 && f.version == 0:
		return f.speakPMP(b)
	case b[0] == 2 && f.version == 2:
		return f.speakPCP(b)
	}
	return nil
}

func (f *fakeRouter) speakPMP(b []byte) []byte {
	if b[1] == 0 {
		return append([]byte{0, 0x80, 0, 0, 0, 0, 0, 9}, f.address[:]...)
	}
	protocol := map[byte]Protocol{1: UDP, 2: TCP}[b[1]]
	p := Port{protocol, int(binary.BigEndian.Uint16(b[4:]))}
	lease := binary.BigEndian.Uint32(b[8:])
	outside := binary.BigEndian.Uint16(b[6:])
	f.set(p, outside, lease > 0)
	out := append([]byte{0, 0x80 | b[1], 0, 0, 0, 0, 0, 9}, b[4:8]...)
	return binary.BigEndian.AppendUint32(out, lease)
}

func (f *fakeRouter) speakPCP(b []byte) []byte {
	out := make([]byte, len(b))
	copy(out, b)
	out[1] |= 0x80
	out[3] = 0
	if b[1] == 0 {
		return out
	}
	p := Port{map[byte]Protocol{6: TCP, 17: UDP}[b[36]], int(binary.BigEndian.Uint16(b[40:]))}
	outside := binary.BigEndian.Uint16(b[42:])
	f.set(p, outside, binary.BigEndian.Uint32(b[4:]) > 0)
	external := netip.AddrFrom4(f.address).As16()
	copy(out[44:], external[:])
	return out
}

func (f *fakeRouter) serveSSDP() {
	for buf := make([]byte, 2000); ; {
		n, from, err := f.ssdp.ReadFrom(buf)
		if err != nil {
			return
		}
		if !strings.HasPrefix(string(buf[:n]), "M-SEARCH * HTTP/1.1\r\n") {
			continue
		}
		f.mu.Lock()
		location := f.location
		f.mu.Unlock()
		if location == "" {
			location = f.web.URL + "/root.xml"
		}
		_, _ = f.ssdp.WriteTo([]byte("garbage"), from)
		_, _ = f.ssdp.WriteTo([]byte("HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: "+location+"\r\n\r\n"), from)
	}
}

const description = `<?xml version="1.0" encoding="iso-8859-1"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device>
<deviceList><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<controlURL>/control</controlURL></service></serviceList></device></deviceList></device></deviceList></device></root>`

func (f *fakeRouter) serveHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	body, permanent, taken := f.body, f.permanent, f.taken
	f.mu.Unlock()
	if body != nil {
		body(w)
		return
	}
	if r.URL.Path == "/root.xml" {
		_, _ = io.WriteString(w, description)
		return
	}
	data, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	get := func(name string) string { return element(data, name) }
	external, _ := strconv.Atoi(get("NewExternalPort"))
	internal, _ := strconv.Atoi(get("NewInternalPort"))
	protocol := Protocol(strings.ToLower(get("NewProtocol")))
	refuse := func(code int) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `<s:Envelope xmlns:s="x"><s:Body><s:Fault><detail><UPnPError><errorCode>%d</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`, code)
	}
	_, action, _ := strings.Cut(strings.Trim(r.Header.Get("SOAPAction"), `"`), "#")
	switch action {
	case "AddPortMapping":
		switch {
		case permanent && get("NewLeaseDuration") != "0":
			refuse(725)
		case taken != 0 && external == taken:
			refuse(718)
		default:
			f.set(Port{protocol, internal}, uint16(external), true)
		}
	case "DeletePortMapping":
		f.mu.Lock()
		for p, outside := range f.mapped {
			if int(outside) == external && p.Protocol == protocol {
				delete(f.mapped, p)
			}
		}
		f.mu.Unlock()
	case "GetExternalIPAddress":
		fmt.Fprintf(w, "<a><NewExternalIPAddress>%s</NewExternalIPAddress></a>", netip.AddrFrom4(f.address))
	default:
		refuse(401)
	}
}

// mapper asks the fake router.
func (f *fakeRouter) mapper() *Mapper {
	loop := netip.MustParseAddr("127.0.0.1")
	m := New(Config{Gateway: func() (Gateway, error) { return Gateway{Router: loop, Local: loop}, nil }})
	m.ports = servicePorts{pcp: portOf(f.udp), ssdp: netip.MustParseAddrPort(f.ssdp.LocalAddr().String())}
	m.times.answer, m.times.tries, m.times.search = 30*time.Millisecond, 2, 300*time.Millisecond
	return m
}

func portOf(c net.PacketConn) int { return c.LocalAddr().(*net.UDPAddr).Port }
