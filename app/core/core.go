// SPDX-License-Identifier: AGPL-3.0-or-later

// Package core is the program without its faces: it opens the settings, the data folder, the
// torrent engine, the library and, in instance mode, the instance, runs them under one supervisor
// and closes them in reverse order. The commands (app/cli) and the window (app/desktop) are built
// on it; it knows neither.
package core

import (
	"context"
	"log/slog"

	"shoal/app/config"
	"shoal/instance"
	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

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
	// Resume joins the swarms held in the library again when Run starts.
	Resume bool
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
type App struct{}

// Open takes the data folder's lock and opens everything. Run must follow, or Close. Its errors
// are sentences for a person; a folder that another process holds gives ErrInUse.
func Open(ctx context.Context, o Options) (*App, error) { return nil, ErrInUse }

// Run serves until ctx ends or a part fails, then shuts down in reverse order within 10 s. Further
// services start last and end first.
func (a *App) Run(ctx context.Context, services ...Service) error { return nil }

// Close frees what Open took, when Run was never called.
func (a *App) Close() error { return nil }

// Config returns the settings.
func (a *App) Config() *config.Store { return nil }

// DataDir returns the data folder.
func (a *App) DataDir() string { return "" }

// Logger returns the program's logger; it is never nil.
func (a *App) Logger() *slog.Logger { return nil }

// Engine returns the torrent engine.
func (a *App) Engine() *peer.Engine { return nil }

// Library returns what this machine holds.
func (a *App) Library() *library.Library { return nil }

// Instance returns the instance, nil where this process is none.
func (a *App) Instance() *instance.Instance { return nil }

// PeerTube returns the client for instances.
func (a *App) PeerTube() *peertube.Client { return nil }
