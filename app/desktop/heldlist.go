// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"cmp"
	"slices"
	"strings"

	"shoal/app/core"
)

// showing is which of the videos held are listed.
type showing int

// The choices, in the order of their words.
const (
	showAll showing = iota
	showSharing
	showFetching
	showEnded // paused, by a person or a limit, or not joined
	showPinned
	showSupport
	showProblems
)

func showingWords() []string {
	return []string{tr("All"), tr("Sharing"), tr("Downloading"), tr("Paused or ended"), tr("Pinned"), tr("For creators"), tr("Problems")}
}

func (f showing) takes(s core.SwarmInfo) bool {
	active := s.Joined && !s.Paused
	switch f {
	case showSharing:
		return active && s.Complete
	case showFetching:
		return active && !s.Complete
	case showEnded:
		return !active
	case showPinned:
		return s.Pinned
	case showSupport:
		return s.SupportedBy != ""
	case showProblems:
		return s.Problem != ""
	case showAll:
	}
	return true
}

// order is how the videos held are sorted.
type order int

// The choices, in the order of their words.
const (
	orderAdded order = iota
	orderName
	orderSize
	orderGiven
	orderGoes
)

func orderWords() []string {
	return []string{tr("Newest first"), tr("By name"), tr("Largest first"), tr("Most given back"), tr("First to go")}
}

// arrange picks and sorts swarms, which come oldest first.
func arrange(swarms []core.SwarmInfo, f showing, o order, query string) []core.SwarmInfo {
	query = strings.ToLower(query)
	list := make([]core.SwarmInfo, 0, len(swarms))
	for i := len(swarms) - 1; i >= 0; i-- { // newest first
		s := swarms[i]
		if f.takes(s) && (query == "" || strings.Contains(strings.ToLower(s.Name), query) || strings.Contains(s.Page, query) || s.Infohash == query) {
			list = append(list, s)
		}
	}
	last := func(place int) int { // what never goes comes last
		if place <= 0 {
			return 1 << 30
		}
		return place
	}
	switch o {
	case orderName:
		slices.SortStableFunc(list, func(a, b core.SwarmInfo) int {
			return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		})
	case orderSize:
		slices.SortStableFunc(list, func(a, b core.SwarmInfo) int { return cmp.Compare(b.Bytes, a.Bytes) })
	case orderGiven:
		slices.SortStableFunc(list, func(a, b core.SwarmInfo) int { return cmp.Compare(b.Uploaded.Sum(), a.Uploaded.Sum()) })
	case orderGoes:
		slices.SortStableFunc(list, func(a, b core.SwarmInfo) int { return cmp.Compare(last(a.Keep.Order), last(b.Keep.Order)) })
	case orderAdded:
	}
	return list
}
