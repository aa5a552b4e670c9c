// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"shoal/instance/fault"
	"shoal/instance/store"
)

// AccountInfo is an account of this instance.
type AccountInfo struct {
	Name, DisplayName, Description string
	// URL is the account's ActivityPub id.
	URL string
	// Channels are the names of its channels.
	Channels []string
	// Followers counts the accepted ones.
	Followers int
}

// ChannelInfo is a channel of this instance.
type ChannelInfo struct {
	Name, DisplayName, Description string
	// URL is the channel's ActivityPub id.
	URL string
	// Account is the owner's name.
	Account string
	// Followers counts the accepted ones, Videos the published ones.
	Followers, Videos int
}

// Accounts lists the accounts in order of their making.
func (i *Instance) Accounts() ([]AccountInfo, error) {
	snap := i.store.Snapshot()
	var accounts []*store.Account
	for _, name := range snap.AccountNames() {
		if a, ok := snap.Account(name); ok {
			accounts = append(accounts, a)
		}
	}
	slices.SortFunc(accounts, func(a, b *store.Account) int { return cmp.Compare(a.ID, b.ID) })
	var all []AccountInfo
	for _, a := range accounts {
		info := AccountInfo{Name: a.Name, DisplayName: a.DisplayName, Description: a.Description, URL: i.base.Account(a.Name)}
		for _, c := range channelsOf(snap) {
			if c.AccountID == a.ID {
				info.Channels = append(info.Channels, c.Name)
			}
		}
		var err error
		if info.Followers, err = i.countFollowers(info.URL); err != nil {
			return nil, err
		}
		all = append(all, info)
	}
	return all, nil
}

// Channels lists the channels in order of their making.
func (i *Instance) Channels() ([]ChannelInfo, error) {
	snap := i.store.Snapshot()
	var all []ChannelInfo
	for _, c := range channelsOf(snap) {
		info := ChannelInfo{Name: c.Name, DisplayName: c.DisplayName, Description: c.Description, URL: i.base.Channel(c.Name)}
		if a, ok := snap.AccountByID(c.AccountID); ok {
			info.Account = a.Name
		}
		for _, v := range snap.Videos() {
			if v.ChannelID == c.ID {
				info.Videos++
			}
		}
		var err error
		if info.Followers, err = i.countFollowers(info.URL); err != nil {
			return nil, err
		}
		all = append(all, info)
	}
	return all, nil
}

func channelsOf(snap *store.Snapshot) []*store.Channel {
	var all []*store.Channel
	for _, name := range snap.ChannelNames() {
		if c, ok := snap.Channel(name); ok {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *store.Channel) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (i *Instance) countFollowers(local string) (n int, err error) {
	err = i.store.Read(func(tx *store.Tx) error {
		return tx.EachFollower(local, func(f *store.Follow) (bool, error) {
			if f.State == store.FollowAccepted {
				n++
			}
			return true, nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("reading followers: %w", err)
	}
	return n, nil
}

// channelSuffix ends the name of the channel that an account gets with itself.
const channelSuffix = "_channel"

// AddAccount makes an account with a channel of its own, {name}_channel. Its errors are sentences for
// a person.
func (i *Instance) AddAccount(_ context.Context, name, displayName string) (AccountInfo, error) {
	if err := checkName(name, displayName); err != nil {
		return AccountInfo{}, err
	}
	if displayName == "" {
		displayName = name
	}
	if i.used(name) || i.used(name+channelSuffix) {
		return AccountInfo{}, taken(name, store.ErrTaken)
	}
	a, err := i.store.AddAccount(store.Account{Name: name, DisplayName: displayName}, time.Now())
	if err != nil {
		return AccountInfo{}, taken(name, err)
	}
	c, err := i.store.AddChannel(store.Channel{AccountID: a.ID, Name: name + channelSuffix, DisplayName: "Main " + name + " channel"}, time.Now())
	if err != nil {
		return AccountInfo{}, taken(name+channelSuffix, err)
	}
	return AccountInfo{Name: a.Name, DisplayName: a.DisplayName, URL: i.base.Account(a.Name), Channels: []string{c.Name}}, nil
}

// AddChannel makes a channel of an account ("" is root). Its errors are sentences for a person.
func (i *Instance) AddChannel(_ context.Context, name, displayName, account string) (ChannelInfo, error) {
	if err := checkName(name, displayName); err != nil {
		return ChannelInfo{}, err
	}
	a, err := i.actingAs(account)
	if err != nil {
		return ChannelInfo{}, err
	}
	if displayName == "" {
		displayName = name
	}
	if i.used(name) {
		return ChannelInfo{}, taken(name, store.ErrTaken)
	}
	c, err := i.store.AddChannel(store.Channel{AccountID: a.ID, Name: name, DisplayName: displayName}, time.Now())
	if err != nil {
		return ChannelInfo{}, taken(name, err)
	}
	return ChannelInfo{Name: c.Name, DisplayName: c.DisplayName, URL: i.base.Channel(c.Name), Account: a.Name}, nil
}

// Bounds of names, as PeerTube has them.
const (
	maxName        = 50
	maxDisplayName = 120
)

// checkName bounds an actor's names.
func checkName(name, displayName string) error {
	ok, err := regexp.MatchString(`^[a-z0-9_][a-z0-9_.-]*$`, name)
	switch {
	case err != nil:
		return fmt.Errorf("checking the name: %w", err)
	case !ok || len(name) > maxName:
		return fault.BadInput("the name %q does not fit: use at most %d of a-z, 0-9, _, . and -, with a letter, digit or _ first", name, maxName)
	case utf8.RuneCountInString(displayName) > maxDisplayName || !utf8.ValidString(displayName) || strings.ContainsAny(displayName, "\r\n\x00"):
		return fault.BadInput("the display name is longer than %d characters or no plain text: shorten it", maxDisplayName)
	}
	return nil
}

// used reports whether an actor has a name or had it: others know it, with its key.
func (i *Instance) used(name string) bool {
	_, ok := i.store.Snapshot().Key(name)
	return ok
}

func taken(name string, err error) error {
	if errors.Is(err, store.ErrTaken) {
		return fault.BadInput("the name %s is taken: choose another", name).Because(err)
	}
	return err
}

// RemoveAccount deletes an account with its channels and their videos. Root stays.
func (i *Instance) RemoveAccount(ctx context.Context, name string) error {
	a, ok := i.store.Snapshot().Account(name)
	switch {
	case !ok:
		return fault.NotFound("there is no account %s here: shoal account list has the names", name)
	case name == store.NameRoot:
		return fault.Refused("the account root stays: it is the instance's own")
	}
	for _, c := range channelsOf(i.store.Snapshot()) {
		if c.AccountID != a.ID {
			continue
		}
		if err := i.removeChannel(ctx, c); err != nil {
			return err
		}
	}
	return i.fed.Follows().Leave(ctx, i.base.Account(name), func(tx *store.Tx) error { return tx.DeleteAccount(name) })
}

// RemoveChannel deletes a channel with its videos. The channel of root stays.
func (i *Instance) RemoveChannel(ctx context.Context, name string) error {
	c, ok := i.store.Snapshot().Channel(name)
	switch {
	case !ok:
		return fault.NotFound("there is no channel %s here: shoal channel list has the names", name)
	case name == store.NameChannel:
		return fault.Refused("the channel %s stays: it is where videos go that name no other", name)
	}
	return i.removeChannel(ctx, c)
}

func (i *Instance) removeChannel(ctx context.Context, c *store.Channel) error {
	for _, v := range i.store.Snapshot().Videos() {
		if v.ChannelID != c.ID {
			continue
		}
		if err := i.deleteVideo(ctx, v.ID); err != nil {
			return err
		}
	}
	return i.fed.Follows().Leave(ctx, i.base.Channel(c.Name), func(tx *store.Tx) error { return tx.DeleteChannel(c.Name) })
}
