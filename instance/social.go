// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"time"
)

// Rate rates a video of anywhere as an account of this instance ("" is root): 1 likes, -1 dislikes,
// 0 takes it back. target is a UUID, short UUID, number or URL.
func (i *Instance) Rate(ctx context.Context, target, as string, value int) error { return errNotReady }

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
// the id of the comment that it answers, or empty.
func (i *Instance) Comment(ctx context.Context, target, as, text, replyTo string) (CommentInfo, error) {
	return CommentInfo{}, errNotReady
}

// Comments lists the comments on a video, oldest first.
func (i *Instance) Comments(ctx context.Context, target string) ([]CommentInfo, error) {
	return nil, errNotReady
}

// DeleteComment deletes a comment of an account of this instance ("" is root), or any on its videos.
func (i *Instance) DeleteComment(ctx context.Context, commentID, as string) error { return errNotReady }
