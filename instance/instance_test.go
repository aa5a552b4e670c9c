// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"shoal/instance/publish"
	"shoal/instance/store"
)

func TestFirstStart(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	if r.URL() != "http://"+r.Listen() || strings.HasSuffix(r.URL(), ":0") {
		t.Errorf("URL %s, listen %s", r.URL(), r.Listen())
	}
	if r.ActorURL() != r.URL()+"/accounts/peertube" || r.AccountURL() != r.URL()+"/accounts/root" || r.ChannelURL() != r.URL()+"/video-channels/root_channel" {
		t.Errorf("actors %s, %s, %s", r.ActorURL(), r.AccountURL(), r.ChannelURL())
	}
	for _, path := range []string{"/", "/api/v1/config", "/api/v1/videos", "/api/v1/accounts/root", "/api/v1/video-channels/root_channel"} {
		if res, body := r.request(http.MethodGet, path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}

func TestRestartKeepsURLAndSeedsWithoutHashing(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Config{Dir: dir}, nil)
	was := r.URL()
	good, gone, changed, private := r.add("good", store.Public), r.add("gone", store.Public), r.add("changed", store.Unlisted), r.add("private", store.Private)
	tampered, restored := r.add("tampered", store.Public), r.add("restored", store.Public)
	r.stop()
	if err := os.Remove(filepath.Join(dir, publish.MediaDir, gone.Files[0].Name)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, publish.MediaDir, changed.Files[0].Name), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	for v, text := range map[*store.Video]string{tampered: strings.ToUpper(media), restored: media} { // same sizes, other times
		path := filepath.Join(dir, publish.MediaDir, v.Files[0].Name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, time.Time{}, time.Unix(1e9, 0))); err != nil {
			t.Fatal(err)
		}
	}
	e := &fakeEngine{}
	r = start(t, Config{Dir: dir}, e)
	if r.URL() != was {
		t.Errorf("URL %s, was %s", r.URL(), was)
	}
	eventually(t, "the restored file is checked and seeded", func() bool {
		return e.infohashes()[restored.Files[0].Infohash.String()] != "" && len(r.Problems()) == 3
	})
	got := e.infohashes()
	if len(got) != 2 || got[good.Files[0].Infohash.String()] != filepath.Join(dir, publish.MediaDir, good.Files[0].Name) {
		t.Errorf("seeded %v, want %s and %s", got, good.Files[0].Infohash, restored.Files[0].Infohash)
	}
	if trackers := e.files[0].Trackers; len(trackers) != 2 || trackers[0] != "ws"+was[4:]+"/tracker/socket" {
		t.Errorf("trackers %v", trackers)
	}
	for _, p := range r.Problems() {
		want := map[string]string{gone.UUID: "is missing", changed.UUID: "changed since", tampered.UUID: "changed since"}[p.UUID]
		if want == "" || !strings.Contains(p.Text, want) {
			t.Errorf("problem %+v", p)
		}
	}
	if _, ok := r.Local(private.UUID); !ok {
		t.Error("the private video is not found on its own machine")
	}
	r.stop()
	e = &fakeEngine{}
	r = start(t, Config{Dir: dir}, e)
	if e.infohashes()[restored.Files[0].Infohash.String()] == "" { // before Ready: it was not hashed again
		t.Error("the restored file's time was not noted")
	}
}

func TestRenameKeepsOldSwarms(t *testing.T) {
	e := &fakeEngine{}
	r := start(t, Config{Dir: t.TempDir()}, e)
	v := r.add("before", store.Public)
	old := v.Files[0].Infohash
	p, err := r.Rename(t.Context(), v.UUID, "after")
	if err != nil {
		t.Fatal(err)
	}
	if p.Infohash == old.String() || !strings.Contains(p.Magnet, "dn=after") {
		t.Errorf("renamed to %+v", p)
	}
	for _, infohash := range []string{old.String(), p.Infohash} {
		if e.infohashes()[infohash] == "" {
			t.Errorf("%s is not seeded", infohash)
		}
		l, ok := r.Local(infohash)
		if !ok || l.Title != "after" || l.Infohash != infohash {
			t.Errorf("local %s: %+v, %v", infohash, l, ok)
		}
		var h store.Hash
		if err := h.UnmarshalText([]byte(infohash)); err != nil {
			t.Fatal(err)
		}
		q := url.Values{"info_hash": {string(h[:])}, "peer_id": {"-TT0001-000000000001"}, "port": {"1"}, "left": {"1"}}
		if _, body := r.request(http.MethodGet, "/tracker/announce?"+q.Encode()); strings.Contains(body, "failure") {
			t.Errorf("the tracker says %q of %s", body, infohash)
		}
		if l, _ := r.Local(infohash); l.Tracked != (TrackerStats{Leechers: 1}) {
			t.Errorf("the tracker counts %+v of %s", l.Tracked, infohash)
		}
	}
	if _, body := r.request(http.MethodGet, "/api/v1/videos/"+v.UUID); !strings.Contains(body, `"viewers":1,`) {
		t.Errorf("the viewers are not told: %s", body)
	}
	if res, _ := r.request(http.MethodGet, "/lazy-static/torrents/"+v.Files[0].Torrent.File); res.StatusCode != http.StatusOK {
		t.Errorf("the old torrent: %s", res.Status)
	}
	if _, err := r.Rename(t.Context(), v.UUID, "x"); err == nil || !strings.Contains(err.Error(), "3 to 120") {
		t.Errorf("a short title: %v", err)
	}
	back, err := r.Rename(t.Context(), v.UUID, "before")
	if err != nil || back.Infohash != old.String() {
		t.Errorf("renamed back: %+v, %v", back, err)
	}
}

func TestTrackerSocketIsServed(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("shown", store.Public)
	ws, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(r.URL(), "http")+"/tracker/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if res.Body != nil {
		_ = res.Body.Close()
	}
	var h []rune // each character stands for a byte
	for _, b := range v.Files[0].Infohash {
		h = append(h, rune(b))
	}
	request, err := json.Marshal(map[string]any{"action": "announce", "info_hash": string(h), "peer_id": "-TT0001-000000000001", "left": 0})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(t.Context(), websocket.MessageText, request); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := ws.Read(t.Context()); err != nil || !strings.Contains(string(answer), `"complete":1,"incomplete":0,`) {
		t.Errorf("the tracker says %q, %v", answer, err)
	}
	if l, _ := r.Local(v.UUID); l.Tracked != (TrackerStats{Seeders: 1, Downloads: 1}) {
		t.Errorf("the tracker counts %+v", l.Tracked)
	}
}

func TestTrackerRefusesWhatIsNotServed(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	h := r.add("hidden", store.Private).Files[0].Infohash
	q := url.Values{"info_hash": {string(h[:])}, "peer_id": {"-TT0001-000000000001"}, "port": {"1"}}
	if _, body := r.request(http.MethodGet, "/tracker/announce?"+q.Encode()); !strings.Contains(body, "Unknown infoHash "+h.String()) {
		t.Errorf("got %q", body)
	}
}

func TestPublicationsFailingLaterLeaveNothing(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir(), FFmpeg: "no-such-ffmpeg", FFprobe: "no-such-ffprobe"}, nil)
	file := filepath.Join(t.TempDir(), "v.mp4")
	if err := os.WriteFile(file, []byte("something"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, req := range map[string]PublishRequest{
		"install FFmpeg":       {File: file, Title: "Title"},
		"3 to 120":             {File: file, Title: "T"},
		"no channel \"other\"": {File: file, Title: "Title", Channel: "other"},
		"no privacy":           {File: file, Title: "Title", Privacy: "secret"},
		"no file":              {File: file + "x", Title: "Title"},
		"is no file":           {File: filepath.Dir(file), Title: "Title"},
		"at most 5":            {File: file, Title: "Title", Tags: strings.Split("aa bb cc dd ee ff", " ")},
		"the tag \"a\"":        {File: file, Title: "Title", Tags: []string{"a"}},
	} {
		_, err := r.Publish(t.Context(), req, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", want, err)
		}
	}
	if n := len(r.store.Snapshot().Videos()); n != 0 {
		t.Errorf("%d videos", n)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Config{Dir: dir}, nil)
	_, port, _ := net.SplitHostPort(r.Listen())
	fail := func(cfg Config, want string) {
		t.Helper()
		i, err := Open(t.Context(), cfg)
		if err == nil {
			_ = i.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", cfg, err, want)
		}
	}
	fail(Config{Dir: dir, Listen: "127.0.0.1:0", Dev: true}, "in use by another Shoal")
	fail(Config{Dir: t.TempDir(), Listen: r.Listen(), Dev: true}, "port "+port+" is taken")
	fail(Config{Dir: t.TempDir(), Listen: "nonsense", Dev: true}, "HOST:PORT")
	fail(Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"}, "give it with --url")
	r.stop()
	fail(Config{Dir: dir, Listen: "127.0.0.1:0", Dev: true, URL: "http://127.0.0.1:1"}, "belongs to "+r.URL())
	fail(Config{Dir: dir, Listen: "127.0.0.1:0", URL: "https://video.example"}, "belongs to "+r.URL())
	i, err := Open(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0", Dev: true, URL: "http://127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if i.URL() != r.URL() {
		t.Errorf("port 0 became %s, was %s", i.URL(), r.URL())
	}
	if err := errors.Join(i.Close(), i.Close()); err != nil {
		t.Error(err)
	}
}

func TestPublicURLRules(t *testing.T) {
	for _, c := range []struct {
		url  string
		dev  bool
		want string // the URL, or part of the error
	}{
		{"https://Video.Example.org/", false, "https://video.example.org"},
		{"https://video.example.org:443", false, "https://video.example.org"},
		{"https://video.example.org:8443", false, "has a port"},
		{"http://video.example.org", false, "is not https"},
		{"https://localhost", false, "cannot be reached"},
		{"https://192.168.1.2", false, "cannot be reached"},
		{"https://203.0.113.9", false, "https://203.0.113.9"},
		{"https://video", false, "cannot be reached"},
		{"https://video.example.org/path", false, "more than a host"},
		{"https://user@video.example.org", false, "more than a host"},
		{"video.example.org", false, "is no address"},
		{"ftp://video.example.org", false, "is no address"},
		{"http://video.example.org", true, "--dev must not serve"},
		{"https://203.0.113.9", true, "--dev must not serve"},
		{"http://127.0.0.1:9001", true, "http://127.0.0.1:9001"},
		{"http://[::1]:9001", true, "http://[::1]:9001"},
		{"http://192.168.1.2", true, "http://192.168.1.2"},
		{"http://LOCALHOST:80", true, "http://localhost"},
		{"http://media.local:9001", true, "http://media.local:9001"},
	} {
		var got string
		u, err := parseURL(c.url, c.dev)
		if err != nil {
			got = err.Error()
		} else {
			got = u.String()
		}
		if (err == nil && got != c.want) || !strings.Contains(got, c.want) {
			t.Errorf("%s, dev %v: got %s, want %s", c.url, c.dev, got, c.want)
		}
	}
}

func TestClientIP(t *testing.T) {
	for _, c := range []struct {
		remote, forwarded string
		dev               bool
		want              string
	}{
		{"203.0.113.9:1", "192.0.2.1", false, "203.0.113.9"},
		{"127.0.0.1:1", "198.51.100.7, 192.0.2.1", false, "192.0.2.1"},
		{"127.0.0.1:1", "192.0.2.1", true, "127.0.0.1"},
		{"127.0.0.1:1", "nonsense", false, "127.0.0.1"},
		{"[::ffff:127.0.0.1]:1", "2001:db8::1", false, "2001:db8::1"},
	} {
		i := &Instance{cfg: Config{Dev: c.dev}}
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": {c.forwarded}}}
		if got := i.clientIP(r); got.String() != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestPages(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir(), Name: "A <b>name</b>"}, nil)
	v := r.add(`<script>alert("1")</script> & more`, store.Public)
	unlisted, private := r.add("unlisted one", store.Unlisted), r.add("private one", store.Private)
	_, front := r.request(http.MethodGet, "/")
	if !strings.Contains(front, "&lt;script&gt;") || strings.Contains(front, "<script") || strings.Contains(front, "unlisted one") || strings.Contains(front, "private one") {
		t.Errorf("front page: %s", front)
	}
	for _, path := range []string{"/w/" + r.published(v).ShortUUID, "/w/" + v.UUID, "/videos/watch/" + v.UUID, "/videos/embed/" + v.UUID} {
		res, body := r.request(http.MethodGet, path)
		if res.StatusCode != http.StatusOK || strings.Contains(body, "<script") || !strings.Contains(body, "/static/web-videos/"+v.Files[0].Name) {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	_, body := r.request(http.MethodGet, "/w/"+v.UUID)
	if !strings.Contains(body, `href="magnet:?xs=http%3A%2F%2F`) {
		t.Errorf("no magnet link: %s", body)
	}
	for path, want := range map[string]int{"/w/" + unlisted.UUID: 200, "/w/" + private.UUID: 404, "/w/nonsense": 404, "/nothing": 404} {
		if res, _ := r.request(http.MethodGet, path); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestPreflight(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("video", store.Public)
	for _, path := range []string{"/static/web-videos/" + v.Files[0].Name, "/api/v1/videos", "/api/v1/videos/" + fmt.Sprint(v.ID) + "/views"} {
		res, _ := r.request(http.MethodOptions, path, "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range")
		if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "Range") {
			t.Errorf("%s: %s %v", path, res.Status, res.Header)
		}
	}
	res, _ := r.request(http.MethodGet, "/api/v1/config", "Origin", "https://elsewhere.example")
	if res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", res.Header)
	}
}

func TestFilesAndWhoSeesThem(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	for privacy, status := range map[store.Privacy]int{store.Public: 200, store.Unlisted: 200, store.Private: 404} {
		title := fmt.Sprint("Video / ", privacy)
		v := r.add(title, privacy)
		f := v.Files[0]
		torrent, err := os.ReadFile(filepath.Join(r.cfg.Dir, publish.TorrentDir, f.Torrent.File))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ path, kind, body, saveAs string }{
			{"/static/web-videos/" + f.Name, "video/mp4", media, ""},
			{"/lazy-static/torrents/" + f.Torrent.File, torrentType, string(torrent), ""},
			{"/lazy-static/thumbnails/" + v.Thumbnail, "image/jpeg", "thumbnail of " + title, ""},
			{"/lazy-static/previews/" + v.Preview, "image/jpeg", "preview of " + title, ""},
			{"/download/web-videos/" + v.UUID + "-480.mp4", "video/mp4", media, publish.InfoName(title, 480, ".mp4")},
			{"/download/torrents/" + f.Torrent.File, torrentType, string(torrent), publish.InfoName(title, 480, ".torrent")},
		} {
			res, body := r.request(http.MethodGet, c.path)
			if res.StatusCode != status {
				t.Errorf("%s: %s, want %d", c.path, res.Status, status)
			}
			if status != http.StatusOK {
				if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
					t.Errorf("%s: %v", c.path, res.Header)
				}
				continue
			}
			_, params, _ := mime.ParseMediaType(res.Header.Get("Content-Disposition"))
			if res.Header.Get("Content-Type") != c.kind || body != c.body || params["filename"] != c.saveAs {
				t.Errorf("%s: %v %q", c.path, res.Header, body)
			}
		}
		for _, path := range []string{
			"/lazy-static/thumbnails/" + v.Preview, "/lazy-static/previews/" + v.Thumbnail, "/download/web-videos/" + v.UUID + "-240.mp4",
			"/download/web-videos/x", "/static/web-videos/..%2finstance.db", "/static/web-videos/" + f.Torrent.File,
		} {
			if res, body := r.request(http.MethodGet, path); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s %q", path, res.Status, body)
			}
		}
	}
}
