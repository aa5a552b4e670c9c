// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/rest"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

//go:embed pages.html
var pagesHTML string

// onFront is how many videos the front page shows.
const onFront = 50

// pagePolicy lets a page load pictures and media of this instance and run nothing.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

// view is what the page of one video shows.
type view struct {
	Instance, Title, Description, Channel, Page, Media, MediaType, Preview, Torrent string
	// Magnet is built here from escaped parts; template.URL lets its scheme pass.
	Magnet template.URL
}

// card is a video on the front page.
type card struct{ Title, Page, Thumbnail string }

func templates() *template.Template {
	return template.Must(template.New("").Parse(pagesHTML)) // it is part of the program: a test parses it
}

// watchPage is a video's page, at the addresses that other instances ask for the video itself.
func (i *Instance) watchPage() http.Handler { return i.page(templates(), "watch", "'self'") }

// pages adds the other plain pages for people.
func (i *Instance) pages(r chi.Router) {
	t := templates()
	r.Get("/videos/embed/{id}", i.page(t, "embed", "*"))
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		i.render(w, t, "front", "'self'", http.StatusOK, shelf{i.cfg.Name, i.front(func(*store.Video) bool { return true })})
	})
	actor := i.actorPage()
	r.Method(http.MethodGet, "/a/{name}", actor)
	r.Method(http.MethodGet, "/c/{name}", actor)
}

// shelf is a page of videos under a name.
type shelf struct {
	Instance string
	Videos   []card
}

// actorPage is the page of an account, a channel or the instance, at the addresses that other instances
// ask for the actor itself and at PeerTube's for people.
func (i *Instance) actorPage() http.Handler {
	t := templates()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _ := strings.CutSuffix(path.Base(r.URL.Path), "@"+i.base.Host())
		snap := i.store.Snapshot()
		title, shown := i.cfg.Name, func(*store.Video) bool { return true }
		if c, ok := snap.Channel(name); ok {
			title, shown = c.DisplayName, func(v *store.Video) bool { return v.ChannelID == c.ID }
		} else if a, ok := snap.Account(name); ok {
			title, shown = a.DisplayName, func(v *store.Video) bool {
				c, ok := snap.ChannelByID(v.ChannelID)
				return ok && c.AccountID == a.ID
			}
		} else if name != store.NameInstance {
			i.render(w, t, "missing", "'self'", http.StatusNotFound, i.cfg.Name)
			return
		}
		i.render(w, t, "front", "'self'", http.StatusOK, shelf{title, i.front(shown)})
	})
}

func (i *Instance) page(t *template.Template, name, frames string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, _ := rest.Find(i.store.Snapshot(), path.Base(r.URL.Path))
		if v == nil || !v.Served() || len(v.Files) == 0 {
			i.render(w, t, "missing", frames, http.StatusNotFound, i.cfg.Name)
			return
		}
		f := &v.Files[0]
		var channel string
		if c, ok := i.store.Snapshot().ChannelByID(v.ChannelID); ok {
			channel = c.DisplayName
		}
		i.render(w, t, name, frames, http.StatusOK, view{
			Instance: i.cfg.Name, Title: v.Title, Description: v.Description, Channel: channel, Page: i.base.WatchPage(v.UUID),
			Media: address.MediaPath(f.Name), MediaType: f.MediaType, Preview: address.PreviewPath(v.Preview),
			Torrent: "/download/torrents/" + f.Torrent.File, Magnet: template.URL(i.base.Magnet(v.Title, f)), //nolint:gosec // every part is escaped
		})
	}
}

// front lists the newest public videos of those that are to be shown.
func (i *Instance) front(shown func(*store.Video) bool) []card {
	var cards []card
	for _, v := range slices.Backward(i.store.Snapshot().Videos()) {
		if len(cards) == onFront {
			break
		}
		if v.Listed() && shown(v) {
			cards = append(cards, newCard(v))
		}
	}
	return cards
}

func newCard(v *store.Video) card {
	return card{Title: v.Title, Page: "/w/" + peertube.ShortUUID(v.UUID), Thumbnail: address.ThumbnailPath(v.Thumbnail)}
}

func (i *Instance) render(w http.ResponseWriter, t *template.Template, name, frames string, status int, data any) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		i.cfg.Logger.Error("a page cannot be made", "page", name, "error", err)
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", pagePolicy+frames)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that went away needs nothing
}
