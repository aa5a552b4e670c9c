// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"
)

// fakePeerTube gives answers as PeerTube gave them (peer/peertube/testdata), with videos of the test in
// them, and serves these as torrents and WebSeeds.
type fakePeerTube struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	videos  []fakeVideo
	asked   map[string]int // by what: list, video, scrape, file
	down    bool           // 503 to everything but files
	cut     int            // how many videos the list leaves out at its end, though it counts them
	seeders map[string]int // by infohash, for the tracker
	dead    []string       // names of videos whose files are gone
}

type fakeVideo struct {
	uuid, name string
	published  time.Time
	files      []fakeFile // best first
	split      bool       // the last file is the sound of the others
}

type fakeFile struct {
	height   int
	data     []byte
	torrent  []byte
	infohash string
	claimed  int64 // what the instance says of its size
}

// captured is the body of an answer that was captured from PeerTube.
func captured(t *testing.T, name string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "peer", "peertube", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Body map[string]any }
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Body
}

func newFakePeerTube(t *testing.T) *fakePeerTube {
	t.Helper()
	f := &fakePeerTube{t: t, asked: map[string]int{}, seeders: map[string]int{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// channel is the address of the channel with all the videos.
func (f *fakePeerTube) channel() string { return f.url + "/c/alice_channel/videos" }

// add publishes a video with files of so many bytes, best first.
func (f *fakePeerTube) add(name string, published time.Time, sizes ...int) fakeVideo {
	f.t.Helper()
	sum := sha256.Sum256([]byte(name))
	h := hex.EncodeToString(sum[:16])
	v := fakeVideo{uuid: fmt.Sprintf("%s-%s-4%s-8%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:32]), name: name, published: published.UTC()}
	for i, n := range sizes {
		v.files = append(v.files, f.file(fmt.Sprintf("%s-%d.mp4", v.uuid, i), 720>>i, n))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.videos = append(f.videos, v)
	return v
}

func (f *fakePeerTube) file(name string, height, n int) fakeFile {
	f.t.Helper()
	data := make([]byte, n)
	_, _ = rand.Read(data) // it never fails
	info := metainfo.Info{Name: name, PieceLength: 64 << 10, Length: int64(n)}
	for part := range slices.Chunk(data, int(info.PieceLength)) {
		h := metainfo.HashBytes(part)
		info.Pieces = append(info.Pieces, h[:]...)
	}
	mi := metainfo.MetaInfo{Announce: f.url + "/tracker/announce", UrlList: metainfo.UrlList{f.url + "/static/" + name}}
	var err error
	if mi.InfoBytes, err = bencode.Marshal(info); err != nil {
		f.t.Fatal(err)
	}
	var torrent bytes.Buffer
	if err := mi.Write(&torrent); err != nil {
		f.t.Fatal(err)
	}
	return fakeFile{height: height, data: data, torrent: torrent.Bytes(), infohash: mi.HashInfoBytes().HexString(), claimed: int64(n)}
}

func (f *fakePeerTube) remove(uuid string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.videos = slices.DeleteFunc(f.videos, func(v fakeVideo) bool { return v.uuid == uuid })
}

func (f *fakePeerTube) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// count returns how often something was asked for.
func (f *fakePeerTube) count(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[what]
}

// ServeHTTP answers.
func (f *fakePeerTube) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := r.URL.Path
	if f.down && !strings.HasPrefix(path, "/static/") {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	switch {
	case path == "/api/v1/video-channels/alice_channel":
		f.answer(w, captured(f.t, "video-channel.json"))
	case path == "/api/v1/video-channels/alice_channel/videos":
		f.asked["list"]++
		f.list(w, r.URL.Query())
	case strings.HasPrefix(path, "/api/v1/videos/"):
		f.asked["video"]++
		f.video(w, strings.TrimPrefix(path, "/api/v1/videos/"))
	case path == "/tracker/scrape":
		f.asked["scrape"]++
		f.scrape(w, r.URL.Query()["info_hash"])
	case strings.HasPrefix(path, "/static/"), strings.HasPrefix(path, "/torrents/"):
		f.serveFile(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fakePeerTube) answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(bytes.ReplaceAll(body, []byte("http://127.0.0.1:9001"), []byte(f.url)))
}

func (f *fakePeerTube) sorted() []fakeVideo {
	return slices.SortedFunc(slices.Values(f.videos), func(x, y fakeVideo) int {
		return cmp.Or(y.published.Compare(x.published), cmp.Compare(x.uuid, y.uuid))
	})
}

func (f *fakePeerTube) list(w http.ResponseWriter, q url.Values) {
	answer := captured(f.t, "video-channel-videos.json")
	listed, ok := answer["data"].([]any)[0].(map[string]any)
	if !ok || q.Get("sort") != "-publishedAt" {
		f.t.Errorf("the list was asked for by %v", q)
		return
	}
	start, _ := strconv.Atoi(q.Get("start"))
	count, _ := strconv.Atoi(q.Get("count"))
	all := f.sorted()
	data := []any{}
	total := len(all)
	all = all[:max(0, total-f.cut)]
	for _, v := range all[min(start, len(all)):min(start+count, len(all))] {
		data = append(data, f.about(listed, v))
	}
	answer["total"], answer["data"] = total, data
	f.answer(w, answer)
}

// about is a captured video with the test's in its place.
func (f *fakePeerTube) about(like map[string]any, v fakeVideo) map[string]any {
	out := make(map[string]any, len(like))
	for k, value := range like {
		out[k] = value
	}
	out["uuid"], out["name"], out["url"] = v.uuid, v.name, f.url+"/videos/watch/"+v.uuid
	out["publishedAt"], out["updatedAt"] = v.published.Format(time.RFC3339), v.published.Format(time.RFC3339)
	return out
}

func (f *fakePeerTube) video(w http.ResponseWriter, uuid string) {
	i := slices.IndexFunc(f.videos, func(v fakeVideo) bool { return v.uuid == uuid })
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	v := f.videos[i]
	if v.split {
		f.splitVideo(w, v)
		return
	}
	answer := f.about(captured(f.t, "video.json"), v)
	like, ok := answer["files"].([]any)[0].(map[string]any)
	if !ok {
		f.t.Error("the captured video has no file")
		return
	}
	answer["files"], answer["streamingPlaylists"] = f.fileAnswers(v, like), []any{}
	f.answer(w, answer)
}

// splitVideo answers as for a video whose sound is in another file than its picture.
func (f *fakePeerTube) splitVideo(w http.ResponseWriter, v fakeVideo) {
	answer := f.about(captured(f.t, "video-hls-split-audio.json"), v)
	playlist, ok := answer["streamingPlaylists"].([]any)[0].(map[string]any)
	if !ok {
		f.t.Error("the captured video has no playlist")
		return
	}
	like, ok := playlist["files"].([]any)[0].(map[string]any)
	if !ok {
		f.t.Error("the captured playlist has no file")
		return
	}
	files := f.fileAnswers(v, like)
	for i, one := range files {
		sound := i == len(files)-1
		one := one.(map[string]any)
		one["hasVideo"], one["hasAudio"] = !sound, sound
		if sound {
			one["resolution"], one["width"], one["height"] = map[string]any{"id": 0, "label": "Audio only"}, 0, 0
		}
	}
	playlist["files"] = files
	answer["streamingPlaylists"] = []any{playlist}
	f.answer(w, answer)
}

func (f *fakePeerTube) fileAnswers(v fakeVideo, like map[string]any) []any {
	files := []any{}
	for n, file := range v.files {
		one := make(map[string]any, len(like))
		for k, value := range like {
			one[k] = value
		}
		name := fmt.Sprintf("%s-%d.mp4", v.uuid, n)
		one["resolution"] = map[string]any{"id": file.height, "label": fmt.Sprintf("%dp", file.height)}
		one["size"], one["fileUrl"], one["torrentUrl"] = file.claimed, f.url+"/static/"+name, f.url+"/torrents/"+name
		one["magnetUri"] = "magnet:?xs=" + url.QueryEscape(f.url+"/torrents/"+name) + "&xt=urn:btih:" + file.infohash +
			"&dn=" + url.QueryEscape(v.name) + "&tr=" + url.QueryEscape(f.url+"/tracker/announce") + "&ws=" + url.QueryEscape(f.url+"/static/"+name)
		files = append(files, one)
	}
	return files
}

func (f *fakePeerTube) scrape(w http.ResponseWriter, hashes []string) {
	files := map[string]any{}
	for _, h := range hashes {
		if n, ok := f.seeders[hex.EncodeToString([]byte(h))]; ok {
			files[h] = map[string]any{"complete": n, "incomplete": 0, "downloaded": 0}
		}
	}
	body, err := bencode.Marshal(map[string]any{"files": files})
	if err != nil {
		f.t.Error(err)
	}
	_, _ = w.Write(body)
}

func (f *fakePeerTube) serveFile(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	for _, v := range f.videos {
		for n, file := range v.files {
			if name != fmt.Sprintf("%s-%d.mp4", v.uuid, n) {
				continue
			}
			if strings.HasPrefix(r.URL.Path, "/torrents/") {
				_, _ = w.Write(file.torrent)
				return
			}
			f.asked["file"]++
			if slices.Contains(f.dead, v.name) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			http.ServeContent(w, r, name, v.published, bytes.NewReader(file.data))
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
