// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/publish"
	"shoal/instance/store"
)

// slowest is the slowest reader that is served, in bytes per second; grace comes on top.
const (
	slowest = 16 << 10
	grace   = time.Minute
)

// Config is what a Handler needs.
type Config struct {
	// Dir is the data directory.
	Dir      string
	Snapshot func() *store.Snapshot
	// NotFound answers for what there is not, or what is not to be seen.
	NotFound http.HandlerFunc
	// Logger gets files that are missing; nil discards them.
	Logger *slog.Logger
}

// Handler serves the instance's files.
type Handler struct{ cfg Config }

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{cfg}
}

// Routes adds the handler's paths to r.
func (h *Handler) Routes(r chi.Router) {
	for pattern, f := range map[string]http.HandlerFunc{
		address.MediaPath("{file}"):     h.media,
		address.TorrentPath("{file}"):   h.torrent,
		address.ThumbnailPath("{file}"): h.image(publish.ThumbnailDir, func(v *store.Video) string { return v.Thumbnail }),
		address.PreviewPath("{file}"):   h.image(publish.PreviewDir, func(v *store.Video) string { return v.Preview }),
		"/download/web-videos/{file}":   h.downloadMedia,
		"/download/torrents/{file}":     h.downloadTorrent,
	} {
		r.Get(pattern, f)
		r.Head(pattern, f)
	}
}

func (h *Handler) media(w http.ResponseWriter, r *http.Request) {
	ref, ok := h.cfg.Snapshot().ByMedia(chi.URLParam(r, "file"))
	if !ok || !ref.Video.Served() {
		h.cfg.NotFound(w, r)
		return
	}
	h.serve(w, r, file{dir: publish.MediaDir, name: ref.File.Name, mediaType: ref.File.MediaType})
}

func (h *Handler) torrent(w http.ResponseWriter, r *http.Request) {
	ref, ok := h.cfg.Snapshot().ByTorrent(chi.URLParam(r, "file"))
	if !ok || !ref.Video.Served() {
		h.cfg.NotFound(w, r)
		return
	}
	h.serve(w, r, file{dir: publish.TorrentDir, name: ref.Torrent.File, mediaType: "application/x-bittorrent"})
}

func (h *Handler) image(dir string, name func(*store.Video) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked := chi.URLParam(r, "file")
		v, ok := h.cfg.Snapshot().ByImage(asked)
		if !ok || !v.Served() || name(v) != asked {
			h.cfg.NotFound(w, r)
			return
		}
		h.serve(w, r, file{dir: dir, name: name(v), mediaType: "image/jpeg"})
	}
}

// downloadMedia serves /download/web-videos/{uuid}-{resolution}.mp4.
func (h *Handler) downloadMedia(w http.ResponseWriter, r *http.Request) {
	asked := chi.URLParam(r, "file")
	const uuidLen = 36
	if len(asked) > uuidLen {
		if v, ok := h.cfg.Snapshot().VideoByUUID(asked[:uuidLen]); ok && v.Served() {
			for i := range v.Files {
				f := &v.Files[i]
				if address.DownloadName(v.UUID, f) == asked {
					h.serve(w, r, file{dir: publish.MediaDir, name: f.Name, mediaType: f.MediaType, saveAs: saveName(v, f, filepath.Ext(f.Name))})
					return
				}
			}
		}
	}
	h.cfg.NotFound(w, r)
}

func (h *Handler) downloadTorrent(w http.ResponseWriter, r *http.Request) {
	ref, ok := h.cfg.Snapshot().ByTorrent(chi.URLParam(r, "file"))
	if !ok || !ref.Video.Served() {
		h.cfg.NotFound(w, r)
		return
	}
	h.serve(w, r, file{
		dir: publish.TorrentDir, name: ref.Torrent.File, mediaType: "application/x-bittorrent",
		saveAs: saveName(ref.Video, ref.File, ".torrent"),
	})
}

// saveName is what a downloaded file is called.
func saveName(v *store.Video, f *store.File, ext string) string {
	return strings.TrimSuffix(publish.InfoName(v.Title, f.Resolution, ext), ext) + ext
}

// file is one file to serve. Its name comes from the store.
type file struct{ dir, name, mediaType, saveAs string }

// serve answers with a file: ranges, conditions and HEAD are net/http's (RFC 9110 §13, §14), which
// hands an *os.File to sendfile.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, s file) {
	f, err := os.Open(filepath.Join(h.cfg.Dir, s.dir, s.name))
	if err != nil {
		h.cfg.Logger.Error("a published file cannot be opened", "file", s.name, "error", err)
		h.cfg.NotFound(w, r)
		return
	}
	defer f.Close() //nolint:errcheck // read only
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		h.cfg.Logger.Error("a published file cannot be read", "file", s.name, "error", err)
		h.cfg.NotFound(w, r)
		return
	}
	// A reader that stalls must not hold its connection for ever.
	deadline := time.Now().Add(grace + time.Duration(fi.Size()/slowest)*time.Second)
	if err := http.NewResponseController(w).SetWriteDeadline(deadline); err != nil {
		h.cfg.Logger.Debug("no write deadline", "error", err)
	}
	head := w.Header()
	head.Set("Content-Type", s.mediaType)
	head.Set("Etag", etag(fi))
	head.Set("Cache-Control", "public, max-age=0")
	head.Set("X-Content-Type-Options", "nosniff")
	if s.saveAs != "" {
		head.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.saveAs}))
	}
	http.ServeContent(w, r, "", fi.ModTime(), f)
}

// etag is a strong validator (RFC 9110 §8.8.3): published files are never changed in place.
func etag(fi os.FileInfo) string {
	return fmt.Sprintf(`"%s-%s"`, strconv.FormatInt(fi.Size(), 36), strconv.FormatInt(fi.ModTime().UnixNano(), 36))
}
