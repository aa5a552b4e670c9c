// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"shoal/app/core"
	"shoal/peer/library"
)

// keepWords says why a video stays, or when it goes. bounded says that a budget or the disk's free room
// may make something go at all.
func keepWords(s core.SwarmInfo, bounded bool) string {
	switch s.Keep.Reason {
	case library.ReasonOwn:
		if s.Own {
			return tr("Published by your instance: it stays.")
		}
		return tr("Your own file: it stays.")
	case library.ReasonPinned:
		return tr("Pinned: it stays, and no limit ends sharing it.")
	case library.ReasonWatching:
		return tr("Being watched: it stays meanwhile.")
	case library.ReasonFetching:
		return tr("Being fetched for a creator you support: it stays meanwhile.")
	}
	why := reasonWords(s.Keep)
	switch {
	case why == "":
		return ""
	case !bounded || s.Keep.Order <= 0:
		return sentence(why)
	case s.Keep.Order == 1:
		return tr("Goes first when room is needed: %s.", why)
	}
	return plural(s.Keep.Order-1, "Goes after %d other when room is needed:", "Goes after %d others when room is needed:") + " " + why + "."
}

// reasonWords says what a place in the order is owed to.
func reasonWords(s library.Standing) string {
	n := int(s.Value)
	switch s.Reason {
	case library.ReasonWellSeeded:
		return plural(n, "%d seeder has it", "%d seeders have it")
	case library.ReasonUnwatched:
		return plural(n, "not watched for %d day", "not watched for %d days")
	case library.ReasonIncomplete:
		return tr("only %d%% of it arrived", n)
	case library.ReasonSupport:
		if n < 0 {
			return tr("held for a creator you support")
		}
		return tr("held for a creator you support") + ", " + plural(n, "%d seeder has it", "%d seeders have it")
	case library.ReasonRecent:
		if n < 1 {
			return tr("here since today")
		}
		return plural(n, "watched or added %d day ago", "watched or added %d days ago")
	case library.ReasonOwn, library.ReasonPinned, library.ReasonWatching, library.ReasonFetching:
	}
	return ""
}

// stopWords says which limit ended the sharing of a video. The settings have the limits under the same
// names.
func stopWords(s library.Stop) string {
	switch s {
	case library.StopRatio:
		return tr("Ended: ratio reached")
	case library.StopTime:
		return tr("Ended: time is up")
	case library.StopIdle:
		return tr("Ended: no interest")
	case library.StopNone:
	}
	return ""
}
