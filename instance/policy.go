// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"io"
	"time"
)

// What becomes of new followers.
const (
	FollowersAccept  = "accept"  // each is accepted
	FollowersApprove = "approve" // each waits for Approve or RejectFollower
	FollowersReject  = "reject"  // each is rejected
)

// Policy is how this instance answers follows.
type Policy struct {
	// FollowBack follows an instance that follows this one, but no host of the blacklist.
	FollowBack bool
	// Followers is FollowersAccept, FollowersApprove or FollowersReject.
	Followers string
}

// PolicyChange changes what is not nil.
type PolicyChange struct {
	FollowBack *bool
	Followers  *string
	// DropExisting rejects the followers there are as well. It goes with FollowersReject alone.
	DropExisting bool
}

// Policy is how this instance answers follows now.
func (i *Instance) Policy() Policy { return Policy{Followers: FollowersAccept} }

// SetPolicy changes the policy and returns the new one.
func (i *Instance) SetPolicy(ctx context.Context, change PolicyChange) (Policy, error) {
	return i.Policy(), errNotReady
}

// Blacklist lists the hosts that are never followed back, in order. Their follows are accepted.
func (i *Instance) Blacklist() []string { return nil }

// BlacklistAdd adds a host to the blacklist.
func (i *Instance) BlacklistAdd(host string) error { return errNotReady }

// BlacklistRemove takes a host off the blacklist.
func (i *Instance) BlacklistRemove(host string) error { return errNotReady }

// BlockInfo is a host that is blocked in full.
type BlockInfo struct {
	Host string
	// Reason is for people; it may be empty.
	Reason string
	// List is the URL of the subscribed list that names the host, empty where a person did.
	List  string
	Since time.Time
}

// BlockSubscription is a shared block list that is read once a day.
type BlockSubscription struct {
	URL string
	// Checked is when it was read last; Error is a sentence for a person that says why it failed.
	Checked time.Time
	Error   string
	// Hosts is how many hosts it names.
	Hosts int
}

// The forms of a block list.
const (
	BlocksText = "text" // one host a line, # begins a comment
	BlocksCSV  = "csv"  // Mastodon's: #domain,#severity,...
)

// Blocks lists the blocked hosts, in order.
func (i *Instance) Blocks() ([]BlockInfo, error) { return nil, errNotReady }

// Block blocks a host in full: its activities are dropped, its follows refused, follows in both
// directions end, and its content is purged.
func (i *Instance) Block(ctx context.Context, host, reason string) error { return errNotReady }

// Unblock lets a blocked host in again.
func (i *Instance) Unblock(ctx context.Context, host string) error { return errNotReady }

// BlockImport tells what a block list brought.
type BlockImport struct {
	// Blocked is how many hosts are blocked that were not, Known how many were, Skipped how many
	// lines name no host to block (another severity than suspend, an obfuscated name).
	Blocked, Known, Skipped int
}

// ImportBlocks blocks every host of a list, in either form.
func (i *Instance) ImportBlocks(ctx context.Context, r io.Reader) (BlockImport, error) {
	return BlockImport{}, errNotReady
}

// ExportBlocks writes the block list, as BlocksText when format is empty.
func (i *Instance) ExportBlocks(w io.Writer, format string) error { return errNotReady }

// SubscribeBlocks reads a shared block list now and once a day from then on.
func (i *Instance) SubscribeBlocks(ctx context.Context, url string) (BlockImport, error) {
	return BlockImport{}, errNotReady
}

// UnsubscribeBlocks forgets a shared block list and unblocks what it alone blocked.
func (i *Instance) UnsubscribeBlocks(ctx context.Context, url string) error { return errNotReady }

// BlockSubscriptions lists the shared block lists.
func (i *Instance) BlockSubscriptions() ([]BlockSubscription, error) { return nil, errNotReady }
