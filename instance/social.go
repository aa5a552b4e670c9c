// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"shoal/instance/fault"
	"shoal/instance/federation/object"
	"shoal/instance/store"
)

// maxComment bounds a comment in characters, as PeerTube does.
const maxComment = 10_000

// Rate rates a video of anywhere as an account of this instance ("" is root): 1 likes, -1 dislikes,
// 0 takes it back. target is a UUID, short UUID, number or URL. Its errors are sentences for a person.
func (i *Instance) Rate(ctx context.Context, target, as string, value int) error {
	a, err := i.actingAs(as)
	if err != nil {
		return err
	}
	f, err := i.rateable(ctx, target)
	if err != nil {
		return err
	}
	actor, video := i.base.Account(a.Name), f.id(i)
	return i.store.Write("storing a rate", func(tx *store.Tx) error {
		if value == 0 {
			_, err := tx.DeleteRate(video, actor)
			return err
		}
		kind := map[int]string{1: "/likes/", -1: "/dislikes/"}[value]
		_, err := tx.SetRate(video, actor, value, actor+kind+uuid.NewString())
		return err
	})
}

// rateable finds a video that can be rated and commented on.
func (i *Instance) rateable(ctx context.Context, target string) (found, error) {
	f, err := i.find(ctx, target)
	if err == nil && f.local != nil && !f.local.Served() {
		err = fault.Refused("the video %s is private: make it public first", f.local.Title)
	}
	return f, err
}

// CommentInfo is a comment on a video.
type CommentInfo struct {
	// ID is the comment's ActivityPub id, Video the video's, InReplyTo what it answers.
	ID, Video, InReplyTo string
	// Author is name@host, AuthorName the name for people.
	Author, AuthorName string
	// Text is plain, HTML is sanitised. Both are empty when the comment was deleted.
	Text, HTML       string
	Local, Deleted   bool
	Created, Updated time.Time
}

// Comment comments on a video of anywhere as an account of this instance ("" is root). replyTo is
// the id of the comment that it answers, or empty. Its errors are sentences for a person.
func (i *Instance) Comment(ctx context.Context, target, as, text, replyTo string) (CommentInfo, error) {
	a, err := i.actingAs(as)
	if err != nil {
		return CommentInfo{}, err
	}
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return CommentInfo{}, fault.BadInput("the comment is empty: write something")
	case n > maxComment || !utf8.ValidString(text):
		return CommentInfo{}, fault.BadInput("the comment is longer than %d characters or no plain text: shorten it", maxComment)
	}
	f, err := i.rateable(ctx, target)
	switch {
	case err != nil:
		return CommentInfo{}, err
	case !f.commentsOpen():
		return CommentInfo{}, fault.Refused("the video takes no comments: who published it has closed it for them, and alone can open it")
	}
	if replyTo != "" {
		if err := i.answerable(ctx, f, replyTo); err != nil {
			return CommentInfo{}, err
		}
	}
	c := i.newComment(a, f, text, replyTo)
	var info CommentInfo
	err = i.store.Write("storing a comment", func(tx *store.Tx) error {
		if err := tx.PutComment(c); err != nil {
			return err
		}
		info, err = i.commentInfo(tx, c)
		return err
	})
	return info, err
}

// newComment is a comment with its id, which is below the video's page on this instance.
func (i *Instance) newComment(a *store.Account, f found, text, replyTo string) *store.Comment {
	now := time.Now().UTC().Truncate(time.Millisecond)
	var videoUUID string
	if f.local != nil {
		videoUUID = f.local.UUID
	} else {
		videoUUID = f.remote.UUID
	}
	id := i.base.Video(videoUUID) + "/comments/" + uuid.NewString()
	c := &store.Comment{
		ID: id, URL: id, Video: f.id(i), InReplyTo: replyTo, Author: i.base.Account(a.Name), Text: text, HTML: object.MarkdownHTML(text),
		Local: true, Created: now, Updated: now,
	}
	if replyTo == "" {
		c.InReplyTo = c.Video
	}
	return c
}

// answerable checks that a comment is one on the video; one that is not known yet is fetched.
func (i *Instance) answerable(ctx context.Context, f found, id string) error {
	if !strings.Contains(id, "://") {
		return fault.BadInput("%q is no id of a comment: give the address that the list of comments has for it", id)
	}
	var c *store.Comment
	err := i.store.Read(func(tx *store.Tx) (err error) {
		c, _, err = tx.Comment(id)
		return err
	})
	if err != nil {
		return fmt.Errorf("reading comments: %w", err)
	}
	if c == nil && !strings.HasPrefix(id, i.URL()+"/") {
		if c, err = i.fed.Resolver().Comment(ctx, f.id(i), id); err != nil {
			return err
		}
	}
	if c == nil || c.Video != f.id(i) || !c.Deleted.IsZero() {
		return fault.NotFound("there is no comment %s on this video to answer: check its id", id)
	}
	return nil
}

// Comments lists the comments on a video, oldest first.
func (i *Instance) Comments(ctx context.Context, target string) ([]CommentInfo, error) {
	f, err := i.find(ctx, target)
	if err != nil {
		return nil, err
	}
	var all []CommentInfo
	err = i.store.Read(func(tx *store.Tx) error {
		comments, _, err := tx.CommentsOf(f.id(i), 0, -1)
		if err != nil {
			return err
		}
		for _, c := range comments {
			info, err := i.commentInfo(tx, c)
			if err != nil {
				return err
			}
			all = append(all, info)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading comments: %w", err)
	}
	slices.SortStableFunc(all, func(a, b CommentInfo) int { return a.Created.Compare(b.Created) })
	return all, nil
}

func (i *Instance) commentInfo(tx *store.Tx, c *store.Comment) (CommentInfo, error) {
	handle, name, err := i.nameOf(tx, c.Author)
	return CommentInfo{
		ID: c.ID, Video: c.Video, InReplyTo: c.InReplyTo, Author: handle, AuthorName: name, Text: c.Text, HTML: c.HTML,
		Local: c.Local, Deleted: !c.Deleted.IsZero(), Created: c.Created, Updated: c.Updated,
	}, err
}

// DeleteComment deletes a comment of an account of this instance ("" is root), or any on its videos,
// and tells others so. Its errors are sentences for a person.
func (i *Instance) DeleteComment(_ context.Context, commentID, as string) error {
	a, err := i.actingAs(as)
	if err != nil {
		return err
	}
	return i.store.Write("deleting a comment", func(tx *store.Tx) error {
		c, ok, err := tx.Comment(commentID)
		switch {
		case err != nil:
			return err
		case !ok || !c.Deleted.IsZero():
			return fault.NotFound("there is no comment %s here: check its id", commentID)
		case c.Author != i.base.Account(a.Name) && !i.owns(a, c.Video):
			return fault.Refused("%s neither wrote the comment nor published the video: name the account that did", a.Name)
		}
		if err := tx.DeleteComment(commentID); err != nil {
			return err
		}
		if !c.Local {
			if err := i.moderated(tx, a, c); err != nil {
				return err
			}
		}
		return tx.Tombstone(commentID, time.Now()) // it is not to come back from elsewhere
	})
}

// moderated has others told that an account took somebody else's comment off its video.
func (i *Instance) moderated(tx *store.Tx, a *store.Account, c *store.Comment) error {
	old, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding a comment: %w", err)
	}
	return tx.AddChange(store.Change{Kind: store.CommentDeleted, Subject: c.ID, Actor: i.base.Account(a.Name), Old: old, At: time.Now()})
}

// owns reports whether a local video, by its ActivityPub id, is an account's.
func (i *Instance) owns(a *store.Account, videoID string) bool {
	uuid, ok := strings.CutPrefix(videoID, i.base.Video(""))
	if !ok {
		return false
	}
	v, ok := i.store.Snapshot().VideoByUUID(uuid)
	if !ok {
		return false
	}
	c, ok := i.store.Snapshot().ChannelByID(v.ChannelID)
	return ok && c.AccountID == a.ID
}
