// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fault has the kinds of what a person cannot have: a sentence that says what failed and what to
// do, which nothing is put before, and a kind for errors.Is. Every room of the instance and what is above
// it may import it; it imports nothing of Shoal.
package fault
