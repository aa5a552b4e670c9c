// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build !windows

package mpv

import (
	"errors"
	"runtime"

	"github.com/ebitengine/purego"
)

// libraryNames lists what to try, the newest first.
func libraryNames(goos string) []string {
	if goos != "darwin" {
		return []string{"libmpv.so.2", "libmpv.so.1", "libmpv.so"}
	}
	var names []string
	for _, dir := range []string{
		"@executable_path/../Frameworks/", // inside an application bundle
		"",                                // the loader's own places
		"/opt/homebrew/lib/",              // Homebrew on Apple silicon
		"/usr/local/lib/",                 // Homebrew on Intel
		"/opt/local/lib/",                 // MacPorts
	} {
		names = append(names, dir+"libmpv.2.dylib", dir+"libmpv.dylib", dir+"libmpv.1.dylib")
	}
	return names
}

func openLibrary() (uintptr, error) {
	var errs []error
	for _, name := range libraryNames(runtime.GOOS) {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err == nil {
			return handle, nil
		}
		errs = append(errs, err)
	}
	return 0, errors.Join(errs...)
}

func findSymbol(handle uintptr, name string) (uintptr, error) { return purego.Dlsym(handle, name) }
