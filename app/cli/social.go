// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"strings"

	"shoal/app/core"
	"shoal/instance"
)

// likeCommand, dislikeCommand and unrateCommand rate a video of anywhere.
type (
	likeCommand    struct{ rating }
	dislikeCommand struct{ rating }
	unrateCommand  struct{ rating }
)

// rating is what the three have in common.
type rating struct {
	Video string `arg:"" name:"url|uuid" help:"A video of this instance or of another one."`
	As    string `default:"root" placeholder:"ACCOUNT" help:"The account that rates. Default: root."`
}

func (*rating) forward(*run) bool { return true }

// rated is the event.
type rated struct {
	Event  string `json:"event"`
	Target string `json:"target"`
	As     string `json:"as"`
	Rating string `json:"rating"` // like, dislike or none
}

func (c *likeCommand) run(ctx context.Context, r *run) error {
	return c.rate(ctx, r, 1, "like", "%s likes %s")
}

func (c *dislikeCommand) run(ctx context.Context, r *run) error {
	return c.rate(ctx, r, -1, "dislike", "%s dislikes %s")
}

func (c *unrateCommand) run(ctx context.Context, r *run) error {
	return c.rate(ctx, r, 0, "none", "%s does not rate %s any more")
}

// rate rates, and says so in words that have a place for the account and one for the video.
func (c *rating) rate(ctx context.Context, r *run, value int, name, words string) error {
	return r.serving(ctx, flushWait, func(ctx context.Context, i *instance.Instance) error {
		err := r.bounded(ctx, c.Video, func(ctx context.Context) error { return i.Rate(ctx, c.Video, c.As, value) })
		if err != nil {
			return err
		}
		r.out.event(rated{Event: "rated", Target: c.Video, As: c.As, Rating: name})
		r.out.fact(words, c.As, c.Video)
		return nil
	})
}

// commentCommand comments on a video of anywhere.
type commentCommand struct {
	Video   string `arg:"" name:"url|uuid" help:"A video of this instance or of another one."`
	Text    string `arg:"" help:"What to say."`
	ReplyTo string `placeholder:"ID" help:"The id of the comment that it answers, as in shoal comments."`
	As      string `default:"root" placeholder:"ACCOUNT" help:"The account that comments. Default: root."`
}

func (*commentCommand) forward(*run) bool { return true }

// commentLine is the event of a comment.
type commentLine struct {
	Event      string `json:"event"`
	ID         string `json:"id"`
	Video      string `json:"video"`
	InReplyTo  string `json:"inReplyTo"`
	Author     string `json:"author"` // name@host
	AuthorName string `json:"authorName"`
	Text       string `json:"text"`
	Local      bool   `json:"local"`
	Deleted    bool   `json:"deleted"`
	Created    stamp  `json:"created"`
	Updated    stamp  `json:"updated"`
}

func commentEvent(c instance.CommentInfo) commentLine {
	return commentLine{
		Event: "comment", ID: c.ID, Video: c.Video, InReplyTo: c.InReplyTo, Author: c.Author, AuthorName: c.AuthorName,
		Text: c.Text, Local: c.Local, Deleted: c.Deleted, Created: stamp(c.Created), Updated: stamp(c.Updated),
	}
}

func (c *commentCommand) run(ctx context.Context, r *run) error {
	if strings.TrimSpace(c.Text) == "" {
		return &usageError{"the comment is empty: write something"}
	}
	return r.serving(ctx, flushWait, func(ctx context.Context, i *instance.Instance) error {
		var said instance.CommentInfo
		err := r.bounded(ctx, c.Video, func(ctx context.Context) (err error) {
			said, err = i.Comment(ctx, c.Video, c.As, c.Text, c.ReplyTo)
			return err
		})
		if err != nil {
			return err
		}
		r.out.event(commentEvent(said))
		r.out.fact("Commented: %s", said.ID)
		return nil
	})
}

// commentsCommand lists the comments on a video.
type commentsCommand struct {
	Video string `arg:"" name:"url|uuid" help:"A video of this instance, or one of another that it knows."`
}

func (*commentsCommand) forward(*run) bool { return true }

func (c *commentsCommand) run(ctx context.Context, r *run) error {
	if strings.TrimSpace(c.Video) == "" {
		return &usageError{"name the video whose comments to list: its address, or its id as in shoal videos"}
	}
	return r.atRest(ctx, func(ctx context.Context, i *instance.Instance) error {
		list, err := i.Comments(ctx, c.Video)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			r.out.fact("There are no comments.")
		}
		for _, said := range list {
			r.out.event(commentEvent(said))
		}
		for _, said := range core.Threads(list) {
			r.out.fact("%s", commentText(said))
		}
		return nil
	})
}

// commentText is a comment for people. Replies stand further to the right.
func commentText(said core.Said) string {
	text, who := said.Text, said.Author
	if said.Deleted {
		text = "(deleted)"
	}
	if said.Depth > 0 {
		who += ", answering " + said.Answers
	}
	margin := strings.Repeat("    ", said.Depth)
	block := day(said.Created) + "  " + who + "\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n  " + said.ID
	return margin + strings.ReplaceAll(block, "\n", "\n"+margin)
}
