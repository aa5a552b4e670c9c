// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shoal/app/core"
	"shoal/peer"
)

// watchCommand shows a video in the window, or streams it without one.
type watchCommand struct {
	Address     string   `arg:"" name:"url|magnet" help:"A watch page, a magnet link, an infohash or a .torrent file."`
	Headless    bool     `help:"Stream without a window. --out, --json, --keep-seeding, --stop-after and --timeout imply it."`
	Out         string   `placeholder:"FILE|-" help:"Write what is streamed to a file, once it is whole, or to stdout."`
	Sources     string   `placeholder:"LIST" help:"What may carry bytes: webrtc, tcp, utp, webseed, separated by commas. Default: the settings'."`
	KeepSeeding duration `placeholder:"DURATION" help:"Go on seeding for so long when the video is here."`
	Quality     int      `placeholder:"HEIGHT" help:"The best rendition up to this height, such as 720. Default: the best."`
	From        seconds  `placeholder:"SECONDS" help:"Begin at this second of the video."`
	StopAfter   seconds  `placeholder:"SECONDS" help:"Stop after so many seconds of the video were streamed."`
	Timeout     duration `placeholder:"DURATION" help:"Give up when the video is not here after so long."`
	Play        bool     `hidden:"" help:"Play it too, into nothing, where libmpv is installed."`
}

func (c *watchCommand) forward(r *run) bool { return !c.windowed(r) }

// windowed is whether nothing asks for streaming without a window.
func (c *watchCommand) windowed(r *run) bool {
	return !c.Headless && !r.out.json && c.Out == "" && c.KeepSeeding == 0 && c.StopAfter == 0 && c.Timeout == 0
}

// metadata is the event of a swarm whose description has come.
type metadata struct {
	Event    string `json:"event"`
	Infohash string `json:"infohash"`
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
	Page     string `json:"page,omitempty"`
	Height   int    `json:"height,omitempty"`
}

// seeded is the event at the end of --keep-seeding.
type seeded struct {
	Event    string     `json:"event"`
	Infohash string     `json:"infohash"`
	Uploaded peer.Bytes `json:"uploaded"`
}

func (c *watchCommand) check(r *run) (peer.Sources, error) {
	sources, err := peer.ParseSources(c.Sources)
	if err != nil {
		return nil, &usageError{"--sources: " + err.Error()}
	}
	switch {
	case c.Quality < 0:
		return nil, &usageError{"--quality: write a height such as 720"}
	case c.Out == "-" && r.out.json:
		return nil, &usageError{"--out - and --json both want stdout: write to a file"}
	}
	return sources, nil
}

func (c *watchCommand) run(ctx context.Context, r *run) error {
	sources, err := c.check(r)
	if err != nil {
		return err
	}
	if c.windowed(r) {
		if c.Sources != "" || c.Quality != 0 || c.From != 0 {
			return &usageError{"--sources, --quality and --from need --headless: the window has its own settings for them"}
		}
		return (&windowCommand{Address: c.Address}).run(ctx, r)
	}
	address := r.localize(c.Address)
	o := core.Options{Sources: sources, Local: core.OnThisMachine(address)}
	return r.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		return c.watch(ctx, r, app, address, sources)
	})
}

// bounded is ctx with --timeout.
func (c *watchCommand) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(c.Timeout))
}

func (c *watchCommand) watch(ctx context.Context, r *run, app *core.App, address string, sources peer.Sources) (err error) {
	sink, err := openSink(c.Out, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.discard()) }()
	bounded, cancel := c.bounded(ctx)
	defer cancel()
	j := &streaming{command: c, out: r.out, app: app, sink: sink}
	if err := j.join(bounded, address, sources); err != nil {
		return c.explain(bounded, err)
	}
	defer func() { err = errors.Join(err, j.session.Close()) }()
	j.announce()
	if err := j.run(bounded); err != nil {
		return c.explain(bounded, err)
	}
	if c.KeepSeeding > 0 {
		j.keepSeeding(ctx)
	}
	return r.out.err
}

// explain is err, or what ended the work: a signal or --timeout.
func (c *watchCommand) explain(ctx context.Context, err error) error {
	var known *core.Error
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && !errors.As(err, &known) {
		return &core.Error{Code: core.CodeTimeout, Message: fmt.Sprintf("the video was not here after %s: try again later, or give it more time with --timeout", time.Duration(c.Timeout)), Err: err}
	}
	return stoppedOr(ctx, err)
}

// stoppedOr is err, or errStopped where a signal is what ended the work.
func stoppedOr(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return errStopped
	}
	return err
}
