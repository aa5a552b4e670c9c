// SPDX-License-Identifier: AGPL-3.0-or-later

// Package follow decides who follows whom: it asks other actors to let this instance follow them,
// answers those who ask to follow it, as the policy and the block list say, and walks the outboxes of
// those who accepted. What it changes and the activities that say so are stored in one transaction.
// The federation package and package instance import it.
package follow
