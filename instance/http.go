// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/rest"
)

// Bounds of one request. Files have a deadline of their own; WebSockets leave the server.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
	maxBody       = 1 << 20
)

func (i *Instance) newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           http.MaxBytesHandler(h, maxBody),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(i.cfg.Logger.Handler(), slog.LevelDebug),
	}
}

// routes is every path the instance answers on. No handler between wraps the ResponseWriter, so
// that files go by sendfile.
func (i *Instance) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(cors)
	r.NotFound(rest.NotFound)
	i.webseed.Routes(r)
	r.Get("/tracker/socket", i.tracker.Socket)
	r.Get("/tracker/announce", i.tracker.Announce)
	r.Get("/tracker/scrape", i.tracker.Scrape)
	r.Route("/api/v1", i.rest.Routes)
	i.fed.Routes(r)
	i.pages(r)
	return r
}

// cors lets pages of any origin ask, as PeerTube does: players and browsers' peers are elsewhere.
// Nothing here depends on cookies. It answers preflights itself (Fetch standard §3.2).
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Accept-Ranges, Content-Length, Content-Range, Etag, Retry-After")
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Range, Range")
		h.Set("Access-Control-Max-Age", "86400")
		h.Set("Allow", "GET, HEAD, POST, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	})
}

// clientIP is the address of who asks. Outside development mode a proxy on this machine ends TLS,
// and the last address it adds to X-Forwarded-For is the client's; nobody else's header counts.
func (i *Instance) clientIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip := ap.Addr().Unmap().WithZone("")
	if i.cfg.Dev || !ip.IsLoopback() {
		return ip
	}
	forwarded := r.Header.Values("X-Forwarded-For")
	if len(forwarded) == 0 {
		return ip
	}
	all := strings.Split(forwarded[len(forwarded)-1], ",")
	if client, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
		return client.Unmap().WithZone("")
	}
	return ip
}
