// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"errors"
	"time"

	"shoal/app/core"
	"shoal/peer"
)

// seedCommand co-seeds without playing until it is stopped.
type seedCommand struct {
	Address []string `arg:"" name:"url|magnet|channel" help:"Watch pages, magnet links, infohashes, .torrent files, or channels: all their videos."`
}

func (*seedCommand) forward(*run) bool { return true }

// readySeed is the event of swarms that trackers know of.
type readySeed struct {
	Event  string      `json:"event"`
	Swarms []seedSwarm `json:"swarms"`
}

type seedSwarm struct {
	Infohash string `json:"infohash"`
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
}

// announceWait is after how long a tracker that does not answer is spoken of.
const announceWait = 20 * time.Second

func (c *seedCommand) run(ctx context.Context, r *run) error {
	o := core.Options{}
	addresses := make([]string, len(c.Address))
	for i, a := range c.Address {
		addresses[i] = r.localize(a)
		o.Local = o.Local || core.OnThisMachine(a)
	}
	return r.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		return r.seed(ctx, app, addresses)
	})
}

func (r *run) seed(ctx context.Context, app *core.App, addresses []string) (err error) {
	var sessions []*core.Session
	defer func() {
		for _, s := range sessions {
			err = errors.Join(err, s.Release())
		}
	}()
	for _, address := range addresses {
		r.out.progress("Joining %s", address)
		more, err := app.Seed(ctx, address)
		sessions = append(sessions, more...)
		if err != nil {
			return stoppedOr(ctx, err)
		}
	}
	ready := readySeed{Event: "ready", Swarms: []seedSwarm{}}
	for _, swarm := range swarmsOf(sessions) {
		if !r.waitAnnounced(ctx, swarm) {
			return nil // until interrupted: that is how it ends
		}
		s := swarm.Stats()
		ready.Swarms = append(ready.Swarms, seedSwarm{Infohash: s.Infohash, Name: s.Name, Bytes: s.Bytes})
	}
	r.out.event(ready)
	for _, s := range ready.Swarms {
		r.out.fact("Co-seeding %s (%s)", s.Name, human(s.Bytes))
	}
	r.out.fact("Stop with Ctrl-C.")
	r.showSeeding(ctx, swarmsOf(sessions))
	return r.out.err
}

func swarmsOf(sessions []*core.Session) []*peer.Swarm {
	var swarms []*peer.Swarm
	for _, s := range sessions {
		swarms = append(swarms, s.Main)
		if s.HasAudio() {
			swarms = append(swarms, s.Audio)
		}
	}
	return swarms
}

// waitAnnounced waits until a tracker of the swarm has answered; one without trackers is ready at
// once. It is false when ctx has ended.
func (r *run) waitAnnounced(ctx context.Context, swarm *peer.Swarm) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	remind := time.After(announceWait)
	for {
		trackers := swarm.Stats().Trackers
		if len(trackers) == 0 {
			return true
		}
		failure := ""
		for _, t := range trackers {
			if t.Connected && !t.LastAnnounce.IsZero() {
				return true
			}
			if t.LastError != "" {
				failure = ": " + t.LastError
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-remind:
			r.out.note("shoal: no tracker of %q has answered yet%s", swarm.Name(), failure)
		case <-tick.C:
		}
	}
}

// showSeeding shows figures on a terminal until ctx ends.
func (r *run) showSeeding(ctx context.Context, swarms []*peer.Swarm) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var peers int
		var up, down float64
		var completed, total, uploaded int64
		for _, swarm := range swarms {
			s := swarm.Stats()
			peers += s.Peers.Sum()
			up, down = up+s.Up, down+s.Down
			completed, total, uploaded = completed+s.Completed, total+s.Bytes, uploaded+s.Uploaded.Sum()
		}
		r.out.progress("%d %% here, %d peers, down %s/s, up %s/s, shared back %s",
			percent(completed, total), peers, human(int64(down)), human(int64(up)), human(uploaded))
	}
}
