// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"sync"
	"time"

	"github.com/anacrolix/torrent/metainfo"

	"shoal/peer"
	"shoal/peer/library"
)

// Times of the keeper.
const (
	saveEvery = 30 * time.Second // figures of the swarms go into the library
	seedSave  = 600              // seconds of seeding or waiting, when nothing else has changed
)

// entryStore is the part of the library that the keeper writes.
type entryStore interface {
	Put(entries ...library.Entry) error
	Delete(infohash string) error
}

// keeper keeps the library in step with the engine, with the entries in memory for quick answers, and
// ends the seeding of what has come to a limit. Who reads never waits for the disk.
type keeper struct {
	library entryStore
	engine  *peer.Engine
	logger  *slog.Logger
	now     func() time.Time
	sharing func() (l library.Limits, metered bool)

	writing sync.Mutex               // one change at a time, until it is on the disk
	saved   map[string]library.Entry // as the library has them; writing is held
	last    time.Time                // up to where seeding was counted; writing is held

	mu      sync.Mutex               // never held over what waits
	entries map[string]library.Entry // without their torrents, which the library keeps
}

func newKeeper(l *library.Library, e *peer.Engine, logger *slog.Logger) *keeper {
	k := &keeper{
		library: l, engine: e, logger: logger, now: time.Now,
		sharing: func() (library.Limits, bool) { return library.Limits{}, false },
		entries: make(map[string]library.Entry), saved: make(map[string]library.Entry),
	}
	list, err := l.List()
	if err != nil { // the entries that can be read are there
		logger.Warn("some entries of the library cannot be read", "error", err)
	}
	for _, entry := range list {
		entry.Torrent = nil
		k.entries[entry.Infohash] = entry
		k.saved[entry.Infohash] = entry
	}
	return k
}

// serve counts and saves figures until ctx ends, and once more then.
func (k *keeper) serve(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return k.tick(true)
		case <-tick.C:
			if err := k.tick(false); err != nil {
				k.logger.Warn("saving library failed", "error", err)
			}
		}
	}
}

// tick counts what has happened since the last one, ends what has come to a limit, and saves the
// entries whose figures have changed, with all also those whose seeding time alone has.
func (k *keeper) tick(all bool) error {
	limits, metered := k.sharing()
	stopped, err := k.count(limits, metered, all)
	for _, swarm := range stopped {
		swarm.Pause()
	}
	return err
}

func (k *keeper) count(limits library.Limits, metered, all bool) (stopped []*peer.Swarm, err error) {
	k.writing.Lock()
	defer k.writing.Unlock()
	now := k.now()
	seconds := k.elapsed(now)
	if metered {
		seconds = 0 // nothing is given meanwhile
	}
	var list, changed []library.Entry
	for infohash, e := range k.all() {
		swarm, ok := k.engine.Swarm(metainfo.NewHashFromHex(infohash))
		if !ok {
			continue
		}
		e = counted(e, swarm.Stats(), now, seconds)
		if stop := limits.Reached(e); stop != library.StopNone && !e.Paused && !metered {
			e.Paused, e.Stopped = true, stop
			stopped = append(stopped, swarm)
			k.logger.Info("seeding ended by a limit", "infohash", infohash, "limit", string(stop))
		}
		list = append(list, e)
		was := k.saved[infohash]
		seconds := e.SeededFor - was.SeededFor + e.Stalled - was.Stalled // one of them grows
		was.SeededFor, was.Stalled = e.SeededFor, e.Stalled
		if !reflect.DeepEqual(e, was) || seconds >= seedSave || all && seconds > 0 {
			changed = append(changed, e)
		}
	}
	k.show(list...)
	if len(changed) == 0 {
		return stopped, nil
	}
	return stopped, k.put(changed...)
}

// elapsed returns the whole seconds since the last call. A machine that slept has seeded nothing
// meanwhile.
func (k *keeper) elapsed(now time.Time) int64 {
	since := now.Sub(k.last)
	if k.last.IsZero() || since < 0 || since > 4*saveEvery {
		k.last = now
		return 0
	}
	seconds := int64(since / time.Second)
	k.last = k.last.Add(time.Duration(seconds) * time.Second)
	return seconds
}

// counted is an entry with the figures of its swarm, after so many more seconds.
func counted(e library.Entry, stats peer.Stats, now time.Time, seconds int64) library.Entry {
	if stats.Uploaded.Sum() > e.Uploaded.Sum() {
		e.LastUpload, e.IdleFrom = now.UTC(), e.SeededFor+seconds
	}
	switch {
	case stats.Complete || stats.Downloaded.Sum() > e.Downloaded.Sum():
		e.Stalled = 0
	case e.Want && !stats.Paused:
		e.Stalled += seconds
	}
	if stats.Complete && !stats.Paused {
		e.SeededFor += seconds
	}
	e.Uploaded, e.Downloaded = stats.Uploaded, stats.Downloaded
	e.Complete = stats.Complete
	if stats.Bytes > 0 {
		e.Bytes = stats.Bytes
	}
	return e
}

// put writes entries; k.writing is held.
func (k *keeper) put(entries ...library.Entry) error {
	if err := k.library.Put(entries...); err != nil {
		return fmt.Errorf("saving swarms in the library: %w", err)
	}
	for i := range entries {
		entries[i].Torrent = nil
		k.saved[entries[i].Infohash] = entries[i]
	}
	k.show(entries...)
	return nil
}

// show brings entries into what is read.
func (k *keeper) show(entries ...library.Entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range entries {
		k.entries[e.Infohash] = e
	}
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

// bytes is how much all entries would take if they were whole, what is seeded in place included: it costs
// less to ask than for what is there.
func (k *keeper) bytes() (n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		n += e.Bytes
	}
	return n
}

// hold adds or changes the entry of a swarm whose metadata is known.
func (k *keeper) hold(swarm *peer.Swarm, change func(library.Entry, bool) library.Entry) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	infohash := swarm.Infohash().HexString()
	e, known := k.entry(infohash)
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
	k.writing.Lock()
	defer k.writing.Unlock()
	e, ok := k.entry(infohash)
	if !ok {
		return nil
	}
	edit(&e)
	return k.put(e)
}

// forget removes an entry.
func (k *keeper) forget(infohash string) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := k.library.Delete(infohash); err != nil {
		return fmt.Errorf("removing swarm from library: %w", err)
	}
	delete(k.saved, infohash)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.entries, infohash)
	return nil
}
