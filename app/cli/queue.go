// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"shoal/app/core"
	"shoal/instance"
)

// maxRefusals is how many refusals are kept, and so listed.
const maxRefusals = 1000

// queueCommand lists what waits to be sent to other instances.
type queueCommand struct {
	Retry *string `placeholder:"HOST|all" help:"Try a host again now, or all of them."`
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

// givenUp is the event of a delivery that is not tried any more.
type givenUp struct {
	Event  string `json:"event"`
	At     stamp  `json:"at"`
	Host   string `json:"host"`
	ID     string `json:"id"` // the activity's
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

// maxGivenUp is how many deliveries that were given up are listed.
const maxGivenUp = 20

func (c *queueCommand) run(ctx context.Context, r *run) error {
	if c.Retry == nil {
		return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error { return listQueue(r, i) })
	}
	host := strings.TrimSpace(*c.Retry)
	if host == "" {
		return &usageError{"--retry needs a host, as in shoal queue, or all"}
	}
	return r.serving(ctx, flushWait, func(_ context.Context, i *instance.Instance) error {
		if host == "all" {
			host = ""
		} else if waits, err := waitsFor(i, host); err != nil {
			return err
		} else if !waits {
			return &core.Error{Code: core.CodeNotFound, Message: fmt.Sprintf("nothing waits for %s: shoal queue lists the hosts that something waits for", host)}
		}
		if err := i.RetryQueue(host); err != nil {
			return err
		}
		return listQueue(r, i)
	})
}

func waitsFor(i *instance.Instance, host string) (bool, error) {
	hosts, err := i.Queue()
	return slices.ContainsFunc(hosts, func(h instance.QueueHost) bool { return strings.EqualFold(h.Host, host) }), err
}

// listQueue lists what waits and what was given up.
func listQueue(r *run, i *instance.Instance) error {
	hosts, err := i.Queue()
	if err != nil {
		return err
	}
	lost, err := i.GivenUp(maxGivenUp)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		r.out.fact("Nothing waits to be sent.")
	}
	for _, h := range hosts {
		r.out.event(queueLine{Event: "queue", Host: h.Host, Depth: h.Depth, Next: stamp(h.Next), LastError: h.LastError})
		r.out.fact("%s  %d waiting, next try %s", about(h.Host, h.LastError), h.Depth, second(h.Next))
	}
	if len(lost) > 0 {
		r.out.fact("Given up, and not tried any more:")
	}
	for _, g := range lost {
		r.out.event(givenUp{Event: "givenUp", At: stamp(g.At), Host: g.Host, ID: g.ID, Actor: g.Actor, Reason: g.Reason})
		r.out.fact("%s  %s\n  %s", second(g.At), about(g.Host, g.Reason), g.ID)
	}
	return nil
}

// about is what is said about a host, with its name in front once.
func about(host, words string) string {
	if strings.HasPrefix(words, host+" ") || strings.HasPrefix(words, host+":") {
		return words
	}
	return because(host, words)
}

// second is a time for people, to the second and with its zone.
func second(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.Local().Format("2006-01-02 15:04:05 -07:00")
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
