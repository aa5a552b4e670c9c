// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"io"
	"time"

	"shoal/instance/fault"
	"shoal/instance/store"
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
func (i *Instance) Policy() Policy {
	p := i.store.Policy()
	return Policy{FollowBack: p.FollowBack, Followers: string(p.Followers)}
}

// SetPolicy changes the policy and returns the new one.
func (i *Instance) SetPolicy(ctx context.Context, change PolicyChange) (Policy, error) {
	i.policy.Lock()
	defer i.policy.Unlock()
	p := i.store.Policy()
	set(&p.FollowBack, change.FollowBack)
	if change.Followers != nil {
		p.Followers = store.FollowerPolicy(*change.Followers)
	}
	switch p.Followers {
	case store.FollowersAccept, store.FollowersApprove, store.FollowersReject:
	default:
		return i.Policy(), fault.BadInput("there is no policy %q for followers: choose accept, approve or reject", p.Followers)
	}
	err := i.fed.Follows().SetPolicy(ctx, p, change.DropExisting)
	return i.Policy(), err
}

// Blacklist lists the hosts that are never followed back, in order. Their follows are accepted.
func (i *Instance) Blacklist() []string {
	var all []string
	err := i.store.Read(func(tx *store.Tx) (err error) {
		all, err = tx.Blacklist()
		return err
	})
	if err != nil {
		i.cfg.Logger.Error("the blacklist cannot be read", "error", err)
	}
	return all
}

// BlacklistAdd adds a host to the blacklist.
func (i *Instance) BlacklistAdd(host string) error { return i.fed.Follows().BlacklistAdd(host) }

// BlacklistRemove takes a host off the blacklist.
func (i *Instance) BlacklistRemove(host string) error { return i.fed.Follows().BlacklistRemove(host) }

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
func (i *Instance) Blocks() ([]BlockInfo, error) {
	blocks, err := i.fed.Follows().Blocks()
	all := make([]BlockInfo, 0, len(blocks))
	for _, b := range blocks {
		all = append(all, BlockInfo{Host: b.Host, Reason: b.Reason, List: b.List, Since: b.Since})
	}
	return all, err
}

// Block blocks a host in full: its activities are dropped, its follows refused, follows in both
// directions end, and its content is purged. What accounts of this instance said about its videos,
// comments and rates, is taken back.
func (i *Instance) Block(ctx context.Context, host, reason string) error {
	return i.fed.Follows().Block(ctx, host, reason)
}

// Unblock lets a blocked host in again.
func (i *Instance) Unblock(_ context.Context, host string) error {
	return i.fed.Follows().Unblock(host)
}

// BlockImport tells what a block list brought.
type BlockImport struct {
	// Blocked is how many hosts are blocked that were not, Known how many were, Skipped how many
	// lines name no host to block (another severity than suspend, an obfuscated name).
	Blocked, Known, Skipped int
}

// ImportBlocks blocks every host of a list, in either form.
func (i *Instance) ImportBlocks(ctx context.Context, r io.Reader) (BlockImport, error) {
	n, err := i.fed.Follows().Import(ctx, r)
	return BlockImport(n), err
}

// ExportBlocks writes the block list, as BlocksText when format is empty.
func (i *Instance) ExportBlocks(w io.Writer, format string) error {
	return i.fed.Follows().Export(w, format)
}

// SubscribeBlocks reads a shared block list now and once a day from then on.
func (i *Instance) SubscribeBlocks(ctx context.Context, url string) (BlockImport, error) {
	n, err := i.fed.Follows().Subscribe(ctx, url)
	return BlockImport(n), err
}

// UnsubscribeBlocks forgets a shared block list and unblocks what it alone blocked.
func (i *Instance) UnsubscribeBlocks(ctx context.Context, url string) error {
	return i.fed.Follows().Unsubscribe(ctx, url)
}

// BlockSubscriptions lists the shared block lists.
func (i *Instance) BlockSubscriptions() ([]BlockSubscription, error) {
	lists, err := i.fed.Follows().Subscriptions()
	all := make([]BlockSubscription, 0, len(lists))
	for _, l := range lists {
		all = append(all, BlockSubscription{URL: l.URL, Checked: l.Checked, Error: l.Error, Hosts: l.Hosts})
	}
	return all, err
}
