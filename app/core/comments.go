// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import "shoal/instance"

// maxReplyDepth bounds how deep replies are indented.
const maxReplyDepth = 6

// Said is a comment at its place in a conversation.
type Said struct {
	instance.CommentInfo
	// Depth is how many comments it hangs below, 0 for one on the video itself.
	Depth int
	// Answers is the author of the comment that it answers, name@host, or empty.
	Answers string
}

// Threads puts comments into the order of reading: each before its replies, which keep the order they
// came in. A reply to a comment that is not among them stands as one on the video does.
func Threads(list []instance.CommentInfo) []Said {
	at := make(map[string]int, len(list))
	for i, c := range list {
		at[c.ID] = i
	}
	replies := make(map[string][]int)
	var next []int // what is to be written, the first one last
	for i := len(list) - 1; i >= 0; i-- {
		if _, ok := at[list[i].InReplyTo]; ok {
			replies[list[i].InReplyTo] = append(replies[list[i].InReplyTo], i)
		} else {
			next = append(next, i)
		}
	}
	all := make([]Said, 0, len(list))
	placed := make(map[string]int, len(list))
	for last := len(list) - 1; len(all) < len(list); {
		if len(next) == 0 { // replies in a circle
			for ; last >= 0; last-- {
				if _, ok := placed[list[last].ID]; !ok {
					break
				}
			}
			if last < 0 {
				break
			}
			next = append(next, last)
		}
		i := next[len(next)-1]
		next = next[:len(next)-1]
		c := list[i]
		if _, ok := placed[c.ID]; ok {
			continue
		}
		said := Said{CommentInfo: c}
		if depth, ok := placed[c.InReplyTo]; ok {
			said.Depth, said.Answers = min(depth+1, maxReplyDepth), list[at[c.InReplyTo]].Author
		}
		placed[c.ID] = said.Depth
		all = append(all, said)
		next = append(next, replies[c.ID]...)
	}
	return all
}
