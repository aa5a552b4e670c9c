// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"time"
)

// The states of a follow.
const (
	FollowPending  = "pending"  // asked, not answered yet
	FollowAccepted = "accepted" // videos come
	FollowRejected = "rejected" // they said no
	FollowFailed   = "failed"   // the question could not be delivered
)

// FollowInfo is one follow, in either direction.
type FollowInfo struct {
	// Target is the other actor's id.
	Target string
	// Handle is name@host; for an instance's own actor it is the host alone.
	Handle string
	Host   string
	// Name is the other actor's name for people.
	Name string
	// Local is the id of the actor of ours that follows or is followed.
	Local string
	// State is one of FollowPending, FollowAccepted, FollowRejected and FollowFailed.
	State string
	// Reason is a sentence for a person that says why the follow is rejected or failed.
	Reason string
	// Auto tells that the policy followed back.
	Auto             bool
	Created, Updated time.Time
}

// Follow follows an instance (a host), an account or a channel (name@host or a URL) and waits for the
// answer as long as wait; no answer by then leaves the state FollowPending. Following what is
// followed already asks again unless it is accepted. Its errors are sentences for a person.
func (i *Instance) Follow(ctx context.Context, target string, wait time.Duration) (FollowInfo, error) {
	return FollowInfo{}, errNotReady
}

// Unfollow ends a follow; what it brought leaves the lists.
func (i *Instance) Unfollow(ctx context.Context, target string) error { return errNotReady }

// RetryFollow asks again where a follow is pending, rejected or failed.
func (i *Instance) RetryFollow(ctx context.Context, target string) error { return errNotReady }

// Following lists who this instance follows, newest first.
func (i *Instance) Following() ([]FollowInfo, error) { return nil, errNotReady }

// Followers lists who follows this instance, its accounts and its channels, newest first.
func (i *Instance) Followers() ([]FollowInfo, error) { return nil, errNotReady }

// Approve accepts a follower who waits or was rejected: a host, name@host or URL.
func (i *Instance) Approve(ctx context.Context, target string) error { return errNotReady }

// RejectFollower turns a follower away, also one who was accepted. Who follows again afterwards is
// rejected again until Approve.
func (i *Instance) RejectFollower(ctx context.Context, target string) error { return errNotReady }
