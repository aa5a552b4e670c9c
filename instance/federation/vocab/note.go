// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNoteAuthor says that a note names no author.
var ErrNoteAuthor = errors.New("the comment names no author")

// Note is a comment.
type Note struct {
	Context json.RawMessage
	ID      string
	// Content is of MediaType; where that is empty it is HTML (ActivityStreams).
	Content, MediaType string
	Summary            string
	// InReplyTo is the video or the comment that is answered; zero for a note that answers nothing.
	InReplyTo          Ref
	AttributedTo       Refs
	Published, Updated time.Time
	// URL is the page for people.
	URL    string
	To, CC []string
	// Tag holds mentions and hashtags.
	Tag []Link
	// ReplyApproval is the id of the ApproveReply, empty where there is none.
	ReplyApproval string
	Extra         map[string]json.RawMessage
}

// ParseNote reads a note. Errors: those of the bounds, ErrType, ErrID, ErrNoteAuthor (errors.Is).
func ParseNote(data []byte) (*Note, error) {
	r, err := read(data)
	if err != nil {
		return nil, err
	}
	if r.kind() != "Note" {
		return nil, fmt.Errorf("reading a comment: %w", ErrType)
	}
	n := &Note{
		Context: r.raw("@context"), ID: r.text("id"), Content: r.text("content"), MediaType: r.text("mediaType"),
		Summary: r.text("summary"), InReplyTo: r.ref("inReplyTo"), AttributedTo: r.refs("attributedTo"),
		Published: r.instant("published"), Updated: r.instant("updated"), URL: r.href("url"),
		To: r.ids("to"), CC: r.ids("cc"), Tag: r.links("tag"), ReplyApproval: r.id("replyApproval"),
	}
	n.Extra = r.extra()
	switch {
	case r.err != nil:
		return nil, fmt.Errorf("reading a comment: %w", r.err)
	case checkID(n.ID) != nil:
		return nil, fmt.Errorf("reading a comment: %w", ErrID)
	case checkID(n.Author()) != nil:
		return nil, fmt.Errorf("reading a comment: %w", ErrNoteAuthor)
	}
	return n, nil
}

// Author is the first id of attributedTo.
func (n Note) Author() string {
	if ids := n.AttributedTo.IDs(); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

func (n Note) withoutContext() json.Marshaler {
	n.Context = nil
	return n
}

// MarshalJSON writes the note: one author as a plain id.
func (n Note) MarshalJSON() ([]byte, error) {
	w := newWriter(n.Extra)
	w.raw("@context", n.Context)
	w.texts("to", n.To)
	w.texts("cc", n.CC)
	w.text("type", "Note")
	w.text("id", n.ID)
	w.text("summary", n.Summary)
	w.always("content", n.Content)
	w.text("mediaType", n.MediaType)
	if n.InReplyTo.IsZero() {
		w.orNull("inReplyTo")
	} else {
		w.ref("inReplyTo", n.InReplyTo)
	}
	w.instant("updated", n.Updated)
	w.instant("published", n.Published)
	w.text("url", n.URL)
	if len(n.AttributedTo) == 1 {
		w.ref("attributedTo", n.AttributedTo[0])
	} else {
		w.refs("attributedTo", n.AttributedTo)
	}
	w.textOrNull("replyApproval", n.ReplyApproval)
	list(w, "tag", n.Tag)
	return w.end()
}
