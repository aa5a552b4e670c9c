// SPDX-License-Identifier: AGPL-3.0-or-later

package object

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Bounds on what is kept of others' objects, in characters.
const (
	maxName    = 120
	maxText    = 10_000
	maxSupport = 1000
	maxLabel   = 100
	maxTag     = 30
	maxURL     = 2000
	maxMagnet  = 8000
)

// Bounds on lists of others' objects.
const (
	maxTags      = 20
	maxFiles     = 60
	maxPlaylists = 4
	maxTrackers  = 20
)

// maxCount bounds counts of others.
const maxCount = 1 << 40

// ErrHost says that an object's id names no host.
var ErrHost = errors.New("the id names no host")

// ToActor is the record of an actor that was parsed, and thereby checked. Texts are cleaned and cut. Number, Fetched
// and the follower counts are the caller's to set.
func ToActor(a *vocab.Actor) (*store.Actor, error) {
	host := vocab.Host(a.ID)
	if host == "" {
		return nil, ErrHost
	}
	out := &store.Actor{
		ID: a.ID, Type: a.Type, Host: host, Username: a.PreferredUsername,
		Name: line(a.Name, maxName), Summary: clip(PlainText(a.Summary), maxSupport), Support: clip(Source(a.Support), maxSupport),
		URL: webURL(a.URL), Inbox: webURL(a.Inbox), SharedInbox: webURL(a.SharedInbox), Outbox: webURL(a.Outbox),
		FollowersURL: webURL(a.Followers), FollowingURL: webURL(a.Following),
		KeyID: a.PublicKey.ID, KeyPEM: a.PublicKey.PEM, Icon: widest(a.Icon), Banner: widest(a.Image), Published: a.Published,
	}
	if out.Name == "" {
		out.Name = a.PreferredUsername
	}
	if out.URL == "" {
		out.URL = a.ID
	}
	if a.Type == "Group" {
		out.Owner = a.Owner()
	}
	return out, nil
}

// webURL is an address of the web that is not too long, else empty.
func webURL(address string) string {
	if len(address) > maxURL || vocab.Host(address) == "" {
		return ""
	}
	return address
}

// picture says whether an image's media type, where it tells one, is of a picture.
func picture(i vocab.Image) bool {
	return webURL(i.URL) != "" && (i.MediaType == "" || strings.HasPrefix(i.MediaType, "image/"))
}

func widest(images []vocab.Image) string {
	best, width := "", int64(-1)
	for _, i := range images {
		if picture(i) && i.Width > width {
			best, width = i.URL, i.Width
		}
	}
	return best
}

// narrowest is the smallest picture that is no dwarf.
func narrowest(images []vocab.Image) string {
	best, width := "", int64(math.MaxInt64)
	for _, i := range images {
		if picture(i) && i.Width < width && (i.Width >= 100 || i.Width == 0) {
			best, width = i.URL, i.Width
		}
	}
	if best == "" {
		return widest(images)
	}
	return best
}

// ToVideo is the record of a video. Account and Channel are those that attributedTo names with their types, else
// empty; they, Number, Created, Fetched, Sources, likes and dislikes are the caller's to set.
func ToVideo(v *vocab.Video) (*store.RemoteVideo, error) {
	host := vocab.Host(v.ID)
	if host == "" {
		return nil, ErrHost
	}
	out := &store.RemoteVideo{
		ID: v.ID, UUID: strings.ToLower(v.UUID), Host: host,
		Title: line(v.Name, maxName), Support: clip(Source(v.Support), maxSupport),
		Page: webURL(v.HTMLPage()), EmbedURL: embed(v), Thumbnail: narrowest(v.Icon), Preview: widest(v.Icon),
		Category: term(v.Category), Licence: term(v.Licence), Language: term(v.Language),
		Privacy: store.Unlisted, NSFW: v.Sensitive, Live: v.IsLive, WaitTranscoding: v.WaitTranscoding,
		DownloadEnabled: v.DownloadEnabled == nil || *v.DownloadEnabled, CommentsPolicy: policyOf(v),
		AspectRatio: v.AspectRatio, Duration: int(v.Duration / time.Second), Views: min(v.Views, maxCount),
		LikesURL: webURL(v.Likes), DislikesURL: webURL(v.Dislikes), SharesURL: webURL(v.Shares),
		CommentsURL: webURL(v.Comments), ChaptersURL: webURL(v.HasParts),
		Published: v.Published, Updated: v.Updated,
	}
	if out.Title == "" {
		return nil, vocab.ErrVideoName
	}
	if v.MediaType == "text/html" {
		out.Description = clip(PlainText(v.Content), maxText)
	} else {
		out.Description = clip(Source(v.Content), maxText)
	}
	if vocab.IsPublic(v.To) {
		out.Privacy = store.Public
	}
	if t := v.OriginallyPublishedAt; !t.IsZero() {
		out.OriginallyPublished = &t
	}
	out.Account, out.Channel = attributed(v)
	out.Tags = tags(v)
	for _, tracker := range v.Trackers() {
		if len(tracker) <= maxURL && len(out.Trackers) < maxTrackers {
			out.Trackers = append(out.Trackers, tracker)
		}
	}
	dates(out)
	out.Files = files(v.Files())
	for _, p := range v.Playlists() {
		if webURL(p.URL) == "" || len(out.Playlists) == maxPlaylists {
			continue
		}
		out.Playlists = append(out.Playlists, store.RemotePlaylist{
			MasterURL: p.URL, SegmentsURL: webURL(p.SegmentsSHA256), Infohashes: infohashes(p.Infohashes), Files: files(p.Files),
		})
	}
	if out.AspectRatio <= 0 || out.AspectRatio > 100 {
		out.AspectRatio = ratio(out)
	}
	return out, nil
}

// dates fills what is missing from what is there.
func dates(v *store.RemoteVideo) {
	if v.Published.IsZero() {
		v.Published = v.Updated
	}
	if v.Updated.IsZero() {
		v.Updated = v.Published
	}
}

// embed is the address of the player page: told by 8.x, else where PeerTube has it.
func embed(v *vocab.Video) string {
	var told string
	if raw, ok := v.Extra["embedUrl"]; ok && json.Unmarshal(raw, &told) == nil && vocab.SameOrigin(told, v.ID) {
		return webURL(told)
	}
	if base, uuid, ok := strings.Cut(v.ID, "/videos/watch/"); ok && strings.EqualFold(uuid, v.UUID) {
		return base + "/videos/embed/" + uuid
	}
	return ""
}

func term(i *vocab.Identifier) store.Term {
	if i == nil || len(i.Identifier) > maxLabel || strings.ContainsFunc(i.Identifier, func(c rune) bool { return c <= ' ' || c == utf8.RuneError }) {
		return store.Term{}
	}
	t := store.Term{ID: i.Identifier, Label: line(i.Name, maxLabel)}
	if t.Label == "" {
		t.Label = t.ID
	}
	return t
}

// policyOf is the comments policy; a video that tells none has its comments closed.
func policyOf(v *vocab.Video) store.CommentsPolicy {
	switch v.CommentsPolicy {
	case vocab.CommentsEnabled:
		return store.CommentsEnabled
	case vocab.CommentsRequiresApproval:
		return store.CommentsRequiresApproval
	default:
		return store.CommentsDisabled
	}
}

func attributed(v *vocab.Video) (account, channel string) {
	for _, ref := range v.AttributedTo {
		switch {
		case ref.Type == "Person" && account == "":
			account = ref.ID
		case ref.Type == "Group" && channel == "":
			channel = ref.ID
		}
	}
	return account, channel
}

func tags(v *vocab.Video) []string {
	var out []string
	for _, tag := range v.Hashtags() {
		tag = line(tag, maxText)
		n := utf8.RuneCountInString(tag)
		if n >= 2 && n <= maxTag && len(out) < maxTags && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

func files(links []vocab.VideoLink) []store.RemoteFile {
	var out []store.RemoteFile
	for _, l := range links {
		if webURL(l.URL) == "" || len(out) == maxFiles {
			continue
		}
		f := store.RemoteFile{
			Resolution: l.Height, Width: l.Width, Height: l.Height, FPS: l.FPS, Size: l.Size, MediaType: l.MediaType, URL: l.URL,
			TorrentURL: webURL(l.Torrent), Infohash: l.Infohash, MetadataURL: webURL(l.Metadata), Audio: l.HasAudio, Video: l.HasVideo,
		}
		if l.Width > 0 && l.Height > 0 {
			f.Resolution = min(l.Width, l.Height)
		}
		if l.Infohash != "" && len(l.Magnet) <= maxMagnet {
			f.Magnet = l.Magnet
		} else {
			f.Infohash = ""
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b store.RemoteFile) int { return b.Resolution - a.Resolution })
	return out
}

func infohashes(hashes []string) []string {
	var out []string
	for _, h := range hashes {
		if len(h) == 40 && strings.Trim(h, "0123456789abcdef") == "" && len(out) < maxFiles {
			out = append(out, h)
		}
	}
	return out
}

// ratio is width by height of the first file that has both.
func ratio(v *store.RemoteVideo) float64 {
	all := slices.Clone(v.Files)
	for _, p := range v.Playlists {
		all = append(all, p.Files...)
	}
	for _, f := range all {
		if f.Width > 0 && f.Height > 0 {
			return math.Round(float64(f.Width)/float64(f.Height)*1e4) / 1e4
		}
	}
	return 0
}

// ToComment is the record of a comment. Video, Thread, Number and Author's checks are the caller's; Author is the
// first id of attributedTo. Text that is HTML is kept as plain text as well, Markdown is rendered; both are cleaned.
func ToComment(n *vocab.Note) (*store.Comment, error) {
	c := &store.Comment{
		ID: n.ID, InReplyTo: n.InReplyTo.ID, Author: n.Author(), URL: webURL(n.URL), Created: n.Published, Updated: n.Updated,
	}
	if vocab.Host(n.ID) == "" {
		return nil, ErrHost
	}
	if c.URL == "" {
		c.URL = n.ID
	}
	if n.MediaType == "text/markdown" || n.MediaType == "text/plain" {
		c.Text = clip(Source(n.Content), maxText)
		c.HTML = MarkdownHTML(c.Text)
	} else {
		content := n.Content
		if len(content) > 4*maxText {
			content = strings.ToValidUTF8(content[:4*maxText], "")
		}
		c.HTML = Sanitize(content)
		c.Text = clip(PlainText(content), maxText)
	}
	if c.Created.IsZero() {
		c.Created = c.Updated
	}
	if c.Updated.IsZero() {
		c.Updated = c.Created
	}
	return c, nil
}
