// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// maxAge bounds the age of a Linked Data signature. What was seen is remembered as long, so that
// nobody can bring an old activity to effect again.
const maxAge = 7 * 24 * time.Hour

// seenMark is what an activity is remembered by. Its id is not enough: PeerTube gives each Like of one
// video by one account the same id, also after an Undo, and announces a video that became public again
// under the id of the first time. Copies of one activity have the same bytes.
func seenMark(id string, body []byte) string {
	sum := sha256.Sum256(body)
	return id + "#" + hex.EncodeToString(sum[:16])
}
