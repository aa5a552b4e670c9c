// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"shoal/app/core"
	"shoal/instance"
)

// flushWait bounds how long a command that runs alone goes on to send what it made.
const flushWait = 10 * time.Second

// settledAfter is how long a queue must be empty to count as sent: what was changed comes into it
// after a moment.
const settledAfter = time.Second

// atRest does work with the instance of the data folder: the one that runs, or one that is opened for
// it without serving.
func (r *run) atRest(ctx context.Context, work func(context.Context, *instance.Instance) error) error {
	if r.env.App != nil {
		return r.withOwn(ctx, r.env.App, work)
	}
	o := core.Options{Config: r.store, DataDir: r.paths.Data, Version: version, Logger: r.logger()}
	if err := core.AtRest(ctx, o, work); err != nil {
		return err
	}
	return r.out.err
}

// serving does work with the instance that runs. Where none does, it serves the folder's for as long
// as the work takes, and on until what the work made is sent, at most for so long.
func (r *run) serving(ctx context.Context, flush time.Duration, work func(context.Context, *instance.Instance) error) error {
	if r.env.App != nil {
		return r.withOwn(ctx, r.env.App, work)
	}
	if !core.HasInstance(r.paths.Data) {
		return core.NoInstance(r.paths.Data)
	}
	o := core.Options{Instance: &core.InstanceOptions{}, Local: core.OnThisMachine(r.store.Get().Instance.URL)}
	return r.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		i, err := app.OwnInstance()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errStopped
		case <-i.Ready():
		}
		if err := r.withOwn(ctx, app, work); err != nil {
			return err
		}
		if left := settle(ctx, i, flush); left > 0 {
			r.out.note("shoal: %d deliveries to other instances wait until shoal serve is started", left)
		}
		return nil
	})
}

// withOwn does work with the instance of this process.
func (r *run) withOwn(ctx context.Context, app *core.App, work func(context.Context, *instance.Instance) error) error {
	i, err := app.OwnInstance()
	if err != nil {
		return err
	}
	if err := work(ctx, i); err != nil {
		if ctx.Err() != nil {
			return errStopped
		}
		return err
	}
	return r.out.err
}

// lookWait bounds how long a command waits for another server to say what something is.
const lookWait = 15 * time.Second

// bounded does something that may ask another server about a target, says so to who waits, and gives
// up in time.
func (r *run) bounded(ctx context.Context, target string, do func(context.Context) error) error {
	r.out.progress("looking for %s", target)
	looking, cancel := context.WithTimeout(ctx, lookWait)
	defer cancel()
	err := do(looking)
	if err != nil && looking.Err() != nil && ctx.Err() == nil {
		return &core.Error{Code: core.CodeTimeout, Message: fmt.Sprintf("%s: its server did not answer within %s: try again later", target, lookWait), Err: err}
	}
	return err
}

// settle waits until nothing is left to be sent, at most for so long, and returns how much is.
func settle(ctx context.Context, i *instance.Instance, limit time.Duration) int {
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	empty := time.Now()
	for {
		depth := i.QueueDepth()
		if depth > 0 {
			empty = time.Time{}
		} else if empty.IsZero() {
			empty = time.Now()
		}
		if !empty.IsZero() && time.Since(empty) >= settledAfter {
			return 0
		}
		select {
		case <-ctx.Done():
			return depth
		case <-end.C:
			return depth
		case <-tick.C:
		}
	}
}

// stamp is a time in an event: RFC 3339 in UTC, null where there is none.
type stamp time.Time

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	t := time.Time(s)
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.UTC().Truncate(time.Millisecond))
}

// action is the event of a command that does something to another instance or actor. Event is the
// command's name.
type action struct {
	Event  string `json:"event"`
	Target string `json:"target"`
	State  string `json:"state"`
}

// day is a time for people, "never" where there is none.
func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
