// SPDX-License-Identifier: AGPL-3.0-or-later

package store

// Decision is what an administrator decided about another actor by hand. It is kept when the follow
// that it was about is gone, so that the other side cannot undo it, by ending the follow or by
// deleting itself for a while.
type Decision string

// RejectedByHand says that a remote actor may not follow a local one.
const RejectedByHand Decision = "rejected"

func decisionKey(d Decision, local, remote string) []byte {
	return append(pair(local, remote), "\x00"+string(d)...)
}

// Decide keeps a decision.
func (tx *Tx) Decide(d Decision, local, remote string) error {
	if err := checkID(local, remote); err != nil {
		return err
	}
	return tx.bucket(bucketDecisions).Put(decisionKey(d, local, remote), nil)
}

// Revoke forgets a decision.
func (tx *Tx) Revoke(d Decision, local, remote string) error {
	return tx.bucket(bucketDecisions).Delete(decisionKey(d, local, remote))
}

// Decided reports whether a decision was made and not revoked.
func (tx *Tx) Decided(d Decision, local, remote string) bool {
	return tx.bucket(bucketDecisions).Get(decisionKey(d, local, remote)) != nil
}
