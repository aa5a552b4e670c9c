// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"

	"shoal/instance/federation/author"
	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// maxParents bounds how many comments above one are fetched.
const maxParents = 30

// Comment returns a comment on a video that is known here, by its id and the video's. Unless it is
// stored, it is fetched with the comments above it, and they are stored.
func (r *Resolver) Comment(ctx context.Context, video, id string) (*store.Comment, error) {
	id = noFragment(id)
	return r.comments.do(ctx, video+" "+id, func(ctx context.Context) (*store.Comment, error) {
		left := maxParents
		id, err := r.take(ctx, video, id, &left)
		if err != nil {
			return nil, err
		}
		return r.storedComment(id)
	})
}

// take stores a comment on a video and the comments above it, unless it is stored, and returns the
// comment's own id.
func (r *Resolver) take(ctx context.Context, video, id string, left *int) (string, error) {
	chain, of, err := r.thread(ctx, id, nil, left)
	switch {
	case err != nil:
		return "", err
	case of != video:
		return "", &problem{text: id + " is no comment on " + video, kind: ErrUnrelated}
	case len(chain) == 0:
		return id, nil
	}
	err = r.store.Write("storing comments", func(tx *store.Tx) error { return r.PutThread(tx, chain) })
	return chain[len(chain)-1].ID, err
}

func (r *Resolver) storedComment(id string) (*store.Comment, error) {
	var c *store.Comment
	err := r.store.Read(func(tx *store.Tx) error {
		known, ok, err := tx.Comment(id)
		if err == nil && !ok {
			return store.ErrNotFound
		}
		c = known
		return err
	})
	return c, err
}

// Thread reads a comment and the comments above it that are not stored, the uppermost first, and
// stores nothing but their authors. raw is the comment as a verified activity of its author embeds it,
// or nil: then it is fetched. The video must be known. It is empty where the comment is stored and raw
// is nil.
func (r *Resolver) Thread(ctx context.Context, id string, raw []byte) ([]*store.Comment, error) {
	left := maxParents
	chain, _, err := r.thread(ctx, noFragment(id), raw, &left)
	return chain, err
}

// Open refuses comments on a video that takes none, or is not there any more.
func (r *Resolver) Open(tx *store.Tx, video string) error {
	var policy store.CommentsPolicy
	var there bool
	if local, ok := r.LocalVideo(video); ok {
		v, ok, err := tx.Video(local.ID)
		if err != nil {
			return err
		}
		if there = ok && v.Served(); there {
			policy = v.CommentsPolicy()
		}
	} else {
		v, ok, err := tx.RemoteVideo(video)
		if err != nil {
			return err
		}
		if there = ok; there {
			policy = v.CommentsPolicy
		}
	}
	switch {
	case !there:
		return refused("the video is not there any more")
	case policy == store.CommentsDisabled:
		return refused("comments on this video are disabled")
	}
	return nil
}

// PutThread stores what Thread returned: all of it or nothing, where its video takes no comments, or
// one of them was deleted, or its author's host blocked, meanwhile.
func (r *Resolver) PutThread(tx *store.Tx, chain []*store.Comment) error {
	for i, c := range chain {
		if i == 0 {
			if err := r.Open(tx, c.Video); err != nil {
				return err
			}
		}
		if err := r.free(c.Author); err != nil {
			return err
		}
		if tx.Gone(c.ID) {
			return &problem{text: c.ID + " was deleted", kind: ErrGone}
		}
	}
	for _, c := range chain {
		if parent, ok, err := tx.Comment(c.InReplyTo); err != nil {
			return err
		} else if ok {
			c.Thread = parent.Thread
		} else {
			c.Thread = c.ID
		}
		if err := tx.PutComment(c); err != nil {
			return err
		}
	}
	return nil
}

// thread walks up from a comment to its video. A hostile thread can neither be endless nor a circle;
// left is how many further comments may be read.
func (r *Resolver) thread(ctx context.Context, id string, raw []byte, left *int) (down []*store.Comment, video string, err error) {
	var up []*store.Comment
	visited := map[string]bool{}
	for at := id; ; {
		if visited[at] || len(up) > maxParents || *left < 0 || len(at) > maxID {
			return nil, "", refused("%s is in a thread without an end", id)
		}
		visited[at] = true
		video, err = r.end(at, len(up) == 0 && raw != nil)
		if err != nil {
			return nil, "", err
		}
		if video != "" {
			break
		}
		c, err := r.note(ctx, at, raw)
		if err != nil {
			return nil, "", err
		}
		raw = nil
		visited[c.ID] = true
		if len(up) > 0 {
			up[len(up)-1].InReplyTo = c.ID // at may be another address of it
		}
		up = append(up, c)
		at = c.InReplyTo
		*left--
	}
	down = make([]*store.Comment, 0, len(up))
	for i := len(up) - 1; i >= 0; i-- {
		up[i].Video = video
		down = append(down, up[i])
	}
	return down, video, nil
}

// end says which video a walk up ends at, when at is a stored comment or a stored video. A comment that
// is given anew does not end it.
func (r *Resolver) end(at string, given bool) (video string, err error) {
	err = r.store.Read(func(tx *store.Tx) error {
		if tx.Gone(at) {
			if _, ok, err := tx.RemoteVideo(at); err != nil || !ok {
				return &problem{text: at + " was deleted", kind: ErrGone, cause: err}
			}
		}
		if !given {
			if c, ok, err := tx.Comment(at); err != nil || ok {
				if ok {
					video = c.Video
				}
				return err
			}
		}
		if _, ok, err := tx.RemoteVideo(at); err != nil || ok {
			if ok {
				video = at
			}
			return err
		}
		if !r.local(at) {
			return nil
		}
		if v, ok := r.LocalVideo(at); ok && v.Served() {
			video = r.base.Video(v.UUID)
			return nil
		}
		return refused("%s is no video or comment of this instance", at)
	})
	return video, err
}

// LocalVideo finds a video of this instance by its ActivityPub id.
func (r *Resolver) LocalVideo(id string) (*store.Video, bool) {
	uuid, ok := uuidOf(r.base, id)
	if !ok {
		return nil, false
	}
	return r.store.Snapshot().VideoByUUID(uuid)
}

// LocalActor reports whether an id is an actor of this instance.
func (r *Resolver) LocalActor(id string) bool {
	name, ok := author.Name(r.base, id)
	if !ok {
		return false
	}
	snap := r.store.Snapshot()
	_, account := snap.Account(name)
	_, channel := snap.Channel(name)
	return name == store.NameInstance || account || channel
}

// note reads one comment of a thread, given as raw or fetched. Its author is of its own host.
func (r *Resolver) note(ctx context.Context, id string, raw []byte) (*store.Comment, error) {
	canonical := id
	if raw == nil {
		var kind string
		var err error
		if raw, kind, canonical, err = r.once(ctx, id, r.anywhere); err != nil {
			return nil, err
		}
		switch kind {
		case typeVideo:
			return nil, &problem{text: "the video " + canonical + " is not known here", kind: ErrUnrelated}
		case "Tombstone":
			return nil, &problem{text: canonical + " was deleted", kind: ErrGone}
		}
	}
	n, err := vocab.ParseNote(raw)
	if err != nil {
		return nil, malformed(id, err)
	}
	switch {
	case n.ID != canonical:
		return nil, refused("%s answers with an object of another id", id)
	case !vocab.SameOrigin(n.Author(), n.ID):
		return nil, refused("%s is attributed to somebody on another server", n.ID)
	case n.InReplyTo.ID == "":
		return nil, &problem{text: n.ID + " answers nothing", kind: ErrUnrelated}
	case !vocab.IsPublic(n.To) && !vocab.IsPublic(n.CC):
		return nil, &problem{text: n.ID + " is not for everybody", kind: ErrUnrelated}
	}
	by, err := r.Actor(ctx, n.Author(), Stored)
	if err != nil {
		return nil, err
	}
	c, err := object.ToComment(n)
	if err != nil {
		return nil, malformed(n.ID, err)
	}
	c.Author, c.InReplyTo, c.Local = by.ID, noFragment(n.InReplyTo.ID), false
	if c.Created.IsZero() {
		c.Created = r.now()
	}
	if c.Updated.IsZero() {
		c.Updated = c.Created
	}
	return c, nil
}
