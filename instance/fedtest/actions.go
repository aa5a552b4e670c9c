// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package fedtest

import (
	"encoding/json"
	"maps"
	"time"
)

// Video is what a Peer publishes.
type Video struct {
	Name, Description string
	Tags              []string
	Seconds           int
	File              string // its bytes, served as video/mp4
	Width, Height     int
}

// Published is a video of a Peer.
type Published struct{ ID, UUID string }

// Object is what Fedify makes of another instance's object.
type Object struct {
	Type, ID, Name string
	JSON           json.RawMessage // compacted by Fedify
}

// State is what a Peer knows.
type State struct {
	Followers map[string][]string // by actor: the ids of its followers
	Following []struct{ ID, As, Object, State string }
	Rates     []struct{ ID, Type, Actor, Object string }
	Comments  []struct{ ID, Content, InReplyTo, AttributedTo string }
}

// Follow makes an actor of the instance follow another's, a URL or @name@host, and returns the id of
// its Follow.
func (p *Peer) Follow(who, target string) string {
	p.t.Helper()
	var made struct{ ID string }
	p.must("follow", map[string]any{"as": who, "target": target}, &made)
	return made.ID
}

// Refused is Follow for one that the other side answers with an error, whose text it returns.
func (p *Peer) Refused(who, target string) string {
	p.t.Helper()
	refusal := p.ask("follow", map[string]any{"as": who, "target": target}, nil)
	if refusal == "" {
		p.t.Errorf("%s took a follow that it had to refuse", target)
	}
	return refusal
}

// Unfollow takes a follow back.
func (p *Peer) Unfollow(who, target string) {
	p.t.Helper()
	p.must("unfollow", map[string]any{"as": who, "target": target}, nil)
}

// Answer is what it does with follows from now on: "accept", "reject" or "ignore".
func (p *Peer) Answer(with string) {
	p.t.Helper()
	p.must("answer", map[string]any{"with": with}, nil)
}

// Publish publishes a video: Create by the person, Announce by the channel and by the instance, each
// to its followers.
func (p *Peer) Publish(v Video) Published {
	p.t.Helper()
	var made Published
	p.must("publish", map[string]any{
		"name": v.Name, "description": v.Description, "tags": v.Tags, "seconds": v.Seconds,
		"file": v.File, "width": v.Width, "height": v.Height,
	}, &made)
	return made
}

// Update changes members of a video of its own and sends an Update to all followers.
func (p *Peer) Update(id string, change map[string]any) {
	p.t.Helper()
	p.must("update", map[string]any{"id": id, "change": change}, nil)
}

// Delete deletes a video or comment of its own: it answers 410 from then on and sends a Delete.
func (p *Peer) Delete(id string) {
	p.t.Helper()
	p.must("remove", map[string]any{"id": id}, nil)
}

// Rate sends a "Like" or "Dislike" of another's video to its account and returns its id.
func (p *Peer) Rate(kind, object string) string {
	p.t.Helper()
	var made struct{ ID string }
	p.must("rate", map[string]any{"type": kind, "object": object}, &made)
	return made.ID
}

// Unrate takes a rate back.
func (p *Peer) Unrate(id, kind, object string) {
	p.t.Helper()
	p.must("unrate", map[string]any{"id": id, "type": kind, "object": object}, nil)
}

// Comment answers another's video or comment and returns the comment's id. The text is HTML.
func (p *Peer) Comment(inReplyTo, text string) string {
	p.t.Helper()
	var made struct{ ID string }
	p.must("comment", map[string]any{"inReplyTo": inReplyTo, "text": text}, &made)
	return made.ID
}

// Lookup gets an object with a signed request and has Fedify parse it. The target is a URL or
// @name@host.
func (p *Peer) Lookup(target string) Object {
	p.t.Helper()
	var found Object
	p.must("lookup", map[string]any{"target": target}, &found)
	return found
}

// Gone waits until Fedify finds nothing at a URL.
func (p *Peer) Gone(target string) {
	p.t.Helper()
	p.eventually("nothing at "+target, func() bool {
		return p.ask("lookup", map[string]any{"target": target}, nil) != ""
	})
}

// Post sends an activity as it is given to an actor's shared inbox, with both signatures by Fedify's
// means. It returns the other side's refusal.
func (p *Peer) Post(who, target string, activity map[string]any) (refusal string) {
	p.t.Helper()
	return p.ask("raw", map[string]any{"as": who, "target": target, "json": maps.Clone(activity)}, nil)
}

// State is what the instance knows now.
func (p *Peer) State() State {
	p.t.Helper()
	var s State
	p.must("state", nil, &s)
	return s
}

// Until waits until ok accepts what the instance knows.
func (p *Peer) Until(what string, ok func(State) bool) {
	p.t.Helper()
	p.eventually(what, func() bool { return ok(p.State()) })
}

func (p *Peer) eventually(what string, ok func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(timeout); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("the Fedify instance never had: %s", what)
		}
	}
}
