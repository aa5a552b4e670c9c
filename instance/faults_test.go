// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"errors"
	"strings"
	"testing"

	"shoal/instance/fault"
	"shoal/instance/store"
)

// TestWhatAPersonCannotHave checks that what fails is one sentence with a kind, and nothing before it.
func TestWhatAPersonCannotHave(t *testing.T) {
	r := start(t, Config{Dir: t.TempDir()}, nil)
	v := r.add("a title", store.Public)
	ctx := t.Context()
	closed := false
	w := r.add("a closed one", store.Public)
	if _, err := r.Edit(ctx, w.UUID, Edit{Comments: &closed}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddAccount(ctx, "zoe", ""); err != nil {
		t.Fatal(err)
	}
	if err := r.Block(ctx, "bad.example", ""); err != nil {
		t.Fatal(err)
	}
	only := func(_ any, err error) error { return err }
	for name, c := range map[string]struct {
		err  error
		kind error
		want string
	}{
		"a host that is not blocked":        {r.Unblock(ctx, "fine.example"), fault.ErrNotFound, "fine.example is not blocked: see the list of blocks"},
		"a subscription that is none":       {r.UnsubscribeBlocks(ctx, "u"), fault.ErrNotFound, "there is no subscription of u: see the list of subscriptions for its address"},
		"a block of oneself":                {r.Block(ctx, r.base.Host(), ""), fault.ErrRefused, r.base.Host() + " is this instance itself: name another one to block"},
		"a block of no host":                {r.Block(ctx, "not a host !", ""), fault.ErrBadInput, ""},
		"a follow of oneself":               {only(r.Follow(ctx, r.base.Host(), 0)), fault.ErrRefused, ""},
		"a follow of the blocked":           {only(r.Follow(ctx, "bad.example", 0)), fault.ErrBlocked, "bad.example is blocked here: unblock it before following it"},
		"a follow of a blocked one's actor": {only(r.Follow(ctx, "root@bad.example", 0)), fault.ErrBlocked, "bad.example is blocked here: unblock it before following it"},
		"a follow of nobody":                {only(r.Follow(ctx, "root@", 0)), fault.ErrBadInput, ""},
		"an unfollow":                       {r.Unfollow(ctx, "fine.example"), fault.ErrNotFound, ""},
		"a follower that is none":           {r.Approve(ctx, "fine.example"), fault.ErrNotFound, ""},
		"a name twice":                      {only(r.AddAccount(ctx, "zoe", "")), fault.ErrBadInput, "the name zoe is taken: choose another"},
		"an account that is none":           {r.Rate(ctx, v.UUID, "nobody", 1), fault.ErrNotFound, ""},
		"a like of what is no video":        {r.Rate(ctx, r.URL()+"/about", "", 1), fault.ErrNotFound, "there is no video at " + r.URL() + "/about: give the address of a video's page"},
		"a like of a blocked host's":        {r.Rate(ctx, "https://bad.example/w/1", "", 1), fault.ErrBlocked, "bad.example is blocked here: unblock it first"},
		"an answer to a number":             {only(r.Comment(ctx, v.UUID, "", "text", "9999")), fault.ErrBadInput, ""},
		"a comment on a closed video":       {only(r.Comment(ctx, w.UUID, "", "text", "")), fault.ErrRefused, ""},
		"the comments on nothing":           {only(r.Comments(ctx, "")), fault.ErrBadInput, "no video is named: give its address or its id"},
		"a comment that is none":            {r.DeleteComment(ctx, r.URL()+"/x/comments/1", ""), fault.ErrNotFound, ""},
		"a deletion of what is not there":   {r.Delete(ctx, r.URL()+"/nosuchcomment", ""), fault.ErrNotFound, "there is no video or comment " + r.URL() + "/nosuchcomment here: check its address"},
		"a deletion twice":                  {r.Delete(ctx, "123456", ""), fault.ErrNotFound, ""},
		"a list that is none":               {only(r.ImportBlocks(ctx, strings.NewReader("<html>"))), fault.ErrBadInput, ""},
	} {
		switch {
		case !errors.Is(c.err, c.kind), !fault.Said(c.err):
			t.Errorf("%s: %v", name, c.err)
		case c.want != "" && c.err.Error() != c.want:
			t.Errorf("%s: %q, want %q", name, c.err, c.want)
		case strings.Contains(c.err.Error(), "\n"):
			t.Errorf("%s: %q", name, c.err)
		}
	}
}
