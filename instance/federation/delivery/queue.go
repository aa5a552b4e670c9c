// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"
)

var errNotBuilt = errors.New("not built yet")

// Queue is the outbound queue. Its methods are safe for concurrent use.
type Queue struct{ db *bolt.DB }

// New returns the queue in db, with all that waited there. It creates what is missing.
func New(db *bolt.DB, _ Config) (*Queue, error) { return &Queue{db: db}, nil }

// Prepare creates the queue's buckets.
func Prepare(_ *bolt.Tx) error { return nil }

// Enqueue stores m for each of its inboxes, in the caller's write transaction. The workers see it
// when the transaction commits.
func (q *Queue) Enqueue(_ *bolt.Tx, _ Message) error { return errNotBuilt }

// Serve delivers until ctx ends. It then waits a moment for attempts under way and writes their
// outcomes.
func (q *Queue) Serve(ctx context.Context) error { <-ctx.Done(); return nil }

// Depth returns how many deliveries wait, one for each message and inbox.
func (q *Queue) Depth() int { return 0 }

// Hosts returns the hosts that deliveries wait for, by name.
func (q *Queue) Hosts() ([]Host, error) { return nil, nil }

// Failures returns the latest deliveries that were given up, the newest first; most 0: all.
func (q *Queue) Failures(_ int) ([]Failure, error) { return nil, nil }

// Retry makes all that waits for host due now; "" means every host.
func (q *Queue) Retry(_ string) error { return errNotBuilt }

// Drop forgets all that waits for host. Nobody is told of it.
func (q *Queue) Drop(_ string) error { return errNotBuilt }
