// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "time"

// DropComment is DeleteComment for one that another instance deleted: nothing goes to the change log,
// also of a local one, because that instance tells who is to know.
func (tx *Tx) DropComment(id string) error {
	c, ok, err := tx.Comment(id)
	if err != nil || !ok || !c.Deleted.IsZero() {
		return err
	}
	return tx.dropComment(c)
}

func (tx *Tx) dropComment(c *Comment) error {
	replies, err := tx.hasReplies(c.ID)
	if err != nil {
		return err
	}
	if !replies {
		return tx.eraseGaps(c)
	}
	if err := tx.unindexComment(c); err != nil {
		return err
	}
	c.Text, c.HTML, c.Deleted = "", "", stamp(time.Now())
	if err := tx.indexComment(c); err != nil {
		return err
	}
	return tx.put(bucketComments, []byte(c.ID), c)
}
