// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"

	"shoal/instance"
)

// maxRefusals is how many refusals are kept, and so listed.
const maxRefusals = 1000

// queueCommand lists what waits to be sent to other instances.
type queueCommand struct {
	Retry string `placeholder:"HOST|all" help:"Try a host again now, or all of them."`
}

func (*queueCommand) forward(*run) bool { return true }

// queueLine is the event of a host.
type queueLine struct {
	Event     string `json:"event"`
	Host      string `json:"host"`
	Depth     int    `json:"depth"`
	Next      stamp  `json:"next"`
	LastError string `json:"lastError"`
}

func (c *queueCommand) run(ctx context.Context, r *run) error {
	list := func(_ context.Context, i *instance.Instance) error {
		if c.Retry != "" {
			host := c.Retry
			if host == "all" {
				host = ""
			}
			if err := i.RetryQueue(host); err != nil {
				return err
			}
		}
		hosts, err := i.Queue()
		if err != nil {
			return err
		}
		if len(hosts) == 0 {
			r.out.fact("Nothing waits to be sent.")
		}
		for _, h := range hosts {
			r.out.event(queueLine{Event: "queue", Host: h.Host, Depth: h.Depth, Next: stamp(h.Next), LastError: h.LastError})
			r.out.fact("%s  %d waiting, next try %s", because(h.Host, h.LastError), h.Depth, day(h.Next))
		}
		return nil
	}
	if c.Retry != "" {
		return r.serving(ctx, flushWait, list)
	}
	return r.atRest(ctx, list)
}

// refusedCommand lists what came in and was refused.
type refusedCommand struct {
	Count int `default:"100" placeholder:"N" help:"List the newest N. Default: 100."`
}

func (*refusedCommand) forward(*run) bool { return true }

// refusedLine is the event of a refusal.
type refusedLine struct {
	Event  string `json:"event"`
	At     stamp  `json:"at"`
	Actor  string `json:"actor"`
	Host   string `json:"host"`
	Type   string `json:"type"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

func (c *refusedCommand) run(ctx context.Context, r *run) error {
	if c.Count < 1 || c.Count > maxRefusals {
		return &usageError{"--count is a number from 1 to 1000"}
	}
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		list, err := i.Refusals(c.Count)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			r.out.fact("Nothing was refused.")
		}
		for _, f := range list {
			r.out.event(refusedLine{Event: "refused", At: stamp(f.At), Actor: f.Actor, Host: f.Host, Type: f.Type, ID: f.ID, Reason: f.Reason})
			r.out.fact("%s  %s of %s\n  %s", day(f.At), f.Type, f.Actor, f.Reason)
		}
		return nil
	})
}
