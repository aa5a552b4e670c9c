// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// instanceOf returns scheme, host and port of u in their one normal form: host in
// lower case and ASCII (RFC 5891), IP addresses in theirs (RFC 5952), no port that
// the scheme implies. A name without a dot is a server only where the scheme was
// typed: "http://nas:9000" is one, "cats" is a word.
func instanceOf(u *url.URL, schemeTyped bool) (string, error) {
	host, err := normalHost(u.Hostname())
	if err == nil && !schemeTyped && host != "localhost" && !strings.ContainsAny(host, ".:") {
		err = errNoServer()
	}
	if err != nil {
		return "", err
	}
	port := u.Port()
	if port == "" && strings.HasSuffix(u.Host, ":") {
		return "", badURL("The port is missing after the colon in this address.")
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return "", badURL("The port in this address is not one: it is a number from 1 to 65535.")
		}
		port = strconv.FormatUint(n, 10)
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

// normalHost returns the normal form of a host name or an IP address.
func normalHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		a, err := netip.ParseAddr(host)
		if err != nil || a.Zone() != "" {
			return "", badURL("The IP address in this address is not one: check it.")
		}
		return a.Unmap().String(), nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String(), nil
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || !isHostName(name) {
		return "", errNoServer()
	}
	// A name that is not its own normal form is one that resolvers disagree about.
	if again, err := idna.Lookup.ToASCII(name); err != nil || again != name {
		return "", errNoServer()
	}
	return name, nil
}

func errNoServer() error {
	return badURL("This address names no server: it looks like video.example or https://video.example/w/….")
}

// isHostName reports whether s is a name that DNS may know (RFC 1123 §2.1): labels
// of letters, digits and hyphens, and not a number at its end, which some resolvers
// take for an IP address.
func isHostName(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}
