// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/anacrolix/torrent/metainfo"

	"shoal/peer"
	"shoal/peer/library"
)

// saveEvery is how often figures of the swarms go into the library.
const saveEvery = 30 * time.Second

// keeper keeps the library in step with the engine, with the entries in memory for quick answers.
type keeper struct {
	library *library.Library
	engine  *peer.Engine
	logger  *slog.Logger

	mu      sync.Mutex
	entries map[string]library.Entry // without their torrents, which the library keeps
}

func newKeeper(l *library.Library, e *peer.Engine, logger *slog.Logger) *keeper {
	k := &keeper{library: l, engine: e, logger: logger, entries: make(map[string]library.Entry)}
	list, err := l.List()
	if err != nil { // the entries that can be read are there
		logger.Warn("some entries of the library cannot be read", "error", err)
	}
	for _, entry := range list {
		entry.Torrent = nil
		k.entries[entry.Infohash] = entry
	}
	return k
}

// serve saves figures until ctx ends, and once more then.
func (k *keeper) serve(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return k.save()
		case <-tick.C:
			if err := k.save(); err != nil {
				k.logger.Warn("saving library failed", "error", err)
			}
		}
	}
}

// save writes the entries whose figures have changed.
func (k *keeper) save() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var changed []library.Entry
	for infohash, e := range k.entries {
		swarm, ok := k.engine.Swarm(metainfo.NewHashFromHex(infohash))
		if !ok {
			continue
		}
		stats := swarm.Stats()
		was := e
		e.Uploaded, e.Downloaded = stats.Uploaded, stats.Downloaded
		e.Complete = stats.Complete
		if stats.Bytes > 0 {
			e.Bytes = stats.Bytes
		}
		if e.Uploaded == was.Uploaded && e.Downloaded == was.Downloaded && e.Complete == was.Complete && e.Bytes == was.Bytes {
			continue
		}
		changed = append(changed, e)
	}
	if len(changed) == 0 {
		return nil
	}
	return k.put(changed...)
}

// put writes entries; k.mu is held.
func (k *keeper) put(entries ...library.Entry) error {
	if err := k.library.Put(entries...); err != nil {
		return fmt.Errorf("saving swarms in the library: %w", err)
	}
	for _, e := range entries {
		e.Torrent = nil
		k.entries[e.Infohash] = e
	}
	return nil
}

// entry returns what is known of a swarm.
func (k *keeper) entry(infohash string) (library.Entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.entries[infohash]
	return e, ok
}

// all returns a copy of the entries by infohash.
func (k *keeper) all() map[string]library.Entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.entries)
}

// hold adds or changes the entry of a swarm whose metadata is known.
func (k *keeper) hold(swarm *peer.Swarm, change func(library.Entry, bool) library.Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	infohash := swarm.Infohash().HexString()
	e, known := k.entries[infohash]
	e = change(e, known)
	target := swarm.Target()
	e.Magnet = target.Magnet()
	if target.MetaInfo != nil {
		torrent, err := encodeTorrent(target.MetaInfo)
		if err != nil {
			return err
		}
		e.Torrent = torrent
	}
	if e.Dir == "" {
		e.Dir = swarm.Dir()
	}
	if stats := swarm.Stats(); stats.Bytes > 0 {
		e.Bytes, e.Complete = stats.Bytes, stats.Complete
	}
	return k.put(e)
}

// change edits a known entry. It is no error where there is none.
func (k *keeper) change(infohash string, edit func(*library.Entry)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.entries[infohash]
	if !ok {
		return nil
	}
	edit(&e)
	return k.put(e)
}

// forget removes an entry.
func (k *keeper) forget(infohash string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.library.Delete(infohash); err != nil {
		return fmt.Errorf("removing swarm from library: %w", err)
	}
	delete(k.entries, infohash)
	return nil
}
