// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestVideoOfSeven(t *testing.T) {
	v, err := ParseVideo(readFile(t, "objects/video-object.json"))
	if err != nil {
		t.Fatal(err)
	}
	files := v.Files()
	if len(files) != 2 {
		t.Fatalf("%d files", len(files))
	}
	f := files[1]
	want := VideoLink{
		MediaType: "video/mp4", URL: "http://127.0.0.1:9001/static/web-videos/b935f092-04e8-47f3-9d03-2631e02c9937-240.mp4",
		Height: 240, Width: 320, Size: 370583, FPS: 25, HasVideo: true, HasAudio: true,
		Torrent:  "http://127.0.0.1:9001/lazy-static/torrents/5c017c50-6042-4c24-a013-85edd1b7da0c-240.torrent",
		Metadata: "http://127.0.0.1:9001/api/v1/videos/4e1f2f28-1822-4544-bf7c-52e111041379/metadata/4",
		Magnet:   f.Magnet, Infohash: "f82d6bf9bebe5f845c84c02f40e2e4f8dc432c5d",
	}
	if f != want {
		t.Errorf("file %+v", f)
	}
	playlists := v.Playlists()
	if len(playlists) != 1 || len(playlists[0].Files) != 2 || len(playlists[0].Infohashes) != 2 || playlists[0].SegmentsSHA256 == "" ||
		!playlists[0].Files[0].Fragmented || playlists[0].Files[0].Infohash != "893799672fa595689ffad5727a441e4893f53f59" {
		t.Errorf("playlists %+v", playlists)
	}
	if got := v.Trackers(); len(got) != 2 || got[1] != "ws://127.0.0.1:9001/tracker/socket" {
		t.Errorf("trackers %q", got)
	}
	if v.HTMLPage() != "http://127.0.0.1:9001/videos/watch/4e1f2f28-1822-4544-bf7c-52e111041379" {
		t.Errorf("page %s", v.HTMLPage())
	}
	if v.Duration != 12*time.Second || v.CommentsPolicy != CommentsEnabled || v.Category.Name != "Films" ||
		!reflect.DeepEqual(v.Hashtags(), []string{"newtag"}) || v.AttributedTo.OfType("Group").IDs()[0] != "http://127.0.0.1:9001/video-channels/alice_channel" {
		t.Errorf("video %+v", v)
	}
	if v.Extra != nil {
		t.Errorf("not understood: %v", v.Extra)
	}
	// What is built from the parts is what was captured.
	links := []Link{PageLink(v.HTMLPage())}
	for _, f := range files {
		links = append(links, FileLinks(f)...)
	}
	links = append(links, PlaylistLink(playlists[0]))
	for _, tracker := range v.Trackers() {
		links = append(links, TrackerLink(tracker))
	}
	if !reflect.DeepEqual(links, v.Links) {
		t.Errorf("built links %+v\nwant %+v", links, v.Links)
	}
}

func TestVideoOfEight(t *testing.T) {
	v, err := ParseVideo(readFile(t, "video-8.json"))
	if err != nil {
		t.Fatal(err)
	}
	if v.Duration != 3662*time.Second || v.Category.Identifier != "2" || v.Licence.Identifier != "CC-BY-4.0" || !v.Sensitive || v.Summary != "blood" ||
		v.CommentsPolicy != CommentsRequiresApproval || v.CanReply != Public || !IsPublic(v.To) || v.UploadDate.IsZero() {
		t.Errorf("video %+v", v)
	}
	if want := time.Date(2026, 11, 22, 15, 26, 11, 0, time.UTC); !v.Published.Equal(want) {
		t.Errorf("published %v", v.Published)
	}
	if v.HTMLPage() != "https://tube.example/w/abcdefg" || v.Captions[0].URL != "https://tube.example/c/en.vtt" || len(v.AttributedTo.IDs()) != 2 {
		t.Errorf("page %s, captions %+v", v.HTMLPage(), v.Captions)
	}
	p := v.Playlists()
	if len(p) != 1 || len(p[0].Files) != 2 || p[0].Infohashes[0] != "a288c18e2578252539831a7bb033a3de8d67c662" {
		t.Fatalf("playlists %+v", p)
	}
	picture, sound := p[0].Files[0], p[0].Files[1]
	if picture.HasAudio || !picture.HasVideo || picture.Torrent != "https://tube.example/720.torrent" || picture.Infohash == "" ||
		sound.HasVideo || !sound.HasAudio || sound.Torrent != "https://tube.example/0.torrent" {
		t.Errorf("files %+v", p[0].Files)
	}
	for _, key := range []string{"schedules", "dvrWindow", "playerSettings", "embedUrl", "audience", "downloads"} {
		if key != "audience" && v.Extra[key] == nil {
			t.Errorf("%s is lost", key)
		}
	}
	out, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"commentsEnabled":true,"commentsPolicy":3`, `"duration":"PT3662S"`, `"SensitiveTag"`, `"dvrWindow":10`, `"downloads":4`,
		`"url":[{"type":"Link","mediaType":"text/vtt"`, `"identifier":"2"`,
	} {
		if !strings.Contains(string(out), part) {
			t.Errorf("no %s in %s", part, out)
		}
	}
}

func TestVideosThatCannotBeUsed(t *testing.T) {
	good := readFile(t, "objects/video-object.json")
	for name, test := range map[string]struct {
		member string
		value  any
		want   error
	}{
		"type":          {"type", "Note", ErrType},
		"id":            {"id", "4711", ErrID},
		"id with user":  {"id", "https://a:b@c.example/", ErrID},
		"name":          {"name", "", ErrVideoName},
		"uuid":          {"uuid", "4e1f2f28", ErrVideoUUID},
		"duration":      {"duration", "12", ErrVideoDuration},
		"duration gone": {"duration", nil, ErrVideoDuration},
		"owner":         {"attributedTo", []any{}, ErrVideoOwner},
		"owner gone":    {"attributedTo", nil, ErrVideoOwner},
		"url":           {"url", []any{}, ErrVideoURL},
		"long list":     {"tag", make([]any, MaxList+1), ErrTooLong},
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		m[test.member] = test.value
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseVideo(data); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVideoFilesInOddForms(t *testing.T) {
	const head = `{"type":"Video","id":"https://a.example/v","name":"n","uuid":"4e1f2f28-1822-4544-bf7c-52e111041379","duration":"PT1S",` +
		`"attributedTo":"https://a.example/c","url":`
	for links, want := range map[string]string{
		`{"mediaType":"video/mp4","href":"https://a.example/1","height":480,"fps":29.97}`: "1 480 30 0 ",
		`[{"mediaType":"video/mp4","href":"https://a.example/1"}]`:                        "1 0 -1 0 ",
		`[{"mediaType":"video/x-matroska","href":"https://a.example/1","height":480}]`:    "0",
		`[{"mediaType":"video/mp4","href":"file:///etc/passwd","height":480}]`:            "0",
		`[{"mediaType":"video/mp4","href":"https://a.example/1","height":480,"size":5},{"mediaType":"application/x-bittorrent;x-scheme-handler/magnet","href":"magnet:?xt=urn:btih:zz","height":480}]`:                              "1 480 -1 5 ",
		`[{"mediaType":"video/mp4","href":"https://a.example/1","height":480},{"mediaType":"application/x-bittorrent;x-scheme-handler/magnet","href":"magnet:?xt=urn:btih:E99A81786E8C6513A4E3FDD3D947F86A871ADE06","height":480}]`: "1 480 -1 0 e99a81786e8c6513a4e3fdd3d947f86a871ade06",
	} {
		v, err := ParseVideo([]byte(head + links + "}"))
		if err != nil {
			t.Errorf("%s: %v", links, err)
			continue
		}
		files := v.Files()
		got := fmt.Sprint(len(files))
		if len(files) > 0 {
			got = fmt.Sprintf("%d %d %d %d %s", len(files), files[0].Height, files[0].FPS, files[0].Size, files[0].Infohash)
		}
		if got != want {
			t.Errorf("%s: %q instead of %q", links, got, want)
		}
	}
}

func TestComments(t *testing.T) {
	base := `{"type":"Video","id":"https://a.example/v","name":"n","uuid":"4e1f2f28-1822-4544-bf7c-52e111041379","duration":"PT1S","attributedTo":"https://a.example/c","url":"https://a.example/w"`
	for members, want := range map[string]int64{
		``:                         0,
		`,"commentsEnabled":true`:  CommentsEnabled,
		`,"commentsEnabled":false`: CommentsDisabled,
		`,"commentsPolicy":3`:      CommentsRequiresApproval,
		`,"commentsEnabled":true,"commentsPolicy":2`: CommentsDisabled,
	} {
		v, err := ParseVideo([]byte(base + members + "}"))
		if err != nil || v.CommentsPolicy != want {
			t.Errorf("%s: %+v, %v", members, v, err)
		}
	}
}

func TestActorOfEight(t *testing.T) {
	a, err := ParseActor(readFile(t, "actor-8.json"))
	if err != nil {
		t.Fatal(err)
	}
	if a.URL != "https://tube.example/c/films" || a.PublicKey.Owner != a.ID || a.Followers != a.ID+"/followers" || a.Owner() != "https://tube.example/accounts/alice" ||
		a.SharedInbox != "https://tube.example/inbox" || len(a.Icon) != 1 || a.Image[0].URL != "https://tube.example/b.png" {
		t.Errorf("actor %+v", a)
	}
	out, err := a.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"url":"https://tube.example/c/films"`, `"attributedTo":["https://tube.example/accounts/alice"]`, `"discoverable":true`,
		`"proxyUrl":"https://tube.example/proxy"`, `"sharedInbox":"https://tube.example/inbox"`, `"summary":null`, `"icon":[{`,
	} {
		if !strings.Contains(string(out), part) {
			t.Errorf("no %s in %s", part, out)
		}
	}
}

func TestActorsThatCannotBeUsed(t *testing.T) {
	for name, test := range map[string]struct {
		member string
		value  any
		want   error
	}{
		"type":           {"type", "Note", ErrActorType},
		"id":             {"id", "x", ErrID},
		"inbox":          {"inbox", nil, ErrActorInbox},
		"name":           {"preferredUsername", "a b", ErrActorName},
		"name gone":      {"preferredUsername", nil, ErrActorName},
		"key gone":       {"publicKey", nil, ErrActorKey},
		"PKCS1":          {"publicKey", map[string]any{"id": "x", "owner": "http://127.0.0.1:9001/video-channels/alice_channel", "publicKeyPem": "-----BEGIN RSA PUBLIC KEY-----\nAAAA"}, ErrActorKey},
		"other's key":    {"publicKey", map[string]any{"id": "x", "owner": "http://127.0.0.1:9001/x", "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nAAAA"}, ErrActorKey},
		"owner gone":     {"attributedTo", nil, ErrActorOwner},
		"foreign owner":  {"attributedTo", []any{"http://127.0.0.1:9002/accounts/x"}, ErrActorOwner},
		"owner no human": {"attributedTo", []any{map[string]any{"type": "Group", "id": "http://127.0.0.1:9001/x"}}, ErrActorOwner},
	} {
		var m map[string]any
		if err := json.Unmarshal(readFile(t, "objects/actor-channel-alice.json"), &m); err != nil {
			t.Fatal(err)
		}
		m[test.member] = test.value
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseActor(data); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestActivities(t *testing.T) {
	a, err := ParseActivity(readFile(t, "activities/Accept-Follow-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	follow, err := ParseActivity(a.Object.Raw)
	if err != nil || a.Object.Type != "Follow" || follow.Actor.ID != "http://127.0.0.1:9002/accounts/peertube" {
		t.Errorf("follow %+v, %v", follow, err)
	}
	flag, err := ParseActivity([]byte(`{"type":"Flag","id":"https://m.example/1","actor":{"type":"Person","id":"https://m.example/actor"},"object":["https://a.example/u","https://a.example/v"],"to":"as:Public"}`))
	if err != nil || len(flag.Objects) != 2 || flag.Object.ID != "https://a.example/u" || flag.Actor.Type != "Person" || !IsPublic(flag.To) {
		t.Errorf("flag %+v, %v", flag, err)
	}
	view, err := ParseActivity([]byte(`{"type":"View","id":"https://m.example/1","actor":"https://m.example/actor","object":"https://a.example/v","expires":"2026-11-22T15:28:00.820Z","result":{"type":"InteractionCounter","interactionType":"WatchAction","userInteractionCount":12}}`))
	if n, ok := view.Viewers(); err != nil || !ok || n != 12 || view.Expires.IsZero() {
		t.Errorf("view %+v, %v", view, err)
	}
	for data, want := range map[string]error{
		`[]`:           ErrNotObject,
		`{`:            ErrNotObject,
		`"x"`:          ErrNotObject,
		`{"id":"x"}`:   ErrType,
		`{"type":"x"}`: ErrID,
		`{"type":"Like","id":"https://a.example/1"}`:                                ErrActor,
		`{"type":"Like","id":"https://a.example/1","actor":"bob"}`:                  ErrActor,
		strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1): ErrTooDeep,
		strings.Repeat("[", 1<<19) + strings.Repeat("]", 1<<19):                     ErrTooDeep,
		`{"a":"` + strings.Repeat("x", MaxBytes) + `"}`:                             ErrTooLarge,
	} {
		if _, err := ParseActivity([]byte(data)); !errors.Is(err, want) {
			t.Errorf("%.60s: %v", data, err)
		}
	}
}

func TestCollectionsInAllForms(t *testing.T) {
	for data, want := range map[string]Collection{
		`{"type":"OrderedCollection","id":"i","totalItems":3,"first":"https://a.example/1"}`: {
			ID: "i", Type: "OrderedCollection", TotalItems: 3, First: IDRef("https://a.example/1"),
		},
		`{"type":"CollectionPage","items":"https://a.example/1","next":{"id":"n"}}`: {
			Type: "CollectionPage", Items: Refs{IDRef("https://a.example/1")}, Next: "n",
		},
		`{"type":"OrderedCollectionPage","items":["a"]}`: {Type: "OrderedCollectionPage", Items: Refs{IDRef("a")}},
	} {
		c, err := ParseCollection([]byte(data))
		if err != nil || !reflect.DeepEqual(*c, want) {
			t.Errorf("%s: %+v, %v", data, c, err)
		}
	}
	c, err := ParseCollection([]byte(`{"type":"OrderedCollection","first":{"type":"OrderedCollectionPage","orderedItems":[{"type":"Announce","id":"x"}]}}`))
	if err != nil || !c.First.Embedded() {
		t.Fatalf("%+v, %v", c, err)
	}
	page, err := ParseCollection(c.First.Raw)
	if err != nil || !page.Page() || page.Items[0].Type != "Announce" {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestUnknownMembersAreKept(t *testing.T) {
	data := []byte(`{"type":"Note","id":"https://a.example/1","attributedTo":"https://a.example/u","content":"<p>x</p>","quoteUrl":null,"likes":{"totalItems":1},"_misskey":[1],"tag":{"type":"Emoji","icon":{"url":"x"}},"published":"yesterday"}`)
	n, err := ParseNote(data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := n.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"quoteUrl":null`, `"likes":{"totalItems":1}`, `"_misskey":[1]`, `"icon":{"url":"x"}`, `"published":"yesterday"`, `"content":"<p>x</p>"`} {
		if !strings.Contains(string(out), part) {
			t.Errorf("no %s in %s", part, out)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://a.example/1", "https://A.example:443/2", true},
		{"http://a.example/1", "http://a.example:80", true},
		{"https://a.example/1", "http://a.example/1", false},
		{"https://a.example/1", "https://a.example:8443/1", false},
		{"https://a.example/1", "https://a.example.evil/1", false},
		{"https://u@a.example/1", "https://a.example/1", false},
		{"ftp://a.example", "ftp://a.example", false},
		{"", "", false},
	} {
		if SameOrigin(test.a, test.b) != test.want {
			t.Errorf("%s and %s: %v", test.a, test.b, !test.want)
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]int{"PT62S": 62, "PT1M2S": 62, "PT12.5S": 12, "P1DT1H": 90000, "PT0S": 0} {
		if d, ok := ParseDuration(s); !ok || d != time.Duration(want)*time.Second {
			t.Errorf("%s: %v %v", s, d, ok)
		}
	}
	for _, s := range []string{"", "P", "PT", "62", "PT1.5M", "PTS", "PT1S1M", "-PT1S", "P1Y", "PT1e9S", "PT99999999999S", "PT1..2S"} {
		if d, ok := ParseDuration(s); ok {
			t.Errorf("%s: %v", s, d)
		}
	}
	if FormatDuration(62*time.Second+900*time.Millisecond) != "PT62S" {
		t.Error("not whole seconds")
	}
}
