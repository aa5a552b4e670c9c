// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	"shoal/app/control"
	"shoal/app/core"
	"shoal/app/desktop"
)

// windowCommand opens the window, or hands its argument to the one that is open.
type windowCommand struct {
	Address   string `arg:"" optional:"" name:"url|magnet|file" help:"What to open: an instance, a watch page, a magnet link or a file."`
	NullAudio bool   `hidden:"" help:"Play without sound."`
	Report    string `hidden:"" placeholder:"FILE" help:"Write each second what the window shows, as JSON lines."`
}

func (c *windowCommand) run(ctx context.Context, r *run) error {
	argument := r.localize(c.Address)
	deadline := time.Now().Add(handoverWait)
	for {
		handed, err := r.handOver(ctx, argument)
		if handed || err != nil {
			return err
		}
		err = c.open(ctx, r, argument)
		if !errors.Is(err, core.ErrInUse) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return errStopped
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// handOver gives the argument to the process that holds the data folder, where there is one.
func (r *run) handOver(ctx context.Context, argument string) (handed bool, err error) {
	if r.env.App != nil {
		return true, r.env.App.Show(argument)
	}
	client, err := control.Dial(ctx, r.paths.Data)
	if errors.Is(err, control.ErrNoHolder) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = client.Close() }() // everything was read
	var text capture
	code, err := client.Open(ctx, argument, &text)
	if err == nil && code != exitDone {
		err = &core.Error{Code: core.CodeInUse, Message: text.line()}
	}
	return true, err
}

func (c *windowCommand) open(ctx context.Context, r *run, argument string) error {
	if err := displayMissing(); err != nil {
		return err
	}
	o := core.Options{Window: true, Resume: true, Local: core.OnThisMachine(argument)}
	if cfg := r.store.Get().Instance; cfg.Enabled {
		o.Instance = &core.InstanceOptions{}
		o.Local = o.Local || core.OnThisMachine(cfg.URL)
	}
	wo := desktop.Options{Argument: argument, Version: version, NullAudio: c.NullAudio}
	if c.Report != "" {
		f, err := os.Create(c.Report)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // a test reads it while it is written
		wo.Report = io.Writer(f)
	}
	return r.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		return desktop.Run(ctx, app, wo)
	})
}

// displayMissing says what to do on a machine without a display, or in a build without a window.
func displayMissing() error {
	if !desktop.Available {
		return &core.Error{Code: "noWindow", Message: "this build of Shoal has no window: use the commands (shoal --help), or build it with CGO_ENABLED=1"}
	}
	switch runtime.GOOS {
	case "linux", "freebsd", "openbsd", "netbsd":
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return &core.Error{Code: "noWindow", Message: "there is no display for the window: use the commands (shoal --help), such as shoal watch --headless or shoal demo"}
		}
	}
	return nil
}

// localize makes an argument that names a file one that does so in every working folder.
func (r *run) localize(argument string) string {
	if argument == "" {
		return ""
	}
	if path, ok := core.LocalPath(argument, r.env.Cwd); ok {
		return path
	}
	return argument
}

// capture keeps what is written, up to a bound.
type capture struct{ text []byte }

// Write keeps p.
func (c *capture) Write(p []byte) (int, error) {
	if room := 4096 - len(c.text); room > 0 {
		c.text = append(c.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (c *capture) line() string { return oneLine(errors.New(string(c.text))) }
