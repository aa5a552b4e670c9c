// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package fedtest_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shoal/instance"
	"shoal/instance/fedtest"
)

// wait is how long a follow may take to be answered, and whatever crosses to arrive.
const wait = time.Minute

// shoal is an instance of ours.
type shoal struct {
	*instance.Instance
	t *testing.T
}

// serve opens and serves an instance until the test ends.
func serve(t *testing.T) *shoal {
	t.Helper()
	i, err := instance.Open(t.Context(), instance.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	select {
	case <-i.Ready():
	case <-time.After(wait):
		t.Fatal("the instance never was ready")
	}
	return &shoal{Instance: i, t: t}
}

func (s *shoal) host() string { return strings.TrimPrefix(s.URL(), "http://") }

// eventually waits; when it is too late it tells what the instance refused and could not send.
func (s *shoal) eventually(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(wait); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().Before(deadline) {
			continue
		}
		refused, err := s.Refusals(10)
		s.t.Logf("refused: %+v, %v", refused, err)
		queue, err := s.Queue()
		s.t.Logf("waiting: %+v, %v", queue, err)
		s.t.Fatalf("never happened: %s", what)
	}
}

// video finds a video by its id among those of an origin.
func (s *shoal) video(origin, id string) (instance.VideoInfo, bool) {
	s.t.Helper()
	all, _, err := s.Videos(s.t.Context(), instance.VideoQuery{Origin: origin})
	if err != nil {
		s.t.Fatal(err)
	}
	n := slices.IndexFunc(all, func(v instance.VideoInfo) bool { return v.URL == id })
	if n < 0 {
		return instance.VideoInfo{}, false
	}
	return all[n], true
}

func (s *shoal) lists(id string) bool {
	_, ok := s.video(instance.OriginRemote, id)
	return ok
}

func (s *shoal) comments(id string) []instance.CommentInfo {
	s.t.Helper()
	all, err := s.Comments(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// follow follows a target and demands that it is accepted.
func (s *shoal) follow(target string) {
	s.t.Helper()
	f, err := s.Follow(s.t.Context(), target, wait)
	if err != nil || f.State != instance.FollowAccepted {
		s.t.Fatalf("following %s: %+v, %v", target, f, err)
	}
}

// clip makes a short video with ffmpeg.
func clip(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	out, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=3:size=320x180:rate=25",
		"-f", "lavfi", "-i", "sine=duration=3", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

func (s *shoal) publish(title string) instance.Published {
	s.t.Helper()
	p, err := s.Publish(s.t.Context(), instance.PublishRequest{File: clip(s.t), Title: title, Description: "Text", Tags: []string{"tag"}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// each runs a test against Fedify as it signs by our rules, and as it signs by default, with object
// integrity proofs besides.
func each(t *testing.T, test func(t *testing.T, s *shoal, p *fedtest.Peer)) {
	t.Helper()
	for name, o := range map[string]fedtest.Options{"plain": {}, "with proofs": {Proofs: true}} {
		t.Run(name, func(t *testing.T) { test(t, serve(t), fedtest.Fedify(t, o)) })
	}
}

// The peer follows us: what we send carries signatures that Fedify verifies, and it understands it.
func TestFedifyFollowsShoal(t *testing.T) {
	each(t, func(t *testing.T, s *shoal, p *fedtest.Peer) {
		for who, target := range map[string]string{
			fedtest.Instance: s.ActorURL(),
			fedtest.Person:   "@root@" + s.host(),
			fedtest.Channel:  s.ChannelURL(),
		} {
			id := p.Follow(who, target)
			p.Until(target+" to accept", func(st fedtest.State) bool {
				return slices.ContainsFunc(st.Following, func(f struct{ ID, As, Object, State string }) bool {
					return f.ID == id && f.State == "accepted"
				})
			})
			e := p.Received("Accept", id)
			if e.Path != "/actors/"+who+"/inbox" {
				t.Errorf("the Accept came to %s", e.Path)
			}
		}
		if all, err := s.Followers(); err != nil || len(all) != 3 {
			t.Errorf("followers %+v, %v", all, err)
		}

		v := s.publish("A video of ours")
		for _, kind := range []string{"Create", "Announce"} {
			p.Received(kind, v.URL)
		}
		if o := p.Lookup(v.URL); o.Type != "Video" || o.ID != v.URL || o.Name != "A video of ours" {
			t.Errorf("Fedify reads %+v", o)
		}

		title := "Another title"
		if _, err := s.Edit(t.Context(), v.UUID, instance.Edit{Title: &title}); err != nil {
			t.Fatal(err)
		}
		if e := p.Received("Update", v.URL); !strings.Contains(string(e.JSON), title) {
			t.Errorf("the Update is %s", e.JSON)
		}

		like := p.Rate("Like", v.URL)
		s.eventually("the like arrives", func() bool { l, _ := s.video(instance.OriginLocal, v.URL); return l.Likes == 1 })
		p.Unrate(like, "Like", v.URL)
		s.eventually("the like goes", func() bool { l, _ := s.video(instance.OriginLocal, v.URL); return l.Likes == 0 })
		p.Rate("Dislike", v.URL)
		s.eventually("the dislike arrives", func() bool { l, _ := s.video(instance.OriginLocal, v.URL); return l.Dislikes == 1 })

		theirs := p.Comment(v.URL, "<p>Hello <b>there</b><script>alert(1)</script></p>")
		s.eventually("the comment arrives", func() bool { return len(s.comments(v.URL)) == 1 })
		if c := s.comments(v.URL)[0]; c.ID != theirs || c.Author != p.Handle(fedtest.Person) || !strings.Contains(c.Text, "Hello") ||
			strings.Contains(c.HTML, "script") {
			t.Errorf("the comment is %+v", c)
		}
		ours, err := s.Comment(t.Context(), v.URL, "", "An answer", theirs)
		if err != nil {
			t.Fatal(err)
		}
		p.Received("Create", ours.ID)
		p.Until("our answer", func(st fedtest.State) bool {
			return slices.ContainsFunc(st.Comments, func(c struct{ ID, Content, InReplyTo, AttributedTo string }) bool {
				return c.ID == ours.ID && c.InReplyTo == theirs && c.AttributedTo == s.AccountURL() && strings.Contains(c.Content, "An answer")
			})
		})
		if o := p.Lookup(ours.ID); o.Type != "Note" {
			t.Errorf("Fedify reads %+v", o)
		}
		p.Delete(theirs)
		s.eventually("their comment goes", func() bool {
			return !slices.ContainsFunc(s.comments(v.URL), func(c instance.CommentInfo) bool { return c.ID == theirs && !c.Deleted })
		})

		if err := s.Delete(t.Context(), v.UUID, ""); err != nil {
			t.Fatal(err)
		}
		p.Received("Delete", v.URL)
		p.Gone(v.URL)

		p.Unfollow(fedtest.Instance, s.ActorURL())
		p.Unfollow(fedtest.Person, s.AccountURL())
		p.Unfollow(fedtest.Channel, s.ChannelURL())
		s.eventually("nobody follows", func() bool { all, err := s.Followers(); return err == nil && len(all) == 0 })
		verified(t, p)
	})
}

// We follow the peer: its videos come in and stay as it says.
func TestShoalFollowsFedify(t *testing.T) {
	each(t, func(t *testing.T, s *shoal, p *fedtest.Peer) {
		about := fedtest.Video{Name: "One of theirs", Description: "About it", Tags: []string{"one"}, Seconds: 3, File: clip(t), Width: 320, Height: 180}
		before := p.Publish(about)
		s.follow(p.Host())
		p.Received("Follow", p.Actor(fedtest.Instance))
		s.eventually("the outbox is walked", func() bool { return s.lists(before.ID) })
		about.Name = "Another of theirs"
		after := p.Publish(about)
		s.eventually("the announced video comes", func() bool { return s.lists(after.ID) })
		v, _ := s.video(instance.OriginRemote, after.ID)
		if v.Title != "Another of theirs" || v.Host != p.Host() || v.Channel != p.Handle(fedtest.Channel) || v.Duration != 3 {
			t.Errorf("listed as %+v", v)
		}
		for _, e := range p.Events(func(e fedtest.Event) bool { return e.Event == "fetched" }) {
			if !e.HTTP.Verified {
				t.Errorf("our request is not signed well: %s", e)
			}
		}

		p.Update(after.ID, map[string]any{"name": "A better name"})
		s.eventually("the new name comes", func() bool { v, _ := s.video(instance.OriginRemote, after.ID); return v.Title == "A better name" })

		if err := s.Rate(t.Context(), after.ID, "", 1); err != nil {
			t.Fatal(err)
		}
		p.Received("Like", after.ID)
		p.Until("our like", func(st fedtest.State) bool { return len(st.Rates) == 1 && st.Rates[0].Actor == s.AccountURL() })
		if err := s.Rate(t.Context(), after.ID, "", -1); err != nil {
			t.Fatal(err)
		}
		p.Until("our dislike alone", func(st fedtest.State) bool { return len(st.Rates) == 1 && st.Rates[0].Type == "Dislike" })
		if err := s.Rate(t.Context(), after.ID, "", 0); err != nil {
			t.Fatal(err)
		}
		p.Until("no rate of ours", func(st fedtest.State) bool { return len(st.Rates) == 0 })

		ours, err := s.Comment(t.Context(), after.ID, "", "Well done", "")
		if err != nil {
			t.Fatal(err)
		}
		p.Received("Create", ours.ID)
		p.Until("our comment", func(st fedtest.State) bool {
			return len(st.Comments) == 1 && st.Comments[0].InReplyTo == after.ID && st.Comments[0].AttributedTo == s.AccountURL()
		})
		theirs := p.Comment(ours.ID, "<p>Thank you</p>")
		s.eventually("their answer", func() bool {
			return slices.ContainsFunc(s.comments(after.ID), func(c instance.CommentInfo) bool { return c.ID == theirs && c.InReplyTo == ours.ID })
		})
		if err := s.DeleteComment(t.Context(), ours.ID, ""); err != nil {
			t.Fatal(err)
		}
		p.Until("our comment to go", func(st fedtest.State) bool { return len(st.Comments) == 0 })

		p.Delete(after.ID)
		s.eventually("the deleted video goes", func() bool { return !s.lists(after.ID) })
		if err := s.Unfollow(t.Context(), p.Host()); err != nil {
			t.Fatal(err)
		}
		p.Until("our unfollow", func(st fedtest.State) bool { return len(st.Followers[fedtest.Instance]) == 0 })
		s.eventually("what the follow brought leaves the list", func() bool { return !s.lists(before.ID) })
		verified(t, p)
	})
}

// The answers to follows, of both sides.
func TestFollowPoliciesWithFedify(t *testing.T) {
	s, p := serve(t), fedtest.Fedify(t, fedtest.Options{})
	answered := func(state string) {
		t.Helper()
		p.Until(state, func(st fedtest.State) bool {
			n := len(st.Following)
			return n > 0 && st.Following[n-1].State == state
		})
	}
	set := func(c instance.PolicyChange) {
		t.Helper()
		if _, err := s.SetPolicy(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	to := func(policy string) instance.PolicyChange { return instance.PolicyChange{Followers: &policy} }

	p.Answer("reject")
	if f, err := s.Follow(t.Context(), p.Host(), wait); err != nil || f.State != instance.FollowRejected || f.Reason == "" {
		t.Errorf("%+v, %v", f, err)
	}
	p.Answer("accept")
	if err := s.RetryFollow(t.Context(), p.Host()); err != nil {
		t.Error(err)
	}
	s.eventually("accepted after all", func() bool {
		all, err := s.Following()
		return err == nil && len(all) == 1 && all[0].State == instance.FollowAccepted
	})
	if err := s.Unfollow(t.Context(), p.Host()); err != nil {
		t.Fatal(err)
	}

	set(to(instance.FollowersReject))
	p.Follow(fedtest.Instance, s.ActorURL())
	answered("rejected")
	p.Unfollow(fedtest.Instance, s.ActorURL())

	set(to(instance.FollowersApprove))
	p.Follow(fedtest.Instance, s.ActorURL())
	s.eventually("waiting", func() bool {
		all, err := s.Followers()
		return err == nil && len(all) == 1 && all[0].State == instance.FollowPending
	})
	if err := s.Approve(t.Context(), p.Host()); err != nil {
		t.Fatal(err)
	}
	answered("accepted")
	p.Unfollow(fedtest.Instance, s.ActorURL())
	s.eventually("no follower", func() bool { all, err := s.Followers(); return err == nil && len(all) == 0 })

	set(to(instance.FollowersAccept))
	on := true
	set(instance.PolicyChange{FollowBack: &on})
	p.Follow(fedtest.Instance, s.ActorURL())
	answered("accepted")
	p.Received("Follow", p.Actor(fedtest.Instance))
	s.eventually("followed back", func() bool {
		all, err := s.Following()
		return err == nil && len(all) == 1 && all[0].State == instance.FollowAccepted && all[0].Auto
	})
	p.Unfollow(fedtest.Instance, s.ActorURL())
	if err := s.Unfollow(t.Context(), p.Host()); err != nil {
		t.Fatal(err)
	}
	if err := s.BlacklistAdd(p.Host()); err != nil {
		t.Fatal(err)
	}
	p.Follow(fedtest.Instance, s.ActorURL())
	answered("accepted")
	if all, err := s.Following(); err != nil || len(all) != 0 {
		t.Errorf("a host of the blacklist is followed: %+v, %v", all, err)
	}
	if err := s.Block(t.Context(), p.Host(), "a test"); err != nil {
		t.Fatal(err)
	}
	answered("rejected")
	if all, err := s.Followers(); err != nil || len(all) != 0 {
		t.Errorf("a blocked host follows: %+v, %v", all, err)
	}
	verified(t, p)
}

// verified demands that all we ever sent carries two good signatures and was taken. Fedify answers 400
// to activities of a type that it has no class for.
func verified(t *testing.T, p *fedtest.Peer) {
	t.Helper()
	for _, e := range p.Events(func(e fedtest.Event) bool { return e.Event == "received" }) {
		taken := e.Status/100 == 2 || e.Status == 400 && e.Type == "ApproveReply"
		if !e.HTTP.Verified || e.LD != "verified" || e.Creator != e.Actor || !taken {
			t.Errorf("%s, signed by %s", e, e.Creator)
		}
	}
}
