// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/binary"
	"strings"
	"time"
)

// Comment is a comment on a local or remote video.
type Comment struct {
	Number uint64 `json:"number"`
	// ID and Video are ActivityPub ids; InReplyTo is the video's or another comment's.
	ID        string `json:"id"`
	Video     string `json:"video"`
	InReplyTo string `json:"inReplyTo"`
	// Thread is the id of the first comment of its thread, its own for a first one.
	Thread string `json:"thread"`
	// Author is an actor's id.
	Author string `json:"author"`
	// Text is the source, Markdown or plain; HTML is what is shown, sanitised.
	Text  string `json:"text,omitempty"`
	HTML  string `json:"html,omitempty"`
	URL   string `json:"url,omitempty"`
	Local bool   `json:"local,omitempty"`

	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	// Deleted is set on one that is kept as a gap, because it has replies.
	Deleted time.Time `json:"deleted,omitzero"`
}

// Comment finds a comment by its id, also a deleted one that is kept as a gap.
func (tx *Tx) Comment(id string) (*Comment, bool, error) {
	return get[Comment](tx, bucketComments, []byte(id))
}

// CommentByNumber finds a comment by its number.
func (tx *Tx) CommentByNumber(number uint64) (*Comment, bool, error) {
	return tx.Comment(string(tx.bucket(bucketCommentNumbers).Get(key(number))))
}

// PutComment stores a comment. It sets c.Number, and c.Thread where it is empty. A local one goes to
// the change log: added, or updated where it was there.
func (tx *Tx) PutComment(c *Comment) error {
	if err := checkID(c.ID, c.Video, c.Author); err != nil {
		return err
	}
	old, ok, err := tx.Comment(c.ID)
	if err != nil {
		return err
	}
	if ok {
		c.Number = old.Number
		if err := tx.unindexComment(old); err != nil {
			return err
		}
	} else if c.Number, err = tx.bucket(bucketComments).NextSequence(); err != nil {
		return err
	}
	if c.Thread == "" {
		if c.Thread, err = tx.threadOf(c); err != nil {
			return err
		}
	}
	if err := tx.indexComment(c); err != nil {
		return err
	}
	if err := tx.put(bucketComments, []byte(c.ID), c); err != nil || !c.Local {
		return err
	}
	kind := CommentAdded
	if ok {
		kind = CommentUpdated
	}
	return tx.log(kind, c.ID, c.Author, old, c, c.Updated)
}

func (tx *Tx) threadOf(c *Comment) (string, error) {
	parent, ok, err := tx.Comment(c.InReplyTo)
	if err != nil {
		return "", err
	}
	if ok && parent.Video == c.Video {
		return parent.Thread, nil
	}
	return c.ID, nil
}

func (tx *Tx) indexComment(c *Comment) error {
	if err := tx.bucket(bucketCommentNumbers).Put(key(c.Number), []byte(c.ID)); err != nil {
		return err
	}
	if err := tx.bucket(bucketVideoComments).Put(pair(c.Video, keyText(c.Number)), []byte(c.Thread)); err != nil {
		return err
	}
	if err := tx.bucket(bucketReplies).Put(pair(c.InReplyTo, keyText(c.Number)), nil); err != nil {
		return err
	}
	if !c.Deleted.IsZero() {
		return nil
	}
	if err := tx.hang(c.Author, byComment, c.ID); err != nil {
		return err
	}
	return tx.count(c.Video, func(n *Counts) { n.Comments++ })
}

func (tx *Tx) unindexComment(c *Comment) error {
	if err := tx.bucket(bucketCommentNumbers).Delete(key(c.Number)); err != nil {
		return err
	}
	if err := tx.bucket(bucketVideoComments).Delete(pair(c.Video, keyText(c.Number))); err != nil {
		return err
	}
	if err := tx.bucket(bucketReplies).Delete(pair(c.InReplyTo, keyText(c.Number))); err != nil {
		return err
	}
	if !c.Deleted.IsZero() {
		return nil
	}
	if err := tx.unhang(c.Author, byComment, c.ID); err != nil {
		return err
	}
	return tx.count(c.Video, func(n *Counts) { n.Comments-- })
}

// DeleteComment deletes a comment. One with replies stays as a gap without text and author's words.
// A local one goes to the change log, with the comment as Old. It is no error where there is none.
func (tx *Tx) DeleteComment(id string) error {
	c, ok, err := tx.Comment(id)
	if err != nil || !ok || !c.Deleted.IsZero() {
		return err
	}
	if c.Local {
		if err := tx.log(CommentDeleted, c.ID, c.Author, c, nil, time.Now()); err != nil {
			return err
		}
	}
	return tx.dropComment(c)
}

func (tx *Tx) hasReplies(id string) (bool, error) {
	found := false
	err := tx.scan(bucketReplies, pair(id, ""), func(_, _ []byte) (bool, error) {
		found = true
		return false, nil
	})
	return found, err
}

// eraseGaps erases a comment, and the gaps above it that nothing hangs on any more.
func (tx *Tx) eraseGaps(c *Comment) error {
	for {
		if err := tx.eraseComment(c.ID); err != nil {
			return err
		}
		parent, ok, err := tx.Comment(c.InReplyTo)
		if err != nil || !ok || parent.Deleted.IsZero() {
			return err
		}
		if replies, err := tx.hasReplies(parent.ID); err != nil || replies {
			return err
		}
		c = parent
	}
}

func (tx *Tx) eraseComment(id string) error {
	c, ok, err := tx.Comment(id)
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexComment(c); err != nil {
		return err
	}
	return tx.bucket(bucketComments).Delete([]byte(id))
}

// commentIDs returns the ids of all comments on a video, oldest first.
func (tx *Tx) commentIDs(video string) ([]string, error) {
	var all []string
	prefix := pair(video, "")
	numbers := tx.bucket(bucketCommentNumbers)
	err := tx.scan(bucketVideoComments, prefix, func(k, _ []byte) (bool, error) {
		all = append(all, string(numbers.Get(k[len(prefix):])))
		return true, nil
	})
	return all, err
}

// CommentsOf returns a page of the comments on a video in the order they were stored, without
// gaps, and how many there are in all. A count below 0 means all.
func (tx *Tx) CommentsOf(video string, start, count int) ([]*Comment, int, error) {
	ids, err := tx.commentIDs(video)
	if err != nil {
		return nil, 0, err
	}
	return tx.pickComments(ids, start, count, func(c *Comment) bool { return c.Deleted.IsZero() && !tx.s.Blocked(HostOf(c.Author)) })
}

func (tx *Tx) pickComments(ids []string, start, count int, want func(*Comment) bool) ([]*Comment, int, error) {
	var page []*Comment
	total := 0
	for _, id := range ids {
		c, ok, err := tx.Comment(id)
		if err != nil {
			return nil, 0, err
		}
		if !ok || !want(c) {
			continue
		}
		if total >= start && (count < 0 || len(page) < count) {
			page = append(page, c)
		}
		total++
	}
	return page, total, nil
}

// Counts are how many rates, shares and comments this instance knows of a video.
type Counts struct {
	Likes    int `json:"likes"`
	Dislikes int `json:"dislikes"`
	Shares   int `json:"shares"`
	Comments int `json:"comments"`
}

// Counts returns a video's counts; they are 0 where nothing is known.
func (tx *Tx) Counts(video string) (Counts, error) {
	return decodeCounts(tx.bucket(bucketCounts).Get([]byte(video))), nil
}

func decodeCounts(raw []byte) Counts {
	var n [4]int
	for i := range n {
		v, used := binary.Uvarint(raw)
		if used <= 0 {
			break
		}
		n[i], raw = int(v), raw[used:] //nolint:gosec // it was an int
	}
	return Counts{n[0], n[1], n[2], n[3]}
}

func (tx *Tx) count(video string, change func(*Counts)) error {
	b := tx.bucket(bucketCounts)
	n := decodeCounts(b.Get([]byte(video)))
	change(&n)
	if n == (Counts{}) {
		return b.Delete([]byte(video))
	}
	var raw []byte
	for _, v := range []int{n.Likes, n.Dislikes, n.Shares, n.Comments} {
		raw = binary.AppendUvarint(raw, uint64(max(v, 0))) //nolint:gosec // not below 0
	}
	return b.Put([]byte(video), raw)
}

// localVideo finds the local video with an ActivityPub id.
func (tx *Tx) localVideo(id string) (*Video, bool, error) {
	base := tx.base()
	uuid, ok := strings.CutPrefix(id, base+"/videos/watch/")
	if !ok || base == "" {
		return nil, false, nil
	}
	v, ok := tx.s.Snapshot().VideoByUUID(uuid)
	if !ok {
		return nil, false, nil
	}
	return tx.Video(v.ID)
}
