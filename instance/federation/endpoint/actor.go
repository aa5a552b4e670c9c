// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// finder finds the actor that a path names: among the accounts with the instance's own, or among the channels. It
// answers where there is none.
func (e *Endpoint) finder(channels bool) func(http.ResponseWriter, *http.Request) (name, id string, ok bool) {
	return func(w http.ResponseWriter, r *http.Request) (string, string, bool) {
		name, host, remote := strings.Cut(chi.URLParam(r, "name"), "@")
		if remote && !strings.EqualFold(host, e.cfg.Base.Host()) {
			e.missing(w, "Actor")
			return "", "", false
		}
		snap := e.cfg.Store.Snapshot()
		id, kind := e.cfg.Base.Account(name), "Person"
		_, ok := snap.Account(name)
		ok = ok || name == store.NameInstance
		if channels {
			id, kind = e.cfg.Base.Channel(name), "Group"
			_, ok = snap.Channel(name)
		}
		if !ok {
			e.noActor(w, id, kind)
		}
		return name, id, ok
	}
}

// noActor answers for an actor that there is not, or not any more.
func (e *Endpoint) noActor(w http.ResponseWriter, id, kind string) {
	var deleted time.Time
	var gone bool
	err := e.cfg.Store.Read(func(tx *store.Tx) error {
		gone, deleted = tx.Gone(id), tx.GoneAt(id)
		return nil
	})
	switch {
	case err != nil:
		e.broken(w, err)
	case gone:
		e.gone(w, id, kind, deleted)
	default:
		e.missing(w, "Actor")
	}
}

type find func(http.ResponseWriter, *http.Request) (name, id string, ok bool)

func (e *Endpoint) actor(find find) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, _, ok := find(w, r)
		if !ok {
			return
		}
		a, ok := e.local.Actor(e.cfg.Store.Snapshot(), name)
		if !ok {
			e.missing(w, "Actor")
			return
		}
		e.write(w, typeActivity, http.StatusOK, a)
	}
}

// follows answers with the followers or the followings of an actor that are accepted.
func (e *Endpoint) follows(find find, path string, each func(*store.Tx, string, func(*store.Follow) (bool, error)) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, id, ok := find(w, r)
		if !ok {
			return
		}
		e.collection(w, r, id+path, func(tx *store.Tx, start, count int) (vocab.Refs, int, error) {
			win := window{start: start, count: count}
			err := each(tx, id, func(f *store.Follow) (bool, error) {
				if f.State == store.FollowAccepted {
					win.add(f.Remote)
				}
				return true, nil
			})
			return win.page, win.total, err
		})
	}
}

// follow answers with a Follow by a local actor.
func (e *Endpoint) follow(find find) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, actor, ok := find(w, r)
		if !ok {
			return
		}
		id := actor + "/follows/" + chi.URLParam(r, "id")
		var found *store.Follow
		err := e.cfg.Store.Read(func(tx *store.Tx) error {
			return tx.EachFollowing(actor, func(f *store.Follow) (bool, error) {
				if f.ID == id {
					found = f
				}
				return found == nil, nil
			})
		})
		switch {
		case err != nil:
			e.broken(w, err)
		case found == nil:
			e.missing(w, "Follow")
		default:
			e.write(w, typeActivity, http.StatusOK, vocab.Activity{
				Context: vocab.Context("Follow"), ID: id, Type: "Follow", Actor: vocab.IDRef(actor), Object: vocab.IDRef(found.Remote),
			})
		}
	}
}

// rate answers with a Like (value 1) or a Dislike (-1) by a local account.
func (e *Endpoint) rate(value int) http.HandlerFunc {
	find, kind := e.finder(false), "/likes/"
	if value < 0 {
		kind = "/dislikes/"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		_, actor, ok := find(w, r)
		if !ok {
			return
		}
		id := actor + kind + chi.URLParam(r, "id")
		var video string
		err := e.cfg.Store.Read(func(tx *store.Tx) (err error) {
			video, ok, err = tx.RateByID(actor, id)
			return err
		})
		switch {
		case err != nil:
			e.broken(w, err)
		case !ok:
			e.missing(w, "Rate")
		default:
			e.write(w, typeActivity, http.StatusOK, e.local.Rate(id, actor, video, "", value))
		}
	}
}

// outbox answers with what an actor published, newest first: an account's Creates, a channel's and the instance's
// Announces.
func (e *Endpoint) outbox(find find) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, id, ok := find(w, r)
		if !ok {
			return
		}
		snap := e.cfg.Store.Snapshot()
		e.collection(w, r, id+"/outbox", func(tx *store.Tx, start, count int) (vocab.Refs, int, error) {
			win := window{start: start, count: count}
			all := snap.Videos()
			for i := len(all) - 1; i >= 0; i-- {
				v := all[i]
				channel, account, ok := object.Owners(snap, v)
				if !ok || !v.Listed() || !e.published(id, name, channel, account) || !win.wants() {
					continue
				}
				ref, err := e.outboxItem(tx, snap, v, id, account)
				if err != nil {
					return nil, 0, err
				}
				win.page = append(win.page, ref)
			}
			return win.page, win.total, nil
		})
	}
}

// published reports whether a video of a channel and an account is in an actor's outbox.
func (e *Endpoint) published(id, name string, channel *store.Channel, account *store.Account) bool {
	return name == store.NameInstance || id == e.cfg.Base.Channel(channel.Name) || id == e.cfg.Base.Account(account.Name)
}

func (e *Endpoint) outboxItem(tx *store.Tx, snap *store.Snapshot, v *store.Video, actor string, account *store.Account) (vocab.Ref, error) {
	var activity *vocab.Activity
	var err error
	if owner := e.cfg.Base.Account(account.Name); owner == actor {
		video, ok := e.local.Video(snap, v)
		if !ok {
			return vocab.Ref{}, store.ErrNotFound
		}
		activity, err = e.local.CreateVideo(video, owner, object.Stamp{})
	} else {
		var shares []store.Share
		if shares, err = e.shares(tx, snap, v); err != nil {
			return vocab.Ref{}, err
		}
		for _, s := range shares {
			if s.Actor == actor {
				activity = e.local.Announce(s.ID, actor, e.cfg.Base.Video(v.UUID), []string{actor + "/followers"})
			}
		}
	}
	if err != nil {
		return vocab.Ref{}, err
	}
	return vocab.Embed(activity)
}
