// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"shoal/app/config"
	"shoal/instance"
)

// HasInstance reports whether a data folder holds an instance, running or not.
func HasInstance(dataDir string) bool {
	_, err := os.Stat(filepath.Join(dataDir, "instance.db"))
	return !errors.Is(err, fs.ErrNotExist)
}

// OwnInstance returns the instance of this process, or an error of CodeNoInstance for a person.
func (a *App) OwnInstance() (*instance.Instance, error) {
	if a.instance == nil {
		return nil, fail(CodeNoInstance, nil, "the running Shoal is no instance: stop it and start shoal serve, or switch the instance on in the settings")
	}
	return a.instance, nil
}

// NoInstance is the error of a data folder without an instance.
func NoInstance(dataDir string) error {
	return fail(CodeNoInstance, nil, "the data folder %s holds no instance, and this is for an instance: run shoal serve first", dataDir)
}

// AtRest opens the instance of a data folder that no process holds, lets work read or change what it
// knows, and closes it. Nothing is served, sent or seeded meanwhile: what is to be sent waits for the
// next start. A folder that another process holds gives ErrInUse.
func AtRest(ctx context.Context, o Options, work func(context.Context, *instance.Instance) error) (err error) {
	if !HasInstance(o.DataDir) {
		return NoInstance(o.DataDir)
	}
	l, err := openFolder(o.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	return atRest(ctx, o, work)
}

// atRest is AtRest for who holds the folder.
func atRest(ctx context.Context, o Options, work func(context.Context, *instance.Instance) error) (err error) {
	a := App{options: o, logger: o.Logger}
	if a.options.Instance == nil {
		a.options.Instance = &InstanceOptions{}
	}
	cfg := a.instanceConfig()
	cfg.Listen = "127.0.0.1:0" // nobody is answered
	cfg.Engine = nil
	i, err := instance.Open(ctx, cfg)
	if err != nil {
		return explainOpening(err)
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	return work(ctx, i)
}

// followInstance has a running instance follow its settings, as far as they need no restart.
func followInstance(i *instance.Instance, cfg config.Instance) {
	i.SetUploadLimits(cfg.UploadLimit, cfg.UploadLimitPerIP)
	i.SetWatchFolder(cfg.WatchFolder, cfg.WatchChannel)
}
