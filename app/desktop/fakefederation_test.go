// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"shoal/instance"
)

// fakeFederation is an instance's part in the fediverse, in memory.
type fakeFederation struct {
	journal
	fail      error         // of whatever changes something
	hold      chan struct{} // Follow waits for it
	answer    instance.FollowInfo
	following []instance.FollowInfo
	followers []instance.FollowInfo
	policy    instance.Policy
	blacklist []string
	blocks    []instance.BlockInfo
	lists     []instance.BlockSubscription
	queue     []instance.QueueHost
	lost      []instance.GivenUp
	refusals  []instance.Refusal
	videos    []instance.VideoInfo
	comments  []instance.CommentInfo
}

func newFakeFederation() fakeFederation {
	return fakeFederation{policy: instance.Policy{Followers: instance.FollowersAccept}}
}

// changed notes a change and returns what it comes to.
func (f *fakeFederation) changed(format string, args ...any) error {
	f.note(fmt.Sprintf(format, args...))
	return f.fail
}

func (f *fakeFederation) locked(do func()) { f.mu.Lock(); defer f.mu.Unlock(); do() }

func (f *fakeFederation) Videos(_ context.Context, q instance.VideoQuery) (list []instance.VideoInfo, total int, err error) {
	f.locked(func() {
		for _, v := range f.videos {
			if v.Origin == q.Origin {
				list = append(list, v)
			}
		}
	})
	return list, len(list), nil
}

func (f *fakeFederation) Edit(_ context.Context, id string, e instance.Edit) (instance.VideoInfo, error) {
	words := "edit " + id
	if e.Title != nil {
		words += " title=" + *e.Title
	}
	if e.Description != nil {
		words += " description=" + *e.Description
	}
	if e.Privacy != nil {
		words += " privacy=" + string(*e.Privacy)
	}
	if e.Tags != nil {
		words += fmt.Sprintf(" tags=%v", *e.Tags)
	}
	if e.Comments != nil {
		words += fmt.Sprintf(" comments=%v", *e.Comments)
	}
	return instance.VideoInfo{}, f.changed("%s", words)
}

func (f *fakeFederation) Delete(_ context.Context, id, _ string) error {
	f.locked(func() {
		f.videos = slices.DeleteFunc(f.videos, func(v instance.VideoInfo) bool { return v.UUID == id })
	})
	return f.changed("delete %s", id)
}

func (f *fakeFederation) Comments(context.Context, string) (list []instance.CommentInfo, err error) {
	f.locked(func() { list = slices.Clone(f.comments) })
	return list, nil
}

func (f *fakeFederation) DeleteComment(_ context.Context, id, _ string) error {
	f.locked(func() {
		f.comments = slices.DeleteFunc(f.comments, func(c instance.CommentInfo) bool { return c.ID == id })
	})
	return f.changed("delete comment %s", id)
}

func (f *fakeFederation) Follow(ctx context.Context, target string, _ time.Duration) (instance.FollowInfo, error) {
	f.note("follow " + target)
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
			return instance.FollowInfo{}, ctx.Err()
		}
	}
	if f.fail != nil {
		return instance.FollowInfo{}, f.fail
	}
	f.locked(func() { f.following = append(f.following, f.answer) })
	return f.answer, nil
}

func (f *fakeFederation) Unfollow(_ context.Context, target string) error {
	f.locked(func() {
		f.following = slices.DeleteFunc(f.following, func(x instance.FollowInfo) bool { return x.Target == target })
	})
	return f.changed("unfollow %s", target)
}

func (f *fakeFederation) RetryFollow(_ context.Context, target string) error {
	return f.changed("retry %s", target)
}

func (f *fakeFederation) Following() (list []instance.FollowInfo, err error) {
	f.locked(func() { list = slices.Clone(f.following) })
	return list, nil
}

func (f *fakeFederation) Followers() (list []instance.FollowInfo, err error) {
	f.locked(func() { list = slices.Clone(f.followers) })
	return list, nil
}

func (f *fakeFederation) answerFollower(target, state string) {
	f.locked(func() {
		for i := range f.followers {
			if f.followers[i].Target == target {
				f.followers[i].State = state
			}
		}
	})
}

func (f *fakeFederation) Approve(_ context.Context, target string) error {
	f.answerFollower(target, instance.FollowAccepted)
	return f.changed("approve %s", target)
}

func (f *fakeFederation) RejectFollower(_ context.Context, target string) error {
	f.answerFollower(target, instance.FollowRejected)
	return f.changed("reject %s", target)
}

func (f *fakeFederation) Policy() (p instance.Policy) {
	f.locked(func() { p = f.policy })
	return p
}

func (f *fakeFederation) SetPolicy(_ context.Context, c instance.PolicyChange) (instance.Policy, error) {
	words := "policy"
	f.locked(func() {
		if c.FollowBack != nil {
			words += fmt.Sprintf(" back=%v", *c.FollowBack)
		}
		if c.Followers != nil {
			words += fmt.Sprintf(" followers=%s drop=%v", *c.Followers, c.DropExisting)
		}
		if f.fail != nil {
			return
		}
		if c.FollowBack != nil {
			f.policy.FollowBack = *c.FollowBack
		}
		if c.Followers != nil {
			f.policy.Followers = *c.Followers
		}
	})
	return f.Policy(), f.changed("%s", words)
}

func (f *fakeFederation) Blacklist() (list []string) {
	f.locked(func() { list = slices.Clone(f.blacklist) })
	return list
}

func (f *fakeFederation) BlacklistAdd(host string) error {
	f.locked(func() { f.blacklist = append(f.blacklist, host) })
	return f.changed("blacklist %s", host)
}

func (f *fakeFederation) BlacklistRemove(host string) error {
	f.locked(func() { f.blacklist = slices.DeleteFunc(f.blacklist, func(x string) bool { return x == host }) })
	return f.changed("unlist %s", host)
}

func (f *fakeFederation) Blocks() (list []instance.BlockInfo, err error) {
	f.locked(func() { list = slices.Clone(f.blocks) })
	return list, nil
}

func (f *fakeFederation) Block(_ context.Context, host, reason string) error {
	f.locked(func() { f.blocks = append(f.blocks, instance.BlockInfo{Host: host, Reason: reason, Since: time.Now()}) })
	return f.changed("block %s %q", host, reason)
}

func (f *fakeFederation) Unblock(_ context.Context, host string) error {
	f.locked(func() {
		f.blocks = slices.DeleteFunc(f.blocks, func(x instance.BlockInfo) bool { return x.Host == host })
	})
	return f.changed("unblock %s", host)
}

func (f *fakeFederation) ImportBlocks(_ context.Context, r io.Reader) (instance.BlockImport, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return instance.BlockImport{}, err
	}
	return instance.BlockImport{Blocked: strings.Count(string(data), "\n")}, f.changed("import")
}

func (f *fakeFederation) ExportBlocks(w io.Writer, format string) error {
	if err := f.changed("export %s", format); err != nil {
		return err
	}
	_, err := io.WriteString(w, "bad.example\n")
	return err
}

func (f *fakeFederation) SubscribeBlocks(_ context.Context, url string) (instance.BlockImport, error) {
	f.locked(func() {
		f.lists = append(f.lists, instance.BlockSubscription{URL: url, Hosts: 12, Checked: time.Now()})
	})
	return instance.BlockImport{Blocked: 12}, f.changed("subscribe %s", url)
}

func (f *fakeFederation) UnsubscribeBlocks(_ context.Context, url string) error {
	f.locked(func() { f.lists = nil })
	return f.changed("unsubscribe %s", url)
}

func (f *fakeFederation) BlockSubscriptions() (list []instance.BlockSubscription, err error) {
	f.locked(func() { list = slices.Clone(f.lists) })
	return list, nil
}

func (f *fakeFederation) Queue() (list []instance.QueueHost, err error) {
	f.locked(func() { list = slices.Clone(f.queue) })
	return list, nil
}

func (f *fakeFederation) QueueDepth() (n int) {
	f.locked(func() {
		for _, h := range f.queue {
			n += h.Depth
		}
	})
	return n
}

func (f *fakeFederation) RetryQueue(host string) error { return f.changed("retry queue %q", host) }

func (f *fakeFederation) Refusals(int) (list []instance.Refusal, err error) {
	f.locked(func() { list = slices.Clone(f.refusals) })
	return list, nil
}

func (f *fakeFederation) GivenUp(int) (list []instance.GivenUp, err error) {
	f.locked(func() { list = slices.Clone(f.lost) })
	return list, nil
}
