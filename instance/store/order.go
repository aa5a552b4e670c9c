// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"slices"
	"strings"
)

// filter makes the test of one line that a query asks for, but for words and blocks.
func (q ListQuery) filter() func(*line) bool {
	tags, allTags := lower(q.Tags), lower(q.AllTags)
	host := strings.ToLower(q.Host)
	among := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	return func(l *line) bool {
		switch {
		case !q.Unlisted && (!l.shown || l.privacy != Public),
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

// order compares two lines by a query's column, and by number where that says nothing.
func (q ListQuery) order() func(a, b *line) int {
	by := func(a, b *line) int { return cmp.Compare(a.published, b.published) }
	switch q.Sort {
	case "name":
		by = func(a, b *line) int { return cmp.Compare(a.title, b.title) }
	case "duration":
		by = func(a, b *line) int { return cmp.Compare(a.duration, b.duration) }
	case "createdAt":
		by = func(a, b *line) int { return cmp.Compare(a.created, b.created) }
	case "originallyPublishedAt":
		by = func(a, b *line) int { return cmp.Compare(a.original, b.original) }
	case "views", "trending", "hot", "best":
		by = func(a, b *line) int { return cmp.Compare(a.views, b.views) }
	case "likes":
		by = func(a, b *line) int { return cmp.Compare(a.likes, b.likes) }
	}
	return func(a, b *line) int {
		n := by(a, b)
		if n == 0 {
			n = cmp.Compare(a.number, b.number)
		}
		if q.Descending {
			return -n
		}
		return n
	}
}

// pageOf sorts and returns the part of found that a query asks for. A page near the beginning of a
// long list takes one pass over it.
func pageOf(found []*line, q ListQuery) []*line {
	end := len(found)
	if q.Count >= 0 {
		end = min(end, q.Start+q.Count)
	}
	start := min(max(q.Start, 0), len(found))
	if start >= end {
		return nil
	}
	if q.Search != "" && (q.Sort == "" || q.Sort == "match") {
		return found[start:end]
	}
	before := q.order()
	if end > len(found)/8 {
		slices.SortFunc(found, before)
		return found[start:end]
	}
	return first(found, end, before)[start:]
}

// first returns the n first of all in order: a heap of n with the last on top.
func first(all []*line, n int, before func(a, b *line) int) []*line {
	heap := slices.Clone(all[:n])
	for i := n/2 - 1; i >= 0; i-- {
		sink(heap, i, before)
	}
	for _, l := range all[n:] {
		if before(l, heap[0]) < 0 {
			heap[0] = l
			sink(heap, 0, before)
		}
	}
	slices.SortFunc(heap, before)
	return heap
}

func sink(heap []*line, i int, before func(a, b *line) int) {
	for {
		last := 2*i + 1
		if last >= len(heap) {
			return
		}
		if r := last + 1; r < len(heap) && before(heap[r], heap[last]) > 0 {
			last = r
		}
		if before(heap[last], heap[i]) <= 0 {
			return
		}
		heap[i], heap[last] = heap[last], heap[i]
		i = last
	}
}
