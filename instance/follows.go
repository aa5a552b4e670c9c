// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"time"

	"shoal/instance/federation/follow"
	"shoal/instance/store"
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
	f, err := i.fed.Follows().Follow(ctx, target, wait)
	if err != nil {
		return FollowInfo{}, err
	}
	e := follow.Entry{Follow: *f}
	err = i.store.Read(func(tx *store.Tx) (err error) {
		e.Actor, _, err = tx.Actor(f.Remote)
		return err
	})
	return followInfo(e), err
}

func followInfo(e follow.Entry) FollowInfo {
	f := FollowInfo{
		Target: e.Follow.Remote, Handle: e.Handle(), Host: e.Follow.Host, Local: e.Follow.Local, State: string(e.Follow.State),
		Reason: e.Follow.Reason, Auto: e.Follow.Auto, Created: e.Follow.Created, Updated: e.Follow.Updated,
	}
	if e.Actor != nil {
		f.Name = e.Actor.Name
	}
	return f
}

// Unfollow ends a follow; what it brought leaves the lists.
func (i *Instance) Unfollow(ctx context.Context, target string) error {
	return i.fed.Follows().Unfollow(ctx, target)
}

// RetryFollow asks again where a follow is pending, rejected or failed.
func (i *Instance) RetryFollow(ctx context.Context, target string) error {
	return i.fed.Follows().Retry(ctx, target)
}

// Following lists who this instance follows, newest first.
func (i *Instance) Following() ([]FollowInfo, error) { return followInfos(i.fed.Follows().Following()) }

// Followers lists who follows this instance, its accounts and its channels, newest first.
func (i *Instance) Followers() ([]FollowInfo, error) { return followInfos(i.fed.Follows().Followers()) }

func followInfos(entries []follow.Entry, err error) ([]FollowInfo, error) {
	var all []FollowInfo
	for _, e := range entries {
		all = append(all, followInfo(e))
	}
	return all, err
}

// Approve accepts a follower who waits or was rejected: a host, name@host or URL.
func (i *Instance) Approve(ctx context.Context, target string) error {
	return i.fed.Follows().Approve(ctx, target)
}

// RejectFollower turns a follower away, also one who was accepted. Who follows again afterwards is
// rejected again until Approve.
func (i *Instance) RejectFollower(ctx context.Context, target string) error {
	return i.fed.Follows().Reject(ctx, target)
}
