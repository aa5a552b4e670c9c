// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/federation/object"
	"shoal/instance/store"
)

// Config is what an Endpoint needs.
type Config struct {
	Store *store.Store
	Base  address.Base
	// Name is the instance's name for people, Version the program's.
	Name, Version string
	// VideoPage and ActorPage answer people who ask for a video or an actor with a browser; nil answers them as
	// everybody else.
	VideoPage, ActorPage http.Handler
	// Logger may be nil.
	Logger *slog.Logger
}

// Endpoint answers other instances. It is safe for concurrent use.
type Endpoint struct {
	cfg   Config
	local object.Local
}

// New makes an Endpoint.
func New(cfg Config) *Endpoint {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Endpoint{cfg: cfg, local: object.Local{Base: cfg.Base, Name: cfg.Name}}
}

// Routes adds the paths to the root of the instance's router.
func (e *Endpoint) Routes(r chi.Router) {
	get := func(path string, h http.HandlerFunc) {
		r.Get(path, h)
		r.Head(path, h)
	}
	get("/.well-known/webfinger", e.webfinger)
	get("/.well-known/host-meta", e.hostMeta)
	get("/.well-known/nodeinfo", e.nodeinfoLinks)
	for _, version := range []string{"2.0", "2.1"} {
		get("/nodeinfo/"+version, e.nodeinfo(version))
		get("/nodeinfo/"+version+".json", e.nodeinfo(version))
	}
	for prefix, channels := range map[string]bool{"/accounts/{name}": false, "/video-channels/{name}": true} {
		find := e.finder(channels)
		get(prefix, e.negotiate(e.cfg.ActorPage, e.actor(find)))
		get(prefix+"/outbox", e.outbox(find))
		get(prefix+"/followers", e.follows(find, "/followers", (*store.Tx).EachFollower))
		get(prefix+"/following", e.follows(find, "/following", (*store.Tx).EachFollowing))
		get(prefix+"/follows/{id}", e.follow(find))
	}
	get("/accounts/{name}/likes/{id}", e.rate(1))
	get("/accounts/{name}/dislikes/{id}", e.rate(-1))

	get("/w/{uuid}", e.negotiate(e.cfg.VideoPage, e.video))
	const video = "/videos/watch/{uuid}"
	get(video, e.negotiate(e.cfg.VideoPage, e.video))
	get(video+"/activity", e.videoActivity)
	get(video+"/activity/{stamp}", e.videoActivity)
	get(video+"/likes", e.rates(1, "/likes"))
	get(video+"/dislikes", e.rates(-1, "/dislikes"))
	get(video+"/announces", e.announces)
	get(video+"/announces/*", e.announce)
	get(video+"/comments", e.comments)
	get(video+"/comments/{id}", e.comment)
	get(video+"/comments/{id}/activity", e.commentActivity)
	get(video+"/chapters", e.chapters)
}

// Media types of answers.
const (
	typeActivity = "application/activity+json; charset=utf-8"
	typeJSON     = "application/json; charset=utf-8"
	typeJRD      = "application/jrd+json; charset=utf-8"
)

// negotiate answers programs with h and people with page. What both could be answered with is a page.
func (e *Endpoint) negotiate(page http.Handler, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		if page != nil && !wantsActivity(r.Header.Values("Accept")) {
			page.ServeHTTP(w, r)
			return
		}
		h(w, r)
	}
}

// wantsActivity reports whether an Accept header likes ActivityStreams at least as much as HTML (RFC 9110 §12.5.1).
func wantsActivity(accept []string) bool {
	var activity, html float64
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		mediaType, params, _ := strings.Cut(part, ";")
		q := quality(params)
		switch strings.ToLower(strings.TrimSpace(mediaType)) {
		case "application/activity+json", "application/ld+json":
			activity = max(activity, q)
		case "text/html", "application/xhtml+xml":
			html = max(html, q)
		}
	}
	return activity > 0 && activity >= html
}

func quality(params string) float64 {
	for _, p := range strings.Split(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}

// write answers with an object.
func (e *Endpoint) write(w http.ResponseWriter, contentType string, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		e.broken(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b) // who went away needs nothing
}

// fail answers with why not (RFC 9457).
func (e *Endpoint) fail(w http.ResponseWriter, status int, detail string) {
	e.write(w, "application/problem+json; charset=utf-8", status, map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func (e *Endpoint) broken(w http.ResponseWriter, err error) {
	e.cfg.Logger.Error("an answer to another instance cannot be made", "error", err)
	e.fail(w, http.StatusInternalServerError, "The answer cannot be made")
}

func (e *Endpoint) missing(w http.ResponseWriter, what string) {
	e.fail(w, http.StatusNotFound, what+" not found")
}

// gone answers for what was deleted (ActivityPub §6.11).
func (e *Endpoint) gone(w http.ResponseWriter, id, formerType string, at time.Time) {
	e.write(w, typeActivity, http.StatusGone, e.local.Tombstone(id, formerType, at))
}
