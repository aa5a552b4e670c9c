// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"shoal/app/core"
	"shoal/instance"
)

// policyCommand shows and changes how follows are answered.
type policyCommand struct {
	FollowBack   string `enum:"on,off," default:"" placeholder:"on|off" help:"Follow back who follows, but for the blacklist: on or off."`
	Followers    string `enum:"accept,approve,reject," default:"" placeholder:"accept|approve|reject" help:"What becomes of new followers: accept all, approve each by hand, or reject all."`
	DropExisting bool   `xor:"existing" help:"With --followers reject: turn away the followers there are, too."`
	KeepExisting bool   `xor:"existing" help:"With --followers reject: keep the followers there are (the default)."`
}

func (*policyCommand) forward(*run) bool { return true }

// policySet is the event.
type policySet struct {
	Event      string `json:"event"`
	FollowBack bool   `json:"followBack"`
	Followers  string `json:"followers"`
}

// prepare asks what is to become of the followers there are, where it matters and somebody is there to
// be asked.
func (c *policyCommand) prepare(ctx context.Context, r *run) error {
	if c.Followers != instance.FollowersReject {
		if c.DropExisting || c.KeepExisting {
			return &usageError{"--drop-existing and --keep-existing go with --followers reject"}
		}
		return nil
	}
	if c.DropExisting || c.KeepExisting {
		return nil
	}
	if !core.HasInstance(r.paths.Data) {
		return core.NoInstance(r.paths.Data)
	}
	if r.env.Stdin == nil || r.out.json {
		r.out.note("shoal: the followers there are stay (--drop-existing turns them away too)")
		return nil
	}
	drop, err := r.confirm(ctx, "Turn away the followers there are, too? [y/N] ")
	if err != nil {
		return err
	}
	if drop {
		c.DropExisting = true
		r.env.Args = append(r.env.Args, "--drop-existing") // for the process that runs it
	}
	return nil
}

// confirm asks a question on the terminal. Everything but yes is no.
func (r *run) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprint(r.out.stderr, question)
	answer := make(chan string, 1)
	go func() { // a read of a terminal cannot be cancelled
		line, _ := bufio.NewReader(io.LimitReader(r.env.Stdin, 1000)).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return false, errStopped
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true, nil
		}
		return false, nil
	}
}

func (c *policyCommand) run(ctx context.Context, r *run) error {
	work := func(ctx context.Context, i *instance.Instance) error {
		p := i.Policy()
		if c.FollowBack != "" || c.Followers != "" {
			change := instance.PolicyChange{DropExisting: c.DropExisting}
			if c.FollowBack != "" {
				on := c.FollowBack == "on"
				change.FollowBack = &on
			}
			if c.Followers != "" {
				change.Followers = &c.Followers
			}
			var err error
			if p, err = i.SetPolicy(ctx, change); err != nil {
				return err
			}
		}
		r.out.event(policySet{Event: "policy", FollowBack: p.FollowBack, Followers: p.Followers})
		r.out.fact("follow back: %s\nfollowers: %s", onOff(p.FollowBack), p.Followers)
		return nil
	}
	if c.DropExisting {
		return r.serving(ctx, 30*time.Second, work) // those turned away are told
	}
	return r.atRest(ctx, work)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// blacklistCommand keeps the hosts that are never followed back.
type blacklistCommand struct {
	Add    blacklistAdd    `cmd:"" help:"Never follow a host back. Its own follow is still accepted."`
	Remove blacklistRemove `cmd:"" help:"Take a host off the list."`
	List   blacklistList   `cmd:"" help:"List the hosts."`
}

type blacklistAdd struct {
	Host string `arg:"" help:"The host, such as video.example.org."`
}

type blacklistRemove struct {
	Host string `arg:"" help:"The host, as in shoal blacklist list."`
}

type blacklistList struct{}

func (*blacklistAdd) forward(*run) bool    { return true }
func (*blacklistRemove) forward(*run) bool { return true }
func (*blacklistList) forward(*run) bool   { return true }

func (c *blacklistAdd) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		if err := i.BlacklistAdd(c.Host); err != nil {
			return err
		}
		r.out.event(action{Event: "blacklist", Target: c.Host, State: "added"})
		r.out.fact("%s is never followed back.", c.Host)
		return nil
	})
}

func (c *blacklistRemove) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		if err := i.BlacklistRemove(c.Host); err != nil {
			return err
		}
		r.out.event(action{Event: "blacklist", Target: c.Host, State: "removed"})
		r.out.fact("%s is off the blacklist.", c.Host)
		return nil
	})
}

// blacklisted is the event of a line of blacklist list.
type blacklisted struct {
	Event string `json:"event"`
	Host  string `json:"host"`
}

func (*blacklistList) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		hosts := i.Blacklist()
		if len(hosts) == 0 {
			r.out.fact("The blacklist is empty.")
		}
		for _, host := range hosts {
			r.out.event(blacklisted{Event: "blacklisted", Host: host})
			r.out.fact("%s", host)
		}
		return nil
	})
}
