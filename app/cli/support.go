// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"time"

	"shoal/app/core"
)

// supportCommand keeps whom this machine supports.
type supportCommand struct {
	Add    supportAddCommand    `cmd:"" help:"Support a channel, an account or an instance, or change how."`
	Remove supportRemoveCommand `cmd:"" help:"End a support."`
	List   supportListCommand   `cmd:"" help:"List what is supported, and what it was given back."`
}

// supportStatus is the event of a support.
type supportStatus struct {
	Event string `json:"event,omitempty"` // left out in the list of status
	core.Support
	State string `json:"state,omitempty"` // what a command did: "added", "removed"
}

// supporting does work with what the data folder knows of supports: in the process that holds it, or
// without an engine.
func (r *run) supporting(ctx context.Context, o core.Options, work func(context.Context, *core.App) error) error {
	if r.env.App != nil {
		return work(ctx, r.env.App)
	}
	o.Config, o.DataDir, o.Version, o.Logger = r.store, r.paths.Data, version, r.logger()
	return core.SupportAtRest(ctx, o, work)
}

// supportAddCommand begins a support.
type supportAddCommand struct {
	Target string `arg:"" name:"channel|instance" help:"The page of a channel, an account or an instance, or name@host."`
	Budget size   `placeholder:"SIZE" help:"How much of the disk its videos may take, such as 20GB. Default: 20GB."`
	Order  string `enum:"newest,rarest," default:"" placeholder:"newest|rarest" help:"Which videos are held where not all fit: the newest, or those with the fewest seeders. Default: newest."`
}

func (*supportAddCommand) forward(*run) bool { return true }

func (c *supportAddCommand) run(ctx context.Context, r *run) error {
	o := core.Options{Local: core.OnThisMachine(c.Target)}
	return r.supporting(ctx, o, func(ctx context.Context, app *core.App) error {
		var s core.Support
		err := r.bounded(ctx, c.Target, func(ctx context.Context) (err error) {
			s, err = app.AddSupport(ctx, c.Target, core.SupportOptions{Budget: int64(c.Budget), Order: c.Order})
			return err
		})
		if err != nil {
			return stoppedOr(ctx, err)
		}
		r.out.event(supportStatus{Event: "support", Support: s, State: "added"})
		r.out.fact("Supporting %s (%s) with up to %s of its %s videos.", s.DisplayName, s.Name, human(s.Budget), s.Order)
		if r.env.App == nil {
			r.out.note("shoal: the videos are fetched while Shoal runs: open the window, or start shoal serve")
		}
		return r.out.err
	})
}

// supportRemoveCommand ends a support.
type supportRemoveCommand struct {
	Target      string `arg:"" name:"channel|instance" help:"What is supported: its page, its name, or its id in shoal support list."`
	DeleteFiles bool   `help:"Delete its videos too, save those that are pinned or were watched. Without it they go on being seeded."`
}

func (*supportRemoveCommand) forward(*run) bool { return true }

func (c *supportRemoveCommand) run(ctx context.Context, r *run) error {
	work := func(ctx context.Context, app *core.App) error {
		s, err := app.FindSupport(c.Target)
		if err != nil {
			return err
		}
		if err := app.RemoveSupport(ctx, s.ID, c.DeleteFiles); err != nil {
			return stoppedOr(ctx, err)
		}
		r.out.event(supportStatus{Event: "support", Support: s, State: "removed"})
		r.out.fact("%s is not supported any more. It was given back %s.", s.Name, human(s.Uploaded.Sum()))
		return r.out.err
	}
	if c.DeleteFiles { // which takes an engine
		return r.withApp(ctx, core.Options{Local: true}, work)
	}
	return r.supporting(ctx, core.Options{}, work)
}

// supportListCommand lists the supports.
type supportListCommand struct{}

func (*supportListCommand) forward(*run) bool { return true }

func (*supportListCommand) run(ctx context.Context, r *run) error {
	const none = "Nothing is supported. shoal support add CHANNEL begins."
	if r.env.App == nil && !core.HasLibrary(r.paths.Data) {
		r.out.fact(none)
		return r.out.err
	}
	return r.supporting(ctx, core.Options{}, func(_ context.Context, app *core.App) error {
		list := app.Supports()
		if len(list) == 0 {
			r.out.fact(none)
		}
		for _, s := range list {
			r.out.event(supportStatus{Event: "support", Support: s})
			printSupport(r.out, s)
		}
		return r.out.err
	})
}

func printSupport(out *output, s core.Support) {
	checked := "not looked at yet"
	if !s.Checked.IsZero() {
		checked = "looked at " + s.Checked.Local().Format(time.DateTime)
	}
	out.fact("%s  %s, %s %s\n  %s of %s, %d of %d videos whole; gave back %s; %s",
		s.ID, s.DisplayName, s.Kind, s.Name, human(s.Used), human(s.Budget), s.Complete, s.Videos, human(s.Uploaded.Sum()), checked)
	if s.Problem != "" {
		out.fact("  %s", s.Problem)
	}
}

// pinCommand pins a video.
type pinCommand struct {
	Video string `arg:"" name:"url|infohash" help:"A watch page, a magnet link or an infohash of what is held."`
}

func (*pinCommand) forward(*run) bool { return true }

func (c *pinCommand) run(ctx context.Context, r *run) error { return r.pin(ctx, c.Video, true) }

// unpinCommand takes it back.
type unpinCommand struct {
	Video string `arg:"" name:"url|infohash" help:"A watch page, a magnet link or an infohash of what is held."`
}

func (*unpinCommand) forward(*run) bool { return true }

func (c *unpinCommand) run(ctx context.Context, r *run) error { return r.pin(ctx, c.Video, false) }

// pinStatus is the event of a swarm that was pinned or unpinned.
type pinStatus struct {
	Event    string `json:"event"`
	Infohash string `json:"infohash"`
	Pinned   bool   `json:"pinned"`
}

func (r *run) pin(ctx context.Context, video string, pinned bool) error {
	return r.supporting(ctx, core.Options{}, func(_ context.Context, app *core.App) error {
		list, err := app.Held(video)
		if err != nil {
			return err
		}
		for _, infohash := range list {
			if err := app.SetPinned(infohash, pinned); err != nil {
				return err
			}
			r.out.event(pinStatus{Event: "pin", Infohash: infohash, Pinned: pinned})
		}
		if pinned {
			r.out.fact("Pinned: it is never deleted to make room.")
		} else {
			r.out.fact("Not pinned any more.")
		}
		return r.out.err
	})
}
