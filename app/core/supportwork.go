// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"shoal/app/config"
	"shoal/peer/library"
)

// Times and bounds of the worker.
const (
	workEvery   = 15 * time.Second
	busyEvery   = 3 * time.Second  // while something is fetched
	maxAsking   = 4                // supports whose instances are asked at one time
	maxFetching = 2                // swarms fetched at one time that get on
	maxStalled  = 100              // and those that do not: they cost little
	stalledTime = 10 * time.Minute // without a byte
	// deadTime is for how long no byte came of a video that nobody seeds. It is waited for still, but another
	// may take what room it does not fill.
	deadTime = 24 * time.Hour
)

// supporter is the one worker of all supports: it asks their instances for videos, chooses among them,
// fetches what is missing and deletes what has lost its place.
type supporter struct {
	app *App

	// step alone uses these.
	catalogs map[string]library.Catalog
	begun    bool
	metered  bool
	busy     int // videos fetched that get on, after the last step

	mu       sync.Mutex
	starting map[string]bool // videos being joined, by support and UUID
	work     sync.WaitGroup
	catMu    sync.Mutex // of catalogs
}

func newSupporter(a *App) *supporter {
	return &supporter{app: a, catalogs: map[string]library.Catalog{}, starting: map[string]bool{}}
}

// serve works until ctx ends.
func (w *supporter) serve(ctx context.Context) error {
	defer w.work.Wait()
	cancel := w.app.options.Config.Subscribe(func(config.Config) { w.app.supports.look() })
	defer cancel()
	select {
	case <-ctx.Done():
		return nil
	case <-w.app.resumed:
	}
	w.releaseOrphans()
	tick := time.NewTimer(workEvery)
	defer tick.Stop()
	for {
		w.step(ctx)
		tick.Reset(workEvery)
		if w.busy > 0 {
			tick.Reset(busyEvery)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.app.supports.kick:
		}
	}
}

// step does what is due.
func (w *supporter) step(ctx context.Context) {
	metered := w.app.options.Config.Get().Network.Metered
	w.switchMetered(ctx, metered)
	if !metered {
		w.refreshDue(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	w.busy = 0
	supports := w.app.supports.all()
	if len(supports) == 0 {
		return
	}
	room, now := w.roomNow(), w.snapshot()
	for _, s := range supports {
		if ctx.Err() != nil {
			return
		}
		w.tend(ctx, s, now, &room, metered)
	}
}

// switchMetered pauses what is being fetched for supports while the connection is paid by the byte.
func (w *supporter) switchMetered(ctx context.Context, metered bool) {
	if w.begun && metered == w.metered {
		return
	}
	w.begun, w.metered = true, metered
	for infohash, e := range w.app.keeper.all() {
		swarm, joined := w.app.joined(infohash)
		switch {
		case !joined:
		case metered && e.Support != "" && !e.Paused && !swarm.Stats().Complete:
			_, _ = w.app.watching.unless(ctx, infohash, func() error {
				swarm.Pause()
				w.note(infohash, func(e *library.Entry) { e.Paused, e.Stopped = true, library.StopMetered })
				return nil
			})
		case !metered && e.Stopped == library.StopMetered:
			swarm.Resume()
			w.note(infohash, resumed)
		}
	}
}

func (w *supporter) note(infohash string, edit func(*library.Entry)) {
	if err := w.app.keeper.change(infohash, edit); err != nil {
		w.app.logger.Warn("noting a supported swarm failed", "infohash", infohash, "error", err)
	}
}

// refreshDue asks the instances of the supports whose time has come.
func (w *supporter) refreshDue(ctx context.Context) {
	now := w.app.keeper.now()
	turns := make(chan struct{}, maxAsking)
	var asking sync.WaitGroup
	for _, s := range w.app.supports.all() {
		if waits(now, s.Next) {
			continue
		}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			asking.Wait()
			return
		}
		asking.Go(func() {
			w.refresh(ctx, s)
			<-turns
		})
	}
	asking.Wait()
}

// catalog returns what is known of a support's videos.
func (w *supporter) catalog(id string) library.Catalog {
	w.catMu.Lock()
	defer w.catMu.Unlock()
	c, ok := w.catalogs[id]
	if !ok {
		var err error
		if c, err = w.app.library.Catalog(id); err != nil { // it is asked for again in time
			w.app.logger.Warn("a catalog cannot be read", "support", id, "error", err)
		}
		w.catalogs[id] = c
	}
	return c
}

func (w *supporter) keepCatalog(id string, c library.Catalog) error {
	w.catMu.Lock()
	defer w.catMu.Unlock()
	if _, ok := w.app.supports.get(id); !ok {
		delete(w.catalogs, id)
		return nil
	}
	if err := w.app.library.PutCatalog(id, c); err != nil {
		return err
	}
	w.catalogs[id] = c
	return nil
}

// room is what supports may take of the disk.
type room struct {
	bytes int64 // in all; -1 for no bound
	why   string
	disk  bool // the free space is the bound, not the budget
}

// roomNow returns how many bytes all supports may hold: the budget, less what comes before them in it,
// and no more than the disk has.
func (w *supporter) roomNow() room {
	cfg := w.app.options.Config.Get()
	var before, spare, here int64
	for _, s := range w.app.Swarms() {
		switch {
		case s.Own || s.inPlace:
		case s.SupportedBy != "":
			here += s.Completed
		case s.Keep.Reason.Spare():
			spare += s.Completed
		default:
			before += s.Completed
		}
	}
	r := room{bytes: -1}
	if b := cfg.Sharing.Budget; b > 0 {
		r.bytes = max(b-before, 0)
		r.why = "The disk budget leaves no room for more: raise it in the settings, or remove what you have watched."
	}
	free := w.app.free(cfg.DownloadsDir(w.app.options.DataDir))
	if free >= 0 {
		most := max(free+spare+here-cfg.Sharing.KeepFree, 0)
		if r.bytes < 0 || most < r.bytes {
			r.bytes, r.disk, r.why = most, true, "The disk has no room for more: free some space, or lower the space that stays free in the settings."
		}
	}
	return r
}

// take returns how much of a budget there is room for, and takes it.
func (r *room) take(budget int64) int64 {
	if r.bytes < 0 {
		return budget
	}
	return min(budget, r.bytes)
}

func (r *room) took(bytes int64) {
	if r.bytes >= 0 {
		r.bytes = max(r.bytes-bytes, 0)
	}
}

// tend brings what is held for one support closer to what is chosen.
func (w *supporter) tend(ctx context.Context, s library.Support, now snapshot, r *room, metered bool) {
	c := w.catalog(s.ID)
	if len(c.Videos) == 0 {
		return
	}
	wish := library.Wish{Order: s.Order, Budget: s.Budget, Refused: s.Refused, Held: w.heldFor(s.ID, c, now)}
	all := wish.Choose(c.Videos)
	wish.Budget = r.take(s.Budget)
	choices := wish.Choose(c.Videos)
	why := ""
	if len(choices) < len(all) {
		why = r.why
	}
	chosen := make(map[string]library.Choice, len(choices))
	for _, choice := range choices {
		chosen[choice.UUID] = choice
		r.took(choice.Bytes)
	}
	unfit := map[string]bool{} // chosen, but for the space that stays free
	for _, choice := range all {
		if _, ok := chosen[choice.UUID]; !ok && r.disk {
			unfit[choice.UUID] = true
		}
	}
	w.drop(ctx, s, now.held[s.ID], chosen, unfit)
	for _, h := range now.held[s.ID] {
		if h.moves {
			w.busy++
		}
	}
	for _, choice := range choices {
		v := c.Videos[indexOf(c.Videos, choice.UUID)]
		if choice.Rendition < 0 {
			w.claim(s.ID, v, now)
			continue
		}
		if metered {
			why = "The connection is paid by the byte (a switch in the settings): nothing is fetched for a support meanwhile."
			break
		}
		if waits(w.app.keeper.now(), v.Retry) {
			continue
		}
		may, held := w.mayStart()
		if !may {
			why = cmp.Or(why, held)
			break
		}
		w.start(ctx, s, v, choice)
	}
	if why == "" {
		why = troubleOf(c, choices)
	}
	w.app.supports.wait(s.ID, why)
}

// troubleOf says what is wrong with the first chosen video that cannot be had.
func troubleOf(c library.Catalog, choices []library.Choice) string {
	for _, choice := range choices {
		if i := indexOf(c.Videos, choice.UUID); choice.Rendition >= 0 && c.Videos[i].Problem != "" {
			return fmt.Sprintf("%q is not held: %s", c.Videos[i].Name, c.Videos[i].Problem)
		}
	}
	return ""
}

// drop lets go of what is held for a support and was not chosen. What a person wanted goes on
// as any other swarm. What is whole and unfit goes only where that frees space.
func (w *supporter) drop(ctx context.Context, s library.Support, held map[string]heldVideo, chosen map[string]library.Choice, unfit map[string]bool) {
	for uuid, h := range held {
		if _, ok := chosen[uuid]; ok || w.isStarting(s.ID, uuid) {
			continue
		}
		if unfit[uuid] && h.whole {
			w.app.toFree(func() { w.letGo(ctx, h.entries) })
		} else {
			w.letGo(ctx, h.entries)
		}
	}
}

func (w *supporter) letGo(ctx context.Context, entries []library.Entry) {
	for _, e := range entries {
		if err := w.letGoOf(ctx, e); err != nil {
			w.app.logger.Warn("letting go of a supported video failed", "infohash", e.Infohash, "error", err)
			continue
		}
		w.app.logger.Info("a video has lost its place in a support", "support", e.Support, "infohash", e.Infohash, "name", e.Name)
	}
}

func (w *supporter) letGoOf(ctx context.Context, e library.Entry) error {
	gone, err := w.app.evict(ctx, e.Infohash, func(e library.Entry) bool { return !e.Wanted() })
	if gone || err != nil {
		return err
	}
	return errors.Join(w.app.supports.credit(e), w.app.keeper.change(e.Infohash, release))
}

// releaseOrphans lets go of what is held for supports that are no more: the program ended in the
// middle of removing one.
func (w *supporter) releaseOrphans() {
	for infohash, e := range w.app.keeper.all() {
		if _, ok := w.app.supports.get(e.Support); e.Support != "" && !ok {
			w.note(infohash, release)
		}
	}
}

// claim makes swarms that are held already for no support ones of this one, and fetches what is missing
// of them.
func (w *supporter) claim(id string, v library.Video, now snapshot) {
	if _, held := now.held[id][v.UUID]; held {
		return
	}
	swarms, other := w.elsewhere(id, v, now)
	if other {
		return
	}
	for _, e := range swarms {
		w.note(e.Infohash, func(e *library.Entry) {
			e.Support, e.Video, e.Before, e.Want = id, v.UUID, e.Uploaded, true
		})
		if swarm, ok := w.app.joined(e.Infohash); ok {
			swarm.Download()
		}
	}
}

// mayStart reports whether one more video may be fetched, and why not where a person should know.
func (w *supporter) mayStart() (may bool, why string) {
	busy, stalled := 0, 0
	for infohash, e := range w.app.keeper.all() {
		swarm, joined := w.app.joined(infohash)
		switch {
		case e.Support == "" || e.Paused || !joined || swarm.Stats().Complete:
		case stalledFor(e, stalledTime):
			stalled++
		default:
			busy++
		}
	}
	w.mu.Lock()
	busy += len(w.starting)
	w.mu.Unlock()
	if stalled >= maxStalled {
		return false, fmt.Sprintf("%d files are waited for that nobody seeds now: no more are begun until some of them come. Remove those that you can do without.", stalled)
	}
	return busy < maxFetching, ""
}

// stalledFor reports whether no byte of what is fetched came for so long.
func stalledFor(e library.Entry, d time.Duration) bool { return e.Stalled >= int64(d/time.Second) }

func (w *supporter) isStarting(id, uuid string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starting[id+uuid]
}
