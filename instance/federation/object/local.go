// SPDX-License-Identifier: AGPL-3.0-or-later

package object

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"shoal/instance/address"
	"shoal/instance/federation/author"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// The pictures' sizes in pixels.
const (
	thumbnailWidth, thumbnailHeight = 280, 157
	previewWidth, previewHeight     = 850, 480
)

// Local makes the objects of one instance.
type Local struct {
	Base address.Base
	// Name is what the instance calls itself.
	Name string
}

// SharedInbox is the inbox of all actors of the instance.
func (l Local) SharedInbox() string { return string(l.Base) + "/inbox" }

// Actor is a local actor with its @context: store.NameInstance, an account or a channel. It reports whether there is
// one of the name.
func (l Local) Actor(snap *store.Snapshot, name string) (*vocab.Actor, bool) {
	if name == store.NameInstance {
		a := l.actor(snap, "Application", l.Base.Actor(), name, l.Name)
		if root, ok := snap.Account(store.NameRoot); ok {
			a.Published = root.Created
		}
		return a, true
	}
	if acc, ok := snap.Account(name); ok {
		a := l.actor(snap, "Person", l.Base.Account(name), name, acc.DisplayName)
		a.Published = acc.Created
		Describe(a, acc.DisplayName, acc.Description, "")
		return a, true
	}
	c, ok := snap.Channel(name)
	if !ok {
		return nil, false
	}
	owner, ok := snap.AccountByID(c.AccountID)
	if !ok {
		return nil, false
	}
	mods := true
	a := l.actor(snap, "Group", l.Base.Channel(name), name, c.DisplayName)
	a.Published, a.PostingRestrictedToMods = c.Created, &mods
	Describe(a, c.DisplayName, c.Description, c.Support)
	a.AttributedTo = vocab.Refs{vocab.TypedRef("Person", l.Base.Account(owner.Name))}
	return a, true
}

func (l Local) actor(snap *store.Snapshot, kind, id, username, name string) *vocab.Actor {
	if name == "" {
		name = username
	}
	return &vocab.Actor{
		Context: vocab.Context(kind), ID: id, Type: kind, PreferredUsername: username, Name: clip(name, maxName), URL: id,
		Inbox: id + "/inbox", Outbox: id + "/outbox", Followers: id + "/followers", Following: id + "/following",
		SharedInbox: l.SharedInbox(),
		PublicKey:   vocab.PublicKey{ID: id + "#main-key", Owner: id, PEM: snap.PublicPEM(username)},
	}
}

// Describe sets how an actor describes itself, in lengths that PeerTube takes.
func Describe(a *vocab.Actor, name, summary, support string) {
	if name != "" {
		a.Name = clip(name, maxName)
	}
	a.Summary, a.Support = padded(clip(summary, maxSupport), 3), padded(clip(support, maxSupport), 3)
}

// Owners are a local video's channel and the account that it belongs to.
func Owners(snap *store.Snapshot, v *store.Video) (*store.Channel, *store.Account, bool) {
	c, ok := snap.ChannelByID(v.ChannelID)
	if !ok {
		return nil, nil, false
	}
	a, ok := snap.AccountByID(c.AccountID)
	return c, a, ok
}

// Video is a local video with its @context. It reports whether the video's channel and account are there.
func (l Local) Video(snap *store.Snapshot, v *store.Video) (*vocab.Video, bool) {
	channel, account, ok := Owners(snap, v)
	if !ok {
		return nil, false
	}
	id := l.Base.Video(v.UUID)
	yes := true
	support := v.Support
	if support == "" {
		support = channel.Support
	}
	out := &vocab.Video{
		Context: vocab.Context("Video"), ID: id, Name: padded(clip(v.Title, maxName), 3), UUID: v.UUID,
		Duration: time.Duration(math.Round(max(v.Duration, 0))) * time.Second,
		Category: category(v.Category), Licence: category(v.Licence), Language: language(v.Language),
		Views: max(v.Views, 0), Sensitive: v.NSFW, State: int64(store.StatePublished),
		CommentsPolicy: int64(v.CommentsPolicy()), DownloadEnabled: &yes,
		Published: v.Published, Updated: v.Updated, UploadDate: v.Created,
		Tag: []vocab.Link{}, MediaType: "text/markdown", Content: padded(clip(v.Description, maxText), 3),
		Support: padded(clip(support, maxSupport), 3), Captions: []vocab.Caption{},
		Icon: []vocab.Image{
			l.picture(address.ThumbnailPath(v.Thumbnail), thumbnailWidth, thumbnailHeight),
			l.picture(address.PreviewPath(v.Preview), previewWidth, previewHeight),
		},
		Links: l.links(v),
		Likes: id + "/likes", Dislikes: id + "/dislikes", Shares: id + "/announces", Comments: id + "/comments", HasParts: id + "/chapters",
		AttributedTo: vocab.Refs{
			vocab.TypedRef("Person", l.Base.Account(account.Name)), vocab.TypedRef("Group", l.Base.Channel(channel.Name)),
		},
	}
	out.To, out.CC = videoAudience(v, l.Base.Account(account.Name))
	for _, tag := range v.Tags {
		if n := utf8.RuneCountInString(tag); n >= 2 && n <= maxTag {
			out.Tag = append(out.Tag, vocab.Link{Type: "Hashtag", Name: tag})
		}
	}
	if len(v.Files) > 0 && v.Files[0].Height > 0 {
		out.AspectRatio = math.Round(float64(v.Files[0].Width)/float64(v.Files[0].Height)*1e4) / 1e4
	}
	return out, true
}

// videoAudience is who a video is for: everybody, or, for an unlisted one, whoever knows its address.
func videoAudience(v *store.Video, account string) (to, cc []string) {
	if v.Privacy != store.Public {
		return []string{}, []string{}
	}
	return []string{vocab.Public}, []string{account + "/followers"}
}

func (l Local) picture(path string, width, height int64) vocab.Image {
	return vocab.Image{Type: "Image", URL: string(l.Base) + path, MediaType: "image/jpeg", Width: width, Height: height}
}

// category writes a category or licence. PeerTube takes whole numbers alone.
func category(t store.Term) *vocab.Identifier {
	if n, err := strconv.Atoi(t.ID); err != nil || n < 0 {
		return nil
	}
	return &vocab.Identifier{Identifier: t.ID, Name: t.Label}
}

func language(t store.Term) *vocab.Identifier {
	if t.ID == "" || utf8.RuneCountInString(t.ID) > 10 {
		return nil
	}
	return &vocab.Identifier{Identifier: t.ID, Name: t.Label}
}

func (l Local) links(v *store.Video) []vocab.Link {
	out := []vocab.Link{vocab.PageLink(l.Base.WatchPage(v.UUID))}
	for i := range v.Files {
		f := &v.Files[i]
		out = append(out, vocab.FileLinks(vocab.VideoLink{
			MediaType: f.MediaType, URL: l.Base.Media(f.Name), Height: f.Height, Width: f.Width, Size: f.Size, FPS: fps(f),
			Metadata: l.Base.Metadata(v.UUID, f), Torrent: l.Base.Torrent(f.Torrent.File), Magnet: l.Base.Magnet(v.Title, f),
			HasVideo: f.VideoCodec != "", HasAudio: f.AudioCodec != "",
		})...)
	}
	return append(out, vocab.TrackerLink(l.Base.TrackerAnnounce()), vocab.TrackerLink(l.Base.TrackerSocket()))
}

// fps is a file's frame rate, -1 where it is unknown.
func fps(f *store.File) int {
	if f.FPS <= 0 {
		return -1
	}
	return f.FPS
}

// Mention is somebody whom a comment speaks to: the author of what it answers.
type Mention struct{ ID, Handle string }

// Note is a local comment with its @context: for everybody, and for the followers of its author.
func (l Local) Note(c *store.Comment, mentions ...Mention) *vocab.Note {
	out := &vocab.Note{
		Context: vocab.Context("Note"), ID: c.ID, Content: padded(c.Text, 1), MediaType: "text/markdown",
		InReplyTo: vocab.IDRef(c.InReplyTo), AttributedTo: vocab.Refs{vocab.IDRef(c.Author)},
		Published: c.Created, Updated: c.Updated, URL: c.URL,
		To: []string{vocab.Public}, CC: []string{c.Author + "/followers"}, Tag: []vocab.Link{},
	}
	if out.URL == "" {
		out.URL = c.ID
	}
	if out.Updated.IsZero() {
		out.Updated = out.Published
	}
	for _, m := range mentions {
		out.Tag = append(out.Tag, vocab.Link{Type: "Mention", Href: m.ID, Name: "@" + m.Handle})
	}
	return out
}

// Tombstone stands for what was deleted, a "Video" or a "Note", with its @context.
func (l Local) Tombstone(id, formerType string, deleted time.Time) *vocab.Tombstone {
	return &vocab.Tombstone{Context: vocab.Context("Tombstone"), ID: id, FormerType: formerType, Deleted: deleted}
}

// CommentTombstone stands for a deleted comment that has replies; PeerTube wants its dates and address as well.
func (l Local) CommentTombstone(c *store.Comment) *vocab.Tombstone {
	t := l.Tombstone(c.ID, "Note", c.Deleted)
	t.Published, t.Updated, t.URL = c.Created, c.Deleted, c.URL
	if t.URL == "" {
		t.URL = c.ID
	}
	return t
}

// Reader reads the actors and comments that a comment's mentions need.
type Reader interface {
	Actor(id string) (*store.Actor, bool, error)
	Comment(id string) (*store.Comment, bool, error)
}

// MentionsOf is whom a comment answers: the author of the comment above it, unless that is its own.
func MentionsOf(r Reader, base address.Base, c *store.Comment) ([]Mention, error) {
	parent, ok, err := r.Comment(c.InReplyTo)
	if err != nil || !ok || parent.Author == c.Author || !parent.Deleted.IsZero() {
		return nil, err
	}
	if name, ok := author.Name(base, parent.Author); ok {
		return []Mention{{parent.Author, name + "@" + base.Host()}}, nil
	}
	a, ok, err := r.Actor(parent.Author)
	if err != nil || !ok {
		return nil, err
	}
	return []Mention{{a.ID, a.Username + "@" + a.Host}}, nil
}
