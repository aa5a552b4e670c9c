// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"shoal/app/config"
	"shoal/instance"
)

// Modes of Status.
const (
	ModeViewer   = "viewer"   // watching and co-seeding
	ModeInstance = "instance" // serving an instance
)

// Status is a summary of the program.
type Status struct {
	Version string
	Mode    []string // ModeViewer, ModeInstance; empty where nothing runs
	Swarms  []SwarmInfo
	Queue   int // deliveries to other instances that wait
	// Problems are the instance's published files that are missing or changed.
	Problems []instance.Problem
	// Publications are the instance's that have not ended.
	Publications []*instance.Publication
	// WatchFolder is the instance's; its Folder is empty where there is none.
	WatchFolder instance.WatchFolder
	Disk        Disk
	Supports    []Support
	Limits      Limits // in force now; zero where nothing runs
}

// Disk is what is kept, in bytes. A budget of 0 is none.
type Disk struct {
	Used   int64 `json:"used"`   // everything, what the instance publishes too; -1 not known yet
	Kept   int64 `json:"kept"`   // what the budget bounds: swarms joined
	Budget int64 `json:"budget"` // of Kept
	Free   int64 `json:"free"`   // of the disk, -1 unknown
	// Measured is when Used and Free were: a slow disk takes its time.
	Measured time.Time `json:"measured,omitzero"`
	// Problem says for a person why the settings cannot be kept to, "" where they are.
	Problem string `json:"problem,omitempty"`
}

// Status returns the summary. It waits for no network, and only a little for a slow disk.
func (a *App) Status() Status {
	s := Status{Version: a.options.Version, Mode: []string{}, Swarms: a.Swarms(), Limits: a.Limits()}
	if a.options.Window || a.instance == nil {
		s.Mode = append(s.Mode, ModeViewer)
	}
	if a.instance != nil {
		s.Mode = append(s.Mode, ModeInstance)
		s.Queue = a.instance.QueueDepth()
		s.Problems = a.instance.Problems()
		s.Publications = a.instance.Publications()
		s.WatchFolder = a.instance.WatchFolder()
	}
	s.Supports = a.Supports()
	s.Disk = a.diskOf(s.Swarms, a.usage())
	return s
}

func (a *App) diskOf(swarms []SwarmInfo, m measured) Disk {
	return Disk{
		Used: m.used, Kept: kept(swarms), Budget: a.options.Config.Get().Sharing.Budget, Free: m.free, Measured: m.at.UTC(),
		Problem: a.DiskProblem(),
	}
}

// Limits returns the limits in force now.
func (a *App) Limits() Limits { return *a.limiter.current.Load() }

func mediaDirs(cfg config.Config, data string) []string {
	return []string{cfg.DownloadsDir(data), filepath.Join(data, "media")}
}

// StatusAtRest returns the summary of a data folder that no process holds, without starting
// anything. A folder that does not exist holds nothing.
func StatusAtRest(ctx context.Context, o Options) (_ Status, err error) {
	s := Status{Version: o.Version, Mode: []string{}}
	if !HasLibrary(o.DataDir) {
		s.Disk.Budget, s.Disk.Free = o.Config.Get().Sharing.Budget, -1
		return s, nil
	}
	a, err := openResting(o)
	if err != nil {
		return Status{}, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, e := range a.keeper.all() {
		s.Swarms = append(s.Swarms, notJoined(e))
	}
	sortSwarms(s.Swarms)
	a.stand(s.Swarms)
	s.Supports = a.Supports()
	if HasInstance(o.DataDir) {
		err := atRest(ctx, o, func(_ context.Context, i *instance.Instance) error {
			s.Queue = i.QueueDepth()
			return nil
		})
		if err != nil {
			return Status{}, err
		}
	}
	s.Disk = a.diskOf(s.Swarms, a.measure(func() bool { return ctx.Err() != nil }))
	return s, nil
}

// Publish publishes a file on this process's instance.
func (a *App) Publish(ctx context.Context, req instance.PublishRequest, progress func(instance.Progress)) (instance.Published, error) {
	i, err := a.OwnInstance()
	if err != nil {
		return instance.Published{}, err
	}
	return i.Publish(ctx, req, progress)
}

// OnOpen registers what shows an address in the window; it is called from any goroutine when
// another start of the program hands its argument over ("" shows the window). nil unregisters.
func (a *App) OnOpen(show func(arg string)) {
	a.mu.Lock()
	a.onOpen = show
	var waiting []string
	if show != nil {
		waiting, a.pending = a.pending, nil
	}
	a.mu.Unlock()
	for _, arg := range waiting {
		show(arg)
	}
}

// maxPending bounds the addresses that wait for the window to come up.
const maxPending = 16

// Show hands an address to the window.
func (a *App) Show(arg string) error {
	a.mu.Lock()
	show := a.onOpen
	if show == nil && a.options.Window && len(a.pending) < maxPending {
		a.pending = append(a.pending, arg)
		a.mu.Unlock()
		return nil
	}
	a.mu.Unlock()
	if show == nil {
		return fail(CodeInUse, nil, "Shoal runs on this data folder without a window: stop it first, or name another folder with --data")
	}
	show(arg)
	return nil
}
