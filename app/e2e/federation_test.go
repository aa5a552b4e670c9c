// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package e2e

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// pair are two instances that do not know each other yet.
type pair struct {
	home home
	a, b *server
}

func newPair(t *testing.T) pair {
	h := newHome(t)
	return pair{h, serve(t, h, filepath.Join(h.dir, "a")), serve(t, h, filepath.Join(h.dir, "b"))}
}

// host is what others call an instance.
func (s *server) host(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// do runs a command on the instance's folder and returns its events of a name.
func (s *server) do(t testing.TB, name string, args ...string) []event {
	t.Helper()
	r := call(t, s.home, append(args, "--json", "--data", s.data)...)
	if r.code != 0 {
		t.Fatalf("%s: exit code %d, stderr %q", strings.Join(args, " "), r.code, r.stderr)
	}
	var list []event
	for _, e := range r.events {
		if e.name() == name {
			list = append(list, e)
		}
	}
	return list
}

// knownVideo is a line of videos.
type knownVideo struct {
	UUID, URL, Title, Origin, Host string
	Likes, Dislikes, Comments      int
}

// videos lists what the instance knows of an origin.
func (s *server) videos(t testing.TB, origin string) []knownVideo {
	t.Helper()
	var list []knownVideo
	for _, e := range s.do(t, "video", "videos", "--origin", origin) {
		var v knownVideo
		e.into(t, &v)
		list = append(list, v)
	}
	return list
}

// said is a comment.
type said struct {
	ID, Text, Author, InReplyTo string
	Deleted                     bool
}

func (s *server) comments(t testing.TB, video string) []said {
	t.Helper()
	var list []said
	for _, e := range s.do(t, "comment", "comments", video) {
		var c said
		e.into(t, &c)
		list = append(list, c)
	}
	return list
}

// follow is a line of following and followers, and the end of follow.
type follow struct {
	Target, State, Reason string
	Auto                  bool
}

func (s *server) follows(t testing.TB, command, name string) []follow {
	t.Helper()
	var list []follow
	for _, e := range s.do(t, name, command) {
		var f follow
		e.into(t, &f)
		list = append(list, f)
	}
	return list
}

func (s *server) following(t testing.TB) []follow { return s.follows(t, "following", "following") }
func (s *server) followers(t testing.TB) []follow { return s.follows(t, "followers", "follower") }

// follow follows another instance, which is to end in a state.
func (s *server) follow(t testing.TB, other *server, state string, more ...string) {
	t.Helper()
	r := call(t, s.home, append([]string{"follow", other.host(t), "--json", "--data", s.data}, more...)...)
	var f follow
	r.last(t, "follow").into(t, &f)
	failed := state == "rejected" || state == "failed"
	if f.State != state || f.Target != other.host(t) || (r.code != 0) != failed || failed && f.Reason == "" {
		t.Fatalf("following: exit code %d, %+v, stderr %q", r.code, f, r.stderr)
	}
}

// TestInstancesFederate publishes on one instance and watches, likes, comments, edits and deletes on
// both.
func TestInstancesFederate(t *testing.T) {
	p := newPair(t)
	a, b := p.a, p.b
	before := b.publish(t, small(t), "Before the follow")
	a.follow(t, b, "accepted")
	within(t, shortWait, "what was published before is listed", func() bool { return len(a.videos(t, "remote")) == 1 })
	v := b.publish(t, small(t), "Herring at sea")
	within(t, shortWait, "the new video is listed", func() bool { return len(a.videos(t, "remote")) == 2 })
	if n := len(a.videos(t, "local")); n != 0 {
		t.Errorf("%d videos of others count as local", n)
	}
	watchThrough(t, p, v)

	a.do(t, "rated", "like", v.WatchPage)
	a.do(t, "comment", "comment", v.URL, "Well swum")
	within(t, shortWait, "the like and the comment are there", func() bool {
		x := find(b.videos(t, "local"), v.UUID)
		return x.Likes == 1 && x.Comments == 1
	})
	first := b.comments(t, v.UUID)[0]
	if first.Text != "Well swum" || first.Author != "root@"+a.host(t) {
		t.Errorf("the comment came as %+v", first)
	}
	b.do(t, "comment", "comment", v.UUID, "Thank you", "--reply-to", first.ID)
	within(t, shortWait, "the answer is there", func() bool {
		list := a.comments(t, v.URL)
		return len(list) == 2 && list[1].Text == "Thank you" && list[1].InReplyTo == first.ID
	})
	a.do(t, "rated", "dislike", v.UUID)
	within(t, shortWait, "the like became a dislike", func() bool {
		x := find(b.videos(t, "local"), v.UUID)
		return x.Likes == 0 && x.Dislikes == 1
	})
	a.do(t, "rated", "unrate", v.UUID)
	a.do(t, "delete", "delete", first.ID)
	within(t, shortWait, "the dislike and the comment are gone", func() bool {
		list := b.comments(t, v.UUID)
		return find(b.videos(t, "local"), v.UUID).Dislikes == 0 && (len(list) == 1 || list[0].Deleted)
	})

	b.do(t, "edited", "edit", v.UUID, "--title", "Herring in the sea", "--description", "About fish")
	within(t, shortWait, "the new title is there", func() bool { return find(a.videos(t, "remote"), v.UUID).Title == "Herring in the sea" })
	b.do(t, "delete", "delete", before.UUID)
	within(t, shortWait, "the deleted video is gone", func() bool { return len(a.videos(t, "remote")) == 1 })

	a.do(t, "unfollow", "unfollow", b.host(t))
	within(t, shortWait, "the follower is gone", func() bool { return len(b.followers(t)) == 0 })
	if n := len(a.videos(t, "remote")); n != 0 {
		t.Errorf("%d videos of an instance not followed are listed", n)
	}
	for _, s := range []*server{a, b} {
		if refused := s.do(t, "refused", "refused"); len(refused) != 0 {
			t.Errorf("refused: %s", refused)
		}
		if code := s.terminate(); code != 0 {
			t.Errorf("SIGTERM: exit code %d", code)
		}
	}
}

func find(list []knownVideo, uuid string) knownVideo {
	for _, v := range list {
		if v.UUID == uuid {
			return v
		}
	}
	return knownVideo{}
}

// watchThrough watches b's video by its address on a, from the swarm alone.
func watchThrough(t *testing.T, p pair, v video) {
	t.Helper()
	r := call(t, p.home, "watch", p.a.url+"/w/"+v.ShortUUID, "--sources", "webrtc", "--json", "--timeout", "90s", "--data", filepath.Join(p.home.dir, "viewer"))
	if r.code != 0 {
		t.Fatalf("watching through the other instance: exit code %d, stderr %q", r.code, r.stderr)
	}
	checkDone(t, r, "webrtc", v, sumOf(t, small(t)))
}

func TestFollowBackAndBlacklist(t *testing.T) {
	p := newPair(t)
	p.b.do(t, "policy", "policy", "--follow-back", "on")
	p.b.do(t, "blacklist", "blacklist", "add", p.a.host(t))
	p.a.follow(t, p.b, "accepted")
	c := serve(t, p.home, filepath.Join(p.home.dir, "c"))
	c.follow(t, p.b, "accepted")
	within(t, shortWait, "who is not on the blacklist is followed back", func() bool {
		list := p.b.following(t)
		return len(list) == 1 && list[0].Target == c.host(t) && list[0].Auto && list[0].State == "accepted"
	})
	if n := len(p.b.followers(t)); n != 2 {
		t.Errorf("%d followers", n)
	}
}

func TestManualApproval(t *testing.T) {
	p := newPair(t)
	p.b.do(t, "policy", "policy", "--followers", "approve")
	p.a.follow(t, p.b, "pending", "--wait", "2s")
	if list := p.b.followers(t); len(list) != 1 || list[0].State != "pending" {
		t.Fatalf("the follower waits as %+v", list)
	}
	p.b.do(t, "approve", "approve", p.a.host(t))
	within(t, shortWait, "the approval arrives", func() bool { list := p.a.following(t); return len(list) == 1 && list[0].State == "accepted" })
	p.b.do(t, "reject", "reject", p.a.host(t))
	within(t, shortWait, "the rejection arrives", func() bool { list := p.a.following(t); return len(list) == 1 && list[0].State == "rejected" })
}

func TestRejectAll(t *testing.T) {
	p := newPair(t)
	p.a.follow(t, p.b, "accepted")
	r := call(t, p.home, "policy", "--followers", "reject", "--data", p.b.data)
	if r.code != 0 || !strings.Contains(r.stderr, "--drop-existing") {
		t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
	}
	c := serve(t, p.home, filepath.Join(p.home.dir, "c"))
	c.follow(t, p.b, "rejected")
	if list := p.a.following(t); len(list) != 1 || list[0].State != "accepted" {
		t.Errorf("who was there follows as %+v", list)
	}
	p.b.do(t, "policy", "policy", "--followers", "reject", "--drop-existing")
	within(t, shortWait, "who was there is turned away", func() bool { return p.a.following(t)[0].State == "rejected" })
}

func TestFullBlock(t *testing.T) {
	p := newPair(t)
	p.a.follow(t, p.b, "accepted")
	p.b.publish(t, small(t), "Soon gone")
	within(t, shortWait, "the video is listed", func() bool { return len(p.a.videos(t, "remote")) == 1 })
	p.a.do(t, "block", "block", p.b.host(t), "--reason", "a test")
	if videos, following := p.a.videos(t, "remote"), p.a.following(t); len(videos) != 0 || len(following) != 0 {
		t.Errorf("left: %v, %v", videos, following)
	}
	blocks := p.a.do(t, "blocked", "blocks")
	if len(blocks) != 1 || blocks[0].keys(t)["host"] != p.b.host(t) || blocks[0].keys(t)["reason"] != "a test" {
		t.Errorf("blocked: %s", blocks)
	}
	r := call(t, p.home, "follow", p.a.host(t), "--wait", "3s", "--json", "--data", p.b.data)
	var f follow
	r.last(t, "follow").into(t, &f)
	if f.State == "accepted" || len(p.a.followers(t)) != 0 {
		t.Errorf("a blocked instance follows: %+v", f)
	}
	p.a.do(t, "unblock", "unblock", p.b.host(t))
	p.a.follow(t, p.b, "accepted")
	within(t, shortWait, "the video is listed again", func() bool { return len(p.a.videos(t, "remote")) == 1 })
}

// TestCommandsAlone does it all without a server running.
func TestCommandsAlone(t *testing.T) {
	p := newPair(t)
	if code := p.a.terminate(); code != 0 {
		t.Fatalf("SIGTERM: exit code %d", code)
	}
	p.a.follow(t, p.b, "accepted")
	if list := p.a.following(t); len(list) != 1 || list[0].State != "accepted" {
		t.Errorf("following %+v", list)
	}
	if n := len(p.b.followers(t)); n != 1 {
		t.Errorf("%d followers", n)
	}
	if e := p.a.do(t, "status", "status"); len(e) != 1 || e[0].keys(t)["queue"] != 0.0 {
		t.Errorf("status: %s", e)
	}
	p.a.do(t, "unfollow", "unfollow", p.b.host(t))
	within(t, shortWait, "the follower is gone", func() bool { return len(p.b.followers(t)) == 0 })
}
