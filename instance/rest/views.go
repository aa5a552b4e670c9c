// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"shoal/instance/party"
)

const (
	// viewEvery is how often one address counts as a view of one video.
	viewEvery = time.Hour
	// maxViewers bounds the addresses that are remembered.
	maxViewers = 50_000
)

// views counts views in memory until somebody takes them away to store them.
type views struct {
	mu    sync.Mutex
	seen  map[viewer]time.Time
	order []viewer // of seen, oldest first
	count map[uint64]int64
}

// viewer is who watches a video: an address, or the network that one customer of a provider has.
type viewer struct {
	video uint64
	who   netip.Addr
}

func (v *views) init() {
	v.seen, v.count = map[viewer]time.Time{}, map[uint64]int64{}
}

func (v *views) add(video uint64, ip netip.Addr, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	who := viewer{video, party.Addr(ip)}
	// The oldest goes when its hour is over, or when there is no room.
	for len(v.order) > 0 && (now.Sub(v.seen[v.order[0]]) >= viewEvery || len(v.order) >= maxViewers) {
		delete(v.seen, v.order[0])
		v.order = v.order[1:]
	}
	if _, ok := v.seen[who]; ok {
		return
	}
	v.seen[who] = now
	v.order = append(v.order, who)
	v.count[video]++
}

// TakeViews returns the views since it was last called, by the videos' numbers.
func (h *Handler) TakeViews() map[uint64]int64 {
	h.views.mu.Lock()
	defer h.views.mu.Unlock()
	taken := h.views.count
	h.views.count = map[uint64]int64{}
	return taken
}

// addView counts a view. A player says where it is every few seconds; an address counts once an
// hour.
func (h *Handler) addView(w http.ResponseWriter, r *http.Request) {
	v, ok := h.find(w, r)
	if !ok {
		return
	}
	h.views.add(number(v), h.cfg.ClientIP(r), time.Now())
	w.WriteHeader(http.StatusNoContent)
}
