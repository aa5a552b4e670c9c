// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"shoal/app/core"
	"shoal/instance"
	"shoal/peer"
	"shoal/peer/library"
)

// statusCommand shows the swarms held and the disk used.
type statusCommand struct{}

func (*statusCommand) forward(*run) bool { return true }

// status is the event.
type status struct {
	Event   string `json:"event"`
	Version string `json:"version"`
	// Reachability is absent where nothing runs.
	Reachability *core.Reachability `json:"reachability,omitempty"`
	Mode         []string           `json:"mode"`
	Swarms       []swarmStatus      `json:"swarms"`
	Queue        int                `json:"queue"`
	Disk         core.Disk          `json:"disk"`
	// Supports are whose videos are held without being watched.
	Supports []supportStatus `json:"supports"`
	// Limits are those in force; at rest there are none.
	Limits *core.Limits `json:"limits,omitempty"`
	// Problems are published files of the instance that are missing or changed.
	Problems []problem `json:"problems,omitempty"`
	// Publications are those of the instance that have not ended.
	Publications []publication `json:"publications,omitempty"`
	// WatchFolder is the folder whose files are published as they appear.
	WatchFolder *watchFolder `json:"watchFolder,omitempty"`
}

// watchFolder is a folder with what keeps its files from being published: all of them (message), or
// some.
type watchFolder struct {
	Folder   string         `json:"folder"`
	Channel  string         `json:"channel,omitempty"`
	Message  string         `json:"message,omitempty"`
	Failures []watchFailure `json:"failures"`
}

type watchFailure struct {
	File    string `json:"file"`
	Message string `json:"message"`
}

// publication is one that waits (its stage is empty), runs or is paused.
type publication struct {
	File   string `json:"file"`
	Title  string `json:"title"`
	Stage  string `json:"stage"`
	Done   int64  `json:"done"`
	Total  int64  `json:"total"`
	Paused bool   `json:"paused"`
}

// problem is a published file that nobody gets.
type problem struct {
	Video   string `json:"video"`
	File    string `json:"file"`
	Message string `json:"message"`
}

// swarmStatus is one swarm; up and down are bytes per second.
type swarmStatus struct {
	Infohash   string     `json:"infohash"`
	Name       string     `json:"name"`
	Bytes      int64      `json:"bytes"`
	Completed  int64      `json:"completed"`
	Complete   bool       `json:"complete"`
	Paused     bool       `json:"paused"`
	Held       bool       `json:"held"` // waits: the network is metered and nobody watches
	Own        bool       `json:"own"`
	Peers      peer.Peers `json:"peers"`
	Up         int64      `json:"up"`
	Down       int64      `json:"down"`
	Uploaded   peer.Bytes `json:"uploaded"`
	Downloaded peer.Bytes `json:"downloaded"`
	Problem    string     `json:"problem,omitempty"`
	// Tracked is who the instance's own tracker knows; left out of what the instance does not publish.
	Tracked *instance.TrackerStats `json:"tracked,omitempty"`

	Pinned      bool             `json:"pinned"`
	SupportedBy string           `json:"supportedBy"` // the id in supports, "" for none
	Keep        library.Standing `json:"keep"`
	Stopped     library.Stop     `json:"stopped,omitempty"` // the limit that paused it
}

func (*statusCommand) run(ctx context.Context, r *run) error {
	var s core.Status
	if r.env.App != nil {
		s = r.env.App.Status()
	} else {
		var err error
		if s, err = core.StatusAtRest(ctx, core.Options{Config: r.store, DataDir: r.paths.Data, Version: version}); err != nil {
			return err
		}
	}
	event := status{Event: "status", Version: s.Version, Mode: nonNil(s.Mode), Swarms: []swarmStatus{}, Queue: s.Queue, Disk: s.Disk, Supports: []supportStatus{}}
	for _, one := range s.Supports {
		event.Supports = append(event.Supports, supportStatus{Support: one})
	}
	for _, p := range s.Problems {
		event.Problems = append(event.Problems, problem{Video: p.UUID, File: p.Path, Message: p.Text})
	}
	for _, p := range s.Publications {
		q, now := p.Request(), p.Progress()
		event.Publications = append(event.Publications, publication{
			File: q.File, Title: q.Title, Stage: now.Stage, Done: now.Done, Total: now.Total, Paused: p.Paused(),
		})
	}
	if w := s.WatchFolder; w.Folder != "" {
		event.WatchFolder = &watchFolder{Folder: w.Folder, Channel: w.Channel, Message: w.Problem, Failures: []watchFailure{}}
		for _, f := range w.Failures {
			event.WatchFolder.Failures = append(event.WatchFolder.Failures, watchFailure{f.File, f.Text})
		}
	}
	for _, i := range s.Swarms {
		event.Swarms = append(event.Swarms, swarmStatus{
			Infohash: i.Infohash, Name: i.Name, Bytes: i.Bytes, Completed: i.Completed, Complete: i.Complete, Paused: i.Paused, Held: i.Held, Own: i.Own,
			Peers: i.Peers, Up: int64(i.Up), Down: int64(i.Down), Uploaded: i.Uploaded, Downloaded: i.Downloaded, Problem: i.Problem, Tracked: i.Tracked,
			Pinned: i.Pinned, SupportedBy: i.SupportedBy, Keep: i.Keep, Stopped: i.Stopped,
		})
	}
	if r.env.App != nil {
		event.Limits = &s.Limits
		reach := r.env.App.Reachability()
		event.Reachability = &reach
	}
	r.out.event(event)
	printStatus(r.out, event)
	return r.out.err
}

func printStatus(out *output, s status) {
	mode := "not running"
	if len(s.Mode) > 0 {
		mode = strings.Join(s.Mode, " and ")
	}
	out.fact("Shoal %s, %s; %s", s.Version, mode, diskWords(s.Disk, time.Now()))
	if s.Reachability != nil {
		printReachability(out, *s.Reachability)
	}
	if s.Disk.Budget > 0 {
		out.fact("%s of %s kept of what was watched and co-seeded", human(s.Disk.Kept), human(s.Disk.Budget))
	}
	if s.Disk.Problem != "" {
		out.fact("%s", s.Disk.Problem)
	}
	if s.Queue > 0 {
		out.fact("%d deliveries to other instances wait (shoal queue shows them).", s.Queue)
	}
	if s.Limits != nil {
		printLimits(out, *s.Limits)
	}
	for _, p := range s.Problems {
		out.fact("%s", p.Message)
	}
	for _, p := range s.Publications {
		out.fact("%s: %s", p.Title, p.words())
	}
	if w := s.WatchFolder; w != nil {
		out.fact("Video files in %s are published as they appear.", w.Folder)
		if w.Message != "" {
			out.fact("  %s", w.Message)
		}
		for _, f := range w.Failures {
			out.fact("  %s: %s", f.File, f.Message)
		}
	}
	if len(s.Swarms) == 0 {
		out.fact("No swarms are held.")
	}
	for _, w := range s.Swarms {
		state := "complete"
		switch {
		case w.Paused:
			state = stopWords(w.Stopped)
		case w.Held:
			state = "held, for the network is metered"
		case !w.Complete:
			state = human(w.Completed) + " here"
		}
		out.fact("%s  %s\n  %s, %s; %d peers; down %s/s, up %s/s; shared back %s\n  %s",
			w.Infohash, w.Name, human(w.Bytes), state, w.Peers.Sum(), human(w.Down), human(w.Up), human(w.Uploaded.Sum()), standingWords(w.Keep))
		if w.Problem != "" {
			out.fact("  %s", w.Problem)
		}
	}
	for _, one := range s.Supports {
		printSupport(out, one.Support)
	}
}

// diskWords says how much of the disk is used, as far as a slow disk has told.
func diskWords(d core.Disk, now time.Time) string {
	switch age := now.Sub(d.Measured); {
	case d.Used < 0:
		return "how much is on disk is not known yet"
	case age >= time.Minute && !d.Measured.IsZero():
		return fmt.Sprintf("%s on disk %s ago: it is slow to answer", human(d.Used), strings.TrimSuffix(age.Truncate(time.Minute).String(), "0s"))
	}
	return human(d.Used) + " on disk"
}

// stopWords says why a swarm is paused.
func stopWords(s library.Stop) string {
	switch s {
	case library.StopRatio:
		return "stopped: it was given back as often as the settings say"
	case library.StopTime:
		return "stopped: it was seeded for as long as the settings say"
	case library.StopIdle:
		return "stopped: nobody has fetched it for as long as the settings say"
	case library.StopNone:
	}
	return "paused"
}

// standingWords says why a swarm stays, or why and when it goes.
func standingWords(k library.Standing) string {
	because := ""
	switch k.Reason {
	case library.ReasonOwn:
		return "always kept: your own video"
	case library.ReasonPinned:
		return "always kept: pinned"
	case library.ReasonWatching:
		return "kept: it is being watched"
	case library.ReasonFetching:
		return "kept: it is being fetched to support its creator"
	case library.ReasonWellSeeded:
		because = fmt.Sprintf("%d seeders have it too", k.Value)
	case library.ReasonUnwatched:
		because = fmt.Sprintf("not watched for %d days", k.Value)
	case library.ReasonIncomplete:
		because = fmt.Sprintf("only %d %% of it is here", k.Value)
	case library.ReasonSupport:
		because = "held to support its creator"
	case library.ReasonRecent:
		because = "watched lately"
	}
	return fmt.Sprintf("number %d to go when room is needed: %s", k.Order, because)
}

// words is how far a publication is, for people.
func (p publication) words() string {
	switch {
	case p.Paused:
		return "paused"
	case p.Stage == "":
		return "waits for its turn to be published"
	}
	return fmt.Sprintf("%s: %d %%", stageName(p.Stage), percent(p.Done, p.Total))
}

func printLimits(out *output, l core.Limits) {
	rate := func(n int64) string {
		if n == 0 {
			return "no limit"
		}
		return human(n) + "/s"
	}
	if l.Upload != 0 || l.Download != 0 || l.Scheduled {
		why := ""
		if l.Scheduled {
			why = ", by the schedule"
		}
		out.fact("Limits%s: up %s, down %s.", why, rate(l.Upload), rate(l.Download))
	}
	if l.Metered {
		out.fact("The network is metered: only what is watched is fetched, and nothing is given.")
	}
}
