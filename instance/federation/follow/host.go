// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// maxHost bounds a host's name in bytes (RFC 1035 §2.3.4), with a port.
const maxHost = 253 + 6

// Host writes a host as the store knows it: lower case, punycode (RFC 5891), without a scheme, a
// path or a default port. It takes a bare host, host:port or a URL. Its error is a sentence for a
// person.
func Host(text string) (string, error) {
	bad := fmt.Errorf("%q is no host: give it as video.example.org", clip(text))
	host := strings.ToLower(strings.TrimSpace(text))
	scheme, rest, isURL := strings.Cut(host, "://")
	if isURL {
		if scheme != "http" && scheme != "https" {
			return "", bad
		}
		host, _, _ = strings.Cut(rest, "/")
	}
	host = strings.TrimSuffix(host, "/")
	if host == "" || len(host) > 4*maxHost || strings.ContainsAny(host, "/@?#\\ \t\r\n*%") {
		return "", bad
	}
	name, port, err := split(host)
	if err != nil {
		return "", bad
	}
	if (port == "443" && scheme != "http") || (port == "80" && scheme != "https") {
		port = ""
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		name = ip.Unmap().WithZone("").String()
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
	} else if name, err = ascii(name); err != nil {
		return "", bad
	}
	if port != "" {
		name += ":" + port
	}
	if len(name) > maxHost {
		return "", bad
	}
	return name, nil
}

// split cuts a port off. An IPv6 address has brackets where it has a port.
func split(host string) (name, port string, err error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, "", nil
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1], "", nil
	}
	if !strings.Contains(host, ":") {
		return host, "", nil
	}
	if name, port, err = net.SplitHostPort(host); err != nil {
		return "", "", err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", "", err
	}
	return name, strconv.FormatUint(n, 10), nil
}

// ascii checks a host's name and writes it in punycode. A name without a dot stands for a machine of
// the same network.
func ascii(name string) (string, error) {
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil {
		return "", err
	}
	if name == "" || len(name) > 253 {
		return "", strconv.ErrRange
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", strconv.ErrSyntax
		}
	}
	return name, nil
}

// clip bounds what is said back.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
