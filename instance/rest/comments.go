// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

// comment is a comment in PeerTube's form.
type comment struct {
	ID  peertube.Int `json:"id"`
	URL string       `json:"url"`
	// Text is empty for a deleted one.
	Text                        string            `json:"text"`
	ThreadID                    peertube.Int      `json:"threadId"`
	InReplyToCommentID          *peertube.Int     `json:"inReplyToCommentId"`
	VideoID                     peertube.Int      `json:"videoId"`
	CreatedAt                   peertube.Time     `json:"createdAt"`
	UpdatedAt                   peertube.Time     `json:"updatedAt"`
	DeletedAt                   peertube.Time     `json:"deletedAt"`
	HeldForReview               bool              `json:"heldForReview"`
	IsDeleted                   bool              `json:"isDeleted"`
	TotalRepliesFromVideoAuthor peertube.Int      `json:"totalRepliesFromVideoAuthor"`
	TotalReplies                peertube.Int      `json:"totalReplies"`
	Account                     *peertube.Account `json:"account"`
}

type commentList struct {
	Total                   peertube.Int           `json:"total"`
	Data                    peertube.List[comment] `json:"data"`
	TotalNotDeletedComments peertube.Int           `json:"totalNotDeletedComments"`
}

// commentTree is a comment with its replies.
type commentTree struct {
	Comment  comment                     `json:"comment"`
	Children peertube.List[*commentTree] `json:"children"`
}

// maxDepth bounds how deep replies are nested in an answer; deeper ones hang on the first comment.
const maxDepth = 100

// threads answers with a page of the first comments on a video.
func (h *Handler) threads(w http.ResponseWriter, r *http.Request) {
	video, ok := h.find(w, r)
	if !ok {
		return
	}
	p, bad := parsePageBy(r.URL.Query(), []string{"createdAt", "totalReplies"}, "createdAt")
	if bad != nil {
		badParam(w, r, *bad, "getVideoCommentThreads")
		return
	}
	var out commentList
	ok = h.read(w, func(tx *store.Tx) (err error) {
		out, err = h.view(tx).threads(video, p)
		return err
	})
	if ok {
		h.writeJSON(w, out)
	}
}

func (v *view) threads(video store.Listed, p page) (commentList, error) {
	id := v.id(video)
	all, total, err := v.tx.Threads(id, 0, -1)
	if err != nil {
		return commentList{}, err
	}
	written, living, err := v.tx.CommentsOf(id, 0, -1)
	if err != nil {
		return commentList{}, err
	}
	replies := map[string]int{}
	for _, c := range written {
		if c.Thread != c.ID {
			replies[c.Thread]++
		}
	}
	slices.SortStableFunc(all, func(a, b *store.Comment) int {
		n := a.Created.Compare(b.Created)
		if p.sort == "totalReplies" {
			n = replies[a.ID] - replies[b.ID]
		}
		if p.descending {
			return -n
		}
		return n
	})
	out := commentList{Total: peertube.Int(total), TotalNotDeletedComments: peertube.Int(living)}
	start := min(p.start, len(all))
	for _, c := range all[start : start+min(p.count, len(all)-start)] {
		one, err := v.comment(video, c, written)
		if err != nil {
			return commentList{}, err
		}
		out.Data = append(out.Data, one)
	}
	return out, nil
}

// id is a video's ActivityPub id.
func (v *view) id(video store.Listed) string {
	if video.Local != nil {
		return v.cfg.Base.Video(video.Local.UUID)
	}
	return video.Remote.ID
}

// comment writes a comment; written are all on the video that are not deleted.
func (v *view) comment(video store.Listed, c *store.Comment, written []*store.Comment) (comment, error) {
	out := comment{
		ID: peertube.Int(c.Number), URL: c.ID, Text: c.Text, VideoID: peertube.Int(number(video)), //nolint:gosec // sequence numbers
		CreatedAt: peertube.NewTime(c.Created), UpdatedAt: peertube.NewTime(c.Updated),
	}
	if out.Text == "" {
		out.Text = c.HTML
	}
	out.ThreadID = out.ID
	if c.Thread != c.ID {
		if err := v.place(c, &out); err != nil {
			return out, err
		}
	}
	owner := v.ownerID(video)
	for _, other := range written {
		if other.Thread != c.ID || other.ID == c.ID {
			continue
		}
		out.TotalReplies++
		if other.Author == owner {
			out.TotalRepliesFromVideoAuthor++
		}
	}
	if !c.Deleted.IsZero() {
		out.DeletedAt, out.IsDeleted, out.Text = peertube.NewTime(c.Deleted), true, ""
		return out, nil
	}
	a, err := v.author(c.Author)
	out.Account = &a
	return out, err
}

// place fills in where a reply stands.
func (v *view) place(c *store.Comment, out *comment) error {
	first, ok, err := v.tx.Comment(c.Thread)
	if err != nil {
		return err
	}
	if ok {
		out.ThreadID = peertube.Int(first.Number) //nolint:gosec // a sequence number
	}
	parent, ok, err := v.tx.Comment(c.InReplyTo)
	if err != nil {
		return err
	}
	if ok {
		n := peertube.Int(parent.Number) //nolint:gosec // a sequence number
		out.InReplyToCommentID = &n
	}
	return nil
}

func (v *view) ownerID(video store.Listed) string {
	if video.Remote != nil {
		return video.Remote.Account
	}
	_, a := v.owner(video.Local)
	return v.cfg.Base.Account(a.Name)
}

// author is the account of a comment, local or remote.
func (v *view) author(id string) (peertube.Account, error) {
	if v.tx.IsLocal(id) {
		for _, name := range v.snap.AccountNames() {
			if a, ok := v.snap.Account(name); ok && v.cfg.Base.Account(name) == id {
				return v.accountDetails(a), nil
			}
		}
	}
	a, err := v.remote(id)
	if err != nil {
		return peertube.Account{}, err
	}
	return remoteAccount(a), nil
}

// thread answers with one thread as a tree.
func (h *Handler) thread(w http.ResponseWriter, r *http.Request) {
	video, ok := h.find(w, r)
	if !ok {
		return
	}
	asked, valid := parseNumber(chi.URLParam(r, "thread"))
	var root *commentTree
	ok = h.read(w, func(tx *store.Tx) (err error) {
		if valid {
			root, err = h.view(tx).thread(video, asked)
		}
		return err
	})
	switch {
	case !ok:
	case root == nil:
		notFound(w, "Video comment thread not found", "getVideoCommentThread")
	default:
		h.writeJSON(w, root)
	}
}

// thread is the tree below a video's comment with a number; nil where that begins no thread.
func (v *view) thread(video store.Listed, asked uint64) (*commentTree, error) {
	first, ok, err := v.tx.CommentByNumber(asked)
	if err != nil || !ok || first.Thread != first.ID || first.Video != v.id(video) {
		return nil, err
	}
	all, err := v.tx.Thread(first.ID)
	if err != nil {
		return nil, err
	}
	var written []*store.Comment
	for _, c := range all {
		if c.Deleted.IsZero() {
			written = append(written, c)
		}
	}
	nodes, depth := map[string]*commentTree{}, map[string]int{}
	var root *commentTree
	for _, c := range all { // oldest first, so that what is replied to comes before
		one, err := v.comment(video, c, written)
		if err != nil {
			return nil, err
		}
		node := &commentTree{Comment: one}
		if c.ID == first.ID {
			root = node
		} else if root == nil {
			return nil, nil // its author's host is blocked
		}
		parent, at := nodes[c.InReplyTo], depth[c.InReplyTo]+1
		if parent == nil {
			parent, at = root, 1
		}
		if at > maxDepth {
			parent, at = root, 1
		}
		if node != root {
			parent.Children = append(parent.Children, node)
		}
		nodes[c.ID], depth[c.ID] = node, at
	}
	return root, nil
}
