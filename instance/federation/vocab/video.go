// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// What can be wrong with a video.
var (
	// ErrVideoName says that the name is missing.
	ErrVideoName = errors.New("the video has no name")
	// ErrVideoUUID says that uuid is missing or no UUID.
	ErrVideoUUID = errors.New("the video has no usable uuid")
	// ErrVideoDuration says that the duration is missing or unreadable.
	ErrVideoDuration = errors.New("the video has no usable duration")
	// ErrVideoOwner says that attributedTo names nobody.
	ErrVideoOwner = errors.New("the video names no account or channel")
	// ErrVideoURL says that the video has no links at all.
	ErrVideoURL = errors.New("the video has no links")
)

// Values of commentsPolicy.
const (
	CommentsEnabled          = 1
	CommentsDisabled         = 2
	CommentsRequiresApproval = 3
)

// Video is PeerTube's Video object.
type Video struct {
	Context        json.RawMessage
	ID, Name, UUID string
	// Duration is whole seconds.
	Duration                    time.Duration
	Category, Licence, Language *Identifier
	Views                       int64
	Sensitive, WaitTranscoding  bool
	// State is 1 for a published video, 0 where absent.
	State int64
	// CommentsPolicy is one of the Comments constants, 0 where neither it nor commentsEnabled is there: no comments.
	// Both members are written.
	CommentsPolicy  int64
	CanReply        string
	DownloadEnabled *bool
	Published       time.Time
	Updated         time.Time
	// OriginallyPublishedAt is when the work first appeared, UploadDate when its file came (8.x); zero: absent.
	OriginallyPublishedAt, UploadDate time.Time
	// Tag holds the hashtags and, in 8.x, sensitive tags.
	Tag []Link
	// MediaType is of Content: "text/markdown" or "text/html".
	MediaType, Content string
	// Summary is, in 8.x, why the video is sensitive.
	Summary, Support string
	Captions         []Caption
	Icon             []Image
	// Preview holds storyboards.
	Preview     []Image
	AspectRatio float64
	// Links are the "url" member: pages, files, torrents, magnets, playlists, trackers. See Files, Playlists,
	// Trackers and HTMLPage.
	Links []Link
	// Likes, Dislikes, Shares, Comments and HasParts are collections' ids.
	Likes, Dislikes, Shares, Comments, HasParts string
	// AttributedTo are the account and the channel; 8.x gives ids alone.
	AttributedTo                  Refs
	To, CC                        []string
	IsLive                        bool
	LiveSaveReplay, PermanentLive *bool
	LatencyMode                   *int64
	Extra                         map[string]json.RawMessage
}

// Identifier names one of a set: a category, a licence, a language.
type Identifier struct {
	Identifier, Name string
	Extra            map[string]json.RawMessage
}

// Caption is a subtitle file of a video.
type Caption struct {
	// Identifier is the language, such as "en".
	Identifier, Name string
	Automatic        *bool
	// URL is the WebVTT file; Links is set where the address came as links (8.x).
	URL   string
	Links []Link
	Extra map[string]json.RawMessage
}

// uuidForm is a UUID of any version.
var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// ParseVideo reads a video. It refuses what makes it unusable: ErrType, ErrID, ErrVideoName, ErrVideoUUID,
// ErrVideoDuration, ErrVideoOwner, ErrVideoURL, and the errors of the bounds (errors.Is). A file that cannot be used
// does not make the video unusable: Files leaves it out.
func ParseVideo(data []byte) (*Video, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	if r.kind() != "Video" {
		return nil, fmt.Errorf("reading a video: %w", ErrType)
	}
	v := &Video{
		Context: r.raw("@context"), ID: r.text("id"), Name: r.text("name"), UUID: r.text("uuid"),
		Category: r.identifier("category"), Licence: r.identifier("licence"), Language: r.identifier("language"),
		Views: r.natural("views"), Sensitive: r.yes("sensitive"), WaitTranscoding: r.yes("waitTranscoding"),
		State: r.natural("state"), CanReply: r.id("canReply"), DownloadEnabled: r.flag("downloadEnabled"),
		Published: r.instant("published"), Updated: r.instant("updated"),
		OriginallyPublishedAt: r.instant("originallyPublishedAt"), UploadDate: r.instant("uploadDate"),
		Tag: r.links("tag"), MediaType: r.text("mediaType"), Content: r.text("content"), Summary: r.text("summary"),
		Support: r.text("support"), Captions: r.captions("subtitleLanguage"), Icon: r.images("icon"),
		Preview: r.images("preview"), AspectRatio: r.fraction("aspectRatio"), Links: r.links("url"),
		Likes: r.id("likes"), Dislikes: r.id("dislikes"), Shares: r.id("shares"), Comments: r.id("comments"),
		HasParts: r.id("hasParts"), AttributedTo: r.refs("attributedTo"), To: r.ids("to"), CC: r.ids("cc"),
		IsLive: r.yes("isLiveBroadcast"), LiveSaveReplay: r.flag("liveSaveReplay"),
		PermanentLive: r.flag("permanentLive"), LatencyMode: r.number("latencyMode"),
	}
	v.takeComments(r)
	var lasts bool
	v.Duration, lasts = ParseDuration(r.text("duration"))
	v.Extra = r.extra()
	if r.err != nil {
		return nil, fmt.Errorf("reading a video: %w", r.err)
	}
	if err := v.check(lasts); err != nil {
		return nil, fmt.Errorf("reading a video: %w", err)
	}
	return v, nil
}

// takeComments reads commentsPolicy, else commentsEnabled.
func (v *Video) takeComments(r *reader) {
	enabled := r.flag("commentsEnabled")
	v.CommentsPolicy = r.natural("commentsPolicy")
	switch {
	case v.CommentsPolicy != 0 || enabled == nil:
	case *enabled:
		v.CommentsPolicy = CommentsEnabled
	default:
		v.CommentsPolicy = CommentsDisabled
	}
	if v.CommentsPolicy != 0 {
		r.take("commentsEnabled")
		r.take("commentsPolicy")
	}
}

func (v *Video) check(lasts bool) error {
	switch {
	case checkID(v.ID) != nil:
		return ErrID
	case v.Name == "":
		return ErrVideoName
	case !uuidForm.MatchString(v.UUID):
		return ErrVideoUUID
	case !lasts:
		return ErrVideoDuration
	case len(v.AttributedTo.IDs()) == 0:
		return ErrVideoOwner
	case len(v.Links) == 0:
		return ErrVideoURL
	}
	return nil
}

// identifier takes {identifier, name}; the identifier may be a number, and a plain string is an identifier alone.
func (r *reader) identifier(key string) *Identifier {
	raw, ok := r.peek(key)
	if !ok {
		return nil
	}
	if s, ok := textOf(raw); ok {
		r.take(key)
		if s == "" {
			return nil
		}
		return &Identifier{Identifier: s}
	}
	o, err := open(raw)
	if err != nil {
		return nil
	}
	id := &Identifier{Identifier: o.text("identifier"), Name: o.text("name")}
	if n := o.number("identifier"); n != nil {
		id.Identifier = strconv.FormatInt(*n, 10)
	}
	if id.Identifier == "" {
		return nil
	}
	id.Extra = o.extra()
	r.take(key)
	return id
}

func (r *reader) captions(key string) []Caption {
	entries, ok := r.list(key)
	if !ok {
		return nil
	}
	out := make([]Caption, 0, len(entries))
	for _, e := range entries {
		o, err := open(e)
		if err != nil {
			continue
		}
		c := Caption{Identifier: o.text("identifier"), Name: o.text("name"), Automatic: o.flag("automaticallyGenerated")}
		c.URL, c.Links = o.address()
		c.Extra = o.extra()
		if o.err != nil {
			r.err = o.err
		}
		out = append(out, c)
	}
	r.take(key)
	return out
}

// MarshalJSON writes the identifier.
func (i Identifier) MarshalJSON() ([]byte, error) {
	w := newWriter(i.Extra)
	w.text("identifier", i.Identifier)
	w.text("name", i.Name)
	return w.end()
}

// MarshalJSON writes the caption.
func (c Caption) MarshalJSON() ([]byte, error) {
	w := newWriter(c.Extra)
	w.text("identifier", c.Identifier)
	w.text("name", c.Name)
	w.flag("automaticallyGenerated", c.Automatic)
	writeAddress(w, c.URL, c.Links)
	return w.end()
}

func (v Video) withoutContext() json.Marshaler {
	v.Context = nil
	return v
}

func (w *writer) identifier(key string, i *Identifier) {
	if i != nil {
		w.value(key, *i)
	}
}

// MarshalJSON writes the video. What a receiver would otherwise keep from an older version is written as null.
func (v Video) MarshalJSON() ([]byte, error) {
	w := newWriter(v.Extra)
	w.raw("@context", v.Context)
	w.texts("to", v.To)
	w.texts("cc", v.CC)
	w.text("type", "Video")
	w.text("id", v.ID)
	w.text("name", v.Name)
	w.text("duration", FormatDuration(v.Duration))
	w.text("uuid", v.UUID)
	w.identifier("category", v.Category)
	w.identifier("licence", v.Licence)
	w.identifier("language", v.Language)
	w.always("views", v.Views)
	w.always("sensitive", v.Sensitive)
	w.text("summary", v.Summary)
	w.always("waitTranscoding", v.WaitTranscoding)
	w.natural("state", v.State)
	if v.CommentsPolicy != 0 {
		w.value("commentsEnabled", v.CommentsPolicy != CommentsDisabled)
		w.value("commentsPolicy", v.CommentsPolicy)
	}
	w.textOrNull("canReply", v.CanReply)
	w.flag("downloadEnabled", v.DownloadEnabled)
	w.instant("published", v.Published)
	w.instantOrNull("originallyPublishedAt", v.OriginallyPublishedAt)
	w.instant("uploadDate", v.UploadDate)
	w.instant("updated", v.Updated)
	list(w, "tag", v.Tag)
	w.text("mediaType", v.MediaType)
	w.textOrNull("content", v.Content)
	w.textOrNull("support", v.Support)
	list(w, "subtitleLanguage", v.Captions)
	list(w, "icon", v.Icon)
	list(w, "preview", v.Preview)
	w.fraction("aspectRatio", v.AspectRatio)
	list(w, "url", v.Links)
	w.text("likes", v.Likes)
	w.text("dislikes", v.Dislikes)
	w.text("shares", v.Shares)
	w.text("comments", v.Comments)
	w.text("hasParts", v.HasParts)
	w.refs("attributedTo", v.AttributedTo)
	w.always("isLiveBroadcast", v.IsLive)
	w.flag("liveSaveReplay", v.LiveSaveReplay)
	w.flag("permanentLive", v.PermanentLive)
	w.number("latencyMode", v.LatencyMode)
	return w.end()
}
