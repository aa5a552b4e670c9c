// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"shoal/instance/address"
	"shoal/instance/federation"
	"shoal/instance/publish"
	"shoal/instance/rest"
	"shoal/instance/search"
	"shoal/instance/store"
	"shoal/instance/thumbs"
	"shoal/instance/tracker"
	"shoal/instance/webseed"
	"shoal/peer"
)

// Instance is a running instance.
type Instance struct {
	cfg          Config
	base         address.Base
	listener     net.Listener
	store        *store.Store
	tracker      *tracker.Tracker
	publisher    *publish.Publisher
	webseed      *webseed.Handler
	rest         *rest.Handler
	server       *http.Server
	seed         *seeding
	fed          *federation.Federation
	index        *search.Index
	thumbs       *thumbs.Cache
	watcher      *watcher
	publications publications
	policy       sync.Mutex // one change of the policy at a time

	ready      chan struct{}
	background sync.WaitGroup // ends with Serve's context

	mu    sync.Mutex
	state state
}

type state int

const (
	opened state = iota
	serving
	closed
)

// Open opens the data directory's store, binds the listener and creates the account root with the
// channel root_channel on a first start. Serve answers requests afterwards. Its errors are
// sentences for a person: folder in use, folder read-only, port taken, other public URL.
func Open(ctx context.Context, cfg Config) (*Instance, error) {
	if cfg.Engine == nil {
		return open(ctx, cfg, nil)
	}
	return open(ctx, cfg, cfg.Engine)
}

func open(ctx context.Context, cfg Config, engine seeder) (*Instance, error) {
	cfg.defaults()
	db, err := store.Open(cfg.Dir)
	if err != nil {
		return nil, err
	}
	l, base, err := bind(ctx, &cfg, db.Snapshot().Setting(store.SettingURL))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	i := &Instance{cfg: cfg, base: base, listener: l, store: db, ready: make(chan struct{})}
	i.seed = newSeeding(&i.cfg, base, engine)
	if err := i.fill(); err != nil {
		return nil, errors.Join(err, l.Close(), db.Close())
	}
	if err := i.wire(); err != nil {
		return nil, errors.Join(err, l.Close(), db.Close())
	}
	return i, nil
}

// fill makes what a first start needs and fixes the public URL.
func (i *Instance) fill() error {
	if err := i.store.EnsureRoot(time.Now()); err != nil {
		return err
	}
	if i.store.Snapshot().Setting(store.SettingURL) == "" {
		if err := i.store.SetSetting(store.SettingURL, string(i.base)); err != nil {
			return err
		}
	}
	var err error
	i.publisher, err = publish.New(publish.Config{
		Dir: i.cfg.Dir, Base: i.base, Store: i.store, FFmpeg: i.cfg.FFmpeg, FFprobe: i.cfg.FFprobe, Logger: i.cfg.Logger,
	})
	return err
}

// wire puts the parts together.
func (i *Instance) wire() error {
	var err error
	i.fed, err = federation.New(federation.Config{
		Store: i.store, Base: i.base, Dev: i.cfg.Dev, Name: i.cfg.Name, Version: i.cfg.Version, ClientIP: i.clientIP, VideoPage: i.watchPage(), ActorPage: i.actorPage(), Logger: i.cfg.Logger,
	})
	if err != nil {
		return err
	}
	if i.index, err = search.Open(i.cfg.Dir, i.store, i.cfg.Logger); err != nil {
		return err
	}
	i.store.SetSearcher(i.index)
	i.thumbs, err = thumbs.New(thumbs.Config{Dir: i.cfg.Dir, Store: i.store, Fetch: i.fetchPicture, Logger: i.cfg.Logger})
	if err != nil {
		return errors.Join(err, i.index.Close())
	}
	maxPerIP := 0 // the tracker's own bound
	if i.cfg.Dev {
		maxPerIP = -1 // everyone is on this machine
	}
	i.tracker = tracker.New(tracker.Config{Known: i.tracked, ClientIP: i.clientIP, MaxPerIP: maxPerIP, MaxHTTPPerIP: maxPerIP, Logger: i.cfg.Logger})
	i.rest = rest.New(rest.Config{
		Base: i.base, Name: i.cfg.Name, Version: i.cfg.Version, Store: i.store, ClientIP: i.clientIP, Logger: i.cfg.Logger,
		Viewers: func(h store.Hash) int { return i.tracker.Stats(tracker.Hash(h)).Leechers },
	})
	i.watcher = i.newWatcher()
	i.webseed = i.files()
	i.server = i.newServer(i.routes())
	return nil
}

// tracked reports whether the tracker serves an infohash: those of videos that are served, also the
// ones from before a rename.
func (i *Instance) tracked(h tracker.Hash) bool {
	ref, ok := i.store.Snapshot().ByInfohash(store.Hash(h))
	return ok && ref.Video.Served()
}

// shutdownWait is how long requests in progress may take when the instance stops.
const shutdownWait = 3 * time.Second

// viewsEvery is how often views are stored.
const viewsEvery = 30 * time.Second

// Serve seeds what was published before and answers requests until ctx ends; then it finishes
// requests in progress for a few seconds and closes the store. It returns nil when ctx ended it.
func (i *Instance) Serve(ctx context.Context) error {
	i.mu.Lock()
	if i.state != opened {
		i.mu.Unlock()
		return errors.New("the instance was served or closed before")
	}
	i.state = serving
	i.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 3)
	go func() { failed <- i.server.Serve(i.listener) }()
	i.background.Go(func() {
		if err := i.fed.Serve(ctx); err != nil {
			failed <- fmt.Errorf("federating: %w", err)
		}
	})
	i.cfg.Logger.Info("instance is listening", "url", string(i.base), "listen", i.Listen())
	i.background.Go(func() {
		if err := i.index.Serve(ctx); err != nil {
			failed <- fmt.Errorf("keeping the search index: %w", err)
		}
	})
	doubtful := i.seed.all(ctx, i.store.Snapshot().Videos())
	i.background.Go(func() { i.seed.recheck(ctx, doubtful, i.accept) })
	i.background.Go(func() { i.watcher.serve(ctx) })
	if ctx.Err() == nil {
		close(i.ready)
	}
	err := i.run(ctx, failed)
	cancel()
	return errors.Join(err, i.stop())
}

func (i *Instance) run(ctx context.Context, failed <-chan error) error {
	tick := time.NewTicker(viewsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("serving the instance: %w", err)
		case <-tick.C:
			i.keepViews()
		}
	}
}

func (i *Instance) keepViews() {
	if err := i.store.AddViews(i.rest.TakeViews()); err != nil {
		i.cfg.Logger.Error("views cannot be stored", "error", err)
	}
}

// accept notes the time of a file that proved to be as it was published.
func (i *Instance) accept(ref store.Ref, modTime time.Time) (*store.Video, error) {
	err := i.store.Update(ref.Video.ID, func(v *store.Video) error {
		for n := range v.Files {
			if v.Files[n].ID == ref.File.ID {
				v.Files[n].ModTime = modTime
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	v, _ := i.store.Snapshot().Video(ref.Video.ID)
	return v, nil
}

// stop ends in the reverse order of the start.
func (i *Instance) stop() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state = closed
	errs := []error{i.tracker.Close()}
	i.thumbs.Close()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	if err := i.server.Shutdown(ctx); err != nil {
		errs = append(errs, i.server.Close())
	}
	i.publications.end()
	i.background.Wait()
	i.keepViews()
	return errors.Join(append(errs, i.index.Close(), i.store.Close())...)
}

// Ready is closed once every endpoint answers and what was published before is seeded.
func (i *Instance) Ready() <-chan struct{} { return i.ready }

// Close releases the listener and the store of an instance that Serve never ran on. After Serve it
// does nothing.
func (i *Instance) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != opened {
		return nil
	}
	i.state = closed
	i.publications.end()
	i.thumbs.Close()
	return errors.Join(i.tracker.Close(), i.listener.Close(), i.index.Close(), i.store.Close())
}

// URL is the public URL, without a slash at the end.
func (i *Instance) URL() string { return string(i.base) }

// Listen is the listener's address, HOST:PORT.
func (i *Instance) Listen() string { return i.listener.Addr().String() }

// ActorURL is the instance actor's id.
func (i *Instance) ActorURL() string { return i.base.Actor() }

// AccountURL is the id of the account root.
func (i *Instance) AccountURL() string { return i.base.Account(store.NameRoot) }

// ChannelURL is the id of the channel root_channel.
func (i *Instance) ChannelURL() string { return i.base.Channel(store.NameChannel) }

// seeder is what the instance needs of the engine.
type seeder interface {
	Seed(ctx context.Context, f peer.SeedFile) (*peer.Swarm, error)
}
