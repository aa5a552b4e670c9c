// SPDX-License-Identifier: AGPL-3.0-or-later

package outgoing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

const (
	// missed is how far back what a follower missed goes, before its first message was given up.
	missed = 3 * 24 * time.Hour
	// maxCaughtUp bounds how many videos a follower that was away is told of again, the newest.
	maxCaughtUp = 50
)

// bucketAway holds the inboxes that messages were given up for, and since when.
const bucketAway = "outgoingAway"

// OnResult is told how each delivery went. A follower that did not answer for so long that messages to it were given
// up hears of what it missed once it answers again.
func (o *Outgoing) OnResult(r delivery.Result) {
	o.mu.Lock()
	_, away := o.away[r.Inbox]
	o.mu.Unlock()
	switch {
	case r.Done && away:
		select {
		case o.back <- r.Inbox:
		default: // the next delivery tells again
		}
	case r.Failed && !away && lost(r.Status):
		o.mu.Lock()
		o.away[r.Inbox] = o.cfg.Now().Add(-missed)
		o.unsaved[r.Inbox] = true
		o.mu.Unlock()
		select {
		case o.left <- struct{}{}:
		default: // Serve is woken already
		}
	}
}

// lost reports whether a message was given up because nobody answered, not because of what it was.
func lost(status int) bool {
	return status < 400 || status >= 500 || status == 408 || status == 425 || status == 429
}

// keepAway stores who was found to be away, all at once: a server that is gone takes many inboxes with it, and whoever
// tells of results is not to wait for the disk. Serve calls it, and once more whoever ends deliveries after it.
func (o *Outgoing) keepAway() error {
	o.mu.Lock()
	since := make(map[string]time.Time, len(o.unsaved))
	for inbox := range o.unsaved {
		if at, ok := o.away[inbox]; ok {
			since[inbox] = at
		}
	}
	o.mu.Unlock()
	if len(since) == 0 {
		return nil
	}
	err := o.cfg.Store.Write("noting that followers are away", func(tx *store.Tx) error {
		b, err := tx.Bolt().CreateBucketIfNotExists([]byte(bucketAway))
		if err != nil {
			return err
		}
		for inbox, at := range since {
			if err := b.Put([]byte(inbox), []byte(vocab.FormatTime(at))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	o.mu.Lock()
	for inbox := range since {
		delete(o.unsaved, inbox)
	}
	o.mu.Unlock()
	return nil
}

// Keep stores what came to be known after Serve ended.
func (o *Outgoing) Keep() error {
	if err := o.keepAway(); err != nil {
		return fmt.Errorf("storing who was away: %w", err)
	}
	return nil
}

func (o *Outgoing) loadAway() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cfg.Store.Read(func(tx *store.Tx) error {
		b := tx.Bolt().Bucket([]byte(bucketAway))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			if t, err := time.Parse(time.RFC3339Nano, string(v)); err == nil {
				o.away[string(k)] = t
			}
			return nil
		})
	})
}

// catchUp tells a follower that was away of the videos that were published or changed meanwhile. What is deleted it
// learns when it looks at it again.
func (o *Outgoing) catchUp(ctx context.Context, inbox string) error {
	o.mu.Lock()
	since, away := o.away[inbox]
	o.mu.Unlock()
	if !away {
		return nil
	}
	var out []message
	err := o.cfg.Store.Read(func(tx *store.Tx) error {
		followed := map[string]bool{}
		err := tx.EachFollower("", func(f *store.Follow) (bool, error) {
			if f.Inbox == inbox && f.State == store.FollowAccepted && !o.cfg.Store.Blocked(f.Host) {
				followed[f.Local] = true
			}
			return true, nil
		})
		if err == nil && len(followed) > 0 {
			out, err = o.missedBy(tx, followed, since, inbox)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range out {
		if out[i].Body, err = o.cfg.Author.Sign(ctx, out[i].Actor, out[i].activity); err != nil {
			return err
		}
	}
	err = o.cfg.Store.Write("queueing what a follower missed", func(tx *store.Tx) error {
		for _, m := range out {
			if err := o.cfg.Queue.Enqueue(tx.Bolt(), m.Message); err != nil {
				return fmt.Errorf("queueing an activity: %w", err)
			}
		}
		b := tx.Bolt().Bucket([]byte(bucketAway))
		if b == nil {
			return nil
		}
		return b.Delete([]byte(inbox))
	})
	if err != nil {
		return err
	}
	o.mu.Lock()
	delete(o.away, inbox)
	delete(o.unsaved, inbox)
	o.mu.Unlock()
	o.cfg.Logger.Info("a follower that was away is told what it missed", "inbox", inbox, "activities", len(out))
	return nil
}

// missedBy makes, oldest first, an Announce for each video of those followed that was published since, and an Update
// for each that was changed since.
func (o *Outgoing) missedBy(tx *store.Tx, followed map[string]bool, since time.Time, inbox string) ([]message, error) {
	snap := o.cfg.Store.Snapshot()
	var out []message
	p := &planner{o: o, tx: tx, snap: snap, plan: &plan{}}
	for _, v := range slices.Backward(snap.Videos()) {
		if len(out) == maxCaughtUp {
			break
		}
		channel, _, ok := object.Owners(snap, v)
		if !ok || !v.Listed() || v.Updated.Before(since) && v.Published.Before(since) {
			continue
		}
		by, err := p.owners(v)
		if err != nil {
			continue
		}
		sharer, name := by.channel, channel.Name
		if !followed[by.channel] && !followed[by.account] {
			sharer, name = o.cfg.Base.Actor(), ""
			if !followed[sharer] {
				continue
			}
		}
		a, err := p.again(v, by, sharer, name, since)
		if err != nil {
			return nil, err
		}
		out = append(out, message{delivery.Message{ID: a.ID, Actor: a.Actor.ID, Order: o.cfg.Base.Video(v.UUID), Inboxes: []string{inbox}}, a})
	}
	slices.Reverse(out)
	return out, nil
}

// again is the Announce of a video, under the id it had, or the Update of one that is older.
func (p *planner) again(v *store.Video, by owners, sharer, name string, since time.Time) (*vocab.Activity, error) {
	id := p.o.cfg.Base.Video(v.UUID)
	if v.Published.Before(since) {
		o, ok := p.o.local.Video(p.snap, v)
		if !ok {
			return nil, errOwner
		}
		return p.o.local.UpdateVideo(o, by.account, object.Stamp{At: v.Updated})
	}
	share := p.o.local.AnnounceID(id, name, object.Stamp{})
	shares, err := p.tx.Shares(id)
	if err != nil {
		return nil, err
	}
	for _, s := range shares {
		if s.Actor == sharer {
			share = s.ID
		}
	}
	return p.o.local.Announce(share, sharer, id, p.collections(by)), nil
}
