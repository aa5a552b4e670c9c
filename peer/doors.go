// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	utp "github.com/anacrolix/go-utp"
	"github.com/anacrolix/torrent"
)

const (
	// doorTries is how often a port is picked that must be free for all networks.
	doorTries = 100
	// acceptPause is between two tries to accept where that fails: no descriptor is free, or the port
	// could not be opened anew.
	acceptPause = 100 * time.Millisecond
)

// Codes of a system that cannot listen by a version of IP: WSAEAFNOSUPPORT and WSAEADDRNOTAVAIL.
const (
	windowsNoFamily  = syscall.Errno(10047)
	windowsNoAddress = syscall.Errno(10049)
)

// door is a port by which peers come in: a TCP one, or µTP's UDP port, which the DHT shares. The client
// does not listen by itself, for it can neither leave one version of IP out, nor bound how many
// handshakes go on, nor keep to an interface.
type door struct {
	network string // "tcp4", "tcp6", "udp4" or "udp6"
	address string
	listen  func(network, address string) (net.Listener, error)
	arrived handshakes

	open <-chan struct{} // nobody is accepted before it is closed
	gone chan struct{}   // closed by Close

	mu    sync.Mutex
	inner net.Listener
}

// families are the versions of IP that peers come and are dialed by.
func (e *Engine) families() []string {
	ip := net.ParseIP(e.config.ListenHost)
	any6 := ip == nil || ip.IsUnspecified()
	switch {
	case e.config.IPv4Only || !any6 && ip.To4() != nil:
		return []string{"4"}
	case !any6:
		return []string{"6"}
	default:
		return []string{"4", "6"}
	}
}

// openDoors opens the ports, which have one number, and has the client use them.
func (e *Engine) openDoors() error {
	dht := e.config.DHT && haveUTP && !e.config.Interface.On() // libutp opens its own socket
	var networks []string
	for _, family := range e.families() {
		if e.sources.Has(SourceTCP) {
			networks = append(networks, "tcp"+family)
		}
		if e.sources.Has(SourceUTP) || dht {
			networks = append(networks, "udp"+family)
		}
	}
	var err error
	for range doorTries {
		if e.doors, err = e.open(networks); err == nil || e.config.Port != 0 || !isAddressInUse(err) {
			break
		}
	}
	if err != nil {
		return err
	}
	for _, d := range e.doors {
		socket, isUDP := d.inner.(utp.Socket)
		switch {
		case !isUDP:
			e.client.AddListener(d)
		case e.sources.Has(SourceUTP):
			e.client.AddListener(d)
			e.client.AddDialer(engineDialer{Dialer: utpDialer{socket, d.network}, engine: e})
		default:
			socket.SetFirewallCallback(func(net.Addr) bool { return true }) // it is the DHT's alone
		}
		if isUDP && dht {
			server, err := e.client.NewAnacrolixDhtServer(socket)
			if err != nil {
				return fmt.Errorf("starting the DHT: %w", err)
			}
			e.client.AddDhtServer(torrent.AnacrolixDhtServerWrapper{Server: server})
			e.dht = append(e.dht, server)
		}
	}
	if !e.sources.Has(SourceTCP) {
		return nil
	}
	for _, family := range e.families() {
		d := torrent.NetworkDialer{Network: "tcp" + family, Dialer: &net.Dialer{FallbackDelay: -1, KeepAlive: -1, Control: e.config.Interface.Dial}}
		e.client.AddDialer(engineDialer{Dialer: d, engine: e})
	}
	return nil
}

// open opens one port for all networks that this machine has.
func (e *Engine) open(networks []string) (doors []*door, err error) {
	host, port := e.config.ListenHost, e.config.Port
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "" // of either family
	}
	for _, network := range networks {
		d := &door{network: network, address: net.JoinHostPort(host, strconv.Itoa(port)), listen: e.listen, open: e.opened, gone: make(chan struct{})}
		if d.inner, err = d.listen(d.network, d.address); err != nil {
			if noSuchFamily(err) {
				continue
			}
			return nil, errors.Join(err, closeDoors(doors))
		}
		doors = append(doors, d)
		port = portOf(d.inner.Addr())
		d.address = net.JoinHostPort(host, strconv.Itoa(port))
	}
	if len(doors) == 0 && len(networks) > 0 {
		return nil, fmt.Errorf("opening the port: %w", err)
	}
	return doors, nil
}

func (e *Engine) listen(network, address string) (net.Listener, error) {
	if network[:3] == "udp" {
		s, err := utp.NewSocket(network, address)
		if err != nil {
			return nil, fmt.Errorf("opening the port for µTP: %w", err)
		}
		return s, nil
	}
	l, err := (&net.ListenConfig{Control: e.config.Interface.Listen, KeepAlive: -1}).Listen(context.Background(), network, address)
	if err != nil {
		return nil, fmt.Errorf("opening the port: %w", err)
	}
	return l, nil
}

// closeClient closes the client, and then its doors.
func (e *Engine) closeClient() error {
	errs := e.client.Close()
	for _, server := range e.dht {
		server.Close()
	}
	return errors.Join(append(errs, closeDoors(e.doors))...)
}

func closeDoors(doors []*door) error {
	var errs []error
	for _, d := range doors {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

func portOf(a net.Addr) int {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.Port
	case *net.UDPAddr:
		return a.Port
	default:
		return 0
	}
}

// noSuchFamily reports whether listening failed because this machine has no address of that version of IP.
func noSuchFamily(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) ||
		isWindows && (errors.Is(err, windowsNoFamily) || errors.Is(err, windowsNoAddress))
}

// reopen opens a TCP port anew: an interface that comes back is another one to the kernel.
func (d *door) reopen() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.gone:
		return nil
	default:
	}
	_ = d.inner.Close() // the port must be free
	inner, err := d.listen(d.network, d.address)
	if err != nil {
		return err
	}
	d.inner = inner
	return nil
}

// Accept waits for a peer, on whichever socket is open, until Close: the client comes again at once when
// it fails.
func (d *door) Accept() (net.Conn, error) {
	select {
	case <-d.open: // the client has all its listeners: it reads their list, without a lock, for whoever comes
	case <-d.gone:
		return nil, net.ErrClosed
	}
	for {
		d.mu.Lock()
		inner := d.inner
		d.mu.Unlock()
		c, err := inner.Accept()
		if err == nil {
			return d.arrived.enter(c), nil
		}
		select {
		case <-d.gone:
			return nil, err //nolint:wrapcheck // the client wraps
		case <-time.After(acceptPause):
		}
	}
}

// Addr is where the port is.
func (d *door) Addr() net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inner.Addr()
}

// Close makes Accept fail. The client must be closed before. It is called once.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.gone)
	if err := d.inner.Close(); !errors.Is(err, net.ErrClosed) { // it could not be opened anew
		return err //nolint:wrapcheck // it says enough
	}
	return nil
}

// utpDialer dials by the port that µTP listens on.
type utpDialer struct {
	utp.Socket
	network string
}

// Dial connects over µTP.
func (d utpDialer) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return d.DialContext(ctx, d.network, addr) //nolint:wrapcheck // the client wraps
}

// DialerNetwork is the network of the connections.
func (d utpDialer) DialerNetwork() string { return d.network }
