// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names in the data folder.
const (
	socketName  = "control.sock"
	addressName = "control.addr"
)

// maxSocketPath is the longest path bound: sun_path holds 104 bytes on some systems (unix(7)).
const maxSocketPath = 100

// tempPrefix begins the name of the folder that holds a short socket.
const tempPrefix = "shoal-"

// place finds where the socket of a data folder goes: in it, or, where that path is too long, in a
// fresh private folder under runtimeDir or the folder for temporary files; then it is written to
// control.addr.
func place(dataDir, runtimeDir string) (string, error) {
	if err := removeStale(dataDir); err != nil {
		return "", err
	}
	socket := filepath.Join(dataDir, socketName)
	if len(socket) <= maxSocketPath {
		return socket, nil
	}
	for _, base := range []string{runtimeDir, os.TempDir()} {
		if base == "" || len(base)+len(tempPrefix)+24 > maxSocketPath {
			continue
		}
		dir, err := os.MkdirTemp(base, tempPrefix) // mode 0700
		if err != nil {
			continue
		}
		socket = filepath.Join(dir, "s")
		if err := os.WriteFile(filepath.Join(dataDir, addressName), []byte(socket), 0o600); err != nil {
			return "", errors.Join(fmt.Errorf("writing control address: %w", err), os.Remove(dir))
		}
		return socket, nil
	}
	return "", errors.New("the data folder's path and the runtime folder's are too long for a control socket: choose a shorter --data")
}

// find returns the socket of a data folder.
func find(dataDir string) string {
	socket := filepath.Join(dataDir, socketName)
	if len(socket) <= maxSocketPath {
		return socket
	}
	info, err := os.Stat(filepath.Join(dataDir, addressName))
	if err != nil || info.Size() > 4096 {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(dataDir, addressName))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// removeStale removes what a holder that was killed left behind. Only the holder of the folder's lock
// may call it.
func removeStale(dataDir string) error {
	stale := find(dataDir)
	if dir := filepath.Dir(stale); stale != "" && strings.HasPrefix(filepath.Base(dir), tempPrefix) && filepath.Base(stale) == "s" {
		_ = os.Remove(stale) // the system may have cleaned up already
		_ = os.Remove(dir)
	}
	for _, name := range []string{socketName, addressName} {
		if err := os.Remove(filepath.Join(dataDir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing stale control socket: %w", err)
		}
	}
	return nil
}
