// SPDX-License-Identifier: AGPL-3.0-or-later

// Package delivery is the outbound queue: it keeps activities on disk until each inbox has them, has
// refused them for good, or could not be reached for two days.
//
// An activity is stored once for all of its inboxes. A host gets one request at a time, many hosts
// are served at once, and a slow or dead one holds up no other. Results are written in groups, after
// the fact: a crash may send an activity again, with the same id, and forgets none.
//
// It is a leaf: it knows bbolt, and no other room. How a body is signed and sent is the caller's
// function. Only packages below instance import it.
package delivery
