// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"path/filepath"
	"strings"
	"testing"

	"shoal/app/config"
)

// TestAnInterfaceThatIsNotKeptToIsRefused: nobody believes to be behind a VPN who is not.
func TestAnInterfaceThatIsNotKeptToIsRefused(t *testing.T) {
	store, err := config.Load(filepath.Join(t.TempDir(), "shoal.toml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(func(c *config.Config) { c.Network.Interface = "wg0" }); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), Options{Config: store, DataDir: t.TempDir(), Local: true})
	if err == nil {
		_ = a.Close()
		t.Fatal("it opened")
	}
	if !strings.Contains(err.Error(), "wg0") || !strings.Contains(err.Error(), "network.interface") {
		t.Fatal(err)
	}
}
