// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !windows

package mpv

import (
	"slices"
	"testing"
)

func TestLibraryNames(t *testing.T) {
	if got := libraryNames("linux"); !slices.Equal(got[:2], []string{"libmpv.so.2", "libmpv.so.1"}) {
		t.Errorf("linux: %v", got)
	}
	mac := libraryNames("darwin")
	for _, want := range []string{"libmpv.2.dylib", "libmpv.dylib", "/opt/homebrew/lib/libmpv.dylib", "/usr/local/lib/libmpv.2.dylib"} {
		if !slices.Contains(mac, want) {
			t.Errorf("darwin: %s is missing in %v", want, mac)
		}
	}
}
