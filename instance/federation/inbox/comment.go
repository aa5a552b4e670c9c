// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"errors"
	"fmt"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// comment takes a new or changed comment on a video of this instance or on one that is known here, by
// its author.
func (b *Inbox) comment(ctx context.Context, in Incoming, o object) (Effect, error) {
	chain, err := b.cfg.Resolver.Thread(ctx, o.id, o.raw)
	switch {
	case err != nil:
		return nil, verdict(err)
	case len(chain) == 0:
		return nothing()
	}
	c := chain[len(chain)-1]
	if c.Author != in.Actor.ID {
		return nil, &Refusal{"the comment is somebody else's"}
	}
	video, local := b.cfg.Resolver.LocalVideo(c.Video)
	reply := func(*store.Tx) error { return nil }
	pass := reply
	if local {
		pass = b.passOn(ctx, in, video)
		if reply, err = b.approve(ctx, in, video, c); err != nil {
			return nil, err
		}
	}
	return func(tx *store.Tx) error {
		known, ok, err := tx.Comment(c.ID)
		switch {
		case err != nil:
			return err
		case ok && (!known.Deleted.IsZero() || c.Updated.Before(known.Updated)), tx.Gone(c.ID):
			return nil // late
		case ok && known.Author != c.Author:
			return &Refusal{"the comment is somebody else's"}
		}
		if err := b.cfg.Resolver.Open(tx, c.Video); err != nil {
			return verdict(err)
		}
		if ok {
			// What it answers does not change.
			c.Video, c.InReplyTo, c.Thread, c.Created = known.Video, known.InReplyTo, known.Thread, known.Created
			if err := tx.PutComment(c); err != nil {
				return err
			}
			return pass(tx)
		}
		if err := b.cfg.Resolver.PutThread(tx, chain); err != nil {
			return verdict(err)
		}
		if err := reply(tx); err != nil {
			return err
		}
		return pass(tx)
	}, nil
}

// owner is the account that a video of this instance belongs to, and its channel.
func (b *Inbox) owner(v *store.Video) (account, channel string, ok bool) {
	snap := b.cfg.Store.Snapshot()
	c, ok := snap.ChannelByID(v.ChannelID)
	if !ok {
		return "", "", false
	}
	a, ok := snap.AccountByID(c.AccountID)
	if !ok {
		return "", "", false
	}
	return b.cfg.Base.Account(a.Name), b.cfg.Base.Channel(c.Name), true
}

// approve prepares the answer that a comment stands: PeerTube asks for it before it shows a comment.
func (b *Inbox) approve(ctx context.Context, in Incoming, v *store.Video, c *store.Comment) (Effect, error) {
	account, _, ok := b.owner(v)
	if !ok {
		return nil, &Refusal{"the video belongs to nobody"}
	}
	a := vocab.Activity{
		Context: vocab.Context("ApproveReply"), Type: "ApproveReply", ID: approvalID(b.cfg.Base.Video(v.UUID), c.ID),
		Actor: vocab.IDRef(account), InReplyTo: vocab.IDRef(c.InReplyTo), Object: vocab.IDRef(c.ID),
	}
	body, err := b.cfg.Author.Sign(ctx, account, a)
	if err != nil {
		return nil, fmt.Errorf("signing an answer: %w", err)
	}
	m := delivery.Message{ID: a.ID, Actor: account, Order: c.ID, Body: body, Inboxes: []string{in.Actor.Inbox}}
	return func(tx *store.Tx) error { return b.enqueue(tx, m) }, nil
}

func (b *Inbox) enqueue(tx *store.Tx, m delivery.Message) error {
	if err := b.cfg.Queue.Enqueue(tx.Bolt(), m); err != nil {
		return fmt.Errorf("queueing an activity: %w", err)
	}
	return nil
}

// remove takes the end of a video or a comment (ActivityPub §7.4).
func (b *Inbox) remove(ctx context.Context, in Incoming) (Effect, error) {
	id := noFragment(in.Activity.Object.ID)
	known, err := b.knownComment(id)
	switch {
	case err != nil:
		return nil, err
	case id == "", b.isLocal(id) && known == nil:
		return nil, &Refusal{"it deletes what is not its own"}
	}
	pass := func(*store.Tx) error { return nil }
	if known != nil {
		if v, local := b.cfg.Resolver.LocalVideo(known.Video); local {
			pass = b.passOn(ctx, in, v)
		}
	}
	return func(tx *store.Tx) error {
		v, ok, err := tx.RemoteVideo(id)
		switch {
		case err != nil:
			return err
		case ok && v.Account != in.Actor.ID:
			return &Refusal{"only its account may delete a video"}
		case ok:
			return tx.DeleteRemoteVideo(id, b.cfg.Now())
		}
		c, ok, err := tx.Comment(id)
		switch {
		case err != nil:
			return err
		case ok:
			return b.removeComment(tx, in, c, pass)
		}
		if _, ok, err := tx.Actor(id); err != nil || ok {
			return errors.Join(err, &Refusal{"an actor is deleted by itself alone"})
		}
		return nil
	}, nil
}

func (b *Inbox) knownComment(id string) (*store.Comment, error) {
	var c *store.Comment
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		known, ok, err := tx.Comment(id)
		if ok {
			c = known
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a comment: %w", err)
	}
	return c, nil
}

// removeComment deletes a comment for its author or for the account whose video it is on, also one of
// this instance. Others heard of it from there.
func (b *Inbox) removeComment(tx *store.Tx, in Incoming, c *store.Comment, pass Effect) error {
	if c.Author != in.Actor.ID {
		v, ok, err := tx.RemoteVideo(c.Video)
		if err != nil {
			return err
		}
		if !ok || v.Account != in.Actor.ID {
			return &Refusal{"only its author or the video's account may delete a comment"}
		}
	}
	if err := tx.DropComment(c.ID); err != nil {
		return err
	}
	if err := tx.Tombstone(c.ID, b.cfg.Now()); err != nil {
		return err
	}
	return pass(tx)
}
