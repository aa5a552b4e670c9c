// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/instance"
	"shoal/peer"
	"shoal/peer/peertube"
	"shoal/player"
)

// rig is a window over fakes. Its test is the window's goroutine: until runs what was posted.
type rig struct {
	t        testing.TB
	posts    chan func()
	loop     *loop
	app      fyne.App
	program  *fakeProgram
	catalog  *fakeCatalog
	player   *fakePlayer
	store    *config.Store
	pub      *fakePublisher
	browser  []string
	noPlayer error
	w        *mainWindow
}

type rigOption func(*rig)

func introUnread(r *rig)  { must(r.t, r.store.Update(func(c *config.Config) { c.IntroSeen = false })) }
func withInstance(r *rig) { r.pub = &fakePublisher{fakeFederation: newFakeFederation()} }

func newRig(t testing.TB, options ...rigOption) *rig {
	t.Helper()
	r := &rig{t: t, posts: make(chan func(), 1000), program: newFakeProgram(), catalog: newFakeCatalog(), player: newFakePlayer()}
	store, err := config.Load(filepath.Join(t.TempDir(), "config.toml"), nil)
	must(t, err)
	r.store = store
	must(t, store.Update(func(c *config.Config) { c.IntroSeen = true }))
	r.app = test.NewTempApp(t)
	r.app.Settings().SetTheme(newTheme())
	r.loop = newLoop(context.Background(), func(f func()) { r.posts <- f })
	for _, o := range options {
		o(r)
	}
	p := parts{
		program: r.program, catalog: r.catalog, settings: store, dataDir: "/srv/shoal",
		screens: screenMaker{
			start: func() (mediaPlayer, error) { return r.player, r.noPlayer },
			face: func(m mediaPlayer) *screen {
				return &screen{mediaPlayer: m, surface: canvas.NewRectangle(color.NRGBA{R: 30, G: 60, B: 90, A: 255}), painted: func() int64 { return 7 }, hide: func() {}}
			},
		},
		openBrowser: func(address string) error { r.browser = append(r.browser, address); return nil },
		openPlayer: func(context.Context, string) (string, error) {
			return "", errors.New("no player was found: install mpv or VLC")
		},
	}
	if r.noPlayer != nil {
		p.screens.start = func() (mediaPlayer, error) { return nil, r.noPlayer }
	}
	if r.pub != nil {
		p.publisher = r.pub
	}
	r.w = newMainWindow(r.app, r.loop, p, Options{Version: "1.2.3"})
	r.w.quit = func() { r.program.note("quit") }
	r.w.win.Resize(fyne.NewSize(1280, 800))
	t.Cleanup(func() {
		stop := make(chan struct{})
		go func() { // what is still posted finds a taker
			for {
				select {
				case <-r.posts:
				case <-stop:
					return
				}
			}
		}()
		r.loop.close(10 * time.Second)
		close(stop)
	})
	return r
}

// until runs what was posted until a condition holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case f := <-r.posts:
			f()
		case <-deadline:
			r.t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// journal notes what was asked for.
type journal struct {
	mu    sync.Mutex
	notes []string
}

func (j *journal) note(words string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notes = append(j.notes, words)
}

func (j *journal) noted(words string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range j.notes {
		if n == words {
			return true
		}
	}
	return false
}

type fakeProgram struct {
	journal
	*fakeSharing
	block   chan struct{} // Swarms and Pause wait for it, where it is not nil
	mu      sync.Mutex
	swarms  []core.SwarmInfo
	resolve func(ctx context.Context, arg string) (core.Resolved, error)
	openErr error
	opened  *fakeViewing
	fail    error // of pause, resume and remove
}

func newFakeProgram() *fakeProgram {
	p := &fakeProgram{resolve: func(_ context.Context, arg string) (core.Resolved, error) {
		l, err := peertube.ParseURL(arg)
		if err != nil {
			return core.Resolved{}, err
		}
		if l.VideoID != "" {
			return core.Resolved{Kind: core.KindVideo, Location: l}, nil
		}
		return core.Resolved{Kind: core.KindInstance, Location: l}, nil
	}}
	p.fakeSharing = newFakeSharing(&p.journal)
	return p
}

func (p *fakeProgram) Resolve(ctx context.Context, arg string) (core.Resolved, error) {
	p.note("resolve " + arg)
	return p.resolve(ctx, arg)
}

func (p *fakeProgram) Open(_ context.Context, _ core.Resolved, height int) (viewing, error) {
	p.note(fmt.Sprintf("open %d", height))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.openErr != nil {
		return nil, p.openErr
	}
	p.opened = newFakeViewing(height)
	return p.opened, nil
}

func (p *fakeProgram) last() *fakeViewing {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened
}

func (p *fakeProgram) Swarms() []core.SwarmInfo {
	p.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.swarms
}

func (p *fakeProgram) setSwarms(s ...core.SwarmInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swarms = s
}

func (p *fakeProgram) wait() {
	p.mu.Lock()
	block := p.block
	p.mu.Unlock()
	if block != nil {
		<-block
	}
}

// hang lets what asks the engine or the network wait for a channel.
func (p *fakeProgram) hang(until chan struct{}) {
	p.mu.Lock()
	p.block = until
	p.mu.Unlock()
	p.hold, p.addHold = until, until
}

func (p *fakeProgram) Pause(infohash string) error {
	p.note("pause " + infohash)
	p.wait()
	return p.fail
}

func (p *fakeProgram) ResumeSwarm(infohash string) error { p.note("resume " + infohash); return p.fail }

func (p *fakeProgram) Remove(_ context.Context, infohash string, files bool) error {
	p.note(fmt.Sprintf("remove %s %v", infohash, files))
	return p.fail
}

type fakeViewing struct {
	journal
	about about
}

func newFakeViewing(height int) *fakeViewing {
	v := &fakeViewing{about: about{
		Title: "Herring in the North Sea: how a shoal decides where to swim", Page: "https://video.example/w/abc",
		Channel: "Sea Life · video.example", ChannelPage: "https://video.example/video-channels/sea",
		Description: "How **thousands** of fish agree.\n\n# A heading\n\n* one\n* [two](https://example.org)\n* [bad](file:///etc/passwd)\n\n![p](http://tracker.example/p.png)\n\nA longer paragraph that tells what the film is about and who made it, so that the text wraps.",
		Facts:       "1.2k views · 3 days ago",
		Heights:     []quality{{"1080p · 912 MB", 1080}, {"720p · 410 MB", 720}, {"360p · 120 MB", 360}}, Duration: 754 * time.Second,
	}}
	for i, q := range v.about.Heights {
		if q.Height == height {
			v.about.Chosen = i
		}
	}
	return v
}

func (v *fakeViewing) About() about { return v.about }
func (v *fakeViewing) OpenVideo(context.Context) (player.Media, error) {
	return nil, errors.New("no media in this test")
}

func (v *fakeViewing) OpenAudio(context.Context) (player.Media, error) {
	return nil, errors.New("no media in this test")
}

func (v *fakeViewing) Figures() figures {
	return figures{Swarm: true, Stats: peer.Stats{
		Bytes: 410e6, Completed: 123e6, Peers: peer.Peers{WebRTC: 3, TCP: 1, WebSeed: 1}, Seeders: 4, Leechers: 2, Up: 320e3, Down: 2.4e6,
		Downloaded: peer.Bytes{WebRTC: 88e6, TCP: 20e6, WebSeed: 15e6}, Uploaded: peer.Bytes{WebRTC: 41e6}, Wasted: 16384,
	}}
}

func (v *fakeViewing) Strip(n int) []float32 {
	s := make([]float32, n)
	for i := range n / 3 {
		s[i] = 1
	}
	for i := n / 2; i < n/2+n/10; i++ {
		s[i] = 0.6
	}
	return s
}

func (v *fakeViewing) StreamURL() (string, error) { return "http://127.0.0.1:1/secret/film.mp4", nil }
func (v *fakeViewing) Close() error               { v.note("close"); return nil }

type fakeCatalog struct {
	journal
	total    int
	err      error
	pictures int
}

func newFakeCatalog() *fakeCatalog { return &fakeCatalog{total: 60} }

func (c *fakeCatalog) Config(context.Context, string) (peertube.Config, error) {
	var cfg peertube.Config
	cfg.Instance.Name = "Fish & Film"
	return cfg, c.err
}

func (c *fakeCatalog) list(o peertube.ListOptions) (peertube.VideoList, error) {
	if c.err != nil {
		return peertube.VideoList{}, c.err
	}
	titles := []string{"Herring in the North Sea: how a shoal decides where to swim", "Building a boat", "Ein langer Tag am Meer", "Tide pools", "Knots every sailor should know, tied slowly and then again at full speed", "Lighthouse"}
	var l peertube.VideoList
	l.Total = peertube.Int(c.total)
	for i := o.Start; i < min(c.total, o.Start+o.Count); i++ {
		var v peertube.Video
		v.UUID = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		v.Name = titles[i%len(titles)]
		v.Duration, v.Views = peertube.Int(61*(i+1)), peertube.Int(i*i*37)
		v.PublishedAt = peertube.NewTime(time.Now().Add(-time.Duration(i*i) * 5 * time.Hour))
		v.ThumbnailPath = fmt.Sprintf("/t/%d.jpg", i)
		v.Channel.DisplayName, v.Channel.Host = "Sea Life", "video.example"
		v.IsLocal = i%3 != 0
		l.Data = append(l.Data, v)
	}
	return l, nil
}

func (c *fakeCatalog) Videos(_ context.Context, inst string, o peertube.ListOptions) (peertube.VideoList, error) {
	c.note(fmt.Sprintf("videos %s %d %s", inst, o.Start, o.Sort))
	return c.list(o)
}

func (c *fakeCatalog) Search(_ context.Context, inst, query string, o peertube.ListOptions) (peertube.VideoList, error) {
	c.note(fmt.Sprintf("search %s %q", inst, query))
	if query == "nothing" {
		return peertube.VideoList{}, nil
	}
	return c.list(o)
}

func (c *fakeCatalog) ChannelVideos(_ context.Context, _, name string, o peertube.ListOptions) (peertube.VideoList, error) {
	c.note("channel " + name)
	return c.list(o)
}

func (c *fakeCatalog) AccountVideos(_ context.Context, _, name string, o peertube.ListOptions) (peertube.VideoList, error) {
	c.note("account " + name)
	return c.list(o)
}

func (c *fakeCatalog) Get(_ context.Context, _, ref string, _ int) ([]byte, error) {
	c.mu.Lock()
	c.pictures++
	c.mu.Unlock()
	var n int
	if _, err := fmt.Sscanf(ref, "/t/%d.jpg", &n); err != nil || n%7 == 5 {
		return nil, errors.New("no picture")
	}
	return jpegOf(320, 180, n), nil
}

func jpegOf(w, h, seed int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(20 + seed*23 + x*60/w), uint8(70 + y*110/h), uint8(110 + seed*11 + x*90/w), 255})
		}
	}
	var buf bytes.Buffer
	_ = jpeg.Encode(&buf, img, nil)
	return buf.Bytes()
}

type fakePublisher struct {
	fakeFederation
	err  error
	hold chan struct{}

	pubs    sync.Mutex
	running []publication
	folder  instance.WatchFolder
}

func (p *fakePublisher) WatchFolder() instance.WatchFolder {
	p.pubs.Lock()
	defer p.pubs.Unlock()
	return p.folder
}

func (p *fakePublisher) URL() string { return "https://my.example" }

func (p *fakePublisher) StartPublication(ctx context.Context, r instance.PublishRequest) publication {
	p.note(fmt.Sprintf("publish %s %q %v %s", r.File, r.Title, r.Tags, r.Privacy))
	one := &fakePublication{request: r, done: make(chan struct{}), cancelled: make(chan struct{}), progress: instance.Progress{Stage: "hash", Done: 1, Total: 2}}
	p.pubs.Lock()
	p.running = append(p.running, one)
	p.pubs.Unlock()
	go func() {
		one.err = p.err
		if p.hold != nil {
			select {
			case <-p.hold:
			case <-one.cancelled:
				one.err = context.Canceled
			case <-ctx.Done():
				one.err = ctx.Err()
			}
		}
		p.pubs.Lock()
		p.running = slices.DeleteFunc(p.running, func(o publication) bool { return o == one })
		p.pubs.Unlock()
		close(one.done)
	}()
	return one
}

func (p *fakePublisher) Publications() []publication {
	p.pubs.Lock()
	defer p.pubs.Unlock()
	return slices.Clone(p.running)
}

type fakePublication struct {
	request         instance.PublishRequest
	progress        instance.Progress
	paused          atomic.Bool
	done, cancelled chan struct{}
	err             error
}

func (p *fakePublication) Request() instance.PublishRequest { return p.request }
func (p *fakePublication) Progress() instance.Progress      { return p.progress }
func (p *fakePublication) Pause()                           { p.paused.Store(true) }
func (p *fakePublication) Resume()                          { p.paused.Store(false) }
func (p *fakePublication) Paused() bool                     { return p.paused.Load() }
func (p *fakePublication) Cancel()                          { close(p.cancelled) }
func (p *fakePublication) Result() (instance.Published, error) {
	<-p.done
	return instance.Published{WatchPage: "https://my.example/w/xyz"}, p.err
}
