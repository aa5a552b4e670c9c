// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// Config is what a Handler needs.
type Config struct {
	Base address.Base
	// Name is the instance's name for people, Version the program's.
	Name, Version string
	Store         *store.Store
	// Viewers tells how many peers watch a rendition now; nil counts none.
	Viewers func(store.Hash) int
	// ClientIP finds who asks, for counting views once.
	ClientIP func(*http.Request) netip.Addr
	Logger   *slog.Logger
}

// Handler answers /api/v1. What it tells is public: it knows no log-in.
type Handler struct {
	cfg   Config
	views views
}

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Viewers == nil {
		cfg.Viewers = func(store.Hash) int { return 0 }
	}
	h := &Handler{cfg: cfg}
	h.views.init()
	return h
}

// Routes adds the handler's paths to r, which stands at /api/v1.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/config", h.config)
	r.Get("/videos", h.videos)
	r.Get("/videos/{id}", h.video)
	r.Get("/videos/{id}/description", h.description)
	r.Post("/videos/{id}/views", h.addView)
	r.Get("/videos/{id}/comment-threads", h.threads)
	r.Get("/videos/{id}/comment-threads/{thread}", h.thread)
	r.Get("/search/videos", h.search)
	r.Get("/accounts/{name}", h.account)
	r.Get("/accounts/{name}/videos", h.accountVideos)
	r.Get("/video-channels/{name}", h.channel)
	r.Get("/video-channels/{name}/videos", h.channelVideos)
	r.Get("/server/followers", h.followers)
	r.Get("/server/following", h.following)
	r.NotFound(NotFound)
}

// snapshot is the local records as the last write left them.
func (h *Handler) snapshot() *store.Snapshot { return h.cfg.Store.Snapshot() }

// read runs f in a read transaction, or answers that the store cannot be read.
func (h *Handler) read(w http.ResponseWriter, f func(*store.Tx) error) bool {
	if err := h.cfg.Store.Read(f); err != nil {
		h.broken(w, err)
		return false
	}
	return true
}

// broken answers for a failure that is the instance's own.
func (h *Handler) broken(w http.ResponseWriter, err error) {
	h.cfg.Logger.Error("a request cannot be answered", "error", err)
	WriteProblem(w, peertube.Problem{Detail: "Internal Server Error", Status: http.StatusInternalServerError})
}

// writeJSON answers with v.
func (h *Handler) writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		h.cfg.Logger.Error("an answer cannot be encoded", "error", err)
		WriteProblem(w, peertube.Problem{Detail: "Internal Server Error", Status: http.StatusInternalServerError})
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // a client that went away needs nothing
}

// WriteProblem answers with an error in PeerTube's form (RFC 9457).
func WriteProblem(w http.ResponseWriter, p peertube.Problem) {
	p.Type, p.Title = "about:blank", http.StatusText(int(p.Status))
	b, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, int(p.Status))
		return
	}
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(int(p.Status))
	_, _ = w.Write(b) // a client that went away needs nothing
}

// NotFound answers for a path that there is not.
func NotFound(w http.ResponseWriter, _ *http.Request) { notFound(w, "Not found", "") }

func notFound(w http.ResponseWriter, detail, operation string) {
	WriteProblem(w, peertube.Problem{Detail: detail, Status: http.StatusNotFound, Docs: docs(operation)})
}

// docs is where PeerTube's answers say that an operation is described.
func docs(operation string) string {
	if operation == "" {
		return ""
	}
	return "https://docs.joinpeertube.org/api-rest-reference.html#operation/" + operation
}

// badParam answers for a parameter that does not fit.
func badParam(w http.ResponseWriter, r *http.Request, p peertube.InvalidParam, operation string) {
	p.Type = "field"
	WriteProblem(w, peertube.Problem{
		Detail: "Incorrect request parameters: " + p.Path, Instance: clip(r.URL.RequestURI()), Status: http.StatusBadRequest,
		InvalidParams: map[string]peertube.InvalidParam{p.Path: p}, Docs: docs(operation),
	})
}

// clip bounds what is said back.
func clip(s string) string {
	const most = 500
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
