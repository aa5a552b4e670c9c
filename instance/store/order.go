// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"slices"
	"strings"
)

// filter makes the test of one line that a query asks for, but for words.
func (q ListQuery) filter() func(*line) bool {
	tags, allTags := lower(q.Tags), lower(q.AllTags)
	host := strings.ToLower(q.Host)
	among := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	return func(l *line) bool {
		switch {
		case l.blocked, !q.Unlisted && (!l.shown || l.privacy != Public),
			q.Origin == "local" && l.local == nil, q.Origin == "remote" && l.local != nil,
			host != "" && l.host != host,
			q.Account != "" && l.account != q.Account, q.Channel != "" && l.channel != q.Channel,
			q.NSFW != nil && *q.NSFW != l.nsfw, q.Live != nil && *q.Live != l.live,
			!among(q.Categories, l.category), !among(q.Licences, l.licence), !among(q.Languages, l.language):
			return false
		}
		if len(tags) > 0 && !slices.ContainsFunc(tags, func(t string) bool { return slices.Contains(l.tags, t) }) {
			return false
		}
		return !slices.ContainsFunc(allTags, func(t string) bool { return !slices.Contains(l.tags, t) })
	}
}

// column is what a query sorts by first, as a number. Names have none.
func (q ListQuery) column() func(l *line, score float64) int64 {
	of := q.Sort
	if of == "" && q.Search != "" {
		of = "match"
	}
	switch of {
	case "match":
		if q.Search == "" {
			return func(l *line, _ float64) int64 { return l.published }
		}
		const steps = 1 << 20 // scores are small
		return func(_ *line, score float64) int64 { return int64(score * steps) }
	case "name":
		return func(*line, float64) int64 { return 0 }
	case "duration":
		return func(l *line, _ float64) int64 { return l.duration }
	case "createdAt":
		return func(l *line, _ float64) int64 { return l.created }
	case "originallyPublishedAt":
		return func(l *line, _ float64) int64 { return l.original }
	case "views", "trending", "hot", "best":
		return func(l *line, _ float64) int64 { return l.views }
	case "likes":
		return func(l *line, _ float64) int64 { return l.likes }
	}
	return func(l *line, _ float64) int64 { return l.published }
}

// order compares two lines by a query's column, and by number where that says nothing.
func (q ListQuery) order() func(a, b item) int {
	name, sign := q.Sort == "name", 1
	if q.Descending {
		sign = -1
	}
	return func(a, b item) int {
		n := cmp.Compare(a.key, b.key)
		if n == 0 && name {
			n = cmp.Compare(a.title, b.title)
		}
		if n == 0 {
			n = cmp.Compare(a.number, b.number)
		}
		return sign * n
	}
}

// pageOf returns the part of found that a query asks for, sorted. It changes found's order.
func pageOf(found []item, q ListQuery) []item {
	if q.Search != "" && (q.Sort == "" || q.Sort == "match") {
		q.Descending = true // the best first
	}
	start := min(max(q.Start, 0), len(found))
	end := len(found)
	if q.Count >= 0 {
		end = start + min(q.Count, len(found)-start)
	}
	if start == end {
		return nil
	}
	before := q.order()
	split(found, start, before)
	split(found[start:], end-start, before)
	page := found[start:end]
	slices.SortFunc(page, before)
	return page
}

// split moves the n first of all, by order, to the front (Hoare's selection).
func split(all []item, n int, before func(a, b item) int) {
	const small = 32
	for len(all) > small {
		if n <= 0 || n >= len(all) {
			return
		}
		i := partition(all, before)
		if n < i {
			all = all[:i]
		} else {
			all, n = all[i:], n-i
		}
	}
	if n > 0 && n < len(all) {
		slices.SortFunc(all, before)
	}
}

// partition puts what comes before a pivot in front of the rest and returns where the rest begins;
// both parts have something.
func partition(all []item, before func(a, b item) int) int {
	// The middle of three guesses, so that sorted lists are no bad case.
	mid, last := len(all)/2, len(all)-1
	if before(all[mid], all[0]) < 0 {
		all[mid], all[0] = all[0], all[mid]
	}
	if before(all[last], all[mid]) < 0 {
		all[last], all[mid] = all[mid], all[last]
		if before(all[mid], all[0]) < 0 {
			all[mid], all[0] = all[0], all[mid]
		}
	}
	pivot := all[mid]
	i, j := 0, last
	for {
		for before(all[i], pivot) < 0 {
			i++
		}
		for before(all[j], pivot) > 0 {
			j--
		}
		if i >= j {
			return max(i, 1)
		}
		all[i], all[j] = all[j], all[i]
		i++
		j--
	}
}
