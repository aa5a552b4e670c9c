// SPDX-License-Identifier: AGPL-3.0-or-later

package object_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"shoal/assets/contexts"
	"shoal/instance/address"
	"shoal/instance/federation/author"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

const (
	base = address.Base("https://tube.example")
	uuid = "4e1f2f28-1822-4544-bf7c-52e111041379"
)

func now() time.Time { return time.Date(2026, 11, 22, 15, 26, 11, 362e6, time.UTC) }

// instance is a store with the first accounts and a published video.
func instance(t *testing.T) (*store.Store, *store.Video) {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.SetSetting(store.SettingURL, string(base)); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureRoot(now()); err != nil {
		t.Fatal(err)
	}
	c, _ := s.Snapshot().Channel(store.NameChannel)
	v, err := s.Publish("", video(c.ID))
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func video(channel uint64) store.Video {
	return store.Video{
		UUID: uuid, ChannelID: channel, Title: "A title: \"1 < 2\" & more", Description: "About *this*", Support: "Give",
		Category: store.Term{ID: "2", Label: "Films"}, Licence: store.Term{ID: "1", Label: "Attribution"}, Language: store.Term{ID: "en", Label: "English"},
		Tags: []string{"one", "x", strings.Repeat("y", 31), "tag two"}, NSFW: true, Privacy: store.Public, Duration: 61.6,
		Thumbnail: "t.jpg", Preview: "p.jpg", Created: now(), Updated: now(), Published: now(), Views: 3,
		Files: []store.File{
			{
				Name: "a-1080.mp4", Resolution: 1080, Width: 1080, Height: 1920, FPS: 30, Size: 1 << 20, VideoCodec: "h264", AudioCodec: "aac",
				MediaType: "video/mp4", Torrent: store.Torrent{Infohash: store.Hash{1}, File: "a-1080.torrent"},
			},
			{
				Name: "a-480.webm", Resolution: 480, Width: 480, Height: 854, Size: 1 << 10, VideoCodec: "vp9",
				MediaType: "video/webm", Torrent: store.Torrent{Infohash: store.Hash{2}, File: "a-480.torrent"},
			},
		},
	}
}

func decode(t *testing.T, v json.Marshaler) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// The demands of a PeerTube on a video, each as it was measured.
func refusals(m map[string]any) []string {
	var out []string
	demand := func(ok bool, text string) {
		if !ok {
			out = append(out, text)
		}
	}
	whole := func(v any, least float64) bool {
		n, ok := v.(float64)
		return ok && n == math.Trunc(n) && n >= least
	}
	length := func(v any, least, most int) bool {
		s, ok := v.(string)
		return ok && utf8.RuneCountInString(s) >= least && utf8.RuneCountInString(s) <= most
	}
	date := func(v any) bool {
		s, _ := v.(string)
		_, err := time.Parse(time.RFC3339, s)
		return err == nil
	}
	demand(m["type"] == "Video", "type")
	demand(regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(fmt.Sprint(m["uuid"])), "uuid")
	demand(length(m["name"], 3, 120), "name")
	demand(regexp.MustCompile(`^PT\d+S$`).MatchString(fmt.Sprint(m["duration"])), "duration")
	demand(whole(m["views"], 0), "views")
	demand(date(m["published"]) && date(m["updated"]), "dates")
	demand(m["content"] == nil || length(m["content"], 3, 10000) && m["mediaType"] == "text/markdown", "content")
	demand(m["support"] == nil || length(m["support"], 3, 1000), "support")
	for _, key := range []string{"sensitive", "waitTranscoding", "commentsEnabled", "downloadEnabled"} {
		_, ok := m[key].(bool)
		demand(ok, key)
	}
	demand(whole(m["commentsPolicy"], 1) && m["commentsEnabled"] == (m["commentsPolicy"] != 2.0), "comments")
	for _, key := range []string{"category", "licence"} {
		if id, ok := m[key].(map[string]any); ok {
			demand(regexp.MustCompile(`^\d+$`).MatchString(fmt.Sprint(id["identifier"])), key)
		}
	}
	if id, ok := m["language"].(map[string]any); ok {
		demand(length(id["identifier"], 1, 10), "language")
	}
	_, ok := m["subtitleLanguage"].([]any)
	demand(ok, "subtitleLanguage")
	icons, _ := m["icon"].([]any)
	demand(len(icons) > 0, "icon")
	for _, i := range icons {
		icon := i.(map[string]any)
		demand(icon["type"] == "Image" && icon["mediaType"] == "image/jpeg" && whole(icon["width"], 1) && whole(icon["height"], 1) &&
			strings.HasPrefix(fmt.Sprint(icon["url"]), "https://tube.example/lazy-static/"), "icon")
	}
	tags, ok := m["tag"].([]any)
	demand(ok, "tag")
	for _, tag := range tags {
		demand(length(tag.(map[string]any)["name"], 2, 30), "tag")
	}
	group := false
	owners, _ := m["attributedTo"].([]any)
	for _, o := range owners {
		owner, _ := o.(map[string]any)
		group = group || owner["type"] == "Group"
		demand(strings.HasPrefix(fmt.Sprint(owner["id"]), "https://tube.example/"), "attributedTo")
	}
	demand(group, "attributedTo without a Group")
	links, _ := m["url"].([]any)
	demand(len(links) > 0 && links[0].(map[string]any)["mediaType"] == "text/html", "url")
	trackers, kinds := 0, map[string]int{}
	for _, l := range links {
		link := l.(map[string]any)
		kind := fmt.Sprint(link["mediaType"])
		kinds[kind]++
		fps, hasFPS := link["fps"]
		switch {
		case strings.HasPrefix(kind, "video/"):
			demand(whole(link["height"], 1) && whole(link["width"], 1) && whole(link["size"], 1), "file")
			demand(!hasFPS || whole(fps, -1), "fps")
		case strings.HasSuffix(kind, "magnet"):
			demand(regexp.MustCompile(`xt=urn:btih:[0-9a-f]{40}&`).MatchString(fmt.Sprint(link["href"])) && whole(link["height"], 1), "magnet")
			demand(strings.Contains(fmt.Sprint(link["href"]), "xs=https%3A%2F%2Ftube.example%2Flazy-static%2Ftorrents"), "magnet's xs")
		case kind == "application/x-bittorrent":
			demand(whole(link["height"], 1), "torrent")
		case link["rel"] != nil && link["rel"].([]any)[0] == "tracker":
			trackers++
		}
	}
	demand(trackers == 2, "trackers")
	demand(kinds["video/mp4"]+kinds["video/webm"] == kinds["application/x-bittorrent"], "torrents")
	for _, key := range []string{"likes", "dislikes", "shares", "comments", "hasParts"} {
		demand(strings.HasPrefix(fmt.Sprint(m[key]), fmt.Sprint(m["id"])+"/"), key)
	}
	for _, key := range []string{"originallyPublishedAt", "content", "support", "canReply"} {
		_, ok := m[key]
		demand(ok, key+" absent") // what is absent is not cleared
	}
	return out
}

func TestVideosAreWhatPeerTubeTakes(t *testing.T) {
	s, v := instance(t)
	local := object.Local{Base: base}
	for name, change := range map[string]func(*store.Video){
		"as it is":       func(*store.Video) {},
		"short title":    func(v *store.Video) { v.Title = "é" },
		"long title":     func(v *store.Video) { v.Title = strings.Repeat("é", 130) },
		"no description": func(v *store.Video) { v.Description, v.Support = "", "" },
		"short text":     func(v *store.Video) { v.Description, v.Support = "a", "b" },
		"long text":      func(v *store.Video) { v.Description, v.Support = strings.Repeat("a", 20000), strings.Repeat("b", 2000) },
		"odd terms": func(v *store.Video) {
			v.Category.ID, v.Licence.ID, v.Language.ID = "films", "CC-BY", "en-with-a-long-tag"
		},
		"no terms":        func(v *store.Video) { v.Category, v.Licence, v.Language = store.Term{}, store.Term{}, store.Term{} },
		"closed comments": func(v *store.Video) { v.CommentsDisabled = true },
		"negative":        func(v *store.Video) { v.Views, v.Duration = -3, -1 },
		"no tags":         func(v *store.Video) { v.Tags = nil },
		"unlisted":        func(v *store.Video) { v.Privacy = store.Unlisted },
	} {
		changed := *v
		change(&changed)
		o, ok := local.Video(s.Snapshot(), &changed)
		if !ok {
			t.Fatalf("%s: no object", name)
		}
		if why := refusals(decode(t, o)); why != nil {
			t.Errorf("%s: refused for %s", name, strings.Join(why, ", "))
		}
	}
	m := decode(t, must(local.Video(s.Snapshot(), v)))
	if m["duration"] != "PT62S" || m["name"] != v.Title || m["aspectRatio"] != 0.5625 || len(m["tag"].([]any)) != 2 || m["support"] != "Give" ||
		!reflect.DeepEqual(m["to"], []any{vocab.Public}) || !reflect.DeepEqual(m["cc"], []any{"https://tube.example/accounts/root/followers"}) {
		t.Errorf("video %v", m)
	}
	unlisted := *v
	unlisted.Privacy = store.Unlisted
	if m := decode(t, must(local.Video(s.Snapshot(), &unlisted))); len(m["to"].([]any)) != 0 || len(m["cc"].([]any)) != 0 {
		t.Errorf("an unlisted video is for %v, %v", m["to"], m["cc"])
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("missing")
	}
	return v
}

func TestActorsAreWhatPeerTubeTakes(t *testing.T) {
	s, _ := instance(t)
	err := s.Write("describing", func(tx *store.Tx) error {
		err := tx.UpdateAccount(store.NameRoot, func(a *store.Account) error { a.Description = "x"; return nil })
		if err != nil {
			return err
		}
		return tx.UpdateChannel(store.NameChannel, func(c *store.Channel) error { c.Support = strings.Repeat("y", 2000); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	local := object.Local{Base: base, Name: "The Tube"}
	for name, want := range map[string]string{store.NameInstance: "Application", store.NameRoot: "Person", store.NameChannel: "Group"} {
		a := must(local.Actor(s.Snapshot(), name))
		m := decode(t, a)
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		back, err := vocab.ParseActor(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m["type"] != want || m["preferredUsername"] != name || m["url"] != m["id"] || back.SharedInbox != "https://tube.example/inbox" || back.Published.IsZero() {
			t.Errorf("%s: %s", name, b)
		}
		if n := len(strings.TrimSpace(back.Support)); back.Summary != "" && len(back.Summary) < 3 || n > 1000+len("…") {
			t.Errorf("%s: summary %q, support of %d", name, back.Summary, n)
		}
		if key := m["publicKey"].(map[string]any); key["id"] != fmt.Sprint(m["id"])+"#main-key" {
			t.Errorf("%s: key %v", name, key)
		}
		if owners, ok := m["attributedTo"].([]any); want == "Group" && (!ok || owners[0].(map[string]any)["id"] != "https://tube.example/accounts/root") {
			t.Errorf("%s: attributed to %v", name, m["attributedTo"])
		}
	}
	if _, ok := local.Actor(s.Snapshot(), "nobody"); ok {
		t.Error("there is a nobody")
	}
}

// Each activity is signed by its actor: what its context does not define would fail here as it does at a PeerTube.
func TestAllActivitiesCanBeSigned(t *testing.T) {
	s, v := instance(t)
	suite, err := ldsig.New(ldsig.Options{Contexts: contexts.Files()})
	if err != nil {
		t.Fatal(err)
	}
	signer := author.New(s.Snapshot, base, suite)
	local := object.Local{Base: base}
	snap := s.Snapshot()
	root, channel := base.Account(store.NameRoot), base.Channel(store.NameChannel)
	stamp := object.Stamp{At: now(), Seq: 7}
	o := must(local.Video(snap, v))
	c := &store.Comment{
		ID: o.ID + "/comments/1", Video: o.ID, InReplyTo: "https://b.example/c/1", Author: root, Text: "hi", Local: true, Created: now(),
	}
	note := local.Note(c, object.Mention{ID: "https://b.example/u", Handle: "u@b.example"})
	remote := &store.RemoteVideo{Number: 9, ID: "https://b.example/v", Account: "https://b.example/u"}
	like := local.Rate(root+"/likes/1", root, remote.ID, remote.Account, 1)
	seen := map[string]bool{}
	for _, make := range []func() (*vocab.Activity, error){
		func() (*vocab.Activity, error) { return local.CreateVideo(o, root, object.Stamp{}) },
		func() (*vocab.Activity, error) { return local.CreateVideo(o, root, stamp) },
		func() (*vocab.Activity, error) { return local.UpdateVideo(o, root, stamp) },
		func() (*vocab.Activity, error) {
			return local.UpdateActor(must(local.Actor(snap, store.NameChannel)), stamp)
		},
		func() (*vocab.Activity, error) {
			return local.UpdateActor(must(local.Actor(snap, store.NameRoot)), stamp)
		},
		func() (*vocab.Activity, error) { return local.CreateNote(note, []string{"https://b.example/u"}) },
		func() (*vocab.Activity, error) { return local.UpdateNote(note, nil, stamp) },
		func() (*vocab.Activity, error) {
			return local.Delete(c.ID, root, []string{"https://b.example/u"}, stamp), nil
		},
		func() (*vocab.Activity, error) {
			return local.Announce(local.AnnounceID(o.ID, store.NameChannel, stamp), channel, o.ID, []string{channel + "/followers"}), nil
		},
		func() (*vocab.Activity, error) {
			return local.Announce(local.AnnounceID(o.ID, "", object.Stamp{}), base.Actor(), o.ID, nil), nil
		},
		func() (*vocab.Activity, error) { return like, nil },
		func() (*vocab.Activity, error) { return local.Rate(root+"/dislikes/1", root, remote.ID, "", -1), nil },
		func() (*vocab.Activity, error) { return local.Undo(like) },
		func() (*vocab.Activity, error) { return local.View(remote, stamp, 0), nil },
	} {
		a, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if seen[a.ID] || !strings.HasPrefix(a.ID, "https://tube.example/") {
			t.Errorf("the id %s of a %s", a.ID, a.Type)
		}
		seen[a.ID] = true
		body, err := signer.Sign(t.Context(), a.Actor.ID, a)
		if err != nil {
			t.Errorf("%s %s: %v", a.Type, a.ID, err)
			continue
		}
		name, _ := author.Name(base, a.Actor.ID)
		key, _ := snap.Key(name)
		if err := suite.Verify(t.Context(), body, &key.PublicKey); err != nil {
			t.Errorf("%s: %v", a.Type, err)
		}
		back, err := vocab.ParseActivity(body)
		if err != nil {
			t.Errorf("%s: %v", a.Type, err)
			continue
		}
		var signature struct{ Creator string }
		if err := json.Unmarshal(back.Signature, &signature); err != nil || signature.Creator != back.Actor.ID {
			t.Errorf("%s: signed by %q, %v", a.Type, signature.Creator, err)
		}
	}
}

func TestNotesAreWhatPeerTubeTakes(t *testing.T) {
	local := object.Local{Base: base}
	c := &store.Comment{
		ID: "https://tube.example/videos/watch/x/comments/1", InReplyTo: "https://b.example/v", Author: base.Account("root"),
		Text: "line <b>\n> quote", Created: now(),
	}
	m := decode(t, local.Note(c, object.Mention{ID: "https://b.example/u", Handle: "u@b.example"}))
	for _, key := range []string{"id", "content", "inReplyTo", "published", "updated", "url", "attributedTo"} {
		if s, ok := m[key].(string); !ok || s == "" {
			t.Errorf("%s is %v", key, m[key])
		}
	}
	if !reflect.DeepEqual(m["to"], []any{vocab.Public}) || m["content"] != c.Text || m["mediaType"] != "text/markdown" {
		t.Errorf("note %v", m)
	}
	if mention := m["tag"].([]any)[0].(map[string]any); mention["type"] != "Mention" || mention["name"] != "@u@b.example" {
		t.Errorf("mention %v", mention)
	}
	c.Deleted = now()
	m = decode(t, local.CommentTombstone(c))
	if m["type"] != "Tombstone" || m["formerType"] != "Note" || m["published"] == nil || m["deleted"] == nil || m["url"] != c.ID {
		t.Errorf("tombstone %v", m)
	}
}

func TestLocalVideoReadsBack(t *testing.T) {
	s, v := instance(t)
	b, err := json.Marshal(must(object.Local{Base: base}.Video(s.Snapshot(), v)))
	if err != nil {
		t.Fatal(err)
	}
	o, err := vocab.ParseVideo(b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := object.ToVideo(o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Title != v.Title || r.Description != v.Description || r.Views != 3 || r.Duration != 62 || r.Privacy != store.Public || !r.NSFW ||
		r.CommentsPolicy != store.CommentsEnabled || r.Category != v.Category || r.Licence != v.Licence || r.Language != v.Language ||
		!r.Published.Equal(v.Published) || r.Account != base.Account("root") || r.Channel != base.Channel("root_channel") ||
		!reflect.DeepEqual(r.Tags, []string{"one", "tag two"}) || r.EmbedURL != "https://tube.example/videos/embed/"+uuid || r.AspectRatio != 0.5625 {
		t.Errorf("read back %+v", r)
	}
	if len(r.Files) != 2 || len(r.Trackers) != 2 {
		t.Fatalf("files %+v, trackers %v", r.Files, r.Trackers)
	}
	for i, f := range r.Files {
		was := v.Files[i]
		if f.Infohash != was.Infohash.String() || f.URL != base.Media(was.Name) || f.TorrentURL != base.Torrent(was.Torrent.File) || f.Magnet != base.Magnet(v.Title, &was) ||
			f.Size != was.Size || f.Resolution != was.Resolution || f.Height != was.Height || f.Audio != (was.AudioCodec != "") || !f.Video {
			t.Errorf("file %+v of %+v", f, was)
		}
	}
	if r.Files[0].FPS != 30 || r.Files[1].FPS != -1 {
		t.Errorf("fps %d and %d", r.Files[0].FPS, r.Files[1].FPS)
	}
}
