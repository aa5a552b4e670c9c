// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/vocab"
)

// maxAge bounds the age of a Linked Data signature. What was seen is remembered as long, so that
// nobody can bring an old activity to effect again.
const maxAge = 7 * 24 * time.Hour

// seenMark is what an activity is remembered by. Its id is not enough: PeerTube gives each Like of one
// video by one account the same id, also after an Undo, and announces a video that became public again
// under the id of the first time. Copies of one activity have the same Linked Data signature, whatever
// was done to what that leaves free, such as spaces; without one they come from its actor alone and have
// the same bytes. A View that adds one to a count, and tells no total, is the exception: it has an id of
// its own, which tells it even where a sender signs anew for each attempt, and done again it would count
// again.
func seenMark(a *vocab.Activity, body []byte) string {
	if _, total := a.Viewers(); a.Type == typeView && a.Expires.IsZero() && !total {
		return a.ID
	}
	if a.Signature != nil {
		if value, err := ldsig.Value(body); err == nil {
			body = append([]byte(a.Actor.ID+" "), value...)
		}
	}
	sum := sha256.Sum256(body)
	return a.ID + "#" + hex.EncodeToString(sum[:16])
}
