// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds on what a UPnP router says.
const (
	maxSearchAnswers = 64
	maxDocument      = 256 << 10 // bytes
	maxPortTries     = 4
)

// searchTargets are what is searched for (UPnP IGD 1 and 2).
func searchTargets() []string {
	return []string{
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1", "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
	}
}

// serviceTypes map ports, the newest first.
func serviceTypes() []string {
	return []string{
		"urn:schemas-upnp-org:service:WANIPConnection:2", "urn:schemas-upnp-org:service:WANIPConnection:1",
		"urn:schemas-upnp-org:service:WANPPPConnection:1",
	}
}

// upnpClient speaks to a router's WANIPConnection or WANPPPConnection service.
type upnpClient struct {
	http     *http.Client
	control  string // URL
	service  string
	local    netip.Addr
	name     string
	external map[Port]int // what was mapped before, which outlives the client
}

// newUPnP searches the router (SSDP), reads its description and picks the service. external has the
// ports outside that the router gave before.
func newUPnP(ctx context.Context, m *Mapper, g Gateway, external map[Port]int) (*upnpClient, error) {
	location, err := search(ctx, m, g)
	if err != nil {
		return nil, err
	}
	c := &upnpClient{http: routerHTTP(g, m.times.call), local: g.Local, name: m.cfg.Name, external: external}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the router's description: %w", err)
	}
	status, body, err := c.do(req)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("reading the router's description: status %d", status)
	}
	c.service, c.control, err = parseDescription(body, location, g.Router)
	return c, err
}

// routerHTTP is a client that reaches the router alone, whatever a URL says.
func routerHTTP(g Gateway, timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(g.Local, 0))}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				to, err := netip.ParseAddrPort(address)
				if err != nil || to.Addr().Unmap() != g.Router {
					return nil, fmt.Errorf("%s is not the router", address)
				}
				return dialer.DialContext(ctx, "tcp", address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (c *upnpClient) do(req *http.Request) (status int, body []byte, err error) {
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("asking the router: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err == nil && len(body) > maxDocument {
		err = errors.New("it is too long")
	}
	if err != nil {
		return 0, nil, fmt.Errorf("reading the router's answer: %w", err)
	}
	return res.StatusCode, body, nil
}

// search asks the network for routers and returns where the description of ours is.
func search(ctx context.Context, m *Mapper, g Gateway) (location string, err error) {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", netip.AddrPortFrom(g.Local, 0).String())
	if err != nil {
		return "", fmt.Errorf("searching the router: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(m.times.search)); err != nil {
		return "", fmt.Errorf("searching the router: %w", err)
	}
	for range 2 { // it is UDP
		for _, target := range searchTargets() {
			request := "M-SEARCH * HTTP/1.1\r\nHOST: " + m.ports.ssdp.String() + "\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + target + "\r\n\r\n"
			if _, err := conn.WriteTo([]byte(request), net.UDPAddrFromAddrPort(m.ports.ssdp)); err != nil {
				return "", fmt.Errorf("searching the router: %w", err)
			}
		}
	}
	buf := make([]byte, 4096)
	for range maxSearchAnswers {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			break
		}
		if at, ok := from.(*net.UDPAddr); !ok || at.AddrPort().Addr().Unmap() != g.Router {
			continue
		}
		if location, err := parseSearch(buf[:n], g.Router); err == nil {
			return location, nil
		}
	}
	return "", errors.New("no UPnP router answers")
}

// parseSearch reads an answer to M-SEARCH and returns its LOCATION, if that is on the router.
func parseSearch(b []byte, router netip.Addr) (string, error) {
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return "", fmt.Errorf("reading a search answer: %w", err)
	}
	_ = res.Body.Close() // nothing is in it
	if st := res.Header.Get("St"); res.StatusCode != http.StatusOK || !strings.Contains(st, "InternetGatewayDevice") {
		return "", errors.New("it is no router's answer")
	}
	location := strings.TrimSpace(res.Header.Get("Location"))
	return location, onRouter(location, router)
}

// onRouter checks that a URL leads to the router's own address: what it says must not make us knock at
// other machines.
func onRouter(address string, router netip.Addr) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.User != nil || len(address) > 1024 {
		return errors.New("the router names no http address")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil || ip.Unmap() != router {
		return errors.New("the router names another machine's address")
	}
	return nil
}

// device is the part of a description that matters.
type device struct {
	Services []struct {
		Type    string `xml:"serviceType"`
		Control string `xml:"controlURL"`
	} `xml:"serviceList>service"`
	Devices []device `xml:"deviceList>device"`
}

// parseDescription finds the service that maps ports, and its URL on the router.
func parseDescription(b []byte, location string, router netip.Addr) (service, control string, err error) {
	var root struct {
		Base   string `xml:"URLBase"`
		Device device `xml:"device"`
	}
	if len(b) > maxDocument {
		return "", "", errors.New("the router's description is too long")
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // what matters is ASCII
	if err := d.Decode(&root); err != nil {
		return "", "", fmt.Errorf("reading the router's description: %w", err)
	}
	base, err := url.Parse(location)
	if err != nil {
		return "", "", fmt.Errorf("reading the router's address: %w", err)
	}
	if own := strings.TrimSpace(root.Base); own != "" && onRouter(own, router) == nil {
		if u, err := url.Parse(own); err == nil {
			base = u
		}
	}
	for _, service := range serviceTypes() {
		path, ok := root.Device.find(service)
		if !ok {
			continue
		}
		u, err := url.Parse(path)
		if err != nil {
			continue
		}
		control := base.ResolveReference(u).String()
		if err := onRouter(control, router); err != nil {
			return "", "", err
		}
		return service, control, nil
	}
	return "", "", errors.New("the router's description has no service that maps ports")
}

func (d device) find(service string) (control string, ok bool) {
	for _, s := range d.Services {
		if strings.TrimSpace(s.Type) == service {
			return strings.TrimSpace(s.Control), true
		}
	}
	for _, inner := range d.Devices {
		if control, ok := inner.find(service); ok {
			return control, true
		}
	}
	return "", false
}

// soapError is a fault's UPnP error code.
type soapError int

func (e soapError) Error() string {
	return fmt.Sprintf("the router refuses with UPnP error %d", int(e))
}

// Error codes (WANIPConnection:2 §2.5.16).
const (
	errConflict      soapError = 718
	errPermanentOnly soapError = 725
)

// argument is one of a SOAP call.
type argument struct{ name, value string }

// call calls an action and returns the answer.
func (c *upnpClient) call(ctx context.Context, action string, arguments ...argument) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>`)
	fmt.Fprintf(&b, `<u:%s xmlns:u="%s">`, action, c.service)
	for _, a := range arguments {
		fmt.Fprintf(&b, "<%s>", a.name)
		_ = xml.EscapeText(&b, []byte(a.value)) // a buffer takes all
		fmt.Fprintf(&b, "</%s>", a.name)
	}
	fmt.Fprintf(&b, `</u:%s></s:Body></s:Envelope>`, action)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.control, &b)
	if err != nil {
		return nil, fmt.Errorf("asking the router: %w", err)
	}
	req.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
	req.Header.Set("SOAPAction", `"`+c.service+"#"+action+`"`)
	status, body, err := c.do(req)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		code, err := strconv.Atoi(element(body, "errorCode"))
		if err != nil {
			return nil, fmt.Errorf("the router answers with status %d", status)
		}
		return nil, soapError(code)
	}
	return body, nil
}

// element returns the text of the first element of a name, "" where there is none.
func element(b []byte, name string) string {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	inside := false
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			inside = t.Name.Local == name
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				return strings.TrimSpace(string(t))
			}
		}
	}
}

func (c *upnpClient) method() Method { return UPnP }

func (c *upnpClient) add(ctx context.Context, p Port, lease time.Duration) (netip.AddrPort, time.Duration, error) {
	external, ok := c.external[p]
	if !ok {
		external = p.Number
	}
	duration, permanent, conflicts := lease, false, 0
	for range maxPortTries {
		_, err := c.call(ctx, "AddPortMapping",
			argument{"NewRemoteHost", ""}, argument{"NewExternalPort", strconv.Itoa(external)},
			argument{"NewProtocol", strings.ToUpper(string(p.Protocol))}, argument{"NewInternalPort", strconv.Itoa(p.Number)},
			argument{"NewInternalClient", c.local.String()}, argument{"NewEnabled", "1"},
			argument{"NewPortMappingDescription", c.name}, argument{"NewLeaseDuration", strconv.Itoa(int(duration / time.Second))})
		switch {
		case errors.Is(err, errPermanentOnly) && !permanent:
			duration, permanent = 0, true
			continue
		case errors.Is(err, errConflict):
			external = c.other(p, conflicts)
			conflicts++
			continue
		case err != nil:
			return netip.AddrPort{}, 0, err
		}
		c.external[p] = external
		var ip netip.Addr
		if body, err := c.call(ctx, "GetExternalIPAddress"); err == nil {
			ip, _ = netip.ParseAddr(element(body, "NewExternalIPAddress")) // some routers know none
		}
		return netip.AddrPortFrom(ip, uint16(external)), lease, nil
	}
	return netip.AddrPort{}, 0, errConflict
}

// other is the nth port outside to try where one is taken: the same ones each time for this machine's
// port, so that a program that was ended without a word finds what it had mapped, and keeps it.
func (c *upnpClient) other(p Port, n int) int {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, c.local, p.Protocol, p.Number, n) // a hash takes all
	return 1024 + int(h.Sum32()%64000)
}

func (c *upnpClient) remove(ctx context.Context, p Port) error {
	external, ok := c.external[p]
	if !ok {
		external = p.Number
	}
	_, err := c.call(ctx, "DeletePortMapping", argument{"NewRemoteHost", ""},
		argument{"NewExternalPort", strconv.Itoa(external)}, argument{"NewProtocol", strings.ToUpper(string(p.Protocol))})
	return err
}
