// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"time"

	"shoal/app/core"
	"shoal/instance"
)

// followCommand follows another instance, an account or a channel.
type followCommand struct {
	Target string   `arg:"" name:"host|handle|url" help:"Whom to follow: an instance's host, name@host, or the URL of an account, a channel or an instance."`
	Wait   duration `default:"30s" placeholder:"DURATION" help:"How long to wait for the answer. Default: 30s."`
}

func (*followCommand) forward(*run) bool { return true }

// followed is the event of a follow: what became of it.
type followed struct {
	Event  string `json:"event"`
	Target string `json:"target"` // as it was asked for
	State  string `json:"state"`
	Reason string `json:"reason"`
	Actor  string `json:"actor,omitempty"` // the other actor's id
	Handle string `json:"handle,omitempty"`
	Host   string `json:"host,omitempty"`
	Name   string `json:"name,omitempty"`
}

func (c *followCommand) run(ctx context.Context, r *run) error {
	return r.serving(ctx, min(flushWait, time.Duration(c.Wait)), func(ctx context.Context, i *instance.Instance) error {
		r.out.progress("asking %s", c.Target)
		f, err := c.ask(ctx, r, i)
		if err != nil {
			if ctx.Err() == nil {
				r.out.event(followed{Event: "follow", Target: c.Target, State: instance.FollowFailed, Reason: oneLine(err)})
			}
			return err
		}
		r.out.event(followed{
			Event: "follow", Target: c.Target, State: f.State, Reason: f.Reason,
			Actor: f.Target, Handle: f.Handle, Host: f.Host, Name: f.Name,
		})
		return c.tell(r, f)
	})
}

// Times of a follow whose other side is slow.
const (
	askGrace = 500 * time.Millisecond // beyond --wait, for what is nearly there
	askLimit = time.Minute            // for finding out whom to ask, when nobody waits any more
)

// ask follows, and returns when --wait is over whatever the other side does. A running instance goes
// on to ask then.
func (c *followCommand) ask(ctx context.Context, r *run, i *instance.Instance) (instance.FollowInfo, error) {
	type result struct {
		f   instance.FollowInfo
		err error
	}
	wait := time.Duration(c.Wait)
	got := make(chan result, 1)
	left := make(chan struct{}) // closed when nobody waits any more
	work := func(background context.Context) {
		asking, cancel := context.WithTimeout(background, wait+askLimit)
		defer cancel()
		stop := context.AfterFunc(ctx, func() {
			select {
			case <-left:
			default:
				cancel()
			}
		})
		defer stop()
		f, err := i.Follow(asking, c.Target, wait)
		got <- result{f, err}
		select {
		case <-left:
			if err != nil && r.env.App != nil {
				r.env.App.Logger().Warn("following failed", "target", c.Target, "error", err)
			}
		default:
		}
	}
	if r.env.App != nil {
		r.env.App.Go(work)
	} else {
		go work(ctx)
	}
	over := time.NewTimer(wait + askGrace)
	defer over.Stop()
	select {
	case res := <-got:
		return res.f, res.err
	case <-ctx.Done():
		return instance.FollowInfo{}, ctx.Err()
	case <-over.C:
	}
	close(left)
	if f, ok := c.asked(i); ok || r.env.App != nil {
		return f, nil
	}
	return instance.FollowInfo{}, &core.Error{
		Code:    core.CodeTimeout,
		Message: c.Target + " did not answer within " + wait.String() + ": try again later, or with a longer --wait",
	}
}

// asked finds the follow in what is known, and what stands for it until it is.
func (c *followCommand) asked(i *instance.Instance) (instance.FollowInfo, bool) {
	list, err := i.Following()
	if err == nil {
		for _, f := range list {
			if c.Target == f.Handle || c.Target == f.Target || c.Target == f.Host && f.Handle == f.Host {
				return f, true
			}
		}
	}
	return instance.FollowInfo{Target: c.Target, State: instance.FollowPending, Reason: "its server has not answered yet"}, false
}

// tell says to a person what became of it. A follow that came to nothing is an error.
func (c *followCommand) tell(r *run, f instance.FollowInfo) error {
	switch f.State {
	case instance.FollowAccepted:
		r.out.fact("Following %s.", nameOf(f))
	case instance.FollowPending:
		r.out.fact("Asked %s, which has not answered yet. shoal following shows the answer.", nameOf(f))
		if r.env.App == nil {
			r.out.note("shoal: the answer can arrive when shoal serve runs")
		}
	case instance.FollowRejected:
		return &core.Error{Code: core.CodeRefused, Message: because(nameOf(f)+" refused to be followed", f.Reason)}
	default:
		return &core.Error{Code: core.CodeFailed, Message: because("following "+nameOf(f)+" failed", f.Reason)}
	}
	return nil
}

// nameOf is how a follow is called in a line for people.
func nameOf(f instance.FollowInfo) string {
	if f.Handle != "" {
		return f.Handle
	}
	return f.Target
}

// because adds a reason where there is one.
func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// unfollowCommand ends a follow.
type unfollowCommand struct {
	Target string   `arg:"" name:"host|handle|url" help:"Whom to follow no longer, as in shoal following."`
	Wait   duration `default:"30s" placeholder:"DURATION" help:"Without a running instance: how long to try to tell the other side. Default: 30s."`
}

func (*unfollowCommand) forward(*run) bool { return true }

func (c *unfollowCommand) run(ctx context.Context, r *run) error {
	return r.act(ctx, "unfollow", c.Target, "unfollowed", c.Wait, func(ctx context.Context, i *instance.Instance) error {
		return i.Unfollow(ctx, c.Target)
	})
}

// approveCommand accepts a follower.
type approveCommand struct {
	Target string   `arg:"" name:"host|handle" help:"The follower, as in shoal followers."`
	Wait   duration `default:"30s" placeholder:"DURATION" help:"Without a running instance: how long to try to tell the other side. Default: 30s."`
}

func (*approveCommand) forward(*run) bool { return true }

func (c *approveCommand) run(ctx context.Context, r *run) error {
	return r.act(ctx, "approve", c.Target, instance.FollowAccepted, c.Wait, func(ctx context.Context, i *instance.Instance) error {
		return i.Approve(ctx, c.Target)
	})
}

// rejectCommand turns a follower away.
type rejectCommand struct {
	Target string   `arg:"" name:"host|handle" help:"The follower, as in shoal followers; also one who was accepted."`
	Wait   duration `default:"30s" placeholder:"DURATION" help:"Without a running instance: how long to try to tell the other side. Default: 30s."`
}

func (*rejectCommand) forward(*run) bool { return true }

func (c *rejectCommand) run(ctx context.Context, r *run) error {
	return r.act(ctx, "reject", c.Target, instance.FollowRejected, c.Wait, func(ctx context.Context, i *instance.Instance) error {
		return i.RejectFollower(ctx, c.Target)
	})
}

// act does something that another instance is told of, and says that it is done.
func (r *run) act(ctx context.Context, event, target, state string, wait duration, do func(context.Context, *instance.Instance) error) error {
	return r.serving(ctx, time.Duration(wait), func(ctx context.Context, i *instance.Instance) error {
		if err := do(ctx, i); err != nil {
			return err
		}
		r.out.event(action{Event: event, Target: target, State: state})
		r.out.fact("%s: %s", target, state)
		return nil
	})
}

// followLine is the event of a line of followers and following.
type followLine struct {
	Event   string `json:"event"`
	Target  string `json:"target"` // what the other commands take: a host or name@host
	Actor   string `json:"actor"`
	Host    string `json:"host"`
	Name    string `json:"name"`
	Local   string `json:"local"` // the actor of this instance that follows or is followed
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Auto    bool   `json:"auto"` // followed back by the policy
	Created stamp  `json:"created"`
	Updated stamp  `json:"updated"`
}

// followersCommand lists who follows this instance.
type followersCommand struct{}

func (*followersCommand) forward(*run) bool { return true }

func (*followersCommand) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		list, err := i.Followers()
		return r.listFollows("follower", "Nobody follows this instance.", list, err)
	})
}

// followingCommand lists whom this instance follows.
type followingCommand struct{}

func (*followingCommand) forward(*run) bool { return true }

func (*followingCommand) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		list, err := i.Following()
		return r.listFollows("following", "This instance follows nobody.", list, err)
	})
}

func (r *run) listFollows(event, none string, list []instance.FollowInfo, err error) error {
	if err != nil {
		return err
	}
	if len(list) == 0 {
		r.out.fact("%s", none)
	}
	for _, f := range list {
		r.out.event(followLine{
			Event: event, Target: nameOf(f), Actor: f.Target, Host: f.Host, Name: f.Name, Local: f.Local, State: f.State,
			Reason: f.Reason, Auto: f.Auto, Created: stamp(f.Created), Updated: stamp(f.Updated),
		})
		auto := ""
		if f.Auto {
			auto = ", followed back"
		}
		r.out.fact("%s  %s  %s%s", because(f.State, f.Reason), nameOf(f), day(f.Updated), auto)
	}
	return nil
}
