// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"shoal/instance/publish"
	"shoal/instance/store"
	"shoal/peer"
)

// fakeEngine notes what it is told to seed.
type fakeEngine struct {
	mu    sync.Mutex
	files []peer.SeedFile
	err   error
}

func (e *fakeEngine) Seed(_ context.Context, f peer.SeedFile) (*peer.Swarm, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.files = append(e.files, f)
	return nil, e.err
}

func (e *fakeEngine) infohashes() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := map[string]string{}
	for _, f := range e.files {
		all[f.MetaInfo.HashInfoBytes().HexString()] = f.Path
	}
	return all
}

// running is an instance under test. Its client keeps no connections.
type running struct {
	*Instance
	t      testing.TB
	stop   func()
	client *http.Client
}

// start opens and serves an instance until the test ends or stop is called.
func start(t testing.TB, cfg Config, engine seeder) *running {
	t.Helper()
	return startOn(t, cfg, engine, func(l net.Listener) net.Listener { return l })
}

// startOn is start with another listener around the instance's.
func startOn(t testing.TB, cfg Config, engine seeder, around func(net.Listener) net.Listener) *running {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	cfg.Dev = true
	i, err := open(t.Context(), cfg, engine)
	if err != nil {
		t.Fatal(err)
	}
	i.listener = around(i.listener)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.Serve(ctx) }()
	var once sync.Once
	r := &running{Instance: i, t: t, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("serving: %v", err)
			}
		})
	}
	t.Cleanup(r.stop)
	select {
	case <-i.Ready():
	case <-time.After(20 * time.Second):
		t.Fatal("the instance never was ready")
	}
	return r
}

// request asks the instance and returns the answer with its body.
func (r *running) request(method, path string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.URL()+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		req.Header.Set(headers[n], headers[n+1])
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		r.t.Fatal(err)
	}
	return res, string(b)
}

// media is the payload of the videos that add stores.
const media = "0123456789abcdefghijklmnopqrstuvwxyz"

// add stores a video with its files as a publication would, without ffmpeg.
func (r *running) add(title string, privacy store.Privacy) *store.Video {
	r.t.Helper()
	name := uuid.NewString() + "-480"
	f := store.File{
		Name: name + ".mp4", Resolution: 480, Width: 640, Height: 480, FPS: 25, Size: int64(len(media)),
		VideoCodec: "h264", AudioCodec: "aac", MediaType: "video/mp4",
	}
	f.Torrent.File = name + ".torrent"
	v := store.Video{
		UUID: uuid.NewString(), Title: title, Privacy: privacy, Duration: 12.3, Description: "About <" + title + ">", Tags: []string{"tag one"},
		Thumbnail: uuid.NewString() + ".jpg", Preview: uuid.NewString() + ".jpg", Created: time.Now(), Updated: time.Now(), Published: time.Now(),
	}
	c, _ := r.store.Snapshot().Channel(store.NameChannel)
	v.ChannelID = c.ID
	write := func(dir, name, text string) os.FileInfo {
		path := filepath.Join(r.cfg.Dir, dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
		fi, err := os.Stat(path)
		if err != nil {
			r.t.Fatal(err)
		}
		return fi
	}
	f.ModTime = write(publish.MediaDir, f.Name, media).ModTime()
	pieces, err := publish.Pieces(r.t.Context(), strings.NewReader(media), f.Size, publish.PieceLength(f.Size), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	info, infohash, err := publish.Info(publish.InfoName(title, 480, ".mp4"), f.Size, publish.PieceLength(f.Size), pieces)
	if err != nil {
		r.t.Fatal(err)
	}
	f.Infohash = infohash
	torrent, err := publish.Torrent(r.base, info, f.Name, v.Created)
	if err != nil {
		r.t.Fatal(err)
	}
	write(publish.TorrentDir, f.Torrent.File, string(torrent))
	write(publish.ThumbnailDir, v.Thumbnail, "thumbnail of "+title)
	write(publish.PreviewDir, v.Preview, "preview of "+title)
	v.Files = []store.File{f}
	stored, err := r.store.Publish("", v)
	if err != nil {
		r.t.Fatal(err)
	}
	return stored
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
