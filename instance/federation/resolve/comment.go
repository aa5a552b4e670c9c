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

// Comment returns a comment, fetched with the comments above it and with its video unless they are
// stored, and stores them.
func (r *Resolver) Comment(ctx context.Context, id string) (*store.Comment, error) {
	id = noFragment(id)
	return r.comments.do(ctx, id, func(ctx context.Context) (*store.Comment, error) {
		chain, err := r.thread(ctx, id, nil, true)
		if err != nil {
			return nil, err
		}
		err = r.store.Write("storing comments", func(tx *store.Tx) error { return PutThread(tx, chain) })
		if err != nil {
			return nil, err
		}
		return r.storedComment(id, chain)
	})
}

func (r *Resolver) storedComment(id string, chain []*store.Comment) (*store.Comment, error) {
	if len(chain) > 0 {
		id = chain[len(chain)-1].ID
	}
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
	return r.thread(ctx, noFragment(id), raw, false)
}

// PutThread stores what Thread returned.
func PutThread(tx *store.Tx, chain []*store.Comment) error {
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

// thread walks up from a comment to its video. A hostile thread can neither be endless nor a circle.
func (r *Resolver) thread(ctx context.Context, id string, raw []byte, anyVideo bool) ([]*store.Comment, error) {
	var up []*store.Comment
	visited := map[string]bool{}
	video := ""
	for at := id; video == ""; {
		if visited[at] || len(up) > maxParents {
			return nil, refused("%s is in a thread without an end", id)
		}
		visited[at] = true
		found, err := r.end(at, len(up) == 0 && raw != nil)
		if err != nil {
			return nil, err
		}
		if found != "" {
			video = found
			break
		}
		c, fetched, err := r.note(ctx, at, raw, anyVideo)
		if err != nil {
			return nil, err
		}
		raw = nil
		if fetched != "" {
			video = fetched
			break
		}
		visited[c.ID] = true
		up = append(up, c)
		at = c.InReplyTo
	}
	down := make([]*store.Comment, 0, len(up))
	for i := len(up) - 1; i >= 0; i-- {
		up[i].Video = video
		down = append(down, up[i])
	}
	return down, nil
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

// note reads one comment of a thread, given as raw or fetched. Where what is fetched is the video, it
// is stored and its id returned.
func (r *Resolver) note(ctx context.Context, id string, raw []byte, anyVideo bool) (c *store.Comment, video string, err error) {
	canonical := id
	if raw == nil {
		var kind string
		if raw, kind, canonical, err = r.Object(ctx, id); err != nil {
			return nil, "", err
		}
		switch {
		case kind == typeVideo && !anyVideo:
			return nil, "", &problem{text: "the video " + canonical + " is not known here", kind: ErrUnrelated}
		case kind == typeVideo:
			v, err := r.readVideo(ctx, raw, kind, canonical)
			if err != nil {
				return nil, "", err
			}
			return nil, v.ID, nil
		case kind == "Tombstone":
			return nil, "", &problem{text: canonical + " was deleted", kind: ErrGone}
		}
	}
	n, err := vocab.ParseNote(raw)
	if err != nil {
		return nil, "", malformed(id, err)
	}
	switch {
	case n.ID != canonical:
		return nil, "", refused("%s answers with an object of another id", id)
	case !vocab.SameOrigin(n.Author(), n.ID):
		return nil, "", refused("%s is attributed to somebody on another server", n.ID)
	case n.InReplyTo.ID == "":
		return nil, "", &problem{text: n.ID + " answers nothing", kind: ErrUnrelated}
	case !vocab.IsPublic(n.To) && !vocab.IsPublic(n.CC):
		return nil, "", &problem{text: n.ID + " is not for everybody", kind: ErrUnrelated}
	}
	by, err := r.Actor(ctx, n.Author(), Stored)
	if err != nil {
		return nil, "", err
	}
	c, err = object.ToComment(n)
	if err != nil {
		return nil, "", malformed(n.ID, err)
	}
	c.Author, c.InReplyTo, c.Local = by.ID, noFragment(n.InReplyTo.ID), false
	if c.Created.IsZero() {
		c.Created = r.now()
	}
	if c.Updated.IsZero() {
		c.Updated = c.Created
	}
	return c, "", nil
}
