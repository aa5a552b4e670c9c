// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// maxRanges bounds the ranges of one request (RFC 9110 §14.2, §17.15). Ranges that are longer together
// than the file are taken for none by net/http.
const maxRanges = 32

// retryAfter is when to ask again where too many files go out, in seconds.
const retryAfter = "5"

// retryChanged is when to ask again for a file that was changed, in seconds.
const retryChanged = "60"

// File is a file that may be served.
type File struct {
	// Path is where it lies on disk.
	Path      string
	MediaType string
	// SaveAs is the name that a browser saves it under; empty shows it.
	SaveAs string
	// Intact reports whether a file that looks like this is still the one that was published: nothing
	// is sent of another. Nil does not ask.
	Intact func(os.FileInfo) bool
}

// Find returns the file that a name in an address stands for, or that there is none to be served.
type Find func(name string) (File, bool)

// Config is what a Handler needs.
type Config struct {
	// Media finds what is below /static/web-videos/, Torrent, Thumbnail and Preview what is below
	// /lazy-static/.
	Media, Torrent, Thumbnail, Preview Find
	// DownloadMedia and DownloadTorrent find what is below /download/.
	DownloadMedia, DownloadTorrent Find
	// UploadLimit and UploadLimitPerIP are those to start with; see SetLimits.
	UploadLimit, UploadLimitPerIP int64
	// ClientIP is the address of who asks.
	ClientIP func(*http.Request) netip.Addr
	// MaxPerIP bounds the files that go out to one address, or one /64 of IPv6, at one time: 0 for the
	// default, less for no bound.
	MaxPerIP int
	// NotFound answers for what there is not, or what is not to be seen.
	NotFound http.HandlerFunc
	// Logger gets files that are missing; nil discards them.
	Logger *slog.Logger
}

// Handler serves the instance's files.
type Handler struct {
	cfg    Config
	shares *shares
	grace  time.Duration
}

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxPerIP == 0 {
		cfg.MaxPerIP = maxOpenPerParty
	}
	h := &Handler{cfg: cfg, shares: newShares(cfg.MaxPerIP), grace: grace}
	h.SetLimits(cfg.UploadLimit, cfg.UploadLimitPerIP)
	return h
}

// SetLimits bounds what is sent, in bytes per second, 0 for no bound: to all together, and to each
// address or /64 of IPv6. Those that compete have equal parts, however many connections each has. It
// holds for what is on its way too.
func (h *Handler) SetLimits(total, perIP int64) { h.shares.limit(total, perIP) }

// Routes adds the handler's paths to r.
func (h *Handler) Routes(r chi.Router) {
	for pattern, find := range map[string]Find{
		"/static/web-videos/{file}":      h.cfg.Media,
		"/lazy-static/torrents/{file}":   h.cfg.Torrent,
		"/lazy-static/thumbnails/{file}": h.cfg.Thumbnail,
		"/lazy-static/previews/{file}":   h.cfg.Preview,
		"/download/web-videos/{file}":    h.cfg.DownloadMedia,
		"/download/torrents/{file}":      h.cfg.DownloadTorrent,
	} {
		f := func(w http.ResponseWriter, r *http.Request) {
			file, ok := find(chi.URLParam(r, "file"))
			if !ok {
				h.cfg.NotFound(w, r)
				return
			}
			h.serve(w, r, file)
		}
		r.Get(pattern, f)
		r.Head(pattern, f)
	}
}

// serve answers with a file: ranges, conditions and HEAD are net/http's (RFC 9110 §13, §14), which
// hands an *os.File to sendfile.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, s File) {
	f, fi, err := open(s.Path)
	if err != nil {
		h.cfg.Logger.Error("a published file cannot be served", "file", s.Path, "error", err)
		h.cfg.NotFound(w, r)
		return
	}
	defer func() {
		if err := f.Close(); err != nil {
			h.cfg.Logger.Debug("closing a published file", "file", s.Path, "error", err)
		}
	}()
	if s.Intact != nil && !s.Intact(fi) {
		h.cfg.Logger.Warn("a published file was changed and is not served", "file", s.Path)
		w.Header().Set("Retry-After", retryChanged)
		http.Error(w, "This file was changed on the server: it is not sent until it is the published one again.", http.StatusServiceUnavailable)
		return
	}
	account, ok := h.shares.enter(h.cfg.ClientIP(r))
	if !ok {
		w.Header().Set("Retry-After", retryAfter)
		http.Error(w, "Too many files are being sent: ask again in a moment.", http.StatusServiceUnavailable)
		return
	}
	defer h.shares.leave(account)
	head := w.Header()
	if strings.Count(r.Header.Get("Range"), ",") >= maxRanges {
		head.Set("Content-Range", fmt.Sprintf("bytes */%d", fi.Size()))
		http.Error(w, fmt.Sprintf("At most %d ranges are served at a time: ask for fewer.", maxRanges), http.StatusRequestedRangeNotSatisfiable)
		return
	}
	head.Set("Content-Type", s.MediaType)
	head.Set("Etag", etag(fi))
	head.Set("Cache-Control", "public, max-age=0")
	head.Set("X-Content-Type-Options", "nosniff")
	if s.SaveAs != "" {
		head.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.SaveAs}))
	}
	out := &writer{
		ResponseWriter: w, control: http.NewResponseController(w), ctx: r.Context(), shares: h.shares, account: account, grace: h.grace,
		intact: func() error { return intact(s, f) },
	}
	http.ServeContent(out, r, "", fi.ModTime(), f)
}

// errChanged ends an answer in the middle: the rest of it would be of another file.
var errChanged = errors.New("the file was changed while it was sent")

// intact looks at a file that is being sent.
func intact(s File, f *os.File) error {
	if s.Intact == nil {
		return nil
	}
	fi, err := f.Stat()
	if err == nil && !s.Intact(fi) {
		err = errChanged
	}
	return err
}

func open(path string) (*os.File, os.FileInfo, error) {
	f, err := os.Open(path) //nolint:gosec // the path comes from the store, never from a request
	if err != nil {
		return nil, nil, fmt.Errorf("opening the file: %w", err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errors.New("it is no file")
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("reading the file: %w", err), f.Close())
	}
	return f, fi, nil
}

// etag is a strong validator (RFC 9110 §8.8.3): published files are never changed in place.
func etag(fi os.FileInfo) string {
	return fmt.Sprintf(`"%s-%s"`, strconv.FormatInt(fi.Size(), 36), strconv.FormatInt(fi.ModTime().UnixNano(), 36))
}
