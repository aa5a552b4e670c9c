// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"cmp"
	"net/http"
	"slices"
	"time"

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

// Bounds of what one answer reads, in comments: anybody may ask, and comments cost nothing to send.
const (
	// maxSorted is how many threads are put in order by when they were written. Of more, the order in
	// which they came stands for it.
	maxSorted = 1000
	// maxReplies is how many comments of one thread are shown, and how many replies of one page's threads
	// are looked at.
	maxReplies = 1000
)

// talk is what a video's comments look like from afar: their places alone.
type talk struct {
	firsts  []store.CommentLine
	replies map[string][]uint64 // thread -> numbers, gaps included
	left    int                 // replies that may still be read
}

func (v *view) talk(video store.Listed) (*talk, error) {
	lines, err := v.tx.CommentLines(v.id(video))
	if err != nil {
		return nil, err
	}
	t := &talk{replies: map[string][]uint64{}, left: maxReplies}
	for _, l := range lines {
		of, ok := t.replies[l.Thread]
		if !ok {
			t.firsts = append(t.firsts, l)
			t.replies[l.Thread] = nil
			continue
		}
		t.replies[l.Thread] = append(of, l.Number)
	}
	return t, nil
}

// visible finds a comment by its number unless its author's host is blocked.
func (v *view) visible(number uint64) (*store.Comment, error) {
	c, ok, err := v.tx.CommentByNumber(number)
	if err != nil || !ok || v.cfg.Store.Blocked(store.HostOf(c.Author)) {
		return nil, err
	}
	return c, nil
}

func (v *view) threads(video store.Listed, p page) (commentList, error) {
	t, err := v.talk(video)
	if err != nil {
		return commentList{}, err
	}
	counts, err := v.tx.Counts(v.id(video))
	if err != nil {
		return commentList{}, err
	}
	created := map[uint64]time.Time{}
	if len(t.firsts) <= maxSorted {
		seen := t.firsts[:0]
		for _, l := range t.firsts {
			c, err := v.visible(l.Number)
			if err != nil {
				return commentList{}, err
			}
			if c != nil {
				created[l.Number] = c.Created
				seen = append(seen, l)
			}
		}
		t.firsts = seen
	}
	slices.SortFunc(t.firsts, func(a, b store.CommentLine) int {
		n := created[a.Number].Compare(created[b.Number])
		if p.sort == "totalReplies" {
			n = len(t.replies[a.Thread]) - len(t.replies[b.Thread])
		} else {
			n = cmp.Or(n, cmp.Compare(a.Number, b.Number))
		}
		if p.descending {
			n = -n
		}
		return cmp.Or(n, cmp.Compare(b.Number, a.Number)) // those that are equal: newest first
	})
	out := commentList{Total: peertube.Int(len(t.firsts)), TotalNotDeletedComments: peertube.Int(counts.Comments)}
	start := min(p.start, len(t.firsts))
	for _, l := range t.firsts[start : start+min(p.count, len(t.firsts)-start)] {
		c, err := v.visible(l.Number)
		if err != nil {
			return commentList{}, err
		}
		if c == nil {
			continue
		}
		one, err := v.comment(video, c)
		if err != nil {
			return commentList{}, err
		}
		if err := v.tally(video, t, c.ID, &one); err != nil {
			return commentList{}, err
		}
		out.Data = append(out.Data, one)
	}
	return out, nil
}

// tally counts a thread's replies. Past the bound of what is read, gaps and blocked ones count too.
func (v *view) tally(video store.Listed, t *talk, thread string, out *comment) error {
	owner := v.ownerID(video)
	numbers := t.replies[thread]
	read := min(len(numbers), t.left)
	t.left -= read
	out.TotalReplies = peertube.Int(len(numbers) - read)
	for _, n := range numbers[:read] {
		c, err := v.visible(n)
		if err != nil {
			return err
		}
		if c == nil || !c.Deleted.IsZero() {
			continue
		}
		out.TotalReplies++
		if c.Author == owner {
			out.TotalRepliesFromVideoAuthor++
		}
	}
	return nil
}

// id is a video's ActivityPub id.
func (v *view) id(video store.Listed) string {
	if video.Local != nil {
		return v.cfg.Base.Video(video.Local.UUID)
	}
	return video.Remote.ID
}

// comment writes a comment, but for its replies' number.
func (v *view) comment(video store.Listed, c *store.Comment) (comment, error) {
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
	t, err := v.talk(video)
	if err != nil {
		return nil, err
	}
	numbers := append([]uint64{first.Number}, t.replies[first.ID]...)
	nodes, depth := map[string]*commentTree{}, map[string]int{}
	var root *commentTree
	for _, n := range numbers[:min(len(numbers), maxReplies)] { // oldest first, so that what is replied to comes before
		c, err := v.visible(n)
		switch {
		case err != nil:
			return nil, err
		case c == nil && n == first.Number:
			return nil, nil // its author's host is blocked
		case c == nil:
			continue
		}
		one, err := v.comment(video, c)
		if err != nil {
			return nil, err
		}
		node := &commentTree{Comment: one}
		if root == nil {
			root = node
			if err := v.tally(video, t, c.ID, &root.Comment); err != nil {
				return nil, err
			}
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
