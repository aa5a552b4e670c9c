// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// libraryNames lists what to try, the newest first.
func libraryNames() []string { return []string{"libmpv-2.dll", "mpv-2.dll", "mpv-1.dll"} }

// openLibrary looks beside the program, in the system's folders and in the absolute folders of PATH; never
// in the current folder, where anybody may have left a DLL.
func openLibrary() (uintptr, error) {
	var errs []error
	for _, name := range libraryNames() {
		handle, err := windows.LoadLibraryEx(name, 0, windows.LOAD_LIBRARY_SEARCH_DEFAULT_DIRS)
		if err == nil {
			return uintptr(handle), nil
		}
		errs = append(errs, fmt.Errorf("opening %s: %w", name, err))
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			path := filepath.Join(dir, name)
			if !filepath.IsAbs(path) {
				continue
			}
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				continue
			}
			handle, err := windows.LoadLibraryEx(path, 0, windows.LOAD_WITH_ALTERED_SEARCH_PATH)
			if err == nil {
				return uintptr(handle), nil
			}
			errs = append(errs, fmt.Errorf("opening %s: %w", path, err))
		}
	}
	return 0, errors.Join(errs...)
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	return windows.GetProcAddress(windows.Handle(handle), name)
}
