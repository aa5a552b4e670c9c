// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// maxParents bounds how far up a thread those who are told of a comment are looked for.
const maxParents = 30

// said is a comment or a rate of a local actor that is taken back.
type said struct {
	comment      string // its id; empty for a rate
	video, actor string
	order        string
	activity     *vocab.Activity
	inboxes      []string
}

// said collects what local actors said about videos of some hosts. What came from these hosts goes with
// the block, and what was said about it with that: from then on nobody here could take it back.
func (s *Service) said(hosts map[string]bool) (all []said, err error) {
	local := object.Local{Base: s.cfg.Base}
	of := func(video string) bool { return store.Covers(hosts, store.HostOf(video)) }
	err = s.cfg.Store.Read(func(tx *store.Tx) error {
		return tx.EachOwn(func(c *store.Comment) error {
			if !of(c.Video) {
				return nil
			}
			people, inboxes, err := s.heard(tx, c)
			all = append(all, said{
				comment: c.ID, video: c.Video, actor: c.Author, order: c.ID, inboxes: inboxes,
				activity: local.Delete(c.ID, c.Author, people, object.Stamp{At: s.cfg.Now()}),
			})
			return err
		}, func(video, actor string, r store.Rate) error {
			v, ok, err := tx.RemoteVideo(video)
			if err != nil || !ok || !of(video) {
				return err
			}
			inboxes, err := inboxOf(tx, nil, v.Account)
			if err != nil {
				return err
			}
			undo, err := local.Undo(local.Rate(r.ID, actor, video, v.Account, r.Value))
			all = append(all, said{video: video, actor: actor, order: video, inboxes: inboxes, activity: undo})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading what was said to a host: %w", err)
	}
	return all, nil
}

// heard are those who were told of a comment, besides everybody, and their inboxes: the video's account,
// who follows the author, and who wrote above it.
func (s *Service) heard(tx *store.Tx, c *store.Comment) (people, inboxes []string, err error) {
	v, ok, err := tx.RemoteVideo(c.Video)
	if err != nil || !ok {
		return nil, nil, err
	}
	if inboxes, err = tx.FollowerInboxes(c.Author); err != nil {
		return nil, nil, err
	}
	people = []string{v.Account}
	above := c.InReplyTo
	for range maxParents {
		parent, ok, err := tx.Comment(above)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			break
		}
		if parent.Author != c.Author && !slices.Contains(people, parent.Author) && !s.cfg.Store.Blocked(store.HostOf(parent.Author)) {
			people = append(people, parent.Author)
		}
		above = parent.InReplyTo
	}
	for _, p := range people {
		if inboxes, err = inboxOf(tx, inboxes, p); err != nil {
			return nil, nil, err
		}
	}
	return people, inboxes, nil
}

// inboxOf adds a remote actor's shared inbox, or else its own.
func inboxOf(tx *store.Tx, inboxes []string, actor string) ([]string, error) {
	a, ok, err := tx.Actor(actor)
	if err != nil || !ok || !a.Gone.IsZero() || tx.IsLocal(actor) {
		return inboxes, err
	}
	inbox := a.SharedInbox
	if inbox == "" {
		inbox = a.Inbox
	}
	if inbox != "" && !slices.Contains(inboxes, inbox) {
		inboxes = append(inboxes, inbox)
	}
	return inboxes, nil
}

// signSaid makes what takes it back.
func (s *Service) signSaid(ctx context.Context, all []said) ([]delivery.Message, error) {
	messages := make([]delivery.Message, 0, len(all))
	for _, x := range all {
		body, err := s.cfg.Author.Sign(ctx, x.actor, x.activity)
		if err != nil {
			return nil, err
		}
		messages = append(messages, delivery.Message{ID: x.activity.ID, Actor: x.actor, Order: x.order, Body: body, Inboxes: x.inboxes})
	}
	return messages, nil
}

// unsay forgets what is taken back.
func (s *Service) unsay(tx *store.Tx, all []said) error {
	for _, x := range all {
		if x.comment == "" {
			if _, err := tx.DeleteRate(x.video, x.actor); err != nil {
				return err
			}
			continue
		}
		// It is not to come back from elsewhere.
		if err := errors.Join(tx.DropComment(x.comment), tx.Tombstone(x.comment, s.cfg.Now())); err != nil {
			return err
		}
	}
	return nil
}
