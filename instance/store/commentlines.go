// SPDX-License-Identifier: AGPL-3.0-or-later

package store

// CommentLine is where a comment stands: its number and its thread's id.
type CommentLine struct {
	Number uint64
	Thread string
}

// CommentLines returns where the comments on a video stand, gaps included, in the order they were
// stored. No comment is read for it: the first of a thread is the first with its thread.
func (tx *Tx) CommentLines(video string) ([]CommentLine, error) {
	var all []CommentLine
	prefix := pair(video, "")
	err := tx.scan(bucketVideoComments, prefix, func(k, thread []byte) (bool, error) {
		all = append(all, CommentLine{parseKeyText(string(k[len(prefix):])), string(thread)})
		return true, nil
	})
	return all, err
}
