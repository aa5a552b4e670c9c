// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"shoal/instance/fault"
	"shoal/instance/federation/author"
	"shoal/instance/publish"
	"shoal/instance/store"
)

// Edit changes what is not nil.
type Edit struct {
	Title, Description *string
	Privacy            *Privacy
	Tags               *[]string
	// Comments allows comments or ends them.
	Comments *bool
	// As is the account that edits; it must own the video. Empty means its owner.
	As string
}

// Edit changes a local video: id is its UUID, short UUID, number or any of its URLs. A new title gives
// its files new torrents; the ones before are tracked and seeded still. Its errors are sentences for
// a person.
func (i *Instance) Edit(ctx context.Context, id string, e Edit) (VideoInfo, error) {
	v, err := i.own(id, e.As)
	if err != nil {
		return VideoInfo{}, err
	}
	privacy := v.Privacy
	if e.Privacy != nil {
		if privacy, err = parsePrivacy(*e.Privacy); err != nil {
			return VideoInfo{}, err
		}
	}
	title, description, tags := v.Title, v.Description, v.Tags
	set(&title, e.Title)
	set(&description, e.Description)
	set(&tags, e.Tags)
	title = strings.TrimSpace(title)
	if err := publish.CheckText(title, description, tags); err != nil {
		return VideoInfo{}, err
	}
	err = i.store.Update(v.ID, func(v *store.Video) error {
		v.Description, v.Tags, v.Privacy, v.Updated = description, tags, privacy, time.Now().UTC().Truncate(time.Millisecond)
		if e.Comments != nil {
			v.CommentsDisabled = !*e.Comments
		}
		return nil
	})
	if err == nil && title != v.Title {
		err = i.publisher.Rename(ctx, v, title)
	}
	if err != nil {
		return VideoInfo{}, fmt.Errorf("changing the video: %w", err)
	}
	return i.edited(ctx, v)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// edited brings the swarms in line with a video that changed.
func (i *Instance) edited(ctx context.Context, before *store.Video) (VideoInfo, error) {
	v, ok := i.store.Snapshot().Video(before.ID)
	if !ok {
		return VideoInfo{}, errNoVideo(before.UUID)
	}
	var err error
	if v.Served() {
		err = i.seed.video(context.WithoutCancel(ctx), v)
	} else {
		err = i.seed.leave(ctx, before)
	}
	if err != nil {
		return VideoInfo{}, fmt.Errorf("the video is changed, but its swarm follows with the next start alone: %w", err)
	}
	var info VideoInfo
	err = i.store.Read(func(tx *store.Tx) (err error) {
		info, err = i.videoInfo(tx, found{local: v})
		return err
	})
	return info, err
}

// Delete deletes a local video with its files and torrents; its swarms end. as is the account that
// deletes; empty means the owner. Its errors are sentences for a person.
func (i *Instance) Delete(ctx context.Context, id, as string) error {
	v, err := i.own(id, as)
	if errors.Is(err, fault.ErrNotFound) && strings.Contains(id, "://") {
		return fault.NotFound("there is no video or comment %s here: check its address", id)
	}
	if err != nil {
		return err
	}
	return i.deleteVideo(ctx, v.ID)
}

func (i *Instance) deleteVideo(ctx context.Context, number uint64) error {
	v, err := i.forget(number)
	if errors.Is(err, store.ErrNotFound) {
		return fault.NotFound("the video is deleted already").Because(err)
	}
	if err != nil {
		return err
	}
	// From here on it is deleted, whatever becomes of the request.
	err = errors.Join(i.seed.leave(context.WithoutCancel(ctx), v), i.publisher.Remove(v))
	if err != nil {
		return fmt.Errorf("the video is deleted, but files of it are left: %w", err)
	}
	i.cfg.Logger.Info("deleted a video", "uuid", v.UUID, "title", v.Title)
	return nil
}

// forget deletes a video's record. Its files are named in the same transaction as those to delete, with
// the next start where this one ends before.
func (i *Instance) forget(number uint64) (v *store.Video, err error) {
	err = i.store.Write("deleting the video", func(tx *store.Tx) error {
		now := time.Now()
		if v, err = tx.DeleteVideo(number, now); err != nil {
			return err
		}
		return tx.PutDraft(publish.Leftovers(v, now))
	})
	return v, err
}

// localName finds a local actor's name and its name for people by its id.
func (i *Instance) localName(id string) (name, display string, ok bool) {
	name, ok = author.Name(i.base, id)
	if !ok {
		return "", "", false
	}
	snap := i.store.Snapshot()
	if a, ok := snap.Account(name); ok && i.base.Account(name) == id {
		return name, a.DisplayName, true
	}
	if c, ok := snap.Channel(name); ok && i.base.Channel(name) == id {
		return name, c.DisplayName, true
	}
	return name, i.cfg.Name, name == store.NameInstance
}
