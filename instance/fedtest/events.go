// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package fedtest

import (
	"encoding/json"
	"fmt"
)

// Event is something that happened at a Peer.
type Event struct {
	// Event is what: "received" a POST to an inbox, "seen" an activity that passed all of Fedify's
	// checks, or "fetched" one of its objects by somebody.
	Event string `json:"event"`
	// ID is the activity's, or the object's that was fetched.
	ID     string `json:"id"`
	Type   string `json:"type"`
	Actor  string `json:"actor"`
	Object string `json:"object"` // the id of the activity's object
	Path   string `json:"path"`   // of the inbox
	// HTTP is what Fedify says of the request's signature.
	HTTP struct {
		Verified bool   `json:"verified"`
		Key      string `json:"key"`
		Reason   string `json:"reason"`
	} `json:"http"`
	// LD is what Fedify says of the activity's own signature: "verified", "bad", "none" or an error.
	LD       string `json:"ld"`
	Creator  string `json:"creator"`  // of that signature
	Standard string `json:"standard"` // of the request's signature: "cavage" or "rfc9421"
	Status   int    `json:"status"`   // what the instance answered
	// JSON is the activity as it came.
	JSON json.RawMessage `json:"json"`
	// URL is the instance's own, when it is ready.
	URL string `json:"url"`
}

// String says the event in one line.
func (e Event) String() string {
	return fmt.Sprintf("%s %s %s by %s of %s (HTTP %v %s %s, LD %s, answered %d)",
		e.Event, e.Type, e.ID, e.Actor, e.Object, e.HTTP.Verified, e.HTTP.Key, e.HTTP.Reason, e.LD, e.Status)
}

// Wait waits for an event that ok accepts, among all since the start, and returns the first.
func (p *Peer) Wait(what string, ok func(Event) bool) Event {
	p.t.Helper()
	var found Event
	p.until(what, func() bool {
		for _, e := range p.events {
			if ok(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// Received waits for an activity of a type about an object, "" being any, and returns how it came. It
// fails the test unless both of its signatures verify and the instance took it.
func (p *Peer) Received(kind, object string) Event {
	p.t.Helper()
	e := p.Wait(kind+" of "+object, func(e Event) bool {
		return e.Event == "received" && e.Type == kind && (object == "" || e.Object == object)
	})
	if !e.HTTP.Verified || e.LD != "verified" || e.Status/100 != 2 {
		p.t.Errorf("%s", e)
	}
	return e
}

// Events are all that match.
func (p *Peer) Events(ok func(Event) bool) []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Event
	for _, e := range p.events {
		if ok(e) {
			all = append(all, e)
		}
	}
	return all
}
