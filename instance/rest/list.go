// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
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

// maxTerms bounds the values of one filter.
const maxTerms = 50

// page is which part of a list is asked for, in which order.
type page struct {
	start, count int
	sort         string
	descending   bool
}

// parsePage reads start, count and sort for a list of videos.
func parsePage(q url.Values) (page, *peertube.InvalidParam) {
	return parsePageBy(q, sortColumns(), "publishedAt")
}

// parsePageBy reads start, count and sort, newest first by the column usual where none is named.
func parsePageBy(q url.Values, columns []string, usual string) (page, *peertube.InvalidParam) {
	p := page{count: defaultCount, sort: usual, descending: true}
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
		if !slices.Contains(columns, p.sort) {
			return p, bad("sort", "Should have correct sortable column: "+strings.Join(columns, ", "))
		}
	}
	return p, nil
}

// parseQuery reads the filters of a list of videos, and its page.
func parseQuery(q url.Values) (store.ListQuery, *peertube.InvalidParam) {
	p, bad := parsePage(q)
	if bad != nil {
		return store.ListQuery{}, bad
	}
	no := false
	out := store.ListQuery{
		Start: p.start, Count: p.count, Sort: p.sort, Descending: p.descending, Host: q.Get("host"),
		Tags: terms(q, "tagsOneOf"), AllTags: terms(q, "tagsAllOf"), Categories: terms(q, "categoryOneOf"),
		Licences: terms(q, "licenceOneOf"), Languages: terms(q, "languageOneOf"), NSFW: &no, Live: flag(q.Get("isLive")),
	}
	if v := q.Get("nsfw"); v != "" { // "both" asks for both
		out.NSFW = flag(v)
	}
	if local := flag(q.Get("isLocal")); local != nil {
		out.Origin = map[bool]string{true: "local", false: "remote"}[*local]
	}
	return out, nil
}

// flag reads "true" and "false"; nil is anything else.
func flag(s string) *bool {
	if s != "true" && s != "false" {
		return nil
	}
	b := s == "true"
	return &b
}

// terms reads a list of values, written as name=a&name=b or name[]=a.
func terms(q url.Values, name string) []string {
	all := slices.Concat(q[name], q[name+"[]"])
	all = slices.Clone(all[:min(len(all), maxTerms)])
	for i, s := range all {
		if s == "_unknown" {
			all[i] = ""
		}
	}
	return all
}

func (h *Handler) videos(w http.ResponseWriter, r *http.Request) {
	if q, ok := h.query(w, r); ok {
		h.list(w, r, q)
	}
}

// query reads a request's filters and page, or answers what is wrong with them.
func (h *Handler) query(w http.ResponseWriter, r *http.Request) (store.ListQuery, bool) {
	q, bad := parseQuery(r.URL.Query())
	if bad != nil {
		badParam(w, r, *bad, "getVideos")
		return q, false
	}
	if strings.EqualFold(q.Host, h.cfg.Base.Host()) {
		q.Host, q.Origin = "", "local"
	}
	return q, true
}

// search finds videos by the words in title, description, tags and channel, or one by its address.
func (h *Handler) search(w http.ResponseWriter, r *http.Request) {
	text := strings.TrimSpace(r.URL.Query().Get("search"))
	if len(text) > maxSearch {
		badParam(w, r, peertube.InvalidParam{Value: clip(text), Message: "Should have a valid search", Path: "search", Location: "query"}, "searchVideos")
		return
	}
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		h.searchURL(w, text)
		return
	}
	q, ok := h.query(w, r)
	if !ok {
		return
	}
	if q.Search = text; text != "" && r.URL.Query().Get("sort") == "" {
		q.Sort = "match"
	}
	h.list(w, r, q)
}

// searchURL answers with the video that an address names, if it is known here; it need not be
// listed.
func (h *Handler) searchURL(w http.ResponseWriter, text string) {
	var found []store.Listed
	ok := h.read(w, func(tx *store.Tx) error {
		v, err := h.byURL(tx, text)
		if err == nil && v != (store.Listed{}) {
			found = append(found, v)
		}
		return err
	})
	if ok {
		h.writeList(w, found, len(found))
	}
}

func (h *Handler) byURL(tx *store.Tx, text string) (store.Listed, error) {
	if v, ok, err := tx.RemoteVideo(text); err != nil || ok {
		return served(store.Listed{Remote: v}, h.cfg.Store), err
	}
	loc, err := peertube.ParseURL(text)
	if err != nil || loc.VideoID == "" {
		return store.Listed{}, nil //nolint:nilerr // what is no address finds nothing
	}
	if loc.Instance == string(h.cfg.Base) {
		v, _ := Find(h.snapshot(), loc.VideoID)
		return served(store.Listed{Local: v}, h.cfg.Store), nil
	}
	uuid, err := peertube.LongUUID(loc.VideoID)
	if err != nil {
		return store.Listed{}, nil //nolint:nilerr // as above
	}
	v, ok, err := tx.RemoteVideoByUUID(uuid)
	if err != nil || !ok || v.Host != store.HostOf(loc.Instance) {
		return store.Listed{}, err
	}
	return served(store.Listed{Remote: v}, h.cfg.Store), nil
}

// list answers with one page of the listed videos that a query asks for.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, q store.ListQuery) {
	page, total, err := h.cfg.Store.List(r.Context(), q)
	if err != nil {
		h.broken(w, err)
		return
	}
	h.writeList(w, page, total)
}

func (h *Handler) writeList(w http.ResponseWriter, page []store.Listed, total int) {
	out := peertube.VideoList{Total: peertube.Int(total)}
	ok := h.read(w, func(tx *store.Tx) error {
		v := h.view(tx)
		for _, l := range page {
			s, err := v.summary(l)
			if err != nil {
				return err
			}
			out.Data = append(out.Data, s)
		}
		return nil
	})
	if ok {
		h.writeJSON(w, out)
	}
}
