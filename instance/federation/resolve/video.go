// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"errors"
	"time"

	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// typeVideo is PeerTube's type of a video.
const typeVideo = "Video"

// Video returns a remote video, not older than maxAge, with its channel and account known too. It is
// always read from its own host. Where only an older copy can be had, it is returned unless maxAge is
// Fresh.
func (r *Resolver) Video(ctx context.Context, id string, maxAge time.Duration) (*store.RemoteVideo, error) {
	id = noFragment(id)
	if err := r.allowed(id); err != nil {
		return nil, err
	}
	known, err := r.storedVideo(id)
	if err != nil {
		return nil, err
	}
	if known != nil && r.young(known.Fetched, maxAge) {
		if r.now().Sub(known.Fetched) > Stale {
			r.Touch(id)
		}
		return known, nil
	}
	v, err := r.videos.do(ctx, id, func(ctx context.Context) (*store.RemoteVideo, error) {
		return again(ctx, r, id, maxAge == Fresh, func(ctx context.Context) (*store.RemoteVideo, error) { return r.fetchVideo(ctx, id) })
	})
	if err != nil && known != nil && passing(err, maxAge) {
		return known, nil
	}
	return v, err
}

// GivenVideo stores a video as a verified activity of an actor of its own host embeds it. The caller
// has checked that the actor may speak for the video. One that is older than the stored copy changes
// nothing.
func (r *Resolver) GivenVideo(ctx context.Context, raw []byte) (*store.RemoteVideo, error) {
	v, err := vocab.ParseVideo(raw)
	if err != nil {
		return nil, malformed("the video", err)
	}
	if err := r.allowed(v.ID); err != nil {
		return nil, err
	}
	known, err := r.storedVideo(v.ID)
	if err != nil {
		return nil, err
	}
	if known != nil && v.Updated.Before(known.Updated) {
		return known, nil
	}
	return r.takeVideo(ctx, v)
}

func (r *Resolver) storedVideo(id string) (*store.RemoteVideo, error) {
	var v *store.RemoteVideo
	err := r.store.Read(func(tx *store.Tx) error {
		known, ok, err := tx.RemoteVideo(id)
		if ok {
			v = known
		}
		return err
	})
	return v, err
}

func (r *Resolver) fetchVideo(ctx context.Context, id string) (*store.RemoteVideo, error) {
	body, kind, canonical, err := r.anywhere(ctx, id)
	if err != nil {
		return nil, r.lostVideo(id, err)
	}
	return r.readVideo(ctx, body, kind, canonical)
}

// readVideo takes a document that canonical's host answered.
func (r *Resolver) readVideo(ctx context.Context, body []byte, kind, canonical string) (*store.RemoteVideo, error) {
	if kind != typeVideo {
		if kind == "Tombstone" {
			return nil, r.lostVideo(canonical, &problem{text: canonical + " was deleted", kind: ErrGone})
		}
		return nil, refused("%s is no video", canonical)
	}
	v, err := vocab.ParseVideo(body)
	if err != nil {
		return nil, malformed(canonical, err)
	}
	return r.takeVideo(ctx, v)
}

// viewersFor is how long a count of who watches now may stand.
const viewersFor = 5 * time.Minute

// takeVideo checks who a video belongs to and stores it.
func (r *Resolver) takeVideo(ctx context.Context, v *vocab.Video) (*store.RemoteVideo, error) {
	rec, err := object.ToVideo(v)
	if err != nil {
		return nil, malformed(v.ID, err)
	}
	if _, ok := r.store.Snapshot().VideoByUUID(rec.UUID); ok {
		return nil, refused("%s has the UUID of a video of this instance", v.ID)
	}
	channel, err := r.channelOf(ctx, v)
	if err != nil {
		return nil, err
	}
	rec.Host, rec.Channel, rec.Account = vocab.Host(v.ID), channel.ID, channel.Owner
	rec.Sources = []string{channel.ID, channel.Owner}
	rec.Fetched = r.now()
	likes, likesOK := r.count(ctx, v.ID, rec.LikesURL)
	dislikes, dislikesOK := r.count(ctx, v.ID, rec.DislikesURL)
	err = r.store.Write("storing a remote video", func(tx *store.Tx) error {
		if err := r.free(rec.ID); err != nil {
			return err
		}
		known, ok, err := tx.RemoteVideo(rec.ID)
		if err != nil {
			return err
		}
		if ok {
			rec.Likes, rec.Dislikes, rec.Created = known.Likes, known.Dislikes, known.Created
			if r.now().Sub(known.Fetched) < viewersFor {
				rec.Viewers = known.Viewers
			}
		}
		if rec.Created.IsZero() {
			rec.Created = r.now()
		}
		if likesOK {
			rec.Likes = likes
		}
		if dislikesOK {
			rec.Dislikes = dislikes
		}
		// A video that was made private and public again comes back under its id.
		if err := tx.Revive(rec.ID); err != nil {
			return err
		}
		return tx.PutRemoteVideo(rec)
	})
	return rec, err
}

// channelOf finds the channel of a video: the first Group it is attributed to, which like its owner is
// on the video's host.
func (r *Resolver) channelOf(ctx context.Context, v *vocab.Video) (*store.Actor, error) {
	const most = 5
	var last error
	for i, ref := range v.AttributedTo {
		if i == most {
			break
		}
		if !vocab.SameOrigin(ref.ID, v.ID) {
			return nil, refused("%s is attributed to somebody on another server", v.ID)
		}
		if ref.Type != "" && ref.Type != typeGroup {
			continue
		}
		a, err := r.Actor(ctx, ref.ID, Stored)
		switch {
		case err != nil && Temporary(err):
			return nil, err
		case err != nil:
			last = err
		case a.Type == typeGroup:
			return a, nil
		}
	}
	if last != nil {
		return nil, last
	}
	return nil, refused("%s names no channel", v.ID)
}

// count reads a collection's totalItems where it is on the object's host. Failing is no matter.
func (r *Resolver) count(ctx context.Context, id, collection string) (int64, bool) {
	if !vocab.SameOrigin(collection, id) {
		return 0, false
	}
	body, final, err := r.fetch.Object(ctx, collection)
	if err != nil || !vocab.SameOrigin(final, id) {
		return 0, false
	}
	c, err := vocab.ParseCollection(body)
	if err != nil || c.TotalItems < 0 {
		return 0, false
	}
	return c.TotalItems, true
}

// lostVideo is told of a video that could not be read. One that is gone at its origin goes here too.
func (r *Resolver) lostVideo(id string, cause error) error {
	if !errors.Is(cause, ErrGone) {
		return cause
	}
	err := r.store.Write("deleting a remote video", func(tx *store.Tx) error {
		if _, ok, err := tx.RemoteVideo(id); err != nil || !ok {
			return err
		}
		return tx.DeleteRemoteVideo(id, r.now())
	})
	return errors.Join(cause, err)
}
