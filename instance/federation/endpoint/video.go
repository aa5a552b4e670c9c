// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// find finds the local video that a path names by its UUID or short UUID. It answers where there is none that is for
// others: with 410 for a deleted one, with the way to its origin for a remote one that is listed.
func (e *Endpoint) find(w http.ResponseWriter, r *http.Request) (*store.Video, bool) {
	uuid, err := peertube.LongUUID(chi.URLParam(r, "uuid"))
	if err != nil {
		e.missing(w, "Video")
		return nil, false
	}
	if v, ok := e.cfg.Store.Snapshot().VideoByUUID(uuid); ok {
		if !v.Served() {
			e.missing(w, "Video")
			return nil, false
		}
		return v, true
	}
	id := e.cfg.Base.Video(uuid)
	var deleted bool
	var at time.Time
	var remote *store.RemoteVideo
	err = e.cfg.Store.Read(func(tx *store.Tx) (err error) {
		if deleted = tx.Gone(id); deleted {
			at = tx.GoneAt(id)
			return nil
		}
		remote, _, err = tx.RemoteVideoByUUID(uuid)
		return err
	})
	switch {
	case err != nil:
		e.broken(w, err)
	case deleted:
		e.gone(w, id, "Video", at)
	case remote != nil && e.cfg.Store.Lists(remote):
		http.Redirect(w, r, remote.ID, http.StatusFound)
	default:
		e.missing(w, "Video")
	}
	return nil, false
}

// object is the video for others.
func (e *Endpoint) object(w http.ResponseWriter, r *http.Request) (v *store.Video, o *vocab.Video, ok bool) {
	v, ok = e.find(w, r)
	if !ok {
		return nil, nil, false
	}
	if o, ok = e.local.Video(e.cfg.Store.Snapshot(), v); !ok {
		e.missing(w, "Video")
	}
	return v, o, ok
}

func (e *Endpoint) video(w http.ResponseWriter, r *http.Request) {
	if _, o, ok := e.object(w, r); ok {
		e.write(w, typeActivity, http.StatusOK, o)
	}
}

func (e *Endpoint) videoActivity(w http.ResponseWriter, r *http.Request) {
	v, o, ok := e.object(w, r)
	if !ok {
		return
	}
	_, account, ok := object.Owners(e.cfg.Store.Snapshot(), v)
	if !ok {
		e.missing(w, "Video")
		return
	}
	a, err := e.local.CreateVideo(o, e.cfg.Base.Account(account.Name), object.Stamp{})
	if err != nil {
		e.broken(w, err)
		return
	}
	if stamp := chi.URLParam(r, "stamp"); stamp != "" {
		a.ID += "/" + stamp
	}
	e.write(w, typeActivity, http.StatusOK, a)
}

// rates answers with the likes (value 1) or dislikes (-1) of a video.
func (e *Endpoint) rates(value int, path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := e.find(w, r)
		if !ok {
			return
		}
		id := e.cfg.Base.Video(v.UUID)
		e.collection(w, r, id+path, func(tx *store.Tx, start, count int) (vocab.Refs, int, error) {
			if count == 0 {
				n, err := tx.Counts(id)
				if value < 0 {
					return nil, n.Dislikes, err
				}
				return nil, n.Likes, err
			}
			win := window{start: start, count: count}
			err := tx.EachRate(id, value, func(_ string, rate store.Rate) (bool, error) {
				win.add(rate.ID)
				return true, nil
			})
			return win.page, win.total, err
		})
	}
}

// shares are the announcements of a local video. Where those of its channel and of the instance are not stored, as of a
// video from before there was a fediverse here, they are there all the same.
func (e *Endpoint) shares(tx *store.Tx, snap *store.Snapshot, v *store.Video) ([]store.Share, error) {
	id := e.cfg.Base.Video(v.UUID)
	all, err := tx.Shares(id)
	if err != nil || !v.Listed() {
		return all, err
	}
	channel, _, ok := object.Owners(snap, v)
	if !ok {
		return all, nil
	}
	for _, by := range []struct{ name, actor string }{{channel.Name, e.cfg.Base.Channel(channel.Name)}, {"", e.cfg.Base.Actor()}} {
		if !slices.ContainsFunc(all, func(s store.Share) bool { return s.Actor == by.actor }) {
			all = append(all, store.Share{Actor: by.actor, ID: e.local.AnnounceID(id, by.name, object.Stamp{}), At: v.Published})
		}
	}
	return all, nil
}

func (e *Endpoint) announces(w http.ResponseWriter, r *http.Request) {
	v, ok := e.find(w, r)
	if !ok {
		return
	}
	snap := e.cfg.Store.Snapshot()
	e.collection(w, r, e.cfg.Base.Video(v.UUID)+"/announces", func(tx *store.Tx, start, count int) (vocab.Refs, int, error) {
		all, err := e.shares(tx, snap, v)
		win := window{start: start, count: count}
		for _, s := range all {
			win.add(s.ID)
		}
		return win.page, win.total, err
	})
}

// announce answers with an Announce of a local video by its channel or the instance.
func (e *Endpoint) announce(w http.ResponseWriter, r *http.Request) {
	v, ok := e.find(w, r)
	if !ok {
		return
	}
	id := e.cfg.Base.Video(v.UUID) + "/announces/" + chi.URLParam(r, "*")
	var share *store.Share
	err := e.cfg.Store.Read(func(tx *store.Tx) error {
		all, err := e.shares(tx, e.cfg.Store.Snapshot(), v)
		for i := range all {
			if all[i].ID == id && strings.HasPrefix(all[i].Actor, string(e.cfg.Base)+"/") {
				share = &all[i]
			}
		}
		return err
	})
	switch {
	case err != nil:
		e.broken(w, err)
	case share == nil:
		e.missing(w, "Announce")
	default:
		e.write(w, typeActivity, http.StatusOK, e.local.Announce(id, share.Actor, e.cfg.Base.Video(v.UUID), []string{share.Actor + "/followers"}))
	}
}

// chapters answers with the chapters of a video; no video here has any.
func (e *Endpoint) chapters(w http.ResponseWriter, r *http.Request) {
	v, ok := e.find(w, r)
	if !ok {
		return
	}
	e.write(w, typeActivity, http.StatusOK, vocab.Chapters{
		Context: vocab.Context("Chapters"), ID: e.cfg.Base.Video(v.UUID) + "/chapters",
		Extra: map[string]json.RawMessage{"totalItems": json.RawMessage("0")},
	})
}
