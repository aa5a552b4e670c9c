// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"math"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// find returns the video that a path names by number, UUID or short UUID, or answers why not.
func (h *Handler) find(w http.ResponseWriter, r *http.Request) (*store.Video, bool) {
	const operation = "getVideo"
	asked := chi.URLParam(r, "id")
	v, known := Find(h.cfg.Snapshot(), asked)
	if !known {
		badParam(w, r, peertube.InvalidParam{
			Value: clip(asked), Message: "Should have a valid video id (id, short UUID or UUID)", Path: "id", Location: "params",
		}, operation)
		return nil, false
	}
	if v == nil || !v.Served() {
		notFound(w, "Video not found", operation)
		return nil, false
	}
	return v, true
}

// Find looks a video up by number, UUID or short UUID. It reports whether the text is any of these;
// the video is nil where there is none.
func Find(s *store.Snapshot, text string) (v *store.Video, valid bool) {
	if n, err := strconv.ParseUint(text, 10, 53); err == nil && len(text) <= 16 {
		v, _ = s.Video(n)
		return v, true
	}
	uuid, err := peertube.LongUUID(text)
	if err != nil {
		return nil, false
	}
	v, _ = s.VideoByUUID(uuid)
	return v, true
}

func (h *Handler) video(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.find(w, r); ok {
		h.writeJSON(w, h.details(v))
	}
}

func (h *Handler) description(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.find(w, r); ok {
		h.writeJSON(w, struct {
			Description peertube.NullString `json:"description"`
		}{peertube.NullString(v.Description)})
	}
}

// summary is a video as lists show it.
func (h *Handler) summary(v *store.Video) peertube.Video {
	c, a := h.owner(v)
	out := peertube.Video{
		ID: peertube.Int(v.ID), UUID: v.UUID, ShortUUID: peertube.ShortUUID(v.UUID), URL: h.cfg.Base.Video(v.UUID), Name: v.Title, //nolint:gosec // a sequence number
		Category: peertube.Constant{Label: "Unknown"}, Licence: peertube.Constant{Label: "Unknown"}, Language: peertube.Language{Label: "Unknown"},
		Privacy: privacy(v.Privacy), IsLocal: true,
		TruncatedDescription: peertube.NullString(truncate(v.Description)), Description: peertube.NullString(truncate(v.Description)),
		Duration: peertube.Int(math.Round(v.Duration)), Views: peertube.Int(v.Views),
		ThumbnailPath: address.ThumbnailPath(v.Thumbnail), PreviewPath: address.PreviewPath(v.Preview), EmbedPath: address.EmbedPath(v.UUID),
		CreatedAt: peertube.NewTime(v.Created), UpdatedAt: peertube.NewTime(v.Updated), PublishedAt: peertube.NewTime(v.Published),
		Account: h.accountSummary(a), Channel: h.channelSummary(c),
	}
	if len(v.Files) > 0 {
		f := v.Files[0]
		out.AspectRatio = peertube.NullFloat(math.Round(float64(f.Width)/float64(f.Height)*1e4) / 1e4)
		out.Viewers = peertube.Int(h.cfg.Viewers(f.Infohash))
	}
	return out
}

// maxSummary is how much of a description lists show, in characters.
const maxSummary = 250

func truncate(s string) string {
	r := []rune(s)
	if len(r) <= maxSummary {
		return s
	}
	return string(r[:maxSummary-3]) + "..."
}

func privacy(p store.Privacy) peertube.Constant {
	label := map[store.Privacy]string{store.Public: "Public", store.Unlisted: "Unlisted", store.Private: "Private"}[p]
	return peertube.NewConstant(int64(p), label)
}

// details is a video with its files.
func (h *Handler) details(v *store.Video) peertube.VideoDetails {
	c, a := h.owner(v)
	out := peertube.VideoDetails{
		Video: h.summary(v), Account: h.accountDetails(a), Channel: h.channelDetails(c, a), Tags: v.Tags,
		CommentsPolicy: peertube.NewConstant(peertube.CommentsDisabled, "Disabled"), DownloadEnabled: true,
		State: peertube.NewConstant(int64(v.State), "Published"), Support: peertube.NullString(c.Support),
		TrackerURLs: []string{h.cfg.Base.TrackerAnnounce(), h.cfg.Base.TrackerSocket()},
	}
	out.Description = peertube.NullString(v.Description)
	for i := range v.Files {
		out.Files = append(out.Files, h.file(v, &v.Files[i]))
	}
	return out
}

func (h *Handler) file(v *store.Video, f *store.File) peertube.VideoFile {
	base, yes, sound, onDisk := h.cfg.Base, true, f.AudioCodec != "", peertube.Int(0)
	return peertube.VideoFile{
		ID: peertube.Int(f.ID), Resolution: peertube.NewConstant(int64(f.Resolution), strconv.Itoa(f.Resolution)+"p"), //nolint:gosec // a sequence number
		Width: peertube.Int(f.Width), Height: peertube.Int(f.Height), Size: peertube.Int(f.Size), FPS: peertube.Int(f.FPS),
		MagnetURI:  peertube.NullString(base.Magnet(v.Title, f)),
		TorrentURL: peertube.NullString(base.Torrent(f.Torrent.File)), TorrentDownloadURL: peertube.NullString(base.DownloadTorrent(f.Torrent.File)),
		FileURL: peertube.NullString(base.Media(f.Name)), FileDownloadURL: peertube.NullString(base.DownloadMedia(v.UUID, f)),
		MetadataURL: peertube.NullString(base.Metadata(v.UUID, f)), HasAudio: &sound, HasVideo: &yes, Storage: &onDisk,
	}
}
