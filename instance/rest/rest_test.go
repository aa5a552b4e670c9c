// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"shoal/instance/address"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

type server struct {
	t    *testing.T
	base string
	h    *Handler
	db   *store.Store
	ip   string
}

func serve(t *testing.T) *server {
	t.Helper()
	db, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.EnsureRoot(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := db.SetSetting(store.SettingURL, "http://127.0.0.1:9001"); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, db: db, ip: "192.0.2.1"}
	s.h = New(Config{
		Base: "http://127.0.0.1:9001", Name: "Test", Version: "1.2.3", Store: db,
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr(s.ip) },
	})
	r := chi.NewRouter()
	r.Route("/api/v1", s.h.Routes)
	srv := httptest.NewServer(r)
	s.base = srv.URL
	t.Cleanup(func() {
		srv.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *server) add(title string, privacy store.Privacy, duration float64) *store.Video {
	s.t.Helper()
	snap := s.db.Snapshot()
	c, _ := snap.Channel(store.NameChannel)
	n := len(snap.Videos()) + 1
	at := time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)
	v, err := s.db.Publish("", store.Video{
		UUID: fmt.Sprintf("4e1f2f28-1822-4544-bf7c-%012d", n), ChannelID: c.ID, Title: title, Privacy: privacy, Duration: duration,
		Description: strings.Repeat("long ", 60) + title, Tags: []string{"tag of " + title}, Thumbnail: "s.jpg", Preview: "l.jpg",
		Created: at, Updated: at, Published: at,
		Files: []store.File{{
			Name: "d17d1cde-480.mp4", Resolution: 480, Width: 640, Height: 480, FPS: 25, Size: 561385, AudioCodec: "aac", MediaType: "video/mp4",
			Torrent: store.Torrent{Infohash: store.Hash{byte(n)}, File: "0aeff1e0-480.torrent"},
		}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *server) ask(method, path string) (*http.Response, []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, b
}

func captured(t *testing.T, name string) any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Body any }
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c.Body
}

// sameShape reports where got lacks a key of want or has a value of another type. A null fits all;
// of arrays the first elements are compared.
func sameShape(t *testing.T, at string, got, want any) {
	t.Helper()
	if got == nil || want == nil {
		return
	}
	if reflect.TypeOf(got) != reflect.TypeOf(want) {
		t.Errorf("%s is %T, a PeerTube server has %T", at, got, want)
		return
	}
	switch want := want.(type) {
	case map[string]any:
		for key, v := range want {
			g, ok := got.(map[string]any)[key]
			if !ok {
				t.Errorf("%s.%s is missing", at, key)
				continue
			}
			sameShape(t, at+"."+key, g, v)
		}
	case []any:
		if got := got.([]any); len(got) > 0 && len(want) > 0 {
			sameShape(t, at+"[0]", got[0], want[0])
		}
	}
}

// TestShapes compares the keys and types of each answer with a PeerTube server's.
func TestShapes(t *testing.T) {
	s := serve(t)
	s.add("Sample video renamed", store.Public, 12)
	for path, name := range map[string]string{
		"/api/v1/config":                                      "config",
		"/api/v1/videos":                                      "videos",
		"/api/v1/videos/1":                                    "video",
		"/api/v1/search/videos?search=sample":                 "search-videos",
		"/api/v1/accounts/root":                               "account",
		"/api/v1/accounts/root/videos":                        "account-videos",
		"/api/v1/video-channels/root_channel":                 "video-channel",
		"/api/v1/video-channels/root_channel/videos":          "video-channel-videos",
		"/api/v1/videos/00000000-0000-4000-8000-000000000000": "video-404",
		"/api/v1/videos/xx":                                   "video-bad-id",
	} {
		want := captured(t, name)
		res, raw := s.ask(http.MethodGet, path)
		var got any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		sameShape(t, name, got, want)
		status, kind := http.StatusOK, "application/json; charset=utf-8"
		if p, ok := want.(map[string]any)["status"].(float64); ok {
			status, kind = int(p), "application/problem+json; charset=utf-8"
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %v\nwant %v", path, got, want)
			}
		}
		if res.StatusCode != status || res.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %s, %s", path, res.Status, res.Header.Get("Content-Type"))
		}
	}
}

func TestVideo(t *testing.T) {
	s := serve(t)
	v := s.add("Sample video", store.Public, 12.6)
	for _, id := range []string{"1", v.UUID, strings.ToUpper(v.UUID), peertube.ShortUUID(v.UUID)} {
		_, raw := s.ask(http.MethodGet, "/api/v1/videos/"+id)
		var d peertube.VideoDetails
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		f := d.Files[0]
		if d.UUID != v.UUID || d.Duration != 13 || d.AspectRatio != 1.3333 || string(d.Description) != v.Description || len(d.TruncatedDescription) != 250 ||
			d.Tags[0] != v.Tags[0] || string(f.MagnetURI) != address.Base("http://127.0.0.1:9001").Magnet(v.Title, &v.Files[0]) ||
			f.FileDownloadURL != peertube.NullString("http://127.0.0.1:9001/download/web-videos/"+v.UUID+"-480.mp4") || f.Resolution.Label != "480p" {
			t.Errorf("%s: %+v", id, d)
		}
		if r := d.Renditions(); len(r) != 1 || r[0].Height != 480 {
			t.Errorf("%s: a viewer finds %+v", id, r)
		}
	}
	_, raw := s.ask(http.MethodGet, "/api/v1/videos/1/description")
	var d struct{ Description string }
	if err := json.Unmarshal(raw, &d); err != nil || d.Description != v.Description {
		t.Errorf("description: %s", raw)
	}
}

func (s *server) list(path string) (total int, titles string) {
	s.t.Helper()
	res, raw := s.ask(http.MethodGet, path)
	var l peertube.VideoList
	if err := json.Unmarshal(raw, &l); err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", path, res.Status, err)
	}
	var names []string
	for _, v := range l.Data {
		names = append(names, v.Name)
	}
	return int(l.Total), strings.Join(names, " ")
}

func TestListsPageSortAndHide(t *testing.T) {
	s := serve(t)
	for i, title := range []string{"delta", "Alpha", "charlie", "bravo"} {
		s.add(title, store.Public, float64(10-i))
	}
	s.add("unlisted", store.Unlisted, 1)
	s.add("private", store.Private, 1)
	if err := s.db.AddViews(map[uint64]int64{2: 5, 1: 1}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/v1/videos":                                            "4 bravo charlie Alpha delta",
		"/api/v1/videos?sort=publishedAt":                           "4 delta Alpha charlie bravo",
		"/api/v1/videos?sort=name":                                  "4 Alpha bravo charlie delta",
		"/api/v1/videos?sort=-name&start=1&count=2":                 "4 charlie bravo",
		"/api/v1/videos?sort=duration":                              "4 bravo charlie Alpha delta",
		"/api/v1/videos?sort=-views&count=2":                        "4 Alpha delta",
		"/api/v1/videos?start=4":                                    "4 ",
		"/api/v1/videos?start=9223372036854775807&count=100":        "4 ",
		"/api/v1/videos?count=0":                                    "4 ",
		"/api/v1/videos?isLocal=false":                              "0 ",
		"/api/v1/videos?nsfw=both&unknown=1":                        "4 bravo charlie Alpha delta",
		"/api/v1/search/videos?search=ALPHA":                        "1 Alpha",
		"/api/v1/search/videos?search=tag+of+charlie":               "1 charlie",
		"/api/v1/search/videos?search=unlisted":                     "0 ",
		"/api/v1/search/videos?search=nothing":                      "0 ",
		"/api/v1/search/videos?search=&sort=-match&count=1":         "4 bravo",
		"/api/v1/accounts/root/videos?sort=name&count=1":            "4 Alpha",
		"/api/v1/accounts/root@127.0.0.1:9001/videos?count=1":       "4 bravo",
		"/api/v1/video-channels/root_channel/videos?sort=createdAt": "4 delta Alpha charlie bravo",
	} {
		total, titles := s.list(path)
		if got := fmt.Sprint(total, " ", titles); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]int{
		"/api/v1/videos/5": 200, "/api/v1/videos/6": 404, "/api/v1/videos/6/description": 404, "/api/v1/videos/99": 404,
		"/api/v1/accounts/nobody": 404, "/api/v1/accounts/root@other.example": 404, "/api/v1/video-channels/root/videos": 404, "/api/v1/nothing": 404,
	} {
		if res, _ := s.ask(http.MethodGet, path); res.StatusCode != want || (want == 404 && !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json")) {
			t.Errorf("%s: %s, %s", path, res.Status, res.Header.Get("Content-Type"))
		}
	}
}

func TestBadPages(t *testing.T) {
	s := serve(t)
	for query, name := range map[string]string{
		"start=-1": "start", "start=x": "start", "count=101": "count", "count=-1": "count", "count=1.5": "count", "sort=-": "sort", "sort=size": "sort",
	} {
		res, raw := s.ask(http.MethodGet, "/api/v1/videos?"+query)
		var p peertube.Problem
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		if in := p.InvalidParams[name]; res.StatusCode != http.StatusBadRequest || in.Location != "query" || p.Detail != "Incorrect request parameters: "+name || p.Title != "Bad Request" {
			t.Errorf("%s: %s %s", query, res.Status, raw)
		}
	}
}

func TestViewsCountOnceAnHour(t *testing.T) {
	s := serve(t)
	s.add("video", store.Public, 12)
	s.add("private", store.Private, 12)
	for _, ip := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		s.ip = ip
		if res, body := s.ask(http.MethodPost, "/api/v1/videos/1/views"); res.StatusCode != http.StatusNoContent || len(body) != 0 {
			t.Errorf("%s %s", res.Status, body)
		}
	}
	if res, _ := s.ask(http.MethodPost, "/api/v1/videos/2/views"); res.StatusCode != http.StatusNotFound {
		t.Errorf("private: %s", res.Status)
	}
	if got := s.h.TakeViews(); !reflect.DeepEqual(got, map[uint64]int64{1: 2}) {
		t.Errorf("got %v", got)
	}
	if got := s.h.TakeViews(); len(got) != 0 {
		t.Errorf("taken twice: %v", got)
	}
}

// FuzzPage checks that every page that is accepted can be cut out of a list.
func FuzzPage(f *testing.F) {
	f.Add("start=1&count=2&sort=-name")
	f.Add("start=9223372036854775807&count=100&sort=views")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		p, bad := parsePage(q)
		if bad != nil {
			if bad.Message == "" || bad.Path == "" {
				t.Fatalf("%q: no reason: %+v", raw, bad)
			}
			return
		}
		if p.start < 0 || p.count < 0 || p.count > maxCount {
			t.Fatalf("%q: %+v", raw, p)
		}
	})
}
