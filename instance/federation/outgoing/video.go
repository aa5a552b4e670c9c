// SPDX-License-Identifier: AGPL-3.0-or-later

package outgoing

import (
	"encoding/json"
	"fmt"

	"shoal/instance/federation/object"
	"shoal/instance/store"
)

// videoPublished tells of a new video: its channel and the instance share it, and its account created it.
func (p *planner) videoPublished() error {
	v, err := p.video()
	if err != nil || v == nil {
		return err
	}
	by, err := p.owners(v)
	if err != nil {
		return err
	}
	o, ok := p.o.local.Video(p.snap, v)
	if !ok {
		return errOwner
	}
	inboxes, err := p.audience(by, o.ID)
	if err != nil {
		return err
	}
	p.announce(o.ID, by.channel, by.channelName, by, inboxes)
	p.announce(o.ID, p.o.cfg.Base.Actor(), "", by, inboxes)
	fans, err := p.tx.FollowerInboxes(by.account)
	if err != nil {
		return err
	}
	create, err := p.o.local.CreateVideo(o, by.account, p.stamp())
	if err != nil {
		return err
	}
	p.add(create, o.ID, "", fans)
	return nil
}

// announce has a local actor share a video, and keeps the share so that its id can be asked for.
func (p *planner) announce(video, actor, channel string, by owners, inboxes []string) {
	id := p.o.local.AnnounceID(video, channel, p.stamp())
	p.add(p.o.local.Announce(id, actor, video, p.collections(by)), video, "", inboxes)
	p.apply = append(p.apply, func(tx *store.Tx) error { return tx.PutShare(video, actor, id) })
}

// videoUpdated tells of a video as it is now. A later Update takes the place of one that waits still.
func (p *planner) videoUpdated() error {
	v, err := p.video()
	if err != nil || v == nil {
		return err
	}
	by, err := p.owners(v)
	if err != nil {
		return err
	}
	o, ok := p.o.local.Video(p.snap, v)
	if !ok {
		return errOwner
	}
	inboxes, err := p.audience(by, o.ID)
	if err != nil {
		return err
	}
	if err := p.moved(v, by, o.ID, inboxes); err != nil {
		return err
	}
	update, err := p.o.local.UpdateVideo(o, by.account, p.stamp())
	if err != nil {
		return err
	}
	p.add(update, o.ID, "update "+o.ID, inboxes)
	return nil
}

// moved tells of a video's new channel: the old one takes its share back, the new one shares it.
func (p *planner) moved(v *store.Video, by owners, id string, inboxes []string) error {
	if len(p.change.Old) == 0 {
		return nil
	}
	var before store.Video
	if err := json.Unmarshal(p.change.Old, &before); err != nil {
		return fmt.Errorf("decoding a video: %w", err)
	}
	if before.ChannelID == v.ChannelID {
		return nil
	}
	if was, err := p.owners(&before); err == nil {
		if err := p.unshare(id, was, by, inboxes); err != nil {
			return err
		}
	}
	p.announce(id, by.channel, by.channelName, by, inboxes)
	return nil
}

func (p *planner) unshare(video string, was, by owners, inboxes []string) error {
	share := p.o.local.AnnounceID(video, was.channelName, object.Stamp{})
	shares, err := p.tx.Shares(video)
	if err != nil {
		return err
	}
	for _, s := range shares {
		if s.Actor == was.channel {
			share = s.ID
		}
	}
	undo, err := p.o.local.Undo(p.o.local.Announce(share, was.channel, video, p.collections(by)))
	if err != nil {
		return err
	}
	p.add(undo, video, "", inboxes)
	p.apply = append(p.apply, func(tx *store.Tx) error { return tx.DeleteShare(video, was.channel) })
	return nil
}

// videoDeleted tells that a video is gone, or not for everybody any more. Only its account may say so.
func (p *planner) videoDeleted() error {
	var before store.Video
	if err := json.Unmarshal(p.change.Old, &before); err != nil {
		return fmt.Errorf("decoding a video: %w", err)
	}
	by, err := p.owners(&before)
	if err != nil {
		by = owners{account: p.change.Actor} // its channel, perhaps its account, went with it
	}
	id := p.change.Subject
	inboxes, err := p.audience(by, id)
	if err != nil {
		return err
	}
	p.add(p.o.local.Delete(id, by.account, p.collections(by), p.stamp()), id, "", inboxes)
	p.apply = append(p.apply, func(tx *store.Tx) error {
		for _, actor := range []string{by.channel, p.o.cfg.Base.Actor()} {
			if err := tx.DeleteShare(id, actor); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}
