// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

// find returns the video that a path names by number, UUID or short UUID, or answers why not.
func (h *Handler) find(w http.ResponseWriter, r *http.Request) (store.Listed, bool) {
	const operation = "getVideo"
	asked := chi.URLParam(r, "id")
	local, known := Find(h.snapshot(), asked)
	if !known {
		badParam(w, r, peertube.InvalidParam{
			Value: clip(asked), Message: "Should have a valid video id (id, short UUID or UUID)", Path: "id", Location: "params",
		}, operation)
		return store.Listed{}, false
	}
	v := store.Listed{Local: local}
	if local == nil {
		ok := h.read(w, func(tx *store.Tx) (err error) {
			v.Remote, err = findRemote(tx, asked)
			return err
		})
		if !ok {
			return v, false
		}
	}
	if v = served(v, h.cfg.Store); v == (store.Listed{}) {
		notFound(w, "Video not found", operation)
		return v, false
	}
	return v, true
}

// served is v, or nothing where it is not answered for: private, or of a blocked host.
func served(v store.Listed, s *store.Store) store.Listed {
	switch {
	case v.Local != nil && v.Local.Served():
		return v
	case v.Remote != nil && (v.Remote.Privacy == store.Public || v.Remote.Privacy == store.Unlisted) && !s.Blocked(v.Remote.Host):
		return v
	}
	return store.Listed{}
}

// number is a video's number.
func number(v store.Listed) uint64 {
	if v.Local != nil {
		return v.Local.ID
	}
	return v.Remote.Number
}

// findRemote looks a remote video up as Find does a local one.
func findRemote(tx *store.Tx, text string) (*store.RemoteVideo, error) {
	if n, ok := parseNumber(text); ok {
		v, _, err := tx.RemoteVideoByNumber(n)
		return v, err
	}
	uuid, err := peertube.LongUUID(text)
	if err != nil {
		return nil, nil //nolint:nilerr // Find told of a text of no form
	}
	v, _, err := tx.RemoteVideoByUUID(uuid)
	return v, err
}

func parseNumber(text string) (uint64, bool) {
	n, err := strconv.ParseUint(text, 10, 53)
	return n, err == nil && len(text) <= 16
}

// Find looks a local video up by number, UUID or short UUID. It reports whether the text is any of these;
// the video is nil where there is none.
func Find(s *store.Snapshot, text string) (v *store.Video, valid bool) {
	if n, ok := parseNumber(text); ok {
		v, _ = s.Video(n)
		return v, true
	}
	uuid, err := peertube.LongUUID(text)
	if err != nil {
		return nil, false
	}
	v, _ = s.VideoByUUID(uuid)
	return v, true
}

func (h *Handler) video(w http.ResponseWriter, r *http.Request) {
	v, ok := h.find(w, r)
	if !ok {
		return
	}
	var out peertube.VideoDetails
	ok = h.read(w, func(tx *store.Tx) (err error) {
		out, err = h.view(tx).details(v)
		return err
	})
	if ok {
		h.writeJSON(w, out)
	}
}

func (h *Handler) description(w http.ResponseWriter, r *http.Request) {
	v, ok := h.find(w, r)
	if !ok {
		return
	}
	var out struct {
		Description peertube.NullString `json:"description"`
	}
	if v.Local != nil {
		out.Description = peertube.NullString(v.Local.Description)
	} else {
		out.Description = peertube.NullString(v.Remote.Description)
	}
	h.writeJSON(w, out)
}
