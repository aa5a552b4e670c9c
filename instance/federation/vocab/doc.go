// SPDX-License-Identifier: AGPL-3.0-or-later

// Package vocab reads and writes the ActivityStreams 2.0 objects that video instances exchange: activities, actors,
// videos, notes, chapters, cache files and collections.
//
// Reading is tolerant: a member may be a string, an object or a list, and the forms of PeerTube 7.x and 8.x are both
// understood. Writing uses the one form that both accept. A member that a type does not know, or knows in another
// form, is kept in its Extra and written again. A member that is null counts as absent.
//
// The package is a leaf: it imports the standard library alone, fetches nothing, and any package under
// instance/federation may import it.
package vocab
