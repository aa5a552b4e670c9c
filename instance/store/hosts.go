// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxHost bounds a host, in bytes. DNS names have at most 253 (RFC 1035 §2.3.4).
const maxHost = 300

// ErrHost is what is no host.
var ErrHost = errors.New("that is no host name")

func checkHost(host string) (string, error) {
	host = CleanHost(host)
	if host == "" || len(host) > maxHost || strings.ContainsAny(host, "\x00/@ \t\n?#") {
		return "", ErrHost
	}
	return host, nil
}

// CleanHost is a host[:port] as lists keep it and as hosts are compared: lower case, without spaces,
// without dots at the end of the name, an address in its shortest form and an IPv6 one in brackets.
// What is no host comes back as it can be.
func CleanHost(host string) string {
	name, port := SplitHost(host)
	if ip, err := netip.ParseAddr(name); err == nil && ip.Is6() {
		name = "[" + name + "]"
	}
	if port == "" {
		return name
	}
	return name + ":" + port
}

// dots are what may follow a name without being a part of it.
const dots = ". "

// SplitHost cuts the port off a host and cleans both as CleanHost does. An IPv6 address has no brackets;
// the port is empty where there is none.
func SplitHost(host string) (name, port string) {
	host = strings.ToLower(strings.TrimSpace(host))
	name = host
	if _, err := netip.ParseAddr(host); err != nil { // a bare IPv6 address has colons and no port
		name = strings.TrimRight(host, dots+":")
		if at := strings.LastIndexByte(name, ':'); at >= 0 {
			if n, err := strconv.ParseUint(name[at+1:], 10, 16); err == nil {
				name, port = strings.TrimRight(name[:at], dots), strconv.FormatUint(n, 10)
			}
		}
		if inner, ok := strings.CutPrefix(name, "["); ok && strings.HasSuffix(inner, "]") {
			if _, err := netip.ParseAddr(inner[:len(inner)-1]); err == nil {
				name = inner[:len(inner)-1]
			}
		}
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		name = ip.Unmap().WithZone("").String()
	}
	return name, port
}

// Covers reports whether a set of hosts, as CleanHost writes them, has a host: itself, its name without
// the port, or a domain above it.
func Covers(set map[string]bool, host string) bool {
	if len(set) == 0 || host == "" || len(host) > maxHost {
		return false
	}
	if set[CleanHost(host)] {
		return true
	}
	name, _ := SplitHost(host)
	if set[CleanHost(name)] {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	for {
		_, above, ok := strings.Cut(name, ".")
		if !ok {
			return false
		}
		if set[above] {
			_, err := netip.ParseAddr(above) // an address has nothing below it
			return err != nil
		}
		name = above
	}
}

// HostOf is the host[:port] of an id or URL, in lower case; empty where it has none.
func HostOf(id string) string {
	if _, rest, ok := strings.Cut(id, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		if isPlain(host) {
			return host
		}
	}
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// isPlain reports whether a text is a host that needs no parser: small letters, digits, dots,
// hyphens and a port.
func isPlain(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-':
		case c == ':' && i > 0 && strings.Trim(host[i+1:], "0123456789") == "":
		default:
			return false
		}
	}
	return host != ""
}
