// SPDX-License-Identifier: AGPL-3.0-or-later

// Package object turns the store's records into the objects and activities that others read, and others' objects
// into records. It is pure: it reads no network, no clock and no database of its own; what it needs it is handed.
// The rooms of instance/federation import it.
package object
