// SPDX-License-Identifier: AGPL-3.0-or-later

// Package library remembers what this machine keeps and seeds: one entry a swarm, in library.db.
// app imports it; it imports peer.
package library

import (
	"context"
	"errors"
	"time"

	"shoal/peer"
)

// Entry is one swarm held.
type Entry struct {
	Infohash   string     `json:"infohash"` // 40 hex digits, lower case: the key
	Name       string     `json:"name"`
	Torrent    []byte     `json:"torrent,omitempty"` // the .torrent file, once known
	Magnet     string     `json:"magnet,omitempty"`
	Dir        string     `json:"dir,omitempty"`  // where its files go
	Path       string     `json:"path,omitempty"` // a file seeded in place
	Page       string     `json:"page,omitempty"` // the watch page
	Added      time.Time  `json:"added"`
	Paused     bool       `json:"paused"`
	Want       bool       `json:"want"` // fetch what is missing
	Uploaded   peer.Bytes `json:"uploaded"`
	Downloaded peer.Bytes `json:"downloaded"`
	Bytes      int64      `json:"bytes"`
	Complete   bool       `json:"complete"`
}

// Library is an open library.db.
type Library struct{}

// ErrNotFound says that an infohash is not in the library.
var ErrNotFound = errors.New("not in the library")

// Open opens or creates a library.
func Open(path string) (*Library, error) { return nil, errors.ErrUnsupported }

// Close closes the file.
func (*Library) Close() error { return nil }

// Put adds or replaces an entry.
func (*Library) Put(Entry) error { return errors.ErrUnsupported }

// Get returns an entry, ErrNotFound where there is none.
func (*Library) Get(infohash string) (Entry, error) { return Entry{}, ErrNotFound }

// Delete removes an entry. It is no error where there is none.
func (*Library) Delete(infohash string) error { return errors.ErrUnsupported }

// List returns all entries, oldest first.
func (*Library) List() ([]Entry, error) { return nil, errors.ErrUnsupported }

// Resume joins every entry's swarm again, paused ones paused. It goes on after an entry that
// fails, and returns the errors joined.
func (*Library) Resume(context.Context, *peer.Engine) error { return errors.ErrUnsupported }
