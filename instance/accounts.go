// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import "context"

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
func (i *Instance) Accounts() ([]AccountInfo, error) { return nil, errNotReady }

// AddAccount makes an account with a channel of its own, {name}_channel.
func (i *Instance) AddAccount(ctx context.Context, name, displayName string) (AccountInfo, error) {
	return AccountInfo{}, errNotReady
}

// RemoveAccount deletes an account with its channels and their videos. Root stays.
func (i *Instance) RemoveAccount(ctx context.Context, name string) error { return errNotReady }

// Channels lists the channels in order of their making.
func (i *Instance) Channels() ([]ChannelInfo, error) { return nil, errNotReady }

// AddChannel makes a channel of an account ("" is root).
func (i *Instance) AddChannel(ctx context.Context, name, displayName, account string) (ChannelInfo, error) {
	return ChannelInfo{}, errNotReady
}

// RemoveChannel deletes a channel with its videos. The channel of root stays.
func (i *Instance) RemoveChannel(ctx context.Context, name string) error { return errNotReady }
