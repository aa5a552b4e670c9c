// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"net/http"
	"testing"

	"shoal/instance/federation/fakefed"
)

// Whole instances over loopback: keys, videos and comments are fetched from where they are.
func TestOverTheNetwork(t *testing.T) {
	h := newHouse(t, options{accept: true})
	s := fakefed.New(t)
	alice, channel, carol := s.Actor("Person", "alice"), s.Actor("Group", "music"), s.Actor("Person", "carol")
	id, _ := s.Video("11111111-2222-4333-8444-555555555555", "Sound", "music")
	inbox, own := string(h.base)+"/inbox", h.base.Video(videoUUID)
	for _, post := range []func() error{
		func() error {
			return alice.Post(t.Context(), string(h.base)+"/accounts/alice/inbox", alice.Activity("Follow", "/f/1", h.base.Account("alice")))
		},
		func() error { return channel.Post(t.Context(), inbox, channel.Activity("Announce", "/a/1", id)) },
		func() error { return carol.Post(t.Context(), inbox, carol.Activity("Like", "/l/1", own)) },
		func() error {
			note := noteDoc(s.URL+"/comments/1", carol.ID, own, "over the net")
			return carol.Post(t.Context(), inbox, carol.Activity("Create", "/comments/1/activity", note))
		},
	} {
		if err := post(); err != nil {
			t.Fatal(err)
		}
	}
	h.settle()
	v := h.video(id)
	if v == nil || v.Title != "Sound" || v.Channel != channel.ID || v.Account != alice.ID || len(v.Files) != 1 {
		t.Errorf("got %+v: %q", v, h.refusals())
	}
	if n := h.counts(own); n.Likes != 1 || n.Comments != 1 || h.comment(s.URL+"/comments/1") == nil {
		t.Errorf("counts %+v: %q", n, h.refusals())
	}
	if got := h.follows.types(); len(got) != 1 || h.follows.got[0].Item.Target != h.base.Account("alice") {
		t.Errorf("handled %q", got)
	}
	// A server that is away: its activity is not lost, it is asked to come back.
	s.Handle("/accounts/carol2", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	late := *carol
	late.ID = s.URL + "/accounts/carol2"
	status, err := late.PostRaw(t.Context(), inbox, encode(activity("Like", late.ID, s.URL+"/l/2", own)), nil)
	if err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("answered %d, %v", status, err)
	}
}
