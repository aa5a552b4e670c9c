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
	s := h.cfg.Snapshot()
	c, ok := s.ChannelByID(v.ChannelID)
	if !ok {
		c = &store.Channel{}
	}
	return c, h.accountOf(c)
}

func (h *Handler) accountOf(c *store.Channel) *store.Account {
	if a, ok := h.cfg.Snapshot().AccountByID(c.AccountID); ok {
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

// handle is the local name in a path: "name" or "name@host" with this instance's host.
func (h *Handler) handle(r *http.Request) string {
	name, host, remote := strings.Cut(chi.URLParam(r, "name"), "@")
	if remote && !strings.EqualFold(host, h.cfg.Base.Host()) {
		return ""
	}
	return name
}

func (h *Handler) findAccount(w http.ResponseWriter, r *http.Request) (*store.Account, bool) {
	a, ok := h.cfg.Snapshot().Account(h.handle(r))
	if !ok {
		notFound(w, "Account not found", "getAccount")
	}
	return a, ok
}

func (h *Handler) findChannel(w http.ResponseWriter, r *http.Request) (*store.Channel, bool) {
	c, ok := h.cfg.Snapshot().Channel(h.handle(r))
	if !ok {
		notFound(w, "Video channel not found", "getVideoChannel")
	}
	return c, ok
}

func (h *Handler) account(w http.ResponseWriter, r *http.Request) {
	if a, ok := h.findAccount(w, r); ok {
		h.writeJSON(w, h.accountDetails(a))
	}
}

func (h *Handler) channel(w http.ResponseWriter, r *http.Request) {
	if c, ok := h.findChannel(w, r); ok {
		h.writeJSON(w, h.channelDetails(c, h.accountOf(c)))
	}
}

func (h *Handler) accountVideos(w http.ResponseWriter, r *http.Request) {
	if a, ok := h.findAccount(w, r); ok {
		h.list(w, r, func(v *store.Video) bool {
			_, owner := h.owner(v)
			return owner.ID == a.ID
		})
	}
}

func (h *Handler) channelVideos(w http.ResponseWriter, r *http.Request) {
	if c, ok := h.findChannel(w, r); ok {
		h.list(w, r, func(v *store.Video) bool { return v.ChannelID == c.ID })
	}
}
