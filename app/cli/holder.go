// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"shoal/app/config"
	"shoal/app/control"
	"shoal/app/core"
)

// handoverWait is how long a start waits for a holder that is just coming up or going down.
const handoverWait = 5 * time.Second

// dispatch runs a command in the process that holds the data folder, or here where none does.
func (r *run) dispatch(ctx context.Context, c command) (int, error) {
	if p, ok := c.(preparing); ok && r.env.App == nil {
		if err := p.prepare(ctx, r); err != nil {
			return exitDone, err
		}
	}
	f, ok := c.(forwarded)
	if !ok || !f.forward(r) || r.env.App != nil {
		return exitDone, c.run(ctx, r)
	}
	deadline := time.Now().Add(handoverWait)
	for {
		client, err := control.Dial(ctx, r.paths.Data)
		if err == nil {
			return r.forward(ctx, client)
		}
		err = c.run(ctx, r)
		if !errors.Is(err, core.ErrInUse) || time.Now().After(deadline) {
			return exitDone, err
		}
		select {
		case <-ctx.Done():
			return exitDone, errStopped
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// forward runs this very command in the holder.
func (r *run) forward(ctx context.Context, client *control.Client) (int, error) {
	defer func() { _ = client.Close() }() // everything was read, or the error is known
	return client.Run(ctx, control.Request{
		Args: r.env.Args, Cwd: r.env.Cwd, Env: r.env.Variables, Terminal: r.env.Terminal,
	}, r.env.Stdout, r.env.Stderr)
}

// withApp does work with the program opened: the one of this process where it holds the data
// folder already, else one that lives as long as the work.
func (r *run) withApp(ctx context.Context, o core.Options, work func(context.Context, *core.App) error) error {
	if r.env.App != nil {
		return work(ctx, r.env.App)
	}
	o.Config, o.DataDir, o.Version, o.Logger = r.store, r.paths.Data, version, r.logger()
	app, err := core.Open(ctx, o)
	if err != nil {
		return err
	}
	server, err := control.Listen(r.paths.Data, config.RuntimeDir(), app.Logger())
	if err != nil {
		return errors.Join(err, app.Close())
	}
	// The services end after the work has, not with it.
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	working, stopWork := context.WithCancel(ctx)
	defer stopWork()
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(serving, controlService(server, app))
		stopWork()
	}()
	err = work(working, app)
	stopServing()
	if runErr := <-ended; runErr != nil {
		if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, errStopped) {
			return runErr
		}
		app.Logger().Warn("shutting down failed", "error", runErr)
	}
	return err
}

// controlService answers other starts of the program on this data folder.
func controlService(server *control.Server, app *core.App) core.Service {
	handler := control.Handler{
		Open: app.Show,
		Run: func(ctx context.Context, q control.Request, stdout, stderr io.Writer) int {
			return Run(ctx, Env{
				Args: q.Args, Stdout: stdout, Stderr: stderr, Variables: q.Env,
				Cwd: q.Cwd, Terminal: q.Terminal, App: app,
			})
		},
	}
	return core.Service{Name: "control", Serve: func(ctx context.Context) error { return server.Serve(ctx, handler) }}
}

// logger logs to stderr.
func (r *run) logger() *slog.Logger {
	level := slog.LevelWarn
	switch r.flags.LogLevel {
	case "debug":
		level = slog.LevelDebug
	case "info":
		level = slog.LevelInfo
	case "error":
		level = slog.LevelError
	}
	return slog.New(slog.NewTextHandler(logWriter{r.out}, &slog.HandlerOptions{Level: level}))
}

// logWriter writes log lines between progress texts.
type logWriter struct{ out *output }

// Write writes one line.
func (w logWriter) Write(p []byte) (int, error) {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	w.out.clearLine()
	return w.out.stderr.Write(p)
}
