// SPDX-License-Identifier: AGPL-3.0-or-later

package outgoing

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"shoal/instance/federation/object"
	"shoal/instance/store"
)

// maxParents bounds how far up a thread those who are told of a comment are looked for.
const maxParents = 30

// comment tells of a new or a changed comment by a local account.
func (p *planner) comment() error {
	c, ok, err := p.tx.Comment(p.change.Subject)
	if err != nil || !ok || !c.Deleted.IsZero() {
		return err
	}
	people, inboxes, err := p.concerned(c)
	if err != nil {
		return err
	}
	mentions, err := object.MentionsOf(p.tx, p.o.cfg.Base, c)
	if err != nil {
		return err
	}
	n := p.o.local.Note(c, mentions...)
	if p.change.Kind == store.CommentUpdated {
		update, err := p.o.local.UpdateNote(n, people, p.stamp())
		if err != nil {
			return err
		}
		p.add(update, c.ID, "update "+c.ID, inboxes)
		return nil
	}
	create, err := p.o.local.CreateNote(n, people)
	if err != nil {
		return err
	}
	p.add(create, c.ID, "", inboxes)
	return nil
}

// commentDeleted tells that a comment is gone: one by a local account, or another's that the account of a local video
// took away.
func (p *planner) commentDeleted() error {
	var c store.Comment
	if err := json.Unmarshal(p.change.Old, &c); err != nil {
		return fmt.Errorf("decoding a comment: %w", err)
	}
	people, inboxes, err := p.concerned(&c)
	if err != nil {
		return err
	}
	by := p.change.Actor
	if by == "" {
		by = c.Author
	}
	p.add(p.o.local.Delete(c.ID, by, people, p.stamp()), c.ID, "", inboxes)
	return nil
}

// concerned are those whom a comment is for, besides everybody, and their inboxes: who follows the author, who wrote
// above it, and the video's own: of a local video all who were told of it, of a remote one its account, whose server
// passes the comment on.
func (p *planner) concerned(c *store.Comment) (people, inboxes []string, err error) {
	var by owners
	listed := true
	if p.tx.IsLocal(c.Video) {
		v, ok := p.snap.VideoByUUID(strings.TrimPrefix(c.Video, p.o.cfg.Base.Video("")))
		if !ok {
			return nil, nil, nil
		}
		if by, err = p.owners(v); err != nil {
			return nil, nil, err
		}
		// Who does not know of an unlisted video does not hear of it from its comments.
		if listed = v.Listed(); listed {
			people = p.collections(by)
			if inboxes, err = p.audience(by, c.Video); err != nil {
				return nil, nil, err
			}
		}
	} else {
		v, ok, err := p.tx.RemoteVideo(c.Video)
		if err != nil || !ok {
			return nil, nil, err
		}
		people = append(people, v.Account)
		if inboxes, err = p.inboxOf(nil, v.Account); err != nil {
			return nil, nil, err
		}
	}
	if listed {
		fans, err := p.tx.FollowerInboxes(c.Author)
		if err != nil {
			return nil, nil, err
		}
		for _, inbox := range fans {
			if !slices.Contains(inboxes, inbox) {
				inboxes = append(inboxes, inbox)
			}
		}
	}
	if inboxes, err = p.inboxOf(inboxes, c.Author); err != nil {
		return nil, nil, err
	}
	above := c.InReplyTo
	for range maxParents {
		parent, ok, err := p.tx.Comment(above)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			break
		}
		if parent.Author != c.Author && !slices.Contains(people, parent.Author) {
			people = append(people, parent.Author)
		}
		if inboxes, err = p.inboxOf(inboxes, parent.Author); err != nil {
			return nil, nil, err
		}
		above = parent.InReplyTo
	}
	return people, inboxes, nil
}
