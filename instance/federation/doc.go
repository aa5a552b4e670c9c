// SPDX-License-Identifier: AGPL-3.0-or-later

// Package federation puts the rooms below it together: what an instance says to others of the
// fediverse, what it hears from them, and who follows whom. FEDERATION.md in package instance's folder
// describes it for other implementers. Only package instance imports it.
package federation
