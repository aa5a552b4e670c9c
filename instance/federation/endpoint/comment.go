// SPDX-License-Identifier: AGPL-3.0-or-later

package endpoint

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// comments answers with the comments on a local video, its own and others', oldest first.
func (e *Endpoint) comments(w http.ResponseWriter, r *http.Request) {
	v, ok := e.find(w, r)
	if !ok {
		return
	}
	id := e.cfg.Base.Video(v.UUID)
	e.collection(w, r, id+"/comments", func(tx *store.Tx, start, count int) (vocab.Refs, int, error) {
		all, total, err := tx.CommentsOf(id, start, count)
		var page vocab.Refs
		for _, c := range all {
			page = append(page, vocab.IDRef(c.ID))
		}
		return page, total, err
	})
}

func (e *Endpoint) comment(w http.ResponseWriter, r *http.Request) {
	e.withNote(w, r, func(n *vocab.Note) { e.write(w, typeActivity, http.StatusOK, n) })
}

func (e *Endpoint) commentActivity(w http.ResponseWriter, r *http.Request) {
	e.withNote(w, r, func(n *vocab.Note) {
		a, err := e.local.CreateNote(n, nil)
		if err != nil {
			e.broken(w, err)
			return
		}
		e.write(w, typeActivity, http.StatusOK, a)
	})
}

// withNote finds a comment that was written here. The video that the path names may be another instance's. A deleted
// comment that has replies is a Tombstone, so that threads still hang together.
func (e *Endpoint) withNote(w http.ResponseWriter, r *http.Request, then func(*vocab.Note)) {
	uuid, err := peertube.LongUUID(chi.URLParam(r, "uuid"))
	if err != nil {
		e.missing(w, "Comment")
		return
	}
	if v, ok := e.cfg.Store.Snapshot().VideoByUUID(uuid); ok && !v.Served() {
		e.missing(w, "Comment")
		return
	}
	id := e.cfg.Base.Video(uuid) + "/comments/" + chi.URLParam(r, "id")
	var c *store.Comment
	var mentions []object.Mention
	var gone bool
	err = e.cfg.Store.Read(func(tx *store.Tx) error {
		found, ok, err := tx.Comment(id)
		if err != nil || !ok || !found.Local {
			gone = tx.Gone(id)
			return err
		}
		c = found
		mentions, err = object.MentionsOf(tx, e.cfg.Base, c)
		return err
	})
	switch {
	case err != nil:
		e.broken(w, err)
	case c == nil && gone:
		e.fail(w, http.StatusGone, "The comment was deleted")
	case c == nil:
		e.missing(w, "Comment")
	case !c.Deleted.IsZero():
		e.write(w, typeActivity, http.StatusOK, e.local.CommentTombstone(c))
	default:
		then(e.local.Note(c, mentions...))
	}
}
