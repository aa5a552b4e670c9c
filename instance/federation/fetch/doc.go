// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fetch asks other servers of the fediverse, and posts to them, without trusting any:
// public addresses and https alone (but for development), bounded size, time, redirects and
// concurrency, and an ActivityPub content type for what is taken as an object (FEP-fe34).
//
// It is a leaf: it gets the signing function and knows no other room than safedial. Only packages
// below instance import it.
package fetch
