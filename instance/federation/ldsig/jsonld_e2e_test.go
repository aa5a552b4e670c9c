// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build e2e

package ldsig

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"shoal/instance/federation/vocab"
)

// What we sign verifies in jsonld.js, as it stands and after it was read through a receiver's own
// context; its N-Quads are ours, byte for byte; and what jsonld.js signs verifies here.
func TestJSONLDJS(t *testing.T) {
	s, key := suite(t), testKey(t)
	all := outgoing(t)
	names := slices.Sorted(maps.Keys(all))
	for _, major := range []int{8, 9} {
		t.Run(fmt.Sprint("jsonld ", major), func(t *testing.T) {
			job := jsKeys(t, key, major)
			job.Union = unionContext(t)
			for _, name := range names {
				signed, err := s.Sign(t.Context(), all[name], testActor, key, time.Now())
				if err != nil {
					t.Fatalf("%s: %v\n%s", name, err, all[name])
				}
				job.Bodies = append(job.Bodies, signed)
			}
			answer := job.run(t)
			if len(answer.Results) != len(names) {
				t.Fatal(len(answer.Results))
			}
			for i, name := range names {
				t.Run(name, func(t *testing.T) {
					r := answer.Results[i]
					if r.Error != "" {
						t.Fatal(r.Error)
					}
					if !r.Verified || !r.Compacted {
						t.Errorf("verified: %v, after compaction: %v: %s", r.Verified, r.Compacted, job.Bodies[i])
					}
					h, err := s.Hashes(t.Context(), job.Bodies[i])
					if err != nil {
						t.Fatal(err)
					}
					if h.DocumentNQuads != r.Document || h.OptionsNQuads != r.Options {
						t.Errorf("our N-Quads\n%s%s\njsonld's\n%s%s", h.OptionsNQuads, h.DocumentNQuads, r.Options, r.Document)
					}
					if err := s.Verify(t.Context(), []byte(r.Signed), &key.PublicKey); err != nil {
						t.Errorf("what jsonld.js signs: %v: %s", err, r.Signed)
					}
				})
			}
		})
	}
}

// Control characters are escaped in different ways by jsonld.js 8 and 9: bodies that either signs
// verify here.
func TestJSONLDJSControlCharacters(t *testing.T) {
	s, key := suite(t), testKey(t)
	body := `{` + testContext + `,"type":"Note","id":"https://a.example/1","content":"a\tb\fc\u0001d\u007fe\"\\\n\r","contentMap":{"en":"x\ty"}}`
	for _, major := range []int{8, 9} {
		job := jsKeys(t, key, major)
		job.Union = unionContext(t)
		signed, err := s.Sign(t.Context(), []byte(body), testActor, key, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		job.Bodies = []json.RawMessage{signed}
		r := job.run(t).Results[0]
		if r.Error != "" || r.Verified != (major == 8) {
			t.Errorf("jsonld %d: verified %v %s", major, r.Verified, r.Error)
		}
		if err := s.Verify(t.Context(), []byte(r.Signed), &key.PublicKey); err != nil {
			t.Errorf("jsonld %d: %v", major, err)
		}
	}
}

// outgoing is an activity of each kind: the captured ones, those as vocab writes them, and vocab's
// own.
func outgoing(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	add := func(name string, a vocab.Activity, about string) {
		a.Context, a.Signature = vocab.Context(about), nil
		if a.ID == "" {
			a.ID = testActor + "/activities/1"
		}
		a.Actor = vocab.Ref{ID: testActor}
		if a.Type == "" {
			a.Type = name
		}
		body, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = body
	}
	embed := func(v any) vocab.Ref {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		kind, id, err := vocab.Kind(raw)
		if err != nil {
			t.Fatal(err)
		}
		return vocab.Ref{ID: id, Type: kind, Raw: raw}
	}
	for _, v := range vectors(t) {
		body := v.body(t)
		all["captured "+v.name] = body
		a, err := vocab.ParseActivity(body)
		if err != nil {
			t.Fatal(v.name, err)
		}
		about := a.Type
		if a.Object.Raw != nil {
			about = a.Object.Type
			if inner, err := vocab.ParseActivity(a.Object.Raw); err == nil && inner.Object.Raw != nil {
				about = inner.Object.Type
			}
			if again := rewritten(t, a.Object); again != nil {
				a.Object = embed(again)
			}
		}
		if about == "Playlist" || v.name == "Create-WatchAction-1" {
			continue // Shoal sends none
		}
		add("rewritten "+v.name, *a, about)
	}
	const video = "https://b.example/videos/watch/1"
	now := time.Now()
	to := []string{vocab.Public}
	follow := embed(vocab.Activity{ID: "https://b.example/follows/1", Type: "Follow", Actor: vocab.Ref{ID: "https://b.example/accounts/bob"}, Object: vocab.Ref{ID: testActor}})
	note := vocab.Note{
		ID: "https://a.example/notes/1", Content: "<p>Hi \"you\"\\ \u00e9\u2028</p>", InReplyTo: vocab.Ref{ID: video},
		AttributedTo: vocab.Refs{{ID: testActor}}, Published: now, Updated: now, URL: "https://a.example/notes/1", To: to,
		CC: []string{testActor + "/followers"}, Tag: []vocab.Link{
			{Type: "Mention", Href: "https://b.example/accounts/bob", Name: "@bob@b.example"},
			{Type: "Hashtag", Href: "https://a.example/tags/x", Name: "#x"},
		}, ReplyApproval: "https://b.example/approvals/1",
	}
	add("Follow", vocab.Activity{Object: vocab.Ref{ID: "https://b.example/accounts/peertube"}}, "Follow")
	add("Accept", vocab.Activity{Object: follow}, "Accept")
	add("Reject", vocab.Activity{Object: follow}, "Reject")
	for _, kind := range []string{"Follow", "Like", "Dislike", "Announce"} {
		own := embed(vocab.Activity{ID: testActor + "/x/1", Type: kind, Actor: vocab.Ref{ID: testActor}, Object: vocab.Ref{ID: video}, To: to})
		add("Undo "+kind, vocab.Activity{Type: "Undo", Object: own, To: to}, kind)
	}
	add("Announce", vocab.Activity{Object: vocab.Ref{ID: video}, To: to, CC: []string{testActor + "/followers"}, Published: now}, "Announce")
	add("Like", vocab.Activity{Object: vocab.Ref{ID: video}, To: to, CC: []string{}}, "Like")
	add("Dislike", vocab.Activity{Object: vocab.Ref{ID: video}, To: to}, "Dislike")
	add("View", vocab.Activity{Object: vocab.Ref{ID: video}, To: to}, "View")
	add("View of a viewer", vocab.Activity{Type: "View", Object: vocab.Ref{ID: video}, To: to, Expires: now}, "View")
	add("View with a counter", vocab.Activity{
		Type: "View", Object: vocab.Ref{ID: video}, To: to, Expires: now,
		Result: vocab.Ref{Type: "InteractionCounter", Raw: json.RawMessage(`{"type":"InteractionCounter","interactionType":"WatchAction","userInteractionCount":7}`)},
	}, "View")
	add("Flag", vocab.Activity{
		Object: vocab.Ref{ID: video}, To: []string{"https://b.example/accounts/bob"}, Content: "spam", MediaType: "text/markdown",
		Tag: []vocab.Link{{Type: "Hashtag", Name: "spamOrMisleading"}},
	}, "Flag")
	add("ApproveReply", vocab.Activity{Object: vocab.Ref{ID: "https://b.example/notes/2"}, InReplyTo: vocab.Ref{ID: video}}, "ApproveReply")
	add("RejectReply", vocab.Activity{Object: vocab.Ref{ID: "https://b.example/notes/2"}, InReplyTo: vocab.Ref{ID: video}}, "RejectReply")
	add("Delete", vocab.Activity{Object: vocab.Ref{ID: "https://a.example/videos/watch/1"}, To: to}, "Delete")
	add("Delete of an actor", vocab.Activity{Type: "Delete", Object: vocab.Ref{ID: testActor}, To: to}, "Delete")
	add("Delete of a comment", vocab.Activity{Type: "Delete", Object: vocab.Ref{ID: note.ID, Type: "Tombstone", Raw: json.RawMessage(`{"id":"https://a.example/notes/1","type":"Tombstone"}`)}}, "Delete")
	add("Create a comment", vocab.Activity{Type: "Create", Object: embed(note), To: to, Published: now}, "Note")
	add("Update a comment", vocab.Activity{Type: "Update", Object: embed(note), To: to}, "Note")
	return all
}

// rewritten is an embedded object as vocab writes it, or nil where vocab has no type for it.
func rewritten(t *testing.T, r vocab.Ref) any {
	t.Helper()
	var v any
	var err error
	switch r.Type {
	case "Video":
		v, err = vocab.ParseVideo(r.Raw)
	case "Note":
		v, err = vocab.ParseNote(r.Raw)
	case "CacheFile":
		v, err = vocab.ParseCacheFile(r.Raw)
	case "Person", "Group":
		v, err = vocab.ParseActor(r.Raw)
	default:
		return nil
	}
	if err != nil {
		t.Fatal(r.ID, err)
	}
	return v
}

// unionContext is one context with the names of all captured ones, as a receiver has that reads
// every activity through its own.
func unionContext(t *testing.T) []any {
	t.Helper()
	names := map[string]any{}
	for _, v := range vectors(t) {
		var body struct {
			Context []any `json:"@context"`
		}
		if err := json.Unmarshal(v.body(t), &body); err != nil {
			t.Fatal(err)
		}
		for _, part := range body.Context {
			if m, ok := part.(map[string]any); ok {
				maps.Copy(names, m)
			}
		}
	}
	return []any{asURL, securityURL, names}
}
