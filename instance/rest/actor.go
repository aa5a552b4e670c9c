// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

// owner returns a video's channel and account. The store keeps no video without them.
func (h *Handler) owner(v *store.Video) (*store.Channel, *store.Account) {
	s := h.snapshot()
	c, ok := s.ChannelByID(v.ChannelID)
	if !ok {
		c = &store.Channel{}
	}
	return c, h.accountOf(c)
}

func (h *Handler) accountOf(c *store.Channel) *store.Account {
	if a, ok := h.snapshot().AccountByID(c.AccountID); ok {
		return a
	}
	return &store.Account{}
}

func (h *Handler) accountSummary(a *store.Account) peertube.AccountSummary {
	return peertube.AccountSummary{
		ID: peertube.Int(a.ID), Name: a.Name, DisplayName: a.DisplayName, //nolint:gosec // a sequence number
		URL: h.cfg.Base.Account(a.Name), Host: h.cfg.Base.Host(),
	}
}

func (h *Handler) channelSummary(c *store.Channel) peertube.ChannelSummary {
	return peertube.ChannelSummary{
		ID: peertube.Int(c.ID), Name: c.Name, DisplayName: c.DisplayName, //nolint:gosec // a sequence number
		URL: h.cfg.Base.Channel(c.Name), Host: h.cfg.Base.Host(),
	}
}

func (h *Handler) accountDetails(a *store.Account) peertube.Account {
	no := false
	return peertube.Account{
		AccountSummary: h.accountSummary(a), HostRedundancyAllowed: &no, Description: peertube.NullString(a.Description),
		CreatedAt: peertube.NewTime(a.Created), UpdatedAt: peertube.NewTime(a.Updated), UserID: peertube.Int(a.ID), //nolint:gosec // a sequence number
	}
}

func (h *Handler) channelDetails(c *store.Channel, a *store.Account) peertube.Channel {
	no, owner := false, h.accountDetails(a)
	return peertube.Channel{
		ChannelSummary: h.channelSummary(c), HostRedundancyAllowed: &no, Description: peertube.NullString(c.Description),
		Support: peertube.NullString(c.Support), IsLocal: true,
		CreatedAt: peertube.NewTime(c.Created), UpdatedAt: peertube.NewTime(c.Updated), OwnerAccount: &owner,
	}
}

// handle is the name and host in a path: "name" or "name@host"; host is empty for this instance's.
func (h *Handler) handle(r *http.Request) (name, host string) {
	name, host, _ = strings.Cut(chi.URLParam(r, "name"), "@")
	if strings.EqualFold(host, h.cfg.Base.Host()) {
		host = ""
	}
	return name, host
}

// remoteActor finds the remote actor with a handle, a channel or an account; nil where there is
// none, or where its host is blocked.
func (h *Handler) remoteActor(tx *store.Tx, name, host string, channel bool) (*store.Actor, error) {
	a, ok, err := tx.ActorByHandle(name, host)
	if err != nil || !ok || (a.Type == "Group") != channel || !a.Gone.IsZero() || h.cfg.Store.Blocked(a.Host) {
		return nil, err
	}
	return a, nil
}

// actor answers with the account or channel that a path names: local gives a local one, remote
// writes a remote one.
func (h *Handler) actor(w http.ResponseWriter, r *http.Request, channel bool, local func(name string) (any, bool), remote func(*store.Tx, *store.Actor) (any, error)) {
	name, host := h.handle(r)
	var out any
	var ok bool
	if host == "" {
		out, ok = local(name)
	} else if !h.read(w, func(tx *store.Tx) error {
		a, err := h.remoteActor(tx, name, host, channel)
		if err != nil || a == nil {
			return err
		}
		ok = true
		out, err = remote(tx, a)
		return err
	}) {
		return
	}
	switch {
	case ok:
		h.writeJSON(w, out)
	case channel:
		notFound(w, "Video channel not found", "getVideoChannel")
	default:
		notFound(w, "Account not found", "getAccount")
	}
}

func (h *Handler) account(w http.ResponseWriter, r *http.Request) {
	h.actor(w, r, false, func(name string) (any, bool) {
		a, ok := h.snapshot().Account(name)
		if !ok {
			return nil, false
		}
		return h.accountDetails(a), true
	}, func(_ *store.Tx, a *store.Actor) (any, error) { return remoteAccount(a), nil })
}

func (h *Handler) channel(w http.ResponseWriter, r *http.Request) {
	h.actor(w, r, true, func(name string) (any, bool) {
		c, ok := h.snapshot().Channel(name)
		if !ok {
			return nil, false
		}
		return h.channelDetails(c, h.accountOf(c)), true
	}, func(tx *store.Tx, a *store.Actor) (any, error) {
		var owner *store.Actor
		var err error
		if a.Owner != "" {
			owner, err = h.view(tx).remote(a.Owner)
		}
		return remoteChannel(a, owner), err
	})
}

// actorID is the id of the account or channel that a path names; empty after answering that there
// is none.
func (h *Handler) actorID(w http.ResponseWriter, r *http.Request, channel bool) string {
	name, host := h.handle(r)
	id := ""
	switch _, isAccount := h.snapshot().Account(name); {
	case host != "":
		if !h.read(w, func(tx *store.Tx) error {
			a, err := h.remoteActor(tx, name, host, channel)
			if a != nil {
				id = a.ID
			}
			return err
		}) {
			return ""
		}
	case channel:
		if _, ok := h.snapshot().Channel(name); ok {
			id = h.cfg.Base.Channel(name)
		}
	case isAccount:
		id = h.cfg.Base.Account(name)
	}
	switch {
	case id != "":
	case channel:
		notFound(w, "Video channel not found", "getVideoChannel")
	default:
		notFound(w, "Account not found", "getAccount")
	}
	return id
}

func (h *Handler) accountVideos(w http.ResponseWriter, r *http.Request) {
	h.actorVideos(w, r, false)
}

func (h *Handler) channelVideos(w http.ResponseWriter, r *http.Request) {
	h.actorVideos(w, r, true)
}

func (h *Handler) actorVideos(w http.ResponseWriter, r *http.Request, channel bool) {
	id := h.actorID(w, r, channel)
	if id == "" {
		return
	}
	q, ok := h.query(w, r)
	if !ok {
		return
	}
	if channel {
		q.Channel = id
	} else {
		q.Account = id
	}
	h.list(w, r, q)
}
