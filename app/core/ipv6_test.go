// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"shoal/app/config"
)

// TestIPv6OfTheSettings: the program's ports take IPv6, or not, as the settings say.
func TestIPv6OfTheSettings(t *testing.T) {
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	_ = probe.Close()
	for _, on := range []bool{true, false} {
		store, err := config.Load(filepath.Join(t.TempDir(), "shoal.toml"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Update(func(c *config.Config) { c.Network.IPv6 = on }); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), Options{Config: store, DataDir: t.TempDir(), Local: true})
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(a.Engine().Port())))
		if (err != nil) != on {
			t.Errorf("IPv6 %t: taking its port: %v", on, err)
		}
		if err == nil {
			_ = l.Close()
		}
		if a.Reachability().IPv6Off == on {
			t.Errorf("IPv6 %t: the report says something else", on)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
