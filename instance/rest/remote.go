// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"math"
	"strings"

	"shoal/instance/address"
	"shoal/instance/store"
	"shoal/instance/thumbs"
	"shoal/peer/peertube"
)

// remote finds a remote actor. Of one that is not known, it is what its id tells.
func (v *view) remote(id string) (*store.Actor, error) {
	if a, ok := v.actors[id]; ok {
		return a, nil
	}
	a, ok, err := v.tx.Actor(id)
	if err != nil {
		return nil, err
	}
	if !ok {
		name := id[strings.LastIndexByte(id, '/')+1:]
		a = &store.Actor{ID: id, Host: store.HostOf(id), Username: name, Name: name}
	}
	v.actors[id] = a
	return a, nil
}

func displayName(a *store.Actor) string {
	if a.Name == "" {
		return a.Username
	}
	return a.Name
}

func remoteAccountSummary(a *store.Actor) peertube.AccountSummary {
	return peertube.AccountSummary{ID: peertube.Int(a.Number), Name: a.Username, DisplayName: displayName(a), URL: a.ID, Host: a.Host} //nolint:gosec // a sequence number
}

func remoteChannelSummary(a *store.Actor) peertube.ChannelSummary {
	return peertube.ChannelSummary{ID: peertube.Int(a.Number), Name: a.Username, DisplayName: displayName(a), URL: a.ID, Host: a.Host} //nolint:gosec // a sequence number
}

func remoteAccount(a *store.Actor) peertube.Account {
	return peertube.Account{
		AccountSummary: remoteAccountSummary(a), Description: peertube.NullString(a.Summary),
		FollowingCount: peertube.Int(a.FollowingCount), FollowersCount: peertube.Int(a.FollowerCount),
		CreatedAt: peertube.NewTime(a.Published), UpdatedAt: peertube.NewTime(a.Fetched),
	}
}

func remoteChannel(a, owner *store.Actor) peertube.Channel {
	out := peertube.Channel{
		ChannelSummary: remoteChannelSummary(a), Description: peertube.NullString(a.Summary), Support: peertube.NullString(a.Support),
		FollowingCount: peertube.Int(a.FollowingCount), FollowersCount: peertube.Int(a.FollowerCount),
		CreatedAt: peertube.NewTime(a.Published), UpdatedAt: peertube.NewTime(a.Fetched),
	}
	if owner != nil {
		account := remoteAccount(owner)
		out.OwnerAccount = &account
	}
	return out
}

func (v *view) remoteSummary(s *store.RemoteVideo) (peertube.Video, error) {
	a, err := v.remote(s.Account)
	if err != nil {
		return peertube.Video{}, err
	}
	c, err := v.remote(s.Channel)
	if err != nil {
		return peertube.Video{}, err
	}
	out := peertube.Video{
		ID: peertube.Int(s.Number), UUID: s.UUID, ShortUUID: peertube.ShortUUID(s.UUID), URL: s.ID, Name: s.Title, //nolint:gosec // a sequence number
		Category: constant(s.Category), Licence: constant(s.Licence), Language: language(s.Language),
		Privacy: privacy(s.Privacy), NSFW: s.NSFW,
		TruncatedDescription: peertube.NullString(truncate(s.Description)), Description: peertube.NullString(truncate(s.Description)),
		Duration: peertube.Int(s.Duration), AspectRatio: peertube.NullFloat(math.Round(aspect(s)*1e4) / 1e4),
		Views: peertube.Int(s.Views), Viewers: peertube.Int(s.Viewers), Likes: peertube.Int(s.Likes), Dislikes: peertube.Int(s.Dislikes),
		EmbedPath: address.EmbedPath(s.UUID),
		CreatedAt: peertube.NewTime(s.Created), UpdatedAt: peertube.NewTime(s.Updated), PublishedAt: peertube.NewTime(s.Published), IsLive: s.Live,
		Account: remoteAccountSummary(a), Channel: remoteChannelSummary(c),
	}
	if name := thumbs.Name(s, thumbs.Thumbnail); name != "" {
		out.ThumbnailPath = address.ThumbnailPath(name)
	}
	if name := thumbs.Name(s, thumbs.Preview); name != "" {
		out.PreviewPath = address.PreviewPath(name)
	}
	if s.Created.IsZero() {
		out.CreatedAt = out.PublishedAt
	}
	if s.OriginallyPublished != nil {
		out.OriginallyPublishedAt = peertube.NewTime(*s.OriginallyPublished)
	}
	return out, nil
}

// aspect is width by height: as the origin says, or as its best file has them; 0 is unknown.
func aspect(s *store.RemoteVideo) float64 {
	if s.AspectRatio > 0 {
		return s.AspectRatio
	}
	for _, f := range s.Files {
		if f.Width > 0 && f.Height > 0 {
			return float64(f.Width) / float64(f.Height)
		}
	}
	return 0
}

func (v *view) remoteDetails(s *store.RemoteVideo) (peertube.VideoDetails, error) {
	summary, err := v.remoteSummary(s)
	if err != nil {
		return peertube.VideoDetails{}, err
	}
	a, err := v.remote(s.Account)
	if err != nil {
		return peertube.VideoDetails{}, err
	}
	c, err := v.remote(s.Channel)
	if err != nil {
		return peertube.VideoDetails{}, err
	}
	support := s.Support
	if support == "" {
		support = c.Support
	}
	out := peertube.VideoDetails{
		Video: summary, Account: remoteAccount(a), Channel: remoteChannel(c, a), Tags: s.Tags,
		CommentsEnabled: s.CommentsPolicy == store.CommentsEnabled, CommentsPolicy: comments(s.CommentsPolicy),
		DownloadEnabled: s.DownloadEnabled, WaitTranscoding: s.WaitTranscoding, State: peertube.NewConstant(peertube.StatePublished, "Published"),
		Support: peertube.NullString(support), TrackerURLs: s.Trackers,
	}
	out.Description = peertube.NullString(s.Description)
	for _, f := range s.Files {
		out.Files = append(out.Files, remoteFile(f))
	}
	for _, p := range s.Playlists {
		list := peertube.StreamingPlaylist{
			ID: peertube.Int(p.Number), Type: peertube.PlaylistHLS, PlaylistURL: p.MasterURL, SegmentsSha256URL: peertube.NullString(p.SegmentsURL), //nolint:gosec // a sequence number
		}
		for _, f := range p.Files {
			list.Files = append(list.Files, remoteFile(f))
		}
		out.StreamingPlaylists = append(out.StreamingPlaylists, list)
	}
	return out, nil
}

// remoteFile is a file at its origin: magnet, torrent and file are the origin's own.
func remoteFile(f store.RemoteFile) peertube.VideoFile {
	return peertube.VideoFile{
		ID: peertube.Int(f.Number), Resolution: resolution(f.Resolution), //nolint:gosec // a sequence number
		Width: peertube.Int(f.Width), Height: peertube.Int(f.Height), Size: peertube.Int(f.Size), FPS: peertube.Int(f.FPS),
		MagnetURI: peertube.NullString(f.Magnet), TorrentURL: peertube.NullString(f.TorrentURL), TorrentDownloadURL: peertube.NullString(f.TorrentURL),
		FileURL: peertube.NullString(f.URL), FileDownloadURL: peertube.NullString(f.URL), MetadataURL: peertube.NullString(f.MetadataURL),
		HasAudio: &f.Audio, HasVideo: &f.Video,
	}
}
