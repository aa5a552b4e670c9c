// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
)

// FileName is the settings file's name in its folder.
const FileName = "config.toml"

// Paths are the places that one start of the program uses.
type Paths struct {
	Config string // the settings file
	Data   string // the data folder
}

// Locate decides where settings and data lie. configFlag and dataFlag are the flags' values, empty
// where not given. A data folder that is named on the command line brings its own settings file
// along, so that two folders never share settings; without it the platform's places are used.
// getenv reads the environment's overrides for the settings.
func Locate(configFlag, dataFlag string, getenv func(string) string) (Paths, *Store, error) {
	paths := Paths{Config: configFlag, Data: dataFlag}
	var err error
	if paths.Data != "" {
		if paths.Data, err = filepath.Abs(paths.Data); err != nil {
			return Paths{}, nil, fmt.Errorf("finding data folder: %w", err)
		}
	}
	switch {
	case paths.Config != "":
		if paths.Config, err = filepath.Abs(paths.Config); err != nil {
			return Paths{}, nil, fmt.Errorf("finding settings: %w", err)
		}
		if _, err := os.Stat(paths.Config); err != nil {
			return Paths{}, nil, fmt.Errorf("settings %s cannot be read: create the file or leave --config out: %w", paths.Config, err)
		}
	case paths.Data != "":
		paths.Config = filepath.Join(paths.Data, FileName)
	default:
		paths.Config = filepath.Join(xdg.ConfigHome, "shoal", FileName)
	}
	store, err := Load(paths.Config, getenv)
	if err != nil {
		return Paths{}, nil, err
	}
	if paths.Data == "" {
		paths.Data = store.Get().Data
	}
	if paths.Data == "" {
		paths.Data = filepath.Join(xdg.DataHome, "shoal")
	}
	return paths, store, nil
}

// RuntimeDir is the platform's folder for sockets, or the folder for temporary files where it has
// none.
func RuntimeDir() string {
	if info, err := os.Stat(xdg.RuntimeDir); err == nil && info.IsDir() {
		return xdg.RuntimeDir
	}
	return os.TempDir()
}

// DownloadsDir returns where joined swarms put their files.
func (c Config) DownloadsDir(data string) string {
	if c.Downloads != "" {
		return c.Downloads
	}
	return filepath.Join(data, "downloads")
}
