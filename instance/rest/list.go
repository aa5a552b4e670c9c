// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

const (
	defaultCount = 15
	maxCount     = 100
	maxSearch    = 500
)

// sortColumns are PeerTube's for lists of videos. What is counted by nobody here sorts as equal.
func sortColumns() []string {
	return []string{
		"name", "duration", "createdAt", "publishedAt", "originallyPublishedAt", "views", "likes", "match", "trending", "hot", "best",
	}
}

// page is which part of a list is asked for, in which order.
type page struct {
	start, count int
	sort         string
	descending   bool
}

// parsePage reads start, count and sort.
func parsePage(q url.Values) (page, *peertube.InvalidParam) {
	p := page{count: defaultCount, sort: "publishedAt", descending: true}
	bad := func(name, msg string) *peertube.InvalidParam {
		return &peertube.InvalidParam{Value: clip(q.Get(name)), Message: msg, Path: name, Location: "query"}
	}
	if v := q.Get("start"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return p, bad("start", "Should have a number start")
		}
		p.start = n
	}
	if v := q.Get("count"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxCount {
			return p, bad("count", fmt.Sprintf("Should have a number count (max: %d)", maxCount))
		}
		p.count = n
	}
	if v := q.Get("sort"); v != "" {
		p.sort, p.descending = strings.CutPrefix(v, "-")
		if !slices.Contains(sortColumns(), p.sort) {
			return p, bad("sort", "Should have correct sortable column: "+strings.Join(sortColumns(), ", "))
		}
	}
	return p, nil
}

func (h *Handler) videos(w http.ResponseWriter, r *http.Request) {
	h.list(w, r, func(*store.Video) bool { return true })
}

// search finds videos by their title, description and tags: every word must stand in one of them.
func (h *Handler) search(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("search")
	if len(text) > maxSearch {
		badParam(w, r, peertube.InvalidParam{Value: clip(text), Message: "Should have a valid search", Path: "search", Location: "query"}, "searchVideos")
		return
	}
	words := strings.Fields(strings.ToLower(text))
	h.list(w, r, func(v *store.Video) bool { return matches(v, words) })
}

func matches(v *store.Video, words []string) bool {
	text := strings.ToLower(v.Title + "\n" + v.Description + "\n" + strings.Join(v.Tags, "\n"))
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// list answers with one page of the listed videos that want accepts.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, want func(*store.Video) bool) {
	q := r.URL.Query()
	p, bad := parsePage(q)
	if bad != nil {
		badParam(w, r, *bad, "getVideos")
		return
	}
	var found []*store.Video
	if q.Get("isLocal") != "false" { // every video here is local
		for _, v := range h.cfg.Snapshot().Videos() {
			if v.Listed() && want(v) {
				found = append(found, v)
			}
		}
	}
	p.order(found)
	out := peertube.VideoList{Total: peertube.Int(len(found))}
	rest := found[min(p.start, len(found)):]
	for _, v := range rest[:min(p.count, len(rest))] {
		out.Data = append(out.Data, h.summary(v))
	}
	h.writeJSON(w, out)
}

// order sorts by the page's column, and by age where that says nothing.
func (p page) order(videos []*store.Video) {
	slices.SortStableFunc(videos, func(a, b *store.Video) int {
		n := 0
		switch p.sort {
		case "name":
			n = cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
		case "duration":
			n = cmp.Compare(a.Duration, b.Duration)
		case "createdAt":
			n = a.Created.Compare(b.Created)
		case "publishedAt", "originallyPublishedAt":
			n = a.Published.Compare(b.Published)
		case "views", "trending", "hot", "best":
			n = cmp.Compare(a.Views, b.Views)
		}
		if n == 0 {
			n = cmp.Compare(a.ID, b.ID)
		}
		if p.descending {
			n = -n
		}
		return n
	})
}
