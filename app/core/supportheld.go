// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import "shoal/peer/library"

// snapshot is the library at the beginning of a step.
type snapshot struct {
	entries map[string]library.Entry
	held    map[string]map[string]heldVideo // by support and UUID
}

// heldVideo is what is held of a video for a support.
type heldVideo struct {
	entries []library.Entry
	bytes   int64 // that it takes of the budget: all of it, but of what is dead what is here
	whole   bool
	moves   bool // it is fetched, and not stalled
}

func (w *supporter) snapshot() snapshot {
	out := snapshot{entries: w.app.keeper.all(), held: map[string]map[string]heldVideo{}}
	for _, e := range out.entries {
		if e.Support == "" {
			continue
		}
		videos := out.held[e.Support]
		if videos == nil {
			videos = map[string]heldVideo{}
			out.held[e.Support] = videos
		}
		e, here := w.app.live(e)
		h, seen := videos[e.Video]
		h.entries = append(h.entries, e)
		if !e.Complete && stalledFor(e, deadTime) {
			h.bytes += here
		} else {
			h.bytes += e.Bytes
		}
		h.moves = h.moves || !e.Complete && !e.Paused && !stalledFor(e, stalledTime)
		h.whole = e.Complete && (h.whole || !seen)
		videos[e.Video] = h
	}
	return out
}

// elsewhere finds the swarms of a video that are held, but not for this support.
func (w *supporter) elsewhere(id string, v library.Video, now snapshot) (swarms []library.Entry, other bool) {
	for _, r := range v.Renditions {
		var found []library.Entry
		foreign := false
		for _, infohash := range r.Infohashes {
			if _, own := w.app.ownSwarm(infohash); own {
				return nil, true
			}
			if e, ok := now.entries[infohash]; ok && e.Support != id {
				found = append(found, e)
				foreign = foreign || e.Support != ""
			}
		}
		if len(found) > 0 && len(found) == len(r.Infohashes) {
			return found, foreign
		}
	}
	return nil, false
}

// heldFor is what Choose goes by: what is held for the support, or otherwise.
func (w *supporter) heldFor(id string, c library.Catalog, now snapshot) map[string]library.HeldVideo {
	out := map[string]library.HeldVideo{}
	for uuid, h := range now.held[id] {
		out[uuid] = library.HeldVideo{Bytes: h.bytes, Seeds: h.whole}
	}
	for _, v := range c.Videos {
		if _, ok := out[v.UUID]; ok {
			continue
		}
		swarms, other := w.elsewhere(id, v, now)
		switch {
		case other: // another support, or the instance, pays for it
			out[v.UUID] = library.HeldVideo{Seeds: true}
		case len(swarms) > 0:
			h := library.HeldVideo{Seeds: true}
			for _, e := range swarms {
				h.Bytes += e.Bytes
				h.Seeds = h.Seeds && e.Complete
			}
			out[v.UUID] = h
		}
	}
	return out
}
