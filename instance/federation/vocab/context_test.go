// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"shoal/assets/contexts"
)

// terms lists what the known contexts and a context array define.
func terms(t *testing.T, context json.RawMessage) map[string]bool {
	t.Helper()
	var entries []json.RawMessage
	if err := json.Unmarshal(context, &entries); err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{"@context": true, "id": true, "type": true}
	add := func(raw []byte) {
		var own map[string]json.RawMessage
		if err := json.Unmarshal(raw, &own); err != nil {
			t.Fatal(err)
		}
		for term := range own {
			defined[term] = true
		}
	}
	for _, e := range entries {
		var url string
		if json.Unmarshal(e, &url) != nil {
			add(e)
			continue
		}
		var doc struct {
			Context json.RawMessage `json:"@context"`
		}
		if err := json.Unmarshal(contexts.Files()[url], &doc); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		add(doc.Context)
	}
	return defined
}

// undefined finds members and types that no context defines.
func undefined(v any, defined map[string]bool) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if key == "@context" {
				continue
			}
			if !defined[key] {
				out = append(out, key)
			}
			if name, ok := member.(string); ok && key == "type" && !defined[name] {
				out = append(out, "type "+name)
			}
			out = append(out, undefined(member, defined)...)
		}
	case []any:
		for _, e := range v {
			out = append(out, undefined(e, defined)...)
		}
	}
	return out
}

func yes() *bool { b := true; return &b }

func TestContextsCoverAllThatIsWritten(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 30, 18, 0, time.UTC)
	refs := Refs{TypedRef("Person", "https://a.example/p"), TypedRef("Group", "https://a.example/g")}
	n := int64(1)
	image := []Image{{Type: "Image", URL: "https://a.example/i.jpg", MediaType: "image/jpeg", Width: 1, Height: 1, Rel: []string{"x"}}}
	file := VideoLink{
		MediaType: "video/mp4", URL: "https://a.example/f.mp4", Height: 1, Width: 1, Size: 1, FPS: 1, Torrent: "https://a.example/t",
		Magnet: "magnet:?x", Metadata: "https://a.example/m", HasAudio: true, HasVideo: true,
	}
	video := Video{
		ID: "https://a.example/v", Name: "n", UUID: "u", Category: &Identifier{Identifier: "1", Name: "n"},
		Licence: &Identifier{Identifier: "1"}, Language: &Identifier{Identifier: "en"}, State: 1, CommentsPolicy: 1, CanReply: "https://a.example/r",
		DownloadEnabled: yes(), Published: now, Updated: now, OriginallyPublishedAt: now, UploadDate: now,
		Tag: []Link{{Type: "Hashtag", Name: "x"}}, MediaType: "text/markdown", Content: "c", Summary: "s", Support: "s",
		Captions: []Caption{{Identifier: "en", Name: "E", Automatic: yes(), URL: "https://a.example/c"}}, Icon: image, Preview: image,
		AspectRatio: 1.5, Likes: "l", Dislikes: "l", Shares: "l", Comments: "l", HasParts: "l", AttributedTo: refs,
		To: []string{Public}, CC: []string{}, LiveSaveReplay: yes(), PermanentLive: yes(), LatencyMode: &n,
		Links: append(FileLinks(file), PageLink("https://a.example"), TrackerLink("wss://a.example"), TrackerLink("https://a.example"),
			PlaylistLink(HLS{URL: "https://a.example/m", SegmentsSHA256: "https://a.example/s", Infohashes: []string{"x"}, Files: []VideoLink{file}})),
	}
	actor := Actor{
		ID: "i", Type: "Group", PreferredUsername: "n", Name: "n", Summary: "s", URL: "u", Support: "s", Inbox: "i", Outbox: "o",
		Followers: "f", Following: "f", SharedInbox: "s", Playlists: "p", PublicKey: PublicKey{ID: "i", Owner: "o", PEM: "p"},
		AttributedTo: refs, Icon: image, Image: image, Published: now, Updated: now, PostingRestrictedToMods: yes(),
	}
	note := Note{
		ID: "i", Content: "c", MediaType: "m", Summary: "s", InReplyTo: IDRef("v"), AttributedTo: refs[:1], Published: now, Updated: now,
		URL: "u", To: []string{Public}, CC: []string{}, ReplyApproval: "r",
		Tag: []Link{{Type: "Mention", Name: "@x", Href: "https://a.example"}, {Type: "Hashtag", Name: "#x"}},
	}
	cache := CacheFile{ID: "i", Object: IDRef("v"), Expires: now, URL: FileLinks(file)[0], To: []string{"x"}, CC: []string{}}
	cache.URL.Attachment = nil
	chapters := Chapters{ID: "i", Parts: []Chapter{{Name: "n", StartOffset: 1, EndOffset: 2}}}
	collection := Collection{ID: "i", Type: "OrderedCollectionPage", First: IDRef("f"), Next: "n", Prev: "p", Last: "l", PartOf: "p", Items: refs}
	counter, err := NewCounter(5)
	if err != nil {
		t.Fatal(err)
	}
	activity := func(kind string, object json.Marshaler) Activity {
		a := Activity{ID: "i", Type: kind, Actor: IDRef("a"), To: []string{"x"}, CC: []string{"y"}, Published: now}
		if object == nil {
			a.Object = IDRef("o")
			return a
		}
		if a.Object, err = Embed(object); err != nil {
			t.Fatal(err)
		}
		return a
	}
	view := activity("View", nil)
	view.Expires, view.Result = now, counter
	flag := activity("Flag", nil)
	flag.Content, flag.MediaType, flag.Tag = "c", "text/markdown", []Link{{Type: "Hashtag", Name: "spam"}}
	approve := activity("ApproveReply", nil)
	approve.InReplyTo = IDRef("v")
	undo := activity("Undo", activity("Create", cache))
	for about, v := range map[string][]json.Marshaler{
		"Video":        {video, activity("Create", video), activity("Update", video)},
		"Group":        {actor, activity("Update", actor)},
		"Note":         {note, activity("Create", note)},
		"CacheFile":    {cache, activity("Create", cache), undo},
		"Chapters":     {chapters},
		"View":         {view},
		"Flag":         {flag},
		"ApproveReply": {approve},
		"RejectReply":  {activity("RejectReply", nil)},
		"Follow":       {activity("Follow", nil), activity("Accept", activity("Follow", nil)), collection},
		"Like":         {activity("Like", nil), activity("Dislike", nil), activity("Announce", nil), activity("Undo", activity("Like", nil))},
		"":             {activity("Delete", nil), Tombstone{ID: "i", FormerType: "Video", Deleted: now, Published: now, Updated: now, URL: "u"}},
	} {
		defined := terms(t, Context(about))
		for _, object := range v {
			out, err := object.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if missing := undefined(plain(t, out), defined); missing != nil {
				t.Errorf("context of %q lacks %s", about, strings.Join(missing, ", "))
			}
		}
	}
}
