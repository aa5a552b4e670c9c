// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"shoal/instance/address"
)

// parseURL reads a public URL and holds it to the rules of the mode. The port may be 0 in
// development mode. What it returns is in lower case, without a default port.
func parseURL(text string, dev bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, fmt.Errorf("the public URL %q is no address: give it as https://host", text)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("the public URL %q has more than a host: give it as https://host", text)
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if (u.Scheme == "http" && port == "80") || (u.Scheme == "https" && port == "443") {
		port = ""
	}
	public := isPublic(host)
	switch {
	case dev && public:
		return nil, fmt.Errorf("%s is a public host name, which --dev must not serve: leave --dev out, or use a loopback or private address", host)
	case !dev && u.Scheme != "https":
		return nil, fmt.Errorf("the public URL %q is not https: other instances would refuse it; put a TLS proxy in front, or try out on this machine with --dev", text)
	case !dev && port != "":
		return nil, fmt.Errorf("the public URL %q has a port: other instances would refuse it; leave it out, or try out on this machine with --dev", text)
	case !dev && !public:
		return nil, fmt.Errorf("%s cannot be reached from elsewhere: give a public host name, or try out on this machine with --dev", host)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return &url.URL{Scheme: u.Scheme, Host: host}, nil
}

// isPublic reports whether a host can be meant for everyone: a public IP address, or a dotted name
// that is not reserved (RFC 6761, RFC 6762, RFC 8375).
func isPublic(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	host = strings.TrimSuffix(host, ".")
	dot := strings.LastIndexByte(host, '.')
	reserved := []string{"localhost", "local", "test", "invalid", "internal", "lan", "home"}
	return dot > 0 && !slices.Contains(reserved, host[dot+1:]) && !strings.HasSuffix(host, ".home.arpa")
}

// bind opens the listener and decides the public URL: the one that was fixed, the one asked for, or
// in development mode the listener's own address.
func bind(ctx context.Context, cfg *Config, fixed string) (net.Listener, address.Base, error) {
	asked := cfg.URL
	if asked == "" {
		asked = fixed
	}
	if asked == "" && !cfg.Dev {
		return nil, "", errors.New("the instance has no public URL: give it with --url https://host")
	}
	var u *url.URL
	if asked != "" {
		var err error
		if u, err = parseURL(asked, cfg.Dev); err != nil {
			return nil, "", err
		}
		if err := sameURL(u, fixed); err != nil {
			return nil, "", err
		}
	}
	listen, err := listenAddress(cfg, fixed)
	if err != nil {
		return nil, "", err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, "", explainListen(listen, err)
	}
	if fixed != "" {
		return l, address.Base(fixed), nil
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("reading the listener's address: %w", err), l.Close())
	}
	switch {
	case u == nil:
		u = &url.URL{Scheme: "http", Host: net.JoinHostPort(reachable(listen), port)}
		if u, err = parseURL(u.String(), cfg.Dev); err != nil {
			return nil, "", errors.Join(err, l.Close())
		}
	case u.Port() == "0":
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return l, address.Base(u.String()), nil
}

// sameURL refuses a public URL other than the fixed one: videos, followers and torrents name it.
func sameURL(u *url.URL, fixed string) error {
	if fixed == "" || u.String() == fixed {
		return nil
	}
	if f, err := url.Parse(fixed); err == nil && u.Port() == "0" && u.Scheme == f.Scheme && u.Hostname() == f.Hostname() {
		return nil
	}
	return fmt.Errorf("this data folder belongs to %s, which its videos name for good, so it cannot become %s: start with --url %s, or choose another folder with --data", fixed, u, fixed)
}

// listenAddress is where to listen: a port left to choice becomes the fixed URL's in development
// mode, since nothing else would be the address that the torrents name.
func listenAddress(cfg *Config, fixed string) (string, error) {
	listen := cfg.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("%q is no address to listen on: give it as HOST:PORT: %w", listen, err)
	}
	if port == "0" && cfg.Dev && fixed != "" {
		if u, err := url.Parse(fixed); err == nil && u.Port() != "" {
			port = u.Port()
		}
	}
	return net.JoinHostPort(host, port), nil
}

// reachable is the host to ask where the listener takes every address.
func reachable(listen string) string {
	host, _, _ := net.SplitHostPort(listen)
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		return "127.0.0.1"
	}
	return host
}

// explainListen turns an error of listening into a sentence for a person.
func explainListen(listen string, err error) error {
	_, port, _ := net.SplitHostPort(listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s is taken by another program: stop that one, or choose another port with --listen: %w", port, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("port %s needs rights that this user does not have: choose one from 1024 up with --listen: %w", port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is not an address of this machine: choose another with --listen: %w", listen, err)
	}
	return fmt.Errorf("listening on %s: %w", listen, err)
}
