// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"strings"

	"shoal/instance"
)

// videosPage is how many videos are asked for at a time.
const videosPage = 100

// videosCommand lists the videos that the instance knows.
type videosCommand struct {
	Origin string `enum:"local,remote," default:"" placeholder:"local|remote" help:"Only the instance's own (local), or only those of others (remote)."`
	Search string `placeholder:"WORDS" help:"Only those whose title, description, tags or channel match."`
	Start  int    `placeholder:"N" help:"Pass over the first N."`
	Count  int    `placeholder:"N" help:"List N at most. Default: all."`
}

func (*videosCommand) forward(*run) bool { return true }

// videoLine is the event of a video.
type videoLine struct {
	Event     string  `json:"event"`
	UUID      string  `json:"uuid"`
	ShortUUID string  `json:"shortUUID"`
	URL       string  `json:"url"`
	Title     string  `json:"title"`
	Host      string  `json:"host"`
	Channel   string  `json:"channel"`
	Origin    string  `json:"origin"`
	Privacy   string  `json:"privacy"`
	Published stamp   `json:"published"`
	Duration  float64 `json:"duration"` // seconds
	Views     int64   `json:"views"`
	Likes     int64   `json:"likes"`
	Dislikes  int64   `json:"dislikes"`
	Comments  int64   `json:"comments"`
}

func videoEvent(event string, v instance.VideoInfo) videoLine {
	return videoLine{
		Event: event, UUID: v.UUID, ShortUUID: v.ShortUUID, URL: v.URL, Title: v.Title, Host: v.Host, Channel: v.Channel, Origin: v.Origin,
		Privacy: string(v.Privacy), Published: stamp(v.Published), Duration: v.Duration,
		Views: v.Views, Likes: v.Likes, Dislikes: v.Dislikes, Comments: v.Comments,
	}
}

func (c *videosCommand) run(ctx context.Context, r *run) error {
	if c.Start < 0 || c.Count < 0 {
		return &usageError{"--start and --count cannot be below zero"}
	}
	return r.atRest(ctx, func(ctx context.Context, i *instance.Instance) error {
		q := instance.VideoQuery{Origin: c.Origin, Search: c.Search, Start: c.Start}
		listed := 0
		for {
			q.Count = videosPage
			if c.Count > 0 {
				q.Count = min(q.Count, c.Count-listed)
			}
			list, total, err := i.Videos(ctx, q)
			if err != nil {
				return err
			}
			for _, v := range list {
				r.out.event(videoEvent("video", v))
				r.out.fact("%s  %s  %s\n  %s", day(v.Published), v.Title, v.Channel, v.URL)
			}
			listed, q.Start = listed+len(list), q.Start+len(list)
			if len(list) == 0 || q.Start >= total || c.Count > 0 && listed >= c.Count || r.out.err != nil {
				break
			}
		}
		if listed == 0 {
			r.out.fact("There are no videos.")
		}
		return nil
	})
}

// editCommand changes a video of this instance.
type editCommand struct {
	Video       string   `arg:"" name:"url|uuid" help:"A video of this instance."`
	Title       *string  `placeholder:"TEXT" help:"Its new title. Its files get new torrents; the ones before go on."`
	Description *string  `placeholder:"TEXT" help:"What the video is about."`
	Tag         []string `sep:"none" placeholder:"TAG" help:"Its tags from now on; may be given up to five times."`
	NoTags      bool     `help:"Take its tags away."`
	Privacy     string   `enum:"public,unlisted,private," default:"" placeholder:"public|unlisted|private" help:"Who finds it."`
	Comments    string   `enum:"on,off," default:"" placeholder:"on|off" help:"Whether comments are taken."`
	As          string   `placeholder:"ACCOUNT" help:"The account that edits; it must own the video. Default: the owner."`
}

func (*editCommand) forward(*run) bool { return true }

func (c *editCommand) change() (e instance.Edit, any bool) {
	e = instance.Edit{Title: c.Title, Description: c.Description, As: c.As}
	if c.Privacy != "" {
		p := instance.Privacy(c.Privacy)
		e.Privacy = &p
	}
	if len(c.Tag) > 0 || c.NoTags {
		tags := nonNil(c.Tag)
		e.Tags = &tags
	}
	if c.Comments != "" {
		on := c.Comments == "on"
		e.Comments = &on
	}
	return e, e.Title != nil || e.Description != nil || e.Privacy != nil || e.Tags != nil || e.Comments != nil
}

func (c *editCommand) run(ctx context.Context, r *run) error {
	e, any := c.change()
	switch {
	case c.NoTags && len(c.Tag) > 0:
		return &usageError{"--no-tags and --tag exclude each other"}
	case !any:
		return &usageError{"nothing is to be changed: give --title, --description, --tag, --no-tags, --privacy or --comments"}
	}
	return r.serving(ctx, flushWait, func(ctx context.Context, i *instance.Instance) error {
		v, err := i.Edit(ctx, c.Video, e)
		if err != nil {
			return err
		}
		r.out.event(videoEvent("edited", v))
		r.out.fact("Edited %q\n  %s", v.Title, v.URL)
		return nil
	})
}

// deleteCommand deletes a video of this instance, or a comment.
type deleteCommand struct {
	Target string `arg:"" name:"url|uuid" help:"A video of this instance, or the id of a comment."`
	As     string `placeholder:"ACCOUNT" help:"The account that deletes. Default: the video's owner; root for a comment."`
}

func (*deleteCommand) forward(*run) bool { return true }

// isComment tells the id of a comment from a video's address: /videos/watch/{uuid}/comments/{number}.
func isComment(target string) bool {
	return strings.Contains(target, "://") && strings.Contains(target, "/comments/")
}

func (c *deleteCommand) run(ctx context.Context, r *run) error {
	return r.act(ctx, "delete", c.Target, "deleted", duration(flushWait), func(ctx context.Context, i *instance.Instance) error {
		if isComment(c.Target) {
			return i.DeleteComment(ctx, c.Target, c.As)
		}
		return i.Delete(ctx, c.Target, c.As)
	})
}
