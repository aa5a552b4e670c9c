// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"errors"
	"net"
	"testing"
)

// TestADoorThatStaysShut: where a port cannot be opened anew nobody is told, for the client would come
// again at once, and for ever; peers come in once it can be.
func TestADoorThatStaysShut(t *testing.T) {
	shut := errors.New("the port is taken")
	working := (&Engine{config: Config{}}).listen
	var failing error
	d := &door{network: "tcp4", address: "127.0.0.1:0", open: closedNow(), gone: make(chan struct{}), listen: func(network, address string) (net.Listener, error) {
		if failing != nil {
			return nil, failing
		}
		return working(network, address)
	}}
	var err error
	if d.inner, err = d.listen(d.network, d.address); err != nil {
		t.Fatal(err)
	}
	failing = shut
	if err := d.reopen(); !errors.Is(err, shut) {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("closing a door that is shut: %v", err)
	}
	d.gone = make(chan struct{})
	got := make(chan error, 10)
	go func() {
		for {
			c, err := d.Accept()
			got <- err
			if err != nil {
				return
			}
			defer c.Close() // not at once: that would be a reset, and the dial might see it
		}
	}()
	failing = nil
	if err := d.reopen(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp4", d.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := <-got; err != nil {
		t.Fatalf("accepting from a door that was shut: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err == nil {
		t.Error("accepted from a door that is closed")
	}
}

func closedNow() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
