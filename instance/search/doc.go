// SPDX-License-Identifier: AGPL-3.0-or-later

// Package search is the full-text index of all videos, local and remote: bleve in the data
// directory's index/. It is derived from the store, follows it after each change without holding
// one up, and is made anew when it is damaged or another database's. Only package instance and the
// packages below it import it.
package search
