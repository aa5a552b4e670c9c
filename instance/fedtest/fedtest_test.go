// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package fedtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func testVideo(t *testing.T) Video {
	file := filepath.Join(t.TempDir(), "video.mp4")
	if err := os.WriteFile(file, []byte("not looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Video{Name: "A video", Description: "About it", Tags: []string{"one"}, Seconds: 3, File: file, Width: 640, Height: 360}
}

// Two of them follow each other, and all that a Peer can do arrives with good signatures.
func TestTwoPeers(t *testing.T) {
	for name, o := range map[string]Options{"plain": {}, "with proofs": {Proofs: true}} {
		t.Run(name, func(t *testing.T) {
			a, b := Fedify(t, o), Fedify(t, o)
			a.Follow(Instance, b.Actor(Instance))
			a.Follow(Person, "@"+b.Handle(Person))
			b.Follow(Instance, a.Actor(Instance))
			b.Received("Follow", b.Actor(Person))
			a.Until("accepted", func(s State) bool {
				return len(s.Following) == 2 && s.Following[0].State == "accepted" && s.Following[1].State == "accepted"
			})
			if got := b.State().Followers[Instance]; !slices.Equal(got, []string{a.Actor(Instance)}) {
				t.Errorf("followers %q", got)
			}

			v := b.Publish(testVideo(t))
			for _, kind := range []string{"Create", "Announce"} {
				a.Received(kind, v.ID)
			}
			if o := a.Lookup(v.ID); o.Type != "Video" || o.Name != "A video" {
				t.Errorf("looked up %+v", o)
			}
			if e := b.Wait("a GET", func(e Event) bool { return e.Event == "fetched" && e.ID == v.ID }); !e.HTTP.Verified {
				t.Errorf("%s", e)
			}
			b.Update(v.ID, map[string]any{"name": "Another name"})
			if e := a.Received("Update", v.ID); !strings.Contains(string(e.JSON), "Another name") {
				t.Errorf("updated with %s", e.JSON)
			}

			like := a.Rate("Like", v.ID)
			comment := a.Comment(v.ID, "<p>Hello</p>")
			b.Until("a like and a comment", func(s State) bool {
				return len(s.Rates) == 1 && s.Rates[0].ID == like && len(s.Comments) == 1 && s.Comments[0].ID == comment &&
					s.Comments[0].InReplyTo == v.ID && s.Comments[0].AttributedTo == a.Actor(Person)
			})
			a.Unrate(like, "Like", v.ID)
			a.Delete(comment)
			b.Until("neither", func(s State) bool { return len(s.Rates) == 0 && len(s.Comments) == 0 })

			b.Delete(v.ID)
			a.Received("Delete", v.ID)
			a.Gone(v.ID)
			a.Unfollow(Instance, b.Actor(Instance))
			b.Until("no follower", func(s State) bool { return len(s.Followers[Instance]) == 0 })
		})
	}
}

func TestRejectsFollows(t *testing.T) {
	a, b := Fedify(t, Options{}), Fedify(t, Options{})
	b.Answer("reject")
	id := a.Follow(Instance, b.Actor(Instance))
	a.Until("rejected", func(s State) bool { return s.Following[0].ID == id && s.Following[0].State == "rejected" })
	if got := b.State().Followers[Instance]; len(got) != 0 {
		t.Errorf("followers %q", got)
	}
}

// What is not signed by its actor is reported as such.
func TestReportsBadSignatures(t *testing.T) {
	a, b := Fedify(t, Options{}), Fedify(t, Options{})
	refusal := a.Post(Instance, b.Actor(Instance), map[string]any{
		"@context": "https://www.w3.org/ns/activitystreams", "type": "Delete", "id": a.URL() + "/activities/1",
		"actor": a.Actor(Person), "object": a.URL() + "/videos/1",
	})
	if refusal == "" {
		t.Error("taken, though another actor signed it")
	}
	e := b.Wait("a Delete", func(e Event) bool { return e.Event == "received" && e.Type == "Delete" })
	if !e.HTTP.Verified || e.HTTP.Key != a.Actor(Instance)+"#main-key" || e.LD != "bad" || e.Status != 401 {
		t.Errorf("%s", e)
	}
	if seen := b.Events(func(e Event) bool { return e.Event == "seen" }); len(seen) != 0 {
		t.Errorf("seen %v", seen)
	}
}
