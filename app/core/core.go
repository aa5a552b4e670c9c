// SPDX-License-Identifier: AGPL-3.0-or-later

// Package core is the program without its faces: it opens the settings, the data folder, the
// torrent engine, the library and, in instance mode, the instance, runs them under one supervisor
// and closes them in reverse order. The commands (app/cli) and the window (app/desktop) are built
// on it; it knows neither.
package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"shoal/app/config"
	"shoal/instance"
	"shoal/peer"
	"shoal/peer/bound"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

// libraryFile is the library's name in the data folder.
const libraryFile = "library.db"

// Options say how to open the program.
type Options struct {
	// Config is the settings in use.
	Config *config.Store
	// DataDir is the data folder; it is created when missing.
	DataDir string
	// Instance opens instance mode too; nil leaves it out.
	Instance *InstanceOptions
	// Sources overrides the settings' transports where it is not empty.
	Sources peer.Sources
	// Local says that peers and trackers are on this machine: loopback addresses are offered, and
	// neither the DHT nor the public STUN server is asked.
	Local bool
	// Resume joins the swarms held in the library again when Run starts.
	Resume bool
	// Window says that this process shows a window, now or soon.
	Window bool
	// Version names the program in the User-Agent.
	Version string
	// Logger gets what happens; nil discards it.
	Logger *slog.Logger
}

// InstanceOptions is how to be an instance. Empty fields are taken from the settings.
type InstanceOptions struct {
	Listen string
	URL    string
	Name   string
	Dev    bool
}

// App is the opened program: one in a process and one on a data folder.
type App struct {
	options  Options
	logger   *slog.Logger
	lock     *lock
	reach    reachability
	engine   *peer.Engine
	library  *library.Library
	instance *instance.Instance
	peertube *peertube.Client
	keeper   *keeper
	supports *supports
	watching watching
	limiter  *limiter
	loopback loopback
	named    named
	free     func(dir string) int64 // see diskFree
	disk     usage
	freeing  freeing
	resumed  chan struct{} // closed once the library's swarms are joined again

	background background
	// unsubscribe ends what follows the settings.
	unsubscribe func()

	mu     sync.Mutex
	onOpen func(string)
	// pending is what another start handed over before the window was there.
	pending []string

	closeOnce sync.Once
	closeErr  error
}

// Open takes the data folder's lock and opens everything. Run must follow, or Close. Its errors
// are sentences for a person; a folder that another process holds gives ErrInUse.
func Open(ctx context.Context, o Options) (_ *App, err error) {
	a, err := openResting(o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = a.failed(err)
		}
	}()
	entries, err := a.library.List()
	if err != nil {
		return nil, err
	}
	a.named.addProxies()
	a.named.addEntries(entries)
	for _, s := range a.supports.all() {
		a.named.add(s.Instance)
	}
	if a.engine, err = peer.New(a.engineConfig()); err != nil {
		return nil, err
	}
	a.keeper.engine = a.engine
	if o.Instance != nil {
		if a.instance, err = instance.Open(ctx, a.instanceConfig()); err != nil {
			return nil, err
		}
		a.named.add(a.instance.URL())
		a.unsubscribe = o.Config.Subscribe(func(cfg config.Config) { followInstance(a.instance, cfg.Instance) })
	}
	a.limiter = newLimiter(o.Config, a.engine)
	return a, nil
}

// openResting takes the data folder's lock and opens what needs no engine.
func openResting(o Options) (_ *App, err error) {
	a := &App{options: o, logger: o.Logger, free: diskFree, freeing: freeing{least: judgedFrom}, resumed: make(chan struct{})}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	if a.lock, err = openFolder(o.DataDir); err != nil {
		return nil, err
	}
	if a.library, err = library.Open(filepath.Join(o.DataDir, libraryFile)); err != nil {
		return nil, a.failed(err)
	}
	a.peertube = peertube.New(peertube.Options{UserAgent: "Shoal/" + o.Version, Dev: o.Local, Logger: a.logger})
	a.keeper = newKeeper(a.library, nil, a.logger)
	a.keeper.sharing = func() (library.Limits, bool) {
		cfg := o.Config.Get()
		return limitsOf(cfg.Sharing), cfg.Network.Metered
	}
	a.supports = newSupports(a.library, a.logger)
	return a, nil
}

// failed closes what a start that failed had opened, and explains why it did.
func (a *App) failed(err error) error {
	if closeErr := a.Close(); closeErr != nil {
		a.logger.Warn("closing after a failed start failed", "error", closeErr)
	}
	return explainOpening(err)
}

// openFolder creates the data folder and takes its lock.
func openFolder(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, folderError(dir, err)
	}
	l, err := takeLock(filepath.Join(dir, "lock"))
	if errors.Is(err, ErrInUse) {
		return nil, &Error{Code: CodeInUse, Message: fmt.Sprintf("the data folder %s is in use by another Shoal: stop that one, or name another folder with --data", dir), Err: err}
	}
	if err != nil {
		return nil, folderError(dir, err)
	}
	return l, nil
}

func (a *App) engineConfig() peer.Config {
	cfg := a.options.Config.Get()
	sources := a.options.Sources
	if len(sources) == 0 {
		sources = configuredSources(cfg.Network)
	}
	var ec peer.Config
	ec.Dir = cfg.DownloadsDir(a.options.DataDir)
	ec.PiecesDB = filepath.Join(a.options.DataDir, "pieces.db")
	ec.Port = cfg.Network.TorrentPort
	ec.Sources = sources
	ec.ReadAhead = cfg.ReadAhead
	ec.Limits = engineLimits(cfg, time.Now())
	ec.Memory = cfg.Limits.Memory
	ec.DHT = cfg.Network.DHT && !a.options.Local
	ec.IPv4Only = !cfg.Network.IPv6
	ec.Logger = a.logger
	ec.Interface = bound.Interface{Name: cfg.Network.Interface, Strict: cfg.Network.KillSwitch}
	a.named.on = ec.Interface
	ec.WebRTC.UDPPort = cfg.Network.ICEPort
	ec.WebRTC.Loopback = a.options.Local || onlyLoopback()
	ec.WebRTC.Logger = a.logger
	if !a.options.Local {
		ec.WebRTC.ICEServers = iceServers(cfg.Network)
		ec.DialContext = a.named.dial
		ec.Proxy, ec.Proxied = a.chooseProxy, a.proxied
	}
	return ec
}

func (a *App) instanceConfig() instance.Config {
	stored, o := a.options.Config.Get().Instance, *a.options.Instance
	ic := instance.Config{
		Dir: a.options.DataDir, Listen: o.Listen, URL: o.URL, Name: o.Name, Dev: o.Dev || stored.Dev,
		Version: a.options.Version, Engine: a.engine, Logger: a.logger,
		UploadLimit: stored.UploadLimit, UploadLimitPerIP: stored.UploadLimitPerIP,
		WatchFolder: stored.WatchFolder, WatchChannel: stored.WatchChannel,
		NotWatched: []string{a.options.Config.Get().DownloadsDir(a.options.DataDir)},
	}
	if ic.Listen == "" {
		ic.Listen = stored.Listen
	}
	if ic.URL == "" {
		ic.URL = stored.URL
	}
	if ic.Name == "" {
		ic.Name = stored.Name
	}
	return ic
}

// Run serves until ctx ends or a part fails, then shuts down in reverse order within 10 s. Further
// services start last and end first.
func (a *App) Run(ctx context.Context, services ...Service) error {
	all := []Service{{Name: "engine", Serve: a.engine.Serve}, {Name: "limits", Serve: a.limiter.serve}}
	if a.options.Resume {
		all = append(all, Service{Name: "resume", Serve: a.serveResume})
	}
	all = append(all, Service{Name: "library", Serve: a.keeper.serve})
	if a.options.Resume {
		all = append(all, Service{Name: "room", Serve: a.serveRoom}, Service{Name: "supports", Serve: newSupporter(a).serve})
	}
	if a.instance != nil {
		all = append(all, Service{Name: "instance", Serve: a.instance.Serve})
	}
	if !a.options.Local {
		all = append(all, Service{Name: "reachability", Serve: a.serveReachability})
	}
	all = append(all, Service{Name: "loopback", Serve: a.loopback.serve})
	err := supervise(ctx, a.logger, append(all, services...))
	return errors.Join(err, a.Close())
}

func (a *App) serveResume(ctx context.Context) error {
	if err := a.library.Resume(ctx, a.engine); err != nil && ctx.Err() == nil {
		a.logger.Warn("some swarms were not joined again", "error", err)
	}
	close(a.resumed)
	<-ctx.Done()
	return nil
}

// Close frees what Open took. Run does it too.
func (a *App) Close() error {
	a.closeOnce.Do(func() {
		var errs []error
		a.background.end()
		a.disk.ended.Store(true)
		if a.unsubscribe != nil {
			a.unsubscribe()
		}
		if a.instance != nil {
			errs = append(errs, a.instance.Close())
		}
		if a.engine != nil {
			errs = append(errs, a.engine.Close())
		}
		if a.peertube != nil {
			a.peertube.Close()
		}
		if a.library != nil {
			errs = append(errs, a.library.Close())
		}
		a.closeErr = errors.Join(append(errs, a.lock.release())...)
	})
	return a.closeErr
}

// Config returns the settings.
func (a *App) Config() *config.Store { return a.options.Config }

// DataDir returns the data folder.
func (a *App) DataDir() string { return a.options.DataDir }

// Logger returns the program's logger; it is never nil.
func (a *App) Logger() *slog.Logger { return a.logger }

// Engine returns the torrent engine.
func (a *App) Engine() *peer.Engine { return a.engine }

// Library returns what this machine holds.
func (a *App) Library() *library.Library { return a.library }

// Instance returns the instance, nil where this process is none.
func (a *App) Instance() *instance.Instance { return a.instance }

// PeerTube returns the client for instances.
func (a *App) PeerTube() *peertube.Client { return a.peertube }
