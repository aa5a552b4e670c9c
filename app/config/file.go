// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
)

// maxFileSize bounds the settings file, in bytes.
const maxFileSize = 1 << 20

// Parse reads settings on top of the defaults. The error is one sentence that names the key, the
// line and what to do.
func Parse(data []byte) (Config, error) {
	cfg := Defaults()
	dec := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return Config{}, explain(err)
	}
	if err := cfg.Verify(); err != nil {
		var bad *KeyError
		if errors.As(err, &bad) {
			if line := lineOf(data, bad.Key); line > 0 {
				return Config{}, fmt.Errorf("line %d: %w", line, err)
			}
		}
		return Config{}, err
	}
	return cfg, nil
}

func explain(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		line, _ := unknown.Errors[0].Position()
		return fmt.Errorf("line %d: unknown key %q: check its spelling or remove it", line, strings.Join(unknown.Errors[0].Key(), "."))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, _ := bad.Position()
		reason := strings.TrimPrefix(bad.Error(), "toml: ")
		if key := strings.Join(bad.Key(), "."); key != "" {
			return fmt.Errorf("line %d: %s: %s: correct the value", line, key, reason)
		}
		return fmt.Errorf("line %d: %s: correct the line", line, reason)
	}
	return fmt.Errorf("reading TOML: %w", err)
}

// lineOf finds the line on which a dotted key is set, 0 where it is not.
func lineOf(data []byte, key string) int {
	table, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		table, name = key[:i], key[i+1:]
	}
	current := ""
	scanner := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if strings.HasPrefix(line, "[") {
			current = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t")
			if current == key { // an array of tables
				return n
			}
			continue
		}
		left, _, found := strings.Cut(line, "=")
		left = strings.TrimSpace(left)
		if found && ((current == table && left == name) || (current == "" && left == key)) {
			return n
		}
	}
	return 0
}

// Format writes settings as a commented file. Parse reads it back to the same settings.
func Format(cfg Config) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString("# Settings of Shoal. Keys that are left out have their defaults.\n\n")
	if err := toml.NewEncoder(&buf).Encode(cfg); err != nil {
		return nil, fmt.Errorf("writing TOML: %w", err)
	}
	return buf.Bytes(), nil
}

// read returns the settings of a file. A missing file gives the defaults.
func read(path string) (Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // the data folder explains the latter
		return Defaults(), nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("opening settings: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return Config{}, fmt.Errorf("reading settings %s: %w", path, err)
	}
	if len(data) > maxFileSize {
		return Config{}, fmt.Errorf("settings %s: the file is larger than 1 MiB: it is not Shoal's, name another one with --config", path)
	}
	cfg, err := Parse(data)
	if err != nil {
		return Config{}, fmt.Errorf("settings %s: %w", path, err)
	}
	return cfg, nil
}

// WriteFile replaces a file atomically: a temporary file beside it, fsync, rename.
func WriteFile(path string, data []byte, mode fs.FileMode) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("creating folder: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("creating temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return errors.Join(fmt.Errorf("writing temporary file: %w", err), tmp.Close())
	}
	if err := errors.Join(tmp.Chmod(mode), tmp.Sync()); err != nil {
		return errors.Join(fmt.Errorf("syncing temporary file: %w", err), tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("closing temporary file: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	return nil
}
