// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"fmt"
	"sync"
)

// Store is the settings in use: those of a file with the environment's on top.
type Store struct {
	path   string
	getenv func(string) string

	writing sync.Mutex // one change at a time; taken before mu

	mu     sync.Mutex // not held while the disk is waited for
	file   Config     // as in the file, without the environment
	cfg    Config     // what is in use
	subs   map[int]func(Config)
	nextID int
}

// Load reads the file at path, which need not exist, and the environment through getenv (nil: no
// environment). The error is one sentence for a person.
func Load(path string, getenv func(string) string) (*Store, error) {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	file, err := read(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, getenv: getenv, file: file, subs: make(map[int]func(Config))}
	if s.cfg, err = s.effective(file); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) effective(file Config) (Config, error) {
	cfg := file.clone()
	if err := applyEnv(&cfg, s.getenv); err != nil {
		return Config{}, err
	}
	if err := cfg.Verify(); err != nil {
		return Config{}, fmt.Errorf("settings from file and environment: %w", err)
	}
	return cfg, nil
}

// Path returns the settings file's path.
func (s *Store) Path() string { return s.path }

// Get returns the settings in use.
func (s *Store) Get() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.clone()
}

// Update lets change edit the settings of the file, verifies them, saves them, and then tells the
// subscribers. After an error nothing has changed. Values set by the environment stay in use over
// those of the file. Meanwhile Get returns what was in use before.
func (s *Store) Update(change func(*Config)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	file := s.file.clone()
	s.mu.Unlock()
	change(&file)
	if err := file.Verify(); err != nil {
		return err
	}
	cfg, err := s.effective(file)
	if err != nil {
		return err
	}
	data, err := Format(file)
	if err != nil {
		return err
	}
	if err := WriteFile(s.path, data, 0o600); err != nil {
		return fmt.Errorf("saving settings: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file, s.cfg = file, cfg
	for _, notify := range s.subs {
		notify(cfg.clone())
	}
	return nil
}

// Subscribe calls notify after each change, one call at a time, until cancel is called. notify must
// return soon and must not call the store.
func (s *Store) Subscribe(notify func(Config)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextID
	s.nextID++
	s.subs[id] = notify
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, id)
	}
}
