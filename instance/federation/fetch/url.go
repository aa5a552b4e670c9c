// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"shoal/peer/safedial"

	"shoal/peer/foreign"
)

// maxURL bounds a URL, in bytes.
const maxURL = 2048

// What is wrong with a URL. The text goes on after "the address ".
var (
	errNoURL       = errors.New("is not a web address")
	errCredentials = errors.New("has a user name or a password in it")
	errPlainHTTP   = errors.New("is not https")
	errLocal       = errors.New("is not on the public Internet")
)

// CheckURL reads a URL that another server names: an absolute one with http or https, a host and no
// credentials. Outside dev it has to be https, with a dotted host name or a public IP address. A
// name may still lead to a private address; that is noticed when it is connected to. Its errors
// are *Error.
func CheckURL(raw string, dev bool) (*url.URL, error) {
	u, err := checkURL(raw, dev)
	if err == nil {
		return u, nil
	}
	code := CodeBlockedAddress
	if errors.Is(err, errPlainHTTP) {
		code = CodeInsecure
	}
	return nil, &Error{Code: code, URL: raw, Text: "The address " + foreign.Clip(raw) + " " + err.Error() + ": it is not followed.", Err: err}
}

func checkURL(raw string, dev bool) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, errNoURL
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "" {
		return nil, errNoURL
	}
	if u.User != nil {
		return nil, errCredentials
	}
	if dev {
		return u, nil
	}
	if u.Scheme != "https" {
		return nil, errPlainHTTP
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if !safedial.Public(ip) {
			return nil, errLocal
		}
		return u, nil
	}
	if strings.Contains(host, ":") || strings.HasPrefix(host, ".") || !strings.Contains(strings.TrimSuffix(host, "."), ".") {
		return nil, errLocal
	}
	return u, nil
}
