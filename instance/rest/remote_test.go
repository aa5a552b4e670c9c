// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

const (
	farHost = "127.0.0.1:9002"
	far     = "http://" + farHost
)

var farTime = time.Date(2026, 11, 22, 15, 26, 11, 362_000_000, time.UTC)

// captureFile is a captured file as the store keeps it.
func captureFile(f peertube.VideoFile) store.RemoteFile {
	return store.RemoteFile{
		Resolution: int(f.Resolution.Number()), Width: int(f.Width), Height: int(f.Height), FPS: int(f.FPS), Size: int64(f.Size), MediaType: "video/mp4",
		URL: string(f.FileURL), TorrentURL: string(f.TorrentURL), Magnet: string(f.MagnetURI), MetadataURL: string(f.MetadataURL), Audio: *f.HasAudio, Video: *f.HasVideo,
	}
}

// captureVideo is the video that a PeerTube server knew of another, as the store keeps it.
func captureVideo(t *testing.T) (*store.RemoteVideo, peertube.VideoDetails) {
	t.Helper()
	raw, err := json.Marshal(captured(t, "video-remote-on-2"))
	if err != nil {
		t.Fatal(err)
	}
	// The other server is this test's own there.
	raw = []byte(strings.ReplaceAll(string(raw), "127.0.0.1:9001", farHost))
	var d peertube.VideoDetails
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	v := &store.RemoteVideo{
		ID: d.URL, UUID: d.UUID, Host: farHost, Account: d.Account.URL, Channel: d.Channel.URL, Title: d.Name, Description: string(d.Description),
		Support: string(d.Support), Thumbnail: far + "/t.jpg", Preview: far + "/p.jpg", Category: store.Term{ID: "2", Label: "Films"},
		Licence: store.Term{ID: "1", Label: "Attribution"}, Language: store.Term{ID: "en", Label: "English"}, Tags: d.Tags, Trackers: d.TrackerURLs,
		Privacy: store.Public, DownloadEnabled: true, WaitTranscoding: true, CommentsPolicy: store.CommentsEnabled, AspectRatio: float64(d.AspectRatio),
		Duration: int(d.Duration), Views: int64(d.Views), Likes: int64(d.Likes), Dislikes: int64(d.Dislikes), Viewers: int64(d.Viewers),
		Created: d.CreatedAt.Time, Published: d.PublishedAt.Time, Updated: d.UpdatedAt.Time, Sources: []string{far + "/accounts/peertube"},
	}
	for _, f := range d.Files {
		v.Files = append(v.Files, captureFile(f))
	}
	for _, p := range d.StreamingPlaylists {
		list := store.RemotePlaylist{MasterURL: p.PlaylistURL, SegmentsURL: string(p.SegmentsSha256URL)}
		for _, f := range p.Files {
			list.Files = append(list.Files, captureFile(f))
		}
		v.Playlists = append(v.Playlists, list)
	}
	return v, d
}

// serveRemote is a server that follows another and knows the captured video, with comments.
func serveRemote(t *testing.T) (*server, *store.RemoteVideo, peertube.VideoDetails) {
	t.Helper()
	s := serve(t)
	v, d := captureVideo(t)
	err := s.db.Write("testing", func(tx *store.Tx) error {
		for _, a := range []*store.Actor{
			{Type: "Application", ID: far + "/accounts/peertube", Username: "peertube", FollowingCount: 4},
			{Type: "Person", ID: v.Account, Username: d.Account.Name, Name: d.Account.DisplayName, Summary: string(d.Account.Description), FollowerCount: 1},
			{Type: "Group", ID: v.Channel, Username: d.Channel.Name, Name: d.Channel.DisplayName, Summary: string(d.Channel.Description), Support: "channel support", Owner: v.Account},
		} {
			a.Host, a.Published, a.Fetched = farHost, farTime, farTime
			if err := tx.PutActor(a); err != nil {
				return err
			}
		}
		us := "http://127.0.0.1:9001/accounts/peertube"
		f := &store.Follow{ID: "f", Local: us, Remote: far + "/accounts/peertube", Host: farHost, State: store.FollowAccepted, Created: farTime, Updated: farTime}
		failed := &store.Follow{ID: "g", Local: us, Remote: "https://gone.example/accounts/peertube", Host: "gone.example", State: store.FollowFailed, Created: farTime.Add(-time.Hour)}
		return errors.Join(tx.PutRemoteVideo(v), tx.PutFollowing(f), tx.PutFollowing(failed), tx.PutFollower(f))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, v, d
}

// as reads an answer.
func as[T any](s *server, path string) T {
	s.t.Helper()
	res, raw := s.ask(http.MethodGet, path)
	var v T
	if err := json.Unmarshal(raw, &v); err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", path, res.Status, err)
	}
	return v
}

// TestRemoteShapes compares answers about another instance's things with a PeerTube server's.
func TestRemoteShapes(t *testing.T) {
	s, v, _ := serveRemote(t)
	s.talk(v.ID)
	for path, name := range map[string]string{
		"/api/v1/videos":                                        "videos-on-2",
		"/api/v1/videos/" + v.UUID:                              "video-remote-on-2",
		"/api/v1/server/followers":                              "server-followers",
		"/api/v1/server/following":                              "server-following",
		"/api/v1/videos/" + v.UUID + "/comment-threads":         "video-source-comments",
		"/api/v1/videos/" + v.UUID + "/comment-threads/1":       "video-comment-thread",
		"/api/v1/search/videos?search=" + url.QueryEscape(v.ID): "search-videos-by-url-on-2",
	} {
		got := as[any](s, path)
		sameShape(t, name, got, captured(t, name))
	}
}

// TestRemoteVideo compares all that is told of a remote video with what a PeerTube server tells.
func TestRemoteVideo(t *testing.T) {
	s, v, want := serveRemote(t)
	got := as[peertube.VideoDetails](s, "/api/v1/videos/"+peertube.ShortUUID(v.UUID))
	if !strings.HasPrefix(got.ThumbnailPath, "/lazy-static/thumbnails/"+v.UUID+"-") || !strings.HasPrefix(got.PreviewPath, "/lazy-static/previews/"+v.UUID+"-") {
		t.Errorf("pictures are %s and %s", got.ThumbnailPath, got.PreviewPath)
	}
	// What is each server's own.
	for _, d := range []*peertube.VideoDetails{&got, &want} {
		d.ID, d.ThumbnailPath, d.PreviewPath = 0, "", ""
		d.Account = peertube.Account{AccountSummary: peertube.AccountSummary{Name: d.Account.Name, DisplayName: d.Account.DisplayName, URL: d.Account.URL, Host: d.Account.Host}}
		d.Channel = peertube.Channel{ChannelSummary: peertube.ChannelSummary{Name: d.Channel.Name, DisplayName: d.Channel.DisplayName, URL: d.Channel.URL, Host: d.Channel.Host}, Support: d.Channel.Support}
		files := []*peertube.VideoFile{}
		for i := range d.Files {
			files = append(files, &d.Files[i])
		}
		for i := range d.StreamingPlaylists {
			d.StreamingPlaylists[i].ID = 0
			for j := range d.StreamingPlaylists[i].Files {
				files = append(files, &d.StreamingPlaylists[i].Files[j])
			}
		}
		for _, f := range files {
			f.ID, f.FileDownloadURL, f.TorrentDownloadURL = 0, "", ""
		}
	}
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	if string(a) != string(b) {
		t.Errorf("got %s\nwant %s", a, b)
	}
	again := as[peertube.VideoDetails](s, "/api/v1/videos/"+fmt.Sprint(v.Number))
	if r := again.Renditions(); len(r) != 2 || again.Playable() != nil {
		t.Errorf("a viewer finds %+v", r)
	}
}

// TestRemoteLists checks filters, actors by handle, and that blocks and privacy hide.
func TestRemoteLists(t *testing.T) {
	s, v, d := serveRemote(t)
	s.add("Local", store.Public, 5)
	find := func(text string) string { return "/api/v1/search/videos?search=" + url.QueryEscape(text) }
	const both = "2 Sample video renamed Local"
	check := func(want map[string]string) {
		t.Helper()
		for path, titles := range want {
			total, names := s.list(path)
			if got := fmt.Sprint(total, " ", names); got != titles {
				t.Errorf("%s: got %q, want %q", path, got, titles)
			}
		}
	}
	one, none := "1 "+d.Name, "0 "
	check(map[string]string{
		"/api/v1/videos":                                              both,
		"/api/v1/videos?isLocal=true":                                 "1 Local",
		"/api/v1/videos?isLocal=false":                                one,
		"/api/v1/videos?host=" + farHost:                              one,
		"/api/v1/videos?host=127.0.0.1:9001":                          "1 Local",
		"/api/v1/videos?tagsOneOf=NEWtag&tagsOneOf=other":             one,
		"/api/v1/videos?tagsAllOf[]=newtag&tagsAllOf[]=other":         none,
		"/api/v1/videos?categoryOneOf=2&licenceOneOf=1":               one,
		"/api/v1/videos?languageOneOf=_unknown":                       "1 Local",
		"/api/v1/videos?nsfw=true":                                    none,
		"/api/v1/videos?sort=likes":                                   "2 Local Sample video renamed",
		"/api/v1/accounts/alice@" + farHost + "/videos":               one,
		"/api/v1/video-channels/alice_channel@" + farHost + "/videos": one,
		find(v.ID): one,
		find(far + "/w/" + peertube.ShortUUID(v.UUID)):                                  one,
		find("http://other.example/w/" + peertube.ShortUUID(v.UUID)):                    none,
		find("http://127.0.0.1:9001/videos/watch/4e1f2f28-1822-4544-bf7c-000000000001"): "1 Local",
		find("http://127.0.0.1:9001/about"):                                             none,
	})
	if c := as[peertube.Channel](s, "/api/v1/video-channels/alice_channel@"+farHost); c.DisplayName != d.Channel.DisplayName || c.IsLocal || c.OwnerAccount == nil || c.OwnerAccount.Name != "alice" {
		t.Errorf("the channel is %+v", c)
	}
	if a := as[peertube.Account](s, "/api/v1/accounts/alice@"+farHost); a.Host != farHost || a.FollowersCount != 1 {
		t.Errorf("the account is %+v", a)
	}
	for _, path := range []string{"/api/v1/accounts/alice_channel@" + farHost, "/api/v1/video-channels/alice@" + farHost, "/api/v1/accounts/nobody@" + farHost + "/videos"} {
		if res, _ := s.ask(http.MethodGet, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	// Known, but nobody followed brought it.
	change := func(f func(*store.Tx) error) {
		t.Helper()
		if err := s.db.Write("testing", f); err != nil {
			t.Fatal(err)
		}
	}
	change(func(tx *store.Tx) error { return tx.RemoveSource(v.ID, far+"/accounts/peertube") })
	check(map[string]string{"/api/v1/videos": "1 Local", find(v.ID): one})
	change(func(tx *store.Tx) error {
		return tx.UpdateRemoteVideo(v.ID, func(v *store.RemoteVideo) error { v.Privacy = store.Private; return nil })
	})
	check(map[string]string{find(v.ID): none})
	change(func(tx *store.Tx) error {
		return tx.UpdateRemoteVideo(v.ID, func(v *store.RemoteVideo) error { v.Privacy = store.Public; return nil })
	})
	change(func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: farHost}) })
	check(map[string]string{find(v.ID): none})
	for _, path := range []string{"/api/v1/videos/" + v.UUID, "/api/v1/accounts/alice@" + farHost, "/api/v1/videos/" + v.UUID + "/comment-threads"} {
		if res, _ := s.ask(http.MethodGet, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("of a blocked host: %s: %s", path, res.Status)
		}
	}
}

// talk puts comments on a video: thread 1 by alice with two replies, one of them by a person who is
// not known; thread 4 deleted, with a reply; a thread of this instance's own.
func (s *server) talk(video string) {
	s.t.Helper()
	err := s.db.Write("testing", func(tx *store.Tx) error {
		alice, bob, root := far+"/accounts/alice", "https://c.example/users/bob", "http://127.0.0.1:9001/accounts/root"
		for i, c := range []store.Comment{
			{InReplyTo: video, Author: alice, Text: "one"},
			{InReplyTo: "c1", Author: bob, HTML: "<p>two</p>"},
			{InReplyTo: "c2", Author: alice, Text: "three"},
			{InReplyTo: video, Author: bob, Text: "four"},
			{InReplyTo: "c4", Author: alice, Text: "five"},
			{InReplyTo: video, Author: root, Text: "six", Local: true},
		} {
			c.ID, c.Video, c.Created, c.Updated = fmt.Sprintf("c%d", i+1), video, farTime.Add(time.Duration(i)*time.Minute), farTime
			if err := tx.PutComment(&c); err != nil {
				return err
			}
		}
		return tx.DeleteComment("c4")
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestComments(t *testing.T) {
	s, v, _ := serveRemote(t)
	s.talk(v.ID)
	path := "/api/v1/videos/" + v.UUID + "/comment-threads"
	list := as[commentList](s, path)
	var got []string
	for _, c := range list.Data {
		who := "nobody"
		if c.Account != nil {
			who = c.Account.Name + "@" + c.Account.Host
		}
		got = append(got, fmt.Sprint(c.ID, c.ThreadID, " ", c.Text, " ", who, " ", c.TotalReplies, c.TotalRepliesFromVideoAuthor, c.IsDeleted))
	}
	want := []string{"6 6 six root@127.0.0.1:9001 0 0 false", "4 4  nobody 1 1 true", "1 1 one alice@" + farHost + " 2 1 false"}
	if !reflect.DeepEqual(got, want) || list.Total != 3 || list.TotalNotDeletedComments != 5 {
		t.Errorf("got %q of %d, %d\nwant %q", got, list.Total, list.TotalNotDeletedComments, want)
	}
	if list = as[commentList](s, path+"?sort=-totalReplies&start=1&count=1"); len(list.Data) != 1 || list.Data[0].ID != 4 || list.Total != 3 {
		t.Errorf("a page: %+v", list)
	}
	tree := as[commentTree](s, path+"/1")
	if len(tree.Children) != 1 || tree.Children[0].Comment.Text != "<p>two</p>" || tree.Children[0].Comment.Account.Host != "c.example" || len(tree.Children[0].Children) != 1 {
		t.Fatalf("the thread is %+v", tree)
	}
	if c := tree.Children[0].Children[0].Comment; c.Text != "three" || *c.InReplyToCommentID != 2 || c.ThreadID != 1 || c.VideoID != peertube.Int(v.Number) {
		t.Errorf("the reply is %+v", c)
	}
	for _, bad := range []string{"/2", "/99", "/x", "/-1"} {
		if res, _ := s.ask(http.MethodGet, path+bad); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", bad, res.Status)
		}
	}
	if res, _ := s.ask(http.MethodGet, path+"?sort=name"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("sorted by name: %s", res.Status)
	}
	err := s.db.Write("testing", func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "c.example"}) })
	if tree := as[commentTree](s, path+"/1"); err != nil || len(tree.Children) != 1 || tree.Children[0].Comment.Text != "three" {
		t.Errorf("without a blocked host the thread is %+v", tree)
	}
}

func TestFollows(t *testing.T) {
	s, _, _ := serveRemote(t)
	type list struct {
		Total int
		Data  []follow
	}
	for path, want := range map[string]string{
		"/server/followers":                 "1 peertube@127.0.0.1:9002>peertube@127.0.0.1:9001 accepted",
		"/server/following":                 "2 peertube@127.0.0.1:9001>peertube@127.0.0.1:9002 accepted, peertube@127.0.0.1:9001>peertube@gone.example pending",
		"/server/following?state=pending":   "1 peertube@127.0.0.1:9001>peertube@gone.example pending",
		"/server/following?search=9002":     "1 peertube@127.0.0.1:9001>peertube@127.0.0.1:9002 accepted",
		"/server/following?start=5&count=5": "2 ",
	} {
		l := as[list](s, "/api/v1"+path)
		var all []string
		for _, f := range l.Data {
			all = append(all, f.Follower.Name+"@"+f.Follower.Host+">"+f.Following.Name+"@"+f.Following.Host+" "+f.State)
		}
		if got := fmt.Sprint(l.Total, " ", strings.Join(all, ", ")); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// TestViewsOfRemoteVideosAreTold checks that a view of a remote video is one for its origin.
func TestViewsOfRemoteVideosAreTold(t *testing.T) {
	s, v, _ := serveRemote(t)
	if res, _ := s.ask(http.MethodPost, "/api/v1/videos/"+v.UUID+"/views"); res.StatusCode != http.StatusNoContent {
		t.Fatal(res.Status)
	}
	if err := s.db.AddViews(s.h.TakeViews()); err != nil {
		t.Fatal(err)
	}
	err := s.db.Read(func(tx *store.Tx) error {
		all, err := tx.Changes(10)
		if len(all) != 1 || all[0].Kind != store.Viewed || all[0].Subject != v.ID || string(all[0].New) != `{"views":1}` {
			t.Errorf("logged %+v", all)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
