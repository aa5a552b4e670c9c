// SPDX-License-Identifier: AGPL-3.0-or-later

// Package store is the instance's database: instance.db, with every bucket, key and migration, and
// a snapshot of it in memory that requests read without a lock. Only package instance and the
// packages below it import it.
package store
