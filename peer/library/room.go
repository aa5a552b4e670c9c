// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"cmp"
	"slices"
	"time"
)

// Reason says in one word why a swarm stays, or why it goes when room is needed.
type Reason string

// The reasons. Those up to ReasonFetching never go; the others go in the order they stand in here.
const (
	ReasonOwn        Reason = "own"        // the instance publishes it, or it is seeded in place
	ReasonPinned     Reason = "pinned"     // a person pinned it
	ReasonWatching   Reason = "watching"   // somebody watches it now
	ReasonFetching   Reason = "fetching"   // it is being fetched for a Support
	ReasonWellSeeded Reason = "wellSeeded" // Value is how many seeders its trackers count
	ReasonUnwatched  Reason = "unwatched"  // Value is the days since it was watched
	ReasonIncomplete Reason = "incomplete" // it never arrived whole; Value is the percent that is here
	ReasonSupport    Reason = "support"    // it is held for a Support; Value is its seeders, -1 unknown
	ReasonRecent     Reason = "recent"     // it was watched lately; Value is the days since
)

// What makes a reason.
const (
	WellSeeded = 5                   // seeders from which on a copy is needed least
	LongAgo    = 30 * 24 * time.Hour // since it was watched
	latelyFor  = 24 * time.Hour      // since it was watched, in which nothing else counts
)

// Holding is what the order goes by.
type Holding struct {
	Infohash string
	Held     int64 // bytes on disk
	Bytes    int64 // of all of it
	Own      bool  // published by the instance, or seeded in place
	Pinned   bool
	Watching bool
	Fetching bool // for a Support
	Support  bool
	Seeders  int       // as the trackers say; below zero where unknown
	Watched  time.Time // the last time; when it was added, where never
}

// Standing is why a swarm stays or goes, for programs; people get a sentence made of it.
type Standing struct {
	Reason Reason `json:"reason"`
	Value  int64  `json:"value"`
	// Order is its place among those that go when room is needed: 1 goes first, 0 never.
	Order int `json:"order"`
}

// Stand says why h stays or goes, without its Order.
func (h Holding) Stand(now time.Time) Standing {
	days := int64(max(now.Sub(h.Watched), 0) / (24 * time.Hour))
	switch {
	case h.Own:
		return Standing{Reason: ReasonOwn}
	case h.Pinned:
		return Standing{Reason: ReasonPinned}
	case h.Watching:
		return Standing{Reason: ReasonWatching}
	case h.Fetching:
		return Standing{Reason: ReasonFetching}
	case h.Support:
		return Standing{Reason: ReasonSupport, Value: int64(max(h.Seeders, -1))}
	case now.Sub(h.Watched) < latelyFor:
		return Standing{Reason: ReasonRecent}
	case h.Seeders >= WellSeeded:
		return Standing{Reason: ReasonWellSeeded, Value: int64(h.Seeders)}
	case now.Sub(h.Watched) >= LongAgo:
		return Standing{Reason: ReasonUnwatched, Value: days}
	case h.Held < h.Bytes || h.Bytes == 0:
		return Standing{Reason: ReasonIncomplete, Value: percent(h.Held, h.Bytes)}
	}
	return Standing{Reason: ReasonRecent, Value: days}
}

func percent(part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	return int64(float64(part) / float64(whole) * 100)
}

// rank is the place of a reason in the order; 0 stays.
func (r Reason) rank() int {
	switch r {
	case ReasonWellSeeded:
		return 1
	case ReasonUnwatched:
		return 2
	case ReasonIncomplete:
		return 3
	case ReasonSupport:
		return 4
	case ReasonRecent:
		return 5
	case ReasonOwn, ReasonPinned, ReasonWatching, ReasonFetching:
	}
	return 0
}

// Spare reports whether what has this reason makes room for a Support.
func (r Reason) Spare() bool { return r.rank() > 0 && r.rank() < ReasonSupport.rank() }

// Stand returns each holding's Standing, in the order of holdings. It depends on nothing else than its
// arguments, and not on the order of holdings.
//
// First goes what many others seed, then what was not watched for long, then what never arrived
// whole, then what is held for a Support, and last what was watched lately. Of one reason first goes
// what has the most seeders, was watched the longest ago, or has the least of its bytes here.
func Stand(holdings []Holding, now time.Time) []Standing {
	out := make([]Standing, len(holdings))
	var order []int
	for i, h := range holdings {
		out[i] = h.Stand(now)
		if out[i].Reason.rank() > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := holdings[a], holdings[b]
		if by := cmp.Compare(out[a].Reason.rank(), out[b].Reason.rank()); by != 0 {
			return by
		}
		within := 0
		switch out[a].Reason {
		case ReasonWellSeeded, ReasonSupport:
			within = cmp.Compare(y.Seeders, x.Seeders)
		case ReasonIncomplete:
			within = cmp.Compare(out[a].Value, out[b].Value)
		case ReasonUnwatched, ReasonRecent, ReasonOwn, ReasonPinned, ReasonWatching, ReasonFetching:
		}
		return cmp.Or(within, x.Watched.Compare(y.Watched), cmp.Compare(x.Infohash, y.Infohash))
	})
	for place, i := range order {
		out[i].Order = place + 1
	}
	return out
}

// MakeRoom returns the infohashes to delete so that so many bytes become free, first to go first. It
// returns no more than are needed, and fewer bytes where no more may go.
func MakeRoom(holdings []Holding, bytes int64, now time.Time) []string {
	var order []int
	standing := Stand(holdings, now)
	for i := range holdings {
		if standing[i].Order > 0 && holdings[i].Held > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(standing[a].Order, standing[b].Order) })
	var out []string
	for _, i := range order {
		if bytes <= 0 {
			break
		}
		out = append(out, holdings[i].Infohash)
		bytes -= holdings[i].Held
	}
	return out
}
