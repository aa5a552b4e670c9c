// SPDX-License-Identifier: AGPL-3.0-or-later

// Package author signs as a local actor: the bodies of activities with Linked Data signatures and the
// requests that carry them with HTTP signatures. The rooms of the federation package import it.
package author
