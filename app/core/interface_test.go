// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build linux

package core

import (
	"path/filepath"
	"strings"
	"testing"

	"shoal/app/config"
)

// TestKillSwitchOfTheSettings: with an interface that is not there the program starts, reaches nobody,
// and says why.
func TestKillSwitchOfTheSettings(t *testing.T) {
	for _, held := range []bool{true, false} {
		store, err := config.Load(filepath.Join(t.TempDir(), "shoal.toml"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Update(func(c *config.Config) { c.Network.Interface, c.Network.KillSwitch = "shoal-none", held }); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), Options{Config: store, DataDir: t.TempDir(), Local: true})
		if err != nil {
			t.Fatal(err)
		}
		r := a.Reachability()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if r.Interface != "shoal-none" || r.InterfaceUp || r.Held != held || strings.Contains(r.Message, "kill switch") != held {
			t.Errorf("kill switch %t: %+v", held, r)
		}
	}
}
