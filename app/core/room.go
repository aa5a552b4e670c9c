// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"shoal/app/config"
	"shoal/peer/library"
)

// How often the disk is looked at.
const (
	roomEvery = 30 * time.Second
	roomSoon  = 3 * time.Second // while a deletion has not freed anything yet
)

// serveRoom keeps to the budget and to the space that stays free, until ctx ends.
func (a *App) serveRoom(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	cancel := a.options.Config.Subscribe(func(config.Config) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer cancel()
	select {
	case <-ctx.Done():
		return nil
	case <-a.resumed:
	}
	next := roomEvery
	for {
		tick := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-changed:
		}
		tick.Stop()
		if ctx.Err() != nil {
			return nil
		}
		next = roomEvery
		if a.makeRoom(ctx) {
			next = roomSoon
		}
	}
}

// makeRoom deletes what is needed least until the budget is kept and enough of the disk is free. soon says
// that it waits for a deletion to free something.
func (a *App) makeRoom(ctx context.Context) (soon bool) {
	cfg := a.options.Config.Get()
	if budget := cfg.Sharing.Budget; budget > 0 && a.keeper.bytes() > budget {
		swarms := a.Swarms()
		for _, infohash := range library.MakeRoom(a.holdings(swarms), over(config.Sharing{Budget: budget}, kept(swarms), -1), a.keeper.now()) {
			if ctx.Err() != nil {
				return false
			}
			a.evictForRoom(ctx, infohash, swarms)
		}
	}
	dir := cfg.DownloadsDir(a.options.DataDir)
	tried := map[string]bool{}
	for ctx.Err() == nil {
		need := over(config.Sharing{KeepFree: cfg.Sharing.KeepFree}, 0, a.free(dir))
		if need <= 0 {
			a.freeing.forget()
			return false
		}
		if may, wait := a.mayFree(); !may {
			return wait
		}
		swarms := a.Swarms()
		infohash := firstToFree(swarms, a.holdings(swarms), dir, need, a.keeper.now(), tried)
		if infohash == "" {
			return false
		}
		tried[infohash] = true
		a.toFree(func() { a.evictForRoom(ctx, infohash, swarms) })
	}
	return false
}

func (a *App) evictForRoom(ctx context.Context, infohash string, swarms []SwarmInfo) {
	gone, err := a.evict(ctx, infohash, func(library.Entry) bool { return true }) // what stays is told by its reason
	if err != nil {
		a.logger.Warn("making room failed", "infohash", infohash, "error", err)
	} else if gone {
		i := slices.IndexFunc(swarms, func(s SwarmInfo) bool { return s.Infohash == infohash })
		a.logger.Info("deleted to make room", "infohash", infohash, "reason", string(swarms[i].Keep.Reason))
	}
}

// firstToFree returns the infohash of what to delete first for the space that stays free, "" for none. Only
// what lies in the downloads folder goes: another folder may be on another disk, where deleting frees
// nothing here.
func firstToFree(list []SwarmInfo, holdings []library.Holding, dir string, need int64, now time.Time, tried map[string]bool) string {
	var rest []library.Holding
	for i, h := range holdings {
		if within(dir, list[i].Dir) && !tried[h.Infohash] {
			rest = append(rest, h)
		}
	}
	for _, infohash := range library.MakeRoom(rest, need, now) {
		return infohash
	}
	return ""
}

// within reports whether a path is a folder or lies in it. One that is not known lies in it.
func within(dir, path string) bool {
	if path == "" {
		return true
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// over returns how many bytes are too many. free is below zero where it is unknown.
func over(s config.Sharing, kept, free int64) int64 {
	need := int64(0)
	if s.Budget > 0 {
		need = kept - s.Budget
	}
	if s.KeepFree > 0 && free >= 0 {
		need = max(need, s.KeepFree-free)
	}
	return need
}

// evict deletes a swarm and its files, unless somebody has pinned it or come to watch it, or may says no
// to what it is now. gone is whether it is held no more.
func (a *App) evict(ctx context.Context, infohash string, may func(library.Entry) bool) (gone bool, err error) {
	done, err := a.watching.unless(ctx, infohash, func() error {
		e, known := a.keeper.entry(infohash)
		gone = !known
		if !known || e.Pinned || e.Path != "" || !may(e) {
			return nil
		}
		e, held := a.live(e)
		before := a.spaceNow()
		if err := a.leave(ctx, infohash, true); err != nil {
			return err
		}
		gone = true
		if within(before.dir, e.Dir) {
			a.freeing.deleted(before, held, a.keeper.now())
		}
		return a.supports.credit(e)
	})
	return done && gone, err
}
