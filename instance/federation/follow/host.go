// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"shoal/instance/fault"
	"shoal/instance/store"
)

// maxHost bounds a host's name in bytes (RFC 1035 §2.3.4), with a port.
const maxHost = 253 + 6

// Host writes a host as the store knows it: lower case, punycode (RFC 5891), without a scheme, a
// path or a default port. It takes a bare host, host:port or a URL. Its error is a sentence for a
// person.
func Host(text string) (string, error) {
	bad := fault.BadInput("%q is no host: give it as video.example.org", clip(text))
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
	if !hasPort(host) {
		return "", bad
	}
	name, port := store.SplitHost(host)
	if (port == "443" && scheme != "http") || (port == "80" && scheme != "https") {
		port = ""
	}
	if _, err := netip.ParseAddr(name); err == nil {
		name = store.CleanHost(name) // with brackets where a port may follow
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

// hasPort reports whether what follows a host's colon is a port, if there is one.
func hasPort(host string) bool {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || !strings.Contains(host, ":") {
		return true
	}
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
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
