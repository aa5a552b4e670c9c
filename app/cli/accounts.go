// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"

	"shoal/instance"
)

// accountCommand keeps the instance's accounts.
type accountCommand struct {
	Add    accountAdd    `cmd:"" help:"Make an account, with a channel of its own."`
	List   accountList   `cmd:"" help:"List the accounts."`
	Remove accountRemove `cmd:"" help:"Delete an account with its channels and their videos."`
}

type accountAdd struct {
	Name        string `arg:"" help:"Its name in addresses: small letters, digits, dots and underscores."`
	DisplayName string `placeholder:"TEXT" help:"Its name for people."`
}

type accountList struct{}

type accountRemove struct {
	Name string `arg:"" help:"The account's name."`
}

func (*accountAdd) forward(*run) bool    { return true }
func (*accountList) forward(*run) bool   { return true }
func (*accountRemove) forward(*run) bool { return true }

// accountLine is the event of an account.
type accountLine struct {
	Event       string   `json:"event"`
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	URL         string   `json:"url"`
	Channels    []string `json:"channels"`
	Followers   int      `json:"followers"`
}

// removed is the event of an account or channel that is gone.
type removed struct {
	Event string `json:"event"`
	Kind  string `json:"kind"` // account or channel
	Name  string `json:"name"`
}

func (r *run) account(a instance.AccountInfo) {
	r.out.event(accountLine{
		Event: "account", Name: a.Name, DisplayName: a.DisplayName, URL: a.URL, Channels: nonNil(a.Channels), Followers: a.Followers,
	})
	r.out.fact("%s  %s  %d followers\n  %s", a.Name, a.DisplayName, a.Followers, a.URL)
}

func (c *accountAdd) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(ctx context.Context, i *instance.Instance) error {
		a, err := i.AddAccount(ctx, c.Name, c.DisplayName)
		if err != nil {
			return err
		}
		r.account(a)
		return nil
	})
}

func (*accountList) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		list, err := i.Accounts()
		for _, a := range list {
			r.account(a)
		}
		return err
	})
}

func (c *accountRemove) run(ctx context.Context, r *run) error {
	return r.serving(ctx, flushWait, func(ctx context.Context, i *instance.Instance) error {
		if err := i.RemoveAccount(ctx, c.Name); err != nil {
			return err
		}
		r.out.event(removed{Event: "removed", Kind: "account", Name: c.Name})
		r.out.fact("The account %s is deleted.", c.Name)
		return nil
	})
}

// channelCommand keeps the instance's channels.
type channelCommand struct {
	Add    channelAdd    `cmd:"" help:"Make a channel."`
	List   channelList   `cmd:"" help:"List the channels."`
	Remove channelRemove `cmd:"" help:"Delete a channel with its videos."`
}

type channelAdd struct {
	Name        string `arg:"" help:"Its name in addresses: small letters, digits, dots and underscores."`
	DisplayName string `placeholder:"TEXT" help:"Its name for people."`
	Account     string `default:"root" placeholder:"ACCOUNT" help:"The account that it belongs to. Default: root."`
}

type channelList struct{}

type channelRemove struct {
	Name string `arg:"" help:"The channel's name."`
}

func (*channelAdd) forward(*run) bool    { return true }
func (*channelList) forward(*run) bool   { return true }
func (*channelRemove) forward(*run) bool { return true }

// channelLine is the event of a channel.
type channelLine struct {
	Event       string `json:"event"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	URL         string `json:"url"`
	Account     string `json:"account"`
	Followers   int    `json:"followers"`
	Videos      int    `json:"videos"`
}

func (r *run) channel(c instance.ChannelInfo) {
	r.out.event(channelLine{
		Event: "channel", Name: c.Name, DisplayName: c.DisplayName, URL: c.URL, Account: c.Account, Followers: c.Followers, Videos: c.Videos,
	})
	r.out.fact("%s  %s  of %s, %d videos, %d followers\n  %s", c.Name, c.DisplayName, c.Account, c.Videos, c.Followers, c.URL)
}

func (c *channelAdd) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(ctx context.Context, i *instance.Instance) error {
		made, err := i.AddChannel(ctx, c.Name, c.DisplayName, c.Account)
		if err != nil {
			return err
		}
		r.channel(made)
		return nil
	})
}

func (*channelList) run(ctx context.Context, r *run) error {
	return r.atRest(ctx, func(_ context.Context, i *instance.Instance) error {
		list, err := i.Channels()
		for _, c := range list {
			r.channel(c)
		}
		return err
	})
}

func (c *channelRemove) run(ctx context.Context, r *run) error {
	return r.serving(ctx, flushWait, func(ctx context.Context, i *instance.Instance) error {
		if err := i.RemoveChannel(ctx, c.Name); err != nil {
			return err
		}
		r.out.event(removed{Event: "removed", Kind: "channel", Name: c.Name})
		r.out.fact("The channel %s is deleted.", c.Name)
		return nil
	})
}
