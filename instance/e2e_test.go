// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package instance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/jpeg"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/anacrolix/torrent/metainfo"

	"shoal/instance/publish"
	"shoal/peer/peertube"
)

// clip makes a file with ffmpeg; args follow the two test sources, picture and sound.
func clip(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = append([]string{
		"-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=3:size=640x360:rate=30000/1001",
		"-f", "lavfi", "-i", "sine=duration=3",
	}, args...)
	if out, err := exec.Command("ffmpeg", append(args, path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

func mp4(t *testing.T) string {
	t.Helper()
	return clip(t, "clip.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart")
}

// left lists the files in the data directory's folders.
func left(t *testing.T, r *running) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{publish.MediaDir, publish.TorrentDir, publish.ThumbnailDir, publish.PreviewDir} {
		err := filepath.WalkDir(filepath.Join(r.cfg.Dir, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestPublishMP4(t *testing.T) {
	file := mp4(t)
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e := &fakeEngine{}
	r := start(t, Config{Dir: t.TempDir()}, e)
	var stages []string
	p, err := r.Publish(t.Context(), PublishRequest{File: file, Title: "A clip", Description: "Text", Tags: []string{"tag"}}, func(p Progress) {
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
		if p.Done > p.Total {
			t.Errorf("progress %+v", p)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(stages, " "); got != "probe copy hash publish" {
		t.Errorf("stages %q", got)
	}
	if p.Bytes != int64(len(want)) || len(p.FileURLs) != 1 || e.infohashes()[p.Infohash] == "" {
		t.Errorf("published %+v, seeded %v", p, e.infohashes())
	}

	_, body := r.request(http.MethodGet, "/api/v1/videos/"+p.ShortUUID)
	var d peertube.VideoDetails
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	f := d.Files[0]
	if d.Duration != 3 || f.Width != 640 || f.Height != 360 || f.FPS != 30 || !*f.HasAudio || f.Resolution.Number() != 360 || string(f.MagnetURI) != p.Magnet {
		t.Errorf("details %s", body)
	}
	for path, size := range map[string][2]int{
		d.ThumbnailPath: {publish.ThumbnailWidth, publish.ThumbnailHeight}, d.PreviewPath: {publish.PreviewWidth, publish.PreviewHeight},
	} {
		_, picture := r.request(http.MethodGet, path)
		c, err := jpeg.DecodeConfig(strings.NewReader(picture))
		if err != nil || c.Width != size[0] || c.Height != size[1] {
			t.Errorf("%s: %+v, %v", path, c, err)
		}
	}
	_, payload := r.request(http.MethodGet, strings.TrimPrefix(p.FileURLs[0], r.URL()))
	if payload != string(want) {
		t.Error("the WebSeed serves other bytes")
	}
	_, torrent := r.request(http.MethodGet, strings.TrimPrefix(p.TorrentURL, r.URL()))
	mi, err := metainfo.Load(strings.NewReader(torrent))
	if err != nil {
		t.Fatal(err)
	}
	info, err := mi.UnmarshalInfo()
	if err != nil {
		t.Fatal(err)
	}
	pieces, err := publish.Pieces(t.Context(), bytes.NewReader(want), int64(len(want)), info.PieceLength, nil)
	if err != nil || !bytes.Equal(pieces, info.Pieces) || mi.HashInfoBytes().HexString() != p.Infohash || info.Name != "A clip 360p.mp4" {
		t.Errorf("torrent of %q, %v", info.Name, err)
	}
	if drafts, err := r.store.Drafts(); err != nil || len(drafts) != 0 {
		t.Errorf("drafts %v, %v", drafts, err)
	}
	source, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	l, _ := r.Local(p.UUID)
	if fi, err := os.Stat(l.Path); err != nil || (!os.SameFile(source, fi) && sameDisk(t, file, l.Path)) {
		t.Errorf("a second copy was made on the same disk: %v", err)
	}
}

// sameDisk reports whether a hard link from one path's folder to the other's works.
func sameDisk(t *testing.T, a, b string) bool {
	t.Helper()
	probe := filepath.Join(filepath.Dir(b), "probe")
	if os.Link(a, probe) != nil {
		return false
	}
	return os.Remove(probe) == nil
}

func TestPublishWebM(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	p, err := r.Publish(t.Context(), PublishRequest{File: clip(t, "-odd name: 100%.webm", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"), Title: "A WebM"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, _ := r.request(http.MethodHead, strings.TrimPrefix(p.FileURLs[0], r.URL()))
	if res.Header.Get("Content-Type") != "video/webm" || !strings.HasSuffix(p.FileURLs[0], "-360.webm") {
		t.Errorf("%s: %v", p.FileURLs[0], res.Header)
	}
}

func TestBadFilesLeaveNothing(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	write := func(name string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	whole := read(mp4(t))
	indexLast := read(clip(t, "last.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"))
	for _, c := range []struct{ file, want string }{
		{write("empty.mp4", nil), "is empty"},
		{write("text.mp4", []byte(strings.Repeat("no video\n", 1000))), "no video that can be read"},
		{write("playlist.mp4", []byte("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")), "no video that can be read"},
		{write("front.mp4", whole[:len(whole)-5000]), "cut off"},
		{write("back.mp4", indexLast[:len(indexLast)-5000]), "cut off"},
		{clip(t, "sound.mp4", "-map", "1", "-c:a", "aac"), "has no video in it"},
		{clip(t, "v.mkv", "-c:v", "libx264", "-c:a", "aac"), "browsers do not play"},
		{clip(t, "v.avi", "-c:v", "mpeg4", "-c:a", "mp3"), "browsers do not play"},
		{clip(t, "v.mov", "-c:v", "libx264", "-c:a", "aac"), "QuickTime"},
		{clip(t, "v.mp4", "-c:v", "mpeg4", "-c:a", "aac"), "video in mpeg4"},
	} {
		_, err := r.Publish(t.Context(), PublishRequest{File: c.file, Title: "Bad file"}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", filepath.Base(c.file), err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: not one line: %v", filepath.Base(c.file), err)
		}
	}
	if files := left(t, r); len(files) != 0 || len(r.store.Snapshot().Videos()) != 0 {
		t.Errorf("left over: %v", files)
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	file := mp4(t)
	for _, stage := range []string{publish.StageProbe, publish.StageCopy, publish.StageHash, publish.StagePublish} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := r.Publish(ctx, PublishRequest{File: file, Title: "Cancelled"}, func(p Progress) {
			if p.Stage == stage {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %s: %v", stage, err)
		}
		if files := left(t, r); len(files) != 0 {
			t.Errorf("cancelled at %s: left over: %v", stage, files)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the person's file: %v", err)
	}
}

// TestAria2CompletesFromTheURLList gives aria2c the torrent and takes away every tracker and peer.
func TestAria2CompletesFromTheURLList(t *testing.T) {
	aria2, err := exec.LookPath("aria2c")
	if err != nil {
		t.Fatalf("aria2c is missing: install aria2: %v", err)
	}
	r := start(t, Config{Dir: t.TempDir()}, nil)
	file := mp4(t)
	p, err := r.Publish(t.Context(), PublishRequest{File: file, Title: "For aria2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, torrent := r.request(http.MethodGet, strings.TrimPrefix(p.TorrentURL, r.URL()))
	path := filepath.Join(dir, "clip.torrent")
	if err := os.WriteFile(path, []byte(torrent), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(
		t.Context(), aria2, "--no-conf", "--dir="+dir, "--bt-exclude-tracker=*", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
		"--enable-peer-exchange=false", "--seed-time=0", "--bt-stop-timeout=30", "--summary-interval=0", "--check-integrity=true", path,
	)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("aria2c: %v: %s", err, out)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "For aria2 360p.mp4"))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

func TestPauseAndCancel(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, &fakeEngine{})
	file := mp4(t)
	reached := make(chan struct{})
	var p *Publication
	begun := make(chan struct{})
	p = r.StartPublication(t.Context(), PublishRequest{File: file, Title: "Paused"}, func(now Progress) {
		<-begun
		if now.Stage == publish.StageCopy && !p.Paused() {
			p.Pause()
			close(reached)
		}
	})
	close(begun)
	<-reached
	// Another one has its turn meanwhile.
	if _, err := r.Publish(t.Context(), PublishRequest{File: file, Title: "Between"}, nil); err != nil {
		t.Fatal(err)
	}
	if all := r.Publications(); len(all) != 1 || all[0] != p || all[0].Request().Title != "Paused" || !p.Paused() {
		t.Fatalf("publications %v", all)
	}
	before := len(left(t, r))
	cancelled := r.StartPublication(t.Context(), PublishRequest{File: file, Title: "Given up"}, nil)
	cancelled.Cancel()
	if _, err := cancelled.Result(); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if after := left(t, r); len(after) != before {
		t.Errorf("left over: %v", after)
	}
	p.Resume()
	if _, err := p.Result(); err != nil {
		t.Fatal(err)
	}
	if n := len(r.store.Snapshot().Videos()); n != 2 || len(r.Publications()) != 0 {
		t.Errorf("%d videos, publications %v", n, r.Publications())
	}

	stuck := r.StartPublication(t.Context(), PublishRequest{File: file, Title: "Stopped"}, nil)
	stuck.Pause()
	r.stop()
	if _, err := stuck.Result(); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("stopped: %v", err)
	}
	if _, err := r.Publish(t.Context(), PublishRequest{File: file, Title: "Too late"}, nil); err == nil {
		t.Error("published after the end")
	}
}

func TestWatchFolder(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	file := mp4(t)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "a_talk.mp4"), b, 0o600), os.WriteFile(filepath.Join(folder, "broken.mp4"), b[:1000], 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second start publishes nothing again
		r := start(t, Config{Dir: dir}, &fakeEngine{})
		r.watcher.mu.Lock()
		r.watcher.settled = 0
		r.watcher.mu.Unlock()
		r.SetWatchFolder(folder, "")
		eventually(t, "it is looked at", func() bool {
			r.watcher.changed <- struct{}{}
			return len(r.store.Snapshot().Videos()) > 0 && len(r.WatchFolder().Failures) > 0
		})
		for range 5 {
			r.watcher.changed <- struct{}{}
		}
		f := r.WatchFolder().Failures
		if len(f) != 1 || filepath.Base(f[0].File) != "broken.mp4" || !strings.Contains(f[0].Text, "it is cut off") {
			t.Errorf("failures %v", f)
		}
		if v := r.store.Snapshot().Videos(); len(v) != 1 || v[0].Title != "a talk" {
			t.Errorf("videos %v", v)
		}
		r.stop()
	}
}
