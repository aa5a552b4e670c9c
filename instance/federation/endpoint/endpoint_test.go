// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/federation/endpoint"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

const (
	base    = address.Base("https://tube.example")
	uuid    = "4e1f2f28-1822-4544-bf7c-52e111041379"
	id      = "https://tube.example/videos/watch/" + uuid
	root    = "https://tube.example/accounts/root"
	channel = "https://tube.example/video-channels/root_channel"
	far     = "https://far.example/accounts/bob"
)

type site struct {
	t      *testing.T
	store  *store.Store
	router chi.Router
	video  *store.Video
}

func now() time.Time { return time.Date(2026, 11, 22, 15, 26, 11, 0, time.UTC) }

// fresh is the database of a first start. Its keys take a while to make: they are made once.
func fresh(t *testing.T) []byte {
	t.Helper()
	b, err := first()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var first = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "endpoint")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.SetSetting(store.SettingURL, string(base)), s.EnsureRoot(now()), s.Close())
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.FileName))
})

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.FileName), fresh(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	page := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, text)
		})
	}
	x := &site{t: t, store: s, router: chi.NewRouter()}
	endpoint.New(endpoint.Config{
		Store: s, Base: base, Name: "The Tube", Version: "1.2.3", VideoPage: page("video page"), ActorPage: page("actor page"),
	}).Routes(x.router)
	x.video = x.publish(uuid, store.Public)
	return x
}

func (x *site) publish(uuid string, privacy store.Privacy) *store.Video {
	x.t.Helper()
	c, _ := x.store.Snapshot().Channel(store.NameChannel)
	v, err := x.store.Publish("", store.Video{
		UUID: uuid, ChannelID: c.ID, Title: "A video", Privacy: privacy, Duration: 4, Thumbnail: "t.jpg", Preview: "p.jpg",
		Created: now(), Updated: now(), Published: now(),
		Files: []store.File{{Name: "a.mp4", Height: 480, Width: 640, Size: 5, MediaType: "video/mp4", Torrent: store.Torrent{File: "a.torrent"}}},
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return v
}

func (x *site) write(f func(*store.Tx) error) {
	x.t.Helper()
	if err := x.store.Write("testing", f); err != nil {
		x.t.Fatal(err)
	}
}

const activityJSON = "application/activity+json"

func (x *site) get(path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	x.router.ServeHTTP(w, r)
	return w
}

// object gets an ActivityPub address of this site.
func (x *site) object(address string) map[string]any {
	x.t.Helper()
	w := x.get(strings.TrimPrefix(address, string(base)), activityJSON)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/activity+json; charset=utf-8" {
		x.t.Fatalf("%s: %d %s %s", address, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		x.t.Fatal(err)
	}
	if m["@context"] == nil {
		x.t.Errorf("%s: no context", address)
	}
	if !strings.Contains(address, "/w/") && m["id"] != address {
		x.t.Errorf("%s has the id %v", address, m["id"])
	}
	return m
}

// items walks a collection and returns its items; each page must tell the same number of them in all.
func (x *site) items(address string) []any {
	x.t.Helper()
	c := x.object(address)
	total, ok := c["totalItems"].(float64)
	if !ok || c["type"] != "OrderedCollection" {
		x.t.Fatalf("%s: %v", address, c)
	}
	var all []any
	next, _ := c["first"].(string)
	for next != "" {
		p := x.object(next)
		if p["totalItems"] != total || p["partOf"] != address || p["type"] != "OrderedCollectionPage" {
			x.t.Errorf("%s: %v", next, p)
		}
		all = append(all, p["orderedItems"].([]any)...)
		next, _ = p["next"].(string)
	}
	if len(all) != int(total) {
		x.t.Errorf("%s: %d items of %v", address, len(all), total)
	}
	return all
}

func TestWebfinger(t *testing.T) {
	x := newSite(t)
	for resource, want := range map[string]string{
		"acct:root@tube.example":         root,
		"acct:root@TUBE.example":         root,
		"acct:root_channel@tube.example": channel,
		"acct:peertube@tube.example":     "https://tube.example/accounts/peertube",
		root:                             root,
		channel:                          channel,
	} {
		w := x.get("/.well-known/webfinger?resource="+url.QueryEscape(resource), "")
		var answer struct {
			Subject string
			Links   []struct{ Rel, Type, Href string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", resource, w.Code, w.Body)
			continue
		}
		if self := answer.Links[0]; self.Rel != "self" || self.Type != activityJSON || self.Href != want || !strings.HasPrefix(answer.Subject, "acct:") {
			t.Errorf("%s: %s", resource, w.Body)
		}
	}
	for resource, want := range map[string]int{
		"acct:nobody@tube.example": 404, "acct:root@other.example": 400, "": 400, "root": 400, "acct:@tube.example": 400,
		"https://tube.example/accounts/nobody": 404, "https://tube.example/videos/watch/x": 400,
	} {
		if w := x.get("/.well-known/webfinger?resource="+url.QueryEscape(resource), ""); w.Code != want {
			t.Errorf("%s: %d", resource, w.Code)
		}
	}
}

func TestHostMetaAndNodeinfo(t *testing.T) {
	x := newSite(t)
	var meta struct {
		Link struct {
			Rel      string `xml:"rel,attr"`
			Template string `xml:"template,attr"`
		}
	}
	if err := xml.Unmarshal(x.get("/.well-known/host-meta", "").Body.Bytes(), &meta); err != nil || meta.Link.Template != string(base)+"/.well-known/webfinger?resource={uri}" {
		t.Errorf("host-meta %+v, %v", meta, err)
	}
	var links struct{ Links []struct{ Rel, Href string } }
	if err := json.Unmarshal(x.get("/.well-known/nodeinfo", "application/json").Body.Bytes(), &links); err != nil {
		t.Fatal(err)
	}
	if len(links.Links) != 3 || links.Links[2].Rel != "https://www.w3.org/ns/activitystreams#Application" || links.Links[2].Href != base.Actor() {
		t.Errorf("links %+v", links)
	}
	for i, version := range []string{"2.0", "2.1"} {
		var info struct {
			Version   string
			Software  struct{ Name, Version string }
			Protocols []string
			Usage     struct {
				Users      struct{ Total int }
				LocalPosts int
			}
			Metadata struct{ NodeName string }
		}
		w := x.get(strings.TrimPrefix(links.Links[i].Href, string(base)), "")
		if err := json.Unmarshal(w.Body.Bytes(), &info); err != nil {
			t.Fatal(err)
		}
		if info.Version != version || info.Software.Name != "shoal" || info.Software.Version != "1.2.3" || info.Usage.LocalPosts != 1 || info.Usage.Users.Total != 1 ||
			info.Metadata.NodeName != "The Tube" || !strings.Contains(w.Header().Get("Content-Type"), "/schema/"+version+"#") {
			t.Errorf("%s: %s", version, w.Body)
		}
	}
}

func TestPeopleGetPages(t *testing.T) {
	x := newSite(t)
	short := "/w/" + peertube.ShortUUID(uuid)
	const firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct{ path, accept, want string }{
		{short, firefox, "text/html"},
		{"/videos/watch/" + uuid, firefox, "text/html"},
		{"/accounts/root", firefox, "text/html"},
		{"/video-channels/root_channel", "*/*", "text/html"},
		{"/videos/watch/" + uuid, "", "text/html"},
		{short, activityJSON, activityJSON},
		{"/videos/watch/" + uuid, `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`, activityJSON},
		{"/accounts/root", "application/activity+json, application/ld+json", activityJSON},
		{"/accounts/root", "application/activity+json;q=0.9, text/html;q=0.5", activityJSON},
		{"/accounts/root", "application/activity+json;q=0.1, text/html", "text/html"},
		{"/accounts/root", "application/activity+json;q=0", "text/html"},
	} {
		w := x.get(test.path, test.accept)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), test.want) || w.Header().Get("Vary") != "Accept" {
			t.Errorf("%s for %q: %d %s", test.path, test.accept, w.Code, w.Header())
		}
	}
}

func TestActors(t *testing.T) {
	x := newSite(t)
	for _, address := range []string{base.Actor(), root, channel} {
		a, err := vocab.ParseActor(x.get(strings.TrimPrefix(address, string(base)), activityJSON).Body.Bytes())
		if err != nil || a.ID != address {
			t.Errorf("%s: %+v, %v", address, a, err)
		}
	}
	for _, path := range []string{"/accounts/nobody", "/accounts/root_channel", "/video-channels/root", "/accounts/root@other.example", "/accounts/nobody/outbox", "/video-channels/x/followers"} {
		if w := x.get(path, activityJSON); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if _, err := x.store.AddAccount(store.Account{Name: "carol"}, now()); err != nil {
		t.Fatal(err)
	}
	x.write(func(tx *store.Tx) error { return tx.DeleteAccount("carol") })
	for _, path := range []string{"/accounts/carol", "/accounts/carol/outbox"} {
		if w := x.get(path, activityJSON); w.Code != http.StatusGone || !strings.Contains(w.Body.String(), `"formerType":"Person"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodHead, "/accounts/root", nil)
	r.Header.Set("Accept", activityJSON)
	w := httptest.NewRecorder()
	if x.router.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func TestOutboxes(t *testing.T) {
	x := newSite(t)
	x.publish("5352130f-6fa5-4c0c-82e4-c95cf74aea1f", store.Unlisted)
	x.publish("5352130f-6fa5-4c0c-82e4-c95cf74aea1e", store.Private)
	for range 44 {
		x.publish("00000000-0000-4000-8000-"+fmt.Sprintf("%012d", len(x.store.Snapshot().Videos())), store.Public)
	}
	for address, want := range map[string]string{root: "Create", channel: "Announce", base.Actor(): "Announce"} {
		all := x.items(address + "/outbox")
		if len(all) != 45 {
			t.Errorf("%s: %d", address, len(all))
		}
		first, last := all[0].(map[string]any), all[44].(map[string]any)
		if first["type"] != want || first["actor"] != address || first["@context"] != nil {
			t.Errorf("%s: %v", address, first)
		}
		object := last["object"]
		if want == "Create" {
			object = object.(map[string]any)["id"]
		}
		if object != id {
			t.Errorf("%s: last %v", address, last)
		}
		// What the outbox has can be asked for alone.
		again := x.object(fmt.Sprint(last["id"]))
		if again["type"] != want || again["actor"] != address {
			t.Errorf("%v: %v", last["id"], again)
		}
	}
}

// elsewhere is a public video of another instance, brought by its channel.
func elsewhere(host, uuid string) *store.RemoteVideo {
	return &store.RemoteVideo{
		ID: "https://" + host + "/videos/watch/1", UUID: uuid, Host: host, Privacy: store.Public, Sources: []string{"https://" + host + "/video-channels/c"},
	}
}

// TestAnybodyCouldHavePeopleSentAnywhere checks that what nobody asked for, and what is of a blocked
// host, is redirected to nowhere.
func TestAnybodyCouldHavePeopleSentAnywhere(t *testing.T) {
	x := newSite(t)
	const one = "9da9d5df-469c-4871-90a0-0476d8c72b58"
	answers := func(want int) {
		t.Helper()
		if w := x.get("/w/"+one, activityJSON); w.Code != want {
			t.Errorf("%d, want %d", w.Code, want)
		}
	}
	x.write(func(tx *store.Tx) error { return tx.PutRemoteVideo(elsewhere("far.example", one)) })
	answers(http.StatusNotFound)
	x.write(func(tx *store.Tx) error {
		return tx.PutFollowing(&store.Follow{ID: "f", Local: base.Actor(), Remote: "https://far.example/video-channels/c", Host: "far.example", State: store.FollowAccepted})
	})
	answers(http.StatusFound)
	x.write(func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "far.example"}) })
	answers(http.StatusNotFound)
}

func TestVideosThatAreNotForOthers(t *testing.T) {
	x := newSite(t)
	private := x.publish("5352130f-6fa5-4c0c-82e4-c95cf74aea1e", store.Private)
	deleted := x.publish("5352130f-6fa5-4c0c-82e4-c95cf74aea1d", store.Public)
	unlisted := x.publish("5352130f-6fa5-4c0c-82e4-c95cf74aea1f", store.Unlisted)
	x.write(func(tx *store.Tx) error {
		if _, err := tx.DeleteVideo(deleted.ID, now()); err != nil {
			return err
		}
		return tx.PutFollowing(&store.Follow{ID: "f", Local: base.Actor(), Remote: "https://far.example/video-channels/c", Host: "far.example", State: store.FollowAccepted})
	})
	x.write(func(tx *store.Tx) error {
		return tx.PutRemoteVideo(elsewhere("far.example", "9da9d5df-469c-4871-90a0-0476d8c72b58"))
	})
	for _, path := range []string{"", "/likes", "/dislikes", "/announces", "/comments", "/chapters", "/activity", "/announces/peertube", "/comments/1"} {
		for uuid, want := range map[string]int{
			private.UUID: 404, deleted.UUID: 410, "00000000-0000-4000-8000-000000000000": 404, "x": 404, "9da9d5df-469c-4871-90a0-0476d8c72b58": 302,
		} {
			if path == "/comments/1" {
				want = 404
			}
			w := x.get("/videos/watch/"+uuid+path, activityJSON)
			if w.Code != want {
				t.Errorf("%s%s: %d", uuid, path, w.Code)
			}
			if want == 410 && !strings.Contains(w.Body.String(), `"Tombstone"`) || want == 302 && w.Header().Get("Location") != "https://far.example/videos/watch/1" {
				t.Errorf("%s%s: %s %v", uuid, path, w.Body, w.Header())
			}
		}
	}
	if m := x.object(base.Video(unlisted.UUID)); m["type"] != "Video" || len(m["to"].([]any)) != 0 {
		t.Errorf("unlisted: %v", m)
	}
	if n := len(x.items(base.Video(unlisted.UUID) + "/announces")); n != 0 {
		t.Errorf("unlisted: %d announces", n)
	}
}

func TestVideoAndItsCollections(t *testing.T) {
	x := newSite(t)
	v, err := vocab.ParseVideo(x.get("/videos/watch/"+strings.ToUpper(uuid), activityJSON).Body.Bytes())
	if err != nil || v.ID != id {
		t.Fatalf("%+v, %v", v, err)
	}
	for _, address := range []string{v.Likes, v.Dislikes, v.Comments} {
		if all := x.items(address); len(all) != 0 {
			t.Errorf("%s: %v", address, all)
		}
	}
	if m := x.object(v.HasParts); m["totalItems"] != 0.0 || len(m["hasPart"].([]any)) != 0 {
		t.Errorf("chapters %v", m)
	}
	// Shares of a video from before there was a fediverse here.
	for i, want := range []string{channel, base.Actor()} {
		share := x.object(fmt.Sprint(x.items(v.Shares)[i]))
		if share["type"] != "Announce" || share["actor"] != want || share["object"] != id {
			t.Errorf("share %v", share)
		}
	}
	comments := make([]any, 0, 50)
	x.write(func(tx *store.Tx) error {
		if _, err := tx.SetRate(id, far, 1, far+"/likes/1"); err != nil {
			return err
		}
		if _, err := tx.SetRate(id, root, -1, root+"/dislikes/7"); err != nil {
			return err
		}
		if err := tx.PutShare(id, channel, id+"/announces/root_channel/1-2"); err != nil {
			return err
		}
		if err := tx.PutShare(id, far, far+"/announces/1"); err != nil {
			return err
		}
		for i := range 50 {
			c := store.Comment{ID: fmt.Sprintf("%s/comments/%d", id, i), Video: id, InReplyTo: id, Author: root, Text: "hi", Local: true, Created: now()}
			if i%2 == 1 {
				c.ID, c.Author, c.Local = fmt.Sprintf("https://far.example/c/%d", i), far, false
			}
			comments = append(comments, c.ID)
			if err := tx.PutComment(&c); err != nil {
				return err
			}
		}
		return nil
	})
	if all := x.items(v.Likes); !reflect.DeepEqual(all, []any{far + "/likes/1"}) {
		t.Errorf("likes %v", all)
	}
	if all := x.items(v.Dislikes); !reflect.DeepEqual(all, []any{root + "/dislikes/7"}) {
		t.Errorf("dislikes %v", all)
	}
	if all := x.items(v.Comments); !reflect.DeepEqual(all, comments) {
		t.Errorf("comments %v", all)
	}
	shares := x.items(v.Shares)
	if len(shares) != 3 || !strings.Contains(fmt.Sprint(shares), "announces/root_channel/1-2") || !strings.Contains(fmt.Sprint(shares), far+"/announces/1") {
		t.Errorf("shares %v", shares)
	}
	if m := x.object(id + "/announces/root_channel/1-2"); m["actor"] != channel {
		t.Errorf("share %v", m)
	}
	if m := x.object(root + "/dislikes/7"); m["type"] != "Dislike" || m["object"] != id {
		t.Errorf("dislike %v", m)
	}
	for _, path := range []string{root + "/likes/7", root + "/dislikes/8", id + "/announces/x"} {
		if w := x.get(strings.TrimPrefix(path, string(base)), activityJSON); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, page := range []string{"0", "-1", "x", "99999999999999999999"} {
		if w := x.get("/videos/watch/"+uuid+"/comments?page="+page, activityJSON); w.Code != http.StatusBadRequest {
			t.Errorf("page %s: %d", page, w.Code)
		}
	}
	if p := x.object(v.Comments + "?page=999"); len(p["orderedItems"].([]any)) != 0 || p["next"] != nil {
		t.Errorf("a page behind the last: %v", p)
	}
	if m := x.object(id + "/activity"); m["type"] != "Create" || m["actor"] != root {
		t.Errorf("create %v", m)
	}
	x.object(id + "/activity/2026-11-22T15:26:11.000Z-3")
	x.object("https://tube.example/w/" + peertube.ShortUUID(uuid))
}

func TestComments(t *testing.T) {
	x := newSite(t)
	mine, elsewhere := id+"/comments/1", base.Video("9da9d5df-469c-4871-90a0-0476d8c72b58")+"/comments/2"
	x.write(func(tx *store.Tx) error {
		if err := tx.PutActor(&store.Actor{ID: far, Host: "far.example", Username: "bob"}); err != nil {
			return err
		}
		for _, c := range []store.Comment{
			{ID: "https://far.example/c/1", Video: id, InReplyTo: id, Author: far, Text: "first", Created: now()},
			{ID: mine, Video: id, InReplyTo: "https://far.example/c/1", Author: root, Text: "second", Local: true, Created: now(), Updated: now()},
			{ID: id + "/comments/3", Video: id, InReplyTo: mine, Author: root, Text: "third", Local: true, Created: now(), Updated: now()},
			{ID: elsewhere, Video: "https://far.example/v", InReplyTo: "https://far.example/v", Author: root, Text: "there", Local: true, Created: now(), Updated: now()},
		} {
			if err := tx.PutComment(&c); err != nil {
				return err
			}
		}
		return nil
	})
	m := x.object(mine)
	if m["type"] != "Note" || m["content"] != "second" || m["attributedTo"] != root || m["tag"].([]any)[0].(map[string]any)["name"] != "@bob@far.example" {
		t.Errorf("comment %v", m)
	}
	if m := x.object(elsewhere); m["inReplyTo"] != "https://far.example/v" {
		t.Errorf("comment %v", m)
	}
	if m := x.object(mine + "/activity"); m["type"] != "Create" || m["object"].(map[string]any)["id"] != mine {
		t.Errorf("create %v", m)
	}
	x.write(func(tx *store.Tx) error { return tx.DeleteComment(mine) })
	if m := x.object(mine); m["type"] != "Tombstone" || m["formerType"] != "Note" || m["deleted"] == nil || m["content"] != nil {
		t.Errorf("deleted comment %v", m)
	}
	if w := x.get("/videos/watch/"+uuid+"/comments/99", activityJSON); w.Code != http.StatusNotFound {
		t.Errorf("no comment: %d", w.Code)
	}
}

func TestFollows(t *testing.T) {
	x := newSite(t)
	x.write(func(tx *store.Tx) error {
		for i := range 25 {
			f := store.Follow{ID: fmt.Sprintf("https://h%02d.example/1", i), Local: root, Remote: fmt.Sprintf("https://h%02d.example/a", i), Host: "h", State: store.FollowAccepted}
			if i == 3 {
				f.State = store.FollowPending
			}
			if err := tx.PutFollower(&f); err != nil {
				return err
			}
		}
		f := store.Follow{ID: base.Actor() + "/follows/1", Local: base.Actor(), Remote: far, Host: "far.example", State: store.FollowAccepted}
		return tx.PutFollowing(&f)
	})
	if all := x.items(root + "/followers"); len(all) != 24 || all[0] != "https://h00.example/a" {
		t.Errorf("followers %v", all)
	}
	if all := x.items(base.Actor() + "/following"); !reflect.DeepEqual(all, []any{far}) {
		t.Errorf("following %v", all)
	}
	if all := x.items(channel + "/followers"); len(all) != 0 {
		t.Errorf("followers %v", all)
	}
	if m := x.object(base.Actor() + "/follows/1"); m["type"] != "Follow" || m["object"] != far {
		t.Errorf("follow %v", m)
	}
}
