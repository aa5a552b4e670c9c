// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"strings"
	"time"

	"shoal/app/core"
	"shoal/instance"
)

// publishCommand publishes a file on this machine's instance.
type publishCommand struct {
	File        string   `arg:"" help:"The video file."`
	Title       string   `required:"" help:"The video's title."`
	Channel     string   `placeholder:"NAME" help:"The channel to publish in. Default: root_channel."`
	Description string   `placeholder:"TEXT" help:"What the video is about."`
	Tag         []string `sep:"none" placeholder:"TAG" help:"A tag; may be given up to five times."`
	Privacy     string   `enum:"public,unlisted,private" default:"public" help:"Who finds it: public, unlisted or private."`
}

func (*publishCommand) forward(*run) bool { return true }

// publishProgress is the event of a step.
type publishProgress struct {
	Event string `json:"event"`
	Stage string `json:"stage"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// published is the event of a published video.
type published struct {
	Event      string   `json:"event"`
	UUID       string   `json:"uuid"`
	ShortUUID  string   `json:"shortUUID"`
	URL        string   `json:"url"`
	WatchPage  string   `json:"watchPage"`
	Magnet     string   `json:"magnet"`
	Infohash   string   `json:"infohash"`
	TorrentURL string   `json:"torrentUrl"`
	FileURLs   []string `json:"fileUrls"`
	Bytes      int64    `json:"bytes"`
}

func (c *publishCommand) run(ctx context.Context, r *run) error {
	path := r.within(c.File)
	alone := r.env.App == nil
	if alone {
		if !core.HasInstance(r.paths.Data) {
			return core.NoInstance(r.paths.Data)
		}
	}
	stored := r.store.Get().Instance
	o := core.Options{Instance: &core.InstanceOptions{}, Local: core.OnThisMachine(stored.URL)}
	var pace pacer
	return r.withApp(ctx, o, func(ctx context.Context, app *core.App) error {
		p, err := app.Publish(ctx, instance.PublishRequest{
			File: path, Title: c.Title, Channel: c.Channel, Description: c.Description, Tags: c.Tag, Privacy: instance.Privacy(c.Privacy),
		}, func(p instance.Progress) {
			if !pace.due(p, time.Now()) {
				return
			}
			r.out.event(publishProgress{Event: "progress", Stage: p.Stage, Done: p.Done, Total: p.Total})
			r.out.progress("%s: %d %%", stageName(p.Stage), percent(p.Done, p.Total))
		})
		if err != nil {
			if ctx.Err() != nil {
				return errStopped
			}
			return err
		}
		r.out.event(published{
			Event: "published", UUID: p.UUID, ShortUUID: p.ShortUUID, URL: p.URL, WatchPage: p.WatchPage, Magnet: p.Magnet,
			Infohash: p.Infohash, TorrentURL: p.TorrentURL, FileURLs: nonNil(p.FileURLs), Bytes: p.Bytes,
		})
		r.out.fact("Published %q (%s)\n  %s\n  %s", c.Title, human(p.Bytes), p.WatchPage, p.Magnet)
		if alone {
			r.out.note("shoal: no server runs on this data folder, so nobody can reach the video until shoal serve is started")
		}
		return nil
	})
}

// progressEvery is the least time between two events of one stage: hashing reports each piece.
const progressEvery = 200 * time.Millisecond

// pacer thins out progress. Its calls come one at a time, as Publish's do.
type pacer struct {
	stage string
	last  time.Time
}

// due is whether p is to be told: a stage's beginning and end always are.
func (c *pacer) due(p instance.Progress, now time.Time) bool {
	if p.Stage == c.stage && p.Done < p.Total && now.Sub(c.last) < progressEvery {
		return false
	}
	c.stage, c.last = p.Stage, now
	return true
}

func stageName(stage string) string {
	switch stage {
	case "probe":
		return "Looking at the file"
	case "copy":
		return "Copying"
	case "transcode":
		return "Converting"
	case "hash":
		return "Hashing"
	case "publish":
		return "Publishing"
	}
	return strings.ToUpper(stage[:min(1, len(stage))]) + stage[min(1, len(stage)):]
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
