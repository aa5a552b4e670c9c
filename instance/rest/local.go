// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"math"
	"strconv"

	"shoal/instance/address"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// view writes records of one transaction in PeerTube's form.
type view struct {
	*Handler
	tx     *store.Tx
	snap   *store.Snapshot
	actors map[string]*store.Actor // remote ones that were looked up
}

func (h *Handler) view(tx *store.Tx) *view {
	return &view{Handler: h, tx: tx, snap: h.snapshot(), actors: map[string]*store.Actor{}}
}

// summary is a video as lists show it.
func (v *view) summary(l store.Listed) (peertube.Video, error) {
	if l.Local != nil {
		return v.localSummary(l.Local)
	}
	return v.remoteSummary(l.Remote)
}

// details is a video with its files.
func (v *view) details(l store.Listed) (peertube.VideoDetails, error) {
	if l.Local != nil {
		return v.localDetails(l.Local)
	}
	return v.remoteDetails(l.Remote)
}

func (v *view) localSummary(s *store.Video) (peertube.Video, error) {
	c, a := v.owner(s)
	n, err := v.tx.Counts(v.cfg.Base.Video(s.UUID))
	out := peertube.Video{
		ID: peertube.Int(s.ID), UUID: s.UUID, ShortUUID: peertube.ShortUUID(s.UUID), URL: v.cfg.Base.Video(s.UUID), Name: s.Title, //nolint:gosec // a sequence number
		Category: constant(s.Category), Licence: constant(s.Licence), Language: language(s.Language),
		Privacy: privacy(s.Privacy), NSFW: s.NSFW, IsLocal: true,
		TruncatedDescription: peertube.NullString(truncate(s.Description)), Description: peertube.NullString(truncate(s.Description)),
		Duration: peertube.Int(math.Round(s.Duration)), Views: peertube.Int(s.Views), Likes: peertube.Int(n.Likes), Dislikes: peertube.Int(n.Dislikes),
		ThumbnailPath: address.ThumbnailPath(s.Thumbnail), PreviewPath: address.PreviewPath(s.Preview), EmbedPath: address.EmbedPath(s.UUID),
		CreatedAt: peertube.NewTime(s.Created), UpdatedAt: peertube.NewTime(s.Updated), PublishedAt: peertube.NewTime(s.Published),
		Account: v.accountSummary(a), Channel: v.channelSummary(c),
	}
	if len(s.Files) > 0 {
		f := s.Files[0]
		if f.Height > 0 {
			out.AspectRatio = peertube.NullFloat(math.Round(float64(f.Width)/float64(f.Height)*1e4) / 1e4)
		}
	}
	for n := range s.Files {
		out.Viewers += peertube.Int(v.cfg.Viewers(s.Files[n].Infohash)) //nolint:gosec // bounded by the tracker
	}
	return out, err
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

const unknown = "Unknown"

// constant is a category or licence; what has no number is unknown.
func constant(t store.Term) peertube.Constant {
	n, err := strconv.ParseInt(t.ID, 10, 32)
	if err != nil {
		return peertube.Constant{Label: unknown}
	}
	return peertube.NewConstant(n, t.Label)
}

func language(t store.Term) peertube.Language {
	if t.ID == "" {
		return peertube.Language{Label: unknown}
	}
	return peertube.Language{ID: &t.ID, Label: t.Label}
}

func comments(p store.CommentsPolicy) peertube.Constant {
	switch p {
	case store.CommentsEnabled:
		return peertube.NewConstant(peertube.CommentsEnabled, "Enabled")
	case store.CommentsRequiresApproval:
		return peertube.NewConstant(peertube.CommentsRequiresApproval, "Requires approval")
	}
	return peertube.NewConstant(peertube.CommentsDisabled, "Disabled")
}

func (v *view) localDetails(s *store.Video) (peertube.VideoDetails, error) {
	c, a := v.owner(s)
	summary, err := v.localSummary(s)
	support := s.Support
	if support == "" {
		support = c.Support
	}
	out := peertube.VideoDetails{
		Video: summary, Account: v.accountDetails(a), Channel: v.channelDetails(c, a), Tags: s.Tags,
		CommentsEnabled: !s.CommentsDisabled, CommentsPolicy: comments(s.CommentsPolicy()), DownloadEnabled: true,
		State: peertube.NewConstant(int64(s.State), "Published"), Support: peertube.NullString(support),
		TrackerURLs: []string{v.cfg.Base.TrackerAnnounce(), v.cfg.Base.TrackerSocket()},
	}
	out.Description = peertube.NullString(s.Description)
	for i := range s.Files {
		out.Files = append(out.Files, v.file(s, &s.Files[i]))
	}
	return out, err
}

func (h *Handler) file(v *store.Video, f *store.File) peertube.VideoFile {
	base, yes, sound, onDisk := h.cfg.Base, true, f.AudioCodec != "", peertube.Int(0)
	return peertube.VideoFile{
		ID: peertube.Int(f.ID), Resolution: resolution(f.Resolution), //nolint:gosec // a sequence number
		Width: peertube.Int(f.Width), Height: peertube.Int(f.Height), Size: peertube.Int(f.Size), FPS: peertube.Int(f.FPS),
		MagnetURI:  peertube.NullString(base.Magnet(v.Title, f)),
		TorrentURL: peertube.NullString(base.Torrent(f.Torrent.File)), TorrentDownloadURL: peertube.NullString(base.DownloadTorrent(f.Torrent.File)),
		FileURL: peertube.NullString(base.Media(f.Name)), FileDownloadURL: peertube.NullString(base.DownloadMedia(v.UUID, f)),
		MetadataURL: peertube.NullString(base.Metadata(v.UUID, f)), HasAudio: &sound, HasVideo: &yes, Storage: &onDisk,
	}
}

func resolution(n int) peertube.Constant {
	if n == 0 {
		return peertube.NewConstant(0, "Audio only")
	}
	return peertube.NewConstant(int64(n), strconv.Itoa(n)+"p")
}
