// SPDX-License-Identifier: AGPL-3.0-or-later

// Package safedial connects to public addresses alone. What a foreign answer names (a redirect, an
// id, an inbox) must not lead into the house network or to this machine, so the address is checked
// after the name is resolved and right before each connect: a name that resolves differently the
// second time gains nothing. It uses the standard library alone; any room may import it.
package safedial
