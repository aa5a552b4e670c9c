// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"shoal/instance/federation/vocab"
)

// relay is an instance whose alice has a follower elsewhere, and send posts an activity of a stranger
// with both signatures.
func relay(t *testing.T) (h *house, send func(kind, id string, object any, change func(map[string]any))) {
	h = newWorld(t, options{})
	h.follower(ours+"/accounts/alice", "https://other.example/accounts/x", "https://other.example/inbox")
	return h, func(kind, id string, object any, change func(map[string]any)) {
		t.Helper()
		a := activity(kind, evilInstance, evil+id, object)
		if change != nil {
			change(a)
		}
		body, err := h.suite.Sign(t.Context(), encode(a), evilInstance, evilKey(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if status, reason := h.post(signed(t, evilInstance, "/inbox", body)); status != http.StatusNoContent {
			t.Fatalf("answered %d %s", status, reason)
		}
		h.settle()
	}
}

func watches(a map[string]any) { a["expires"] = time.Now().Add(time.Minute).UTC() }

// A stranger's View with 0.9 MB of padding went to all followers as it was.
func TestLargeActivitiesAreNotForwarded(t *testing.T) {
	h, send := relay(t)
	send("View", "/views/1", oursVideo, func(a map[string]any) { a["content"] = strings.Repeat("x", 70_000) })
	if n := len(h.queue.messages()); n != 0 {
		t.Errorf("%d are forwarded", n)
	}
	send("View", "/views/2", oursVideo, nil)
	if got := h.queue.messages(); len(got) != 1 || !got[0].Spare {
		t.Errorf("forwarded: %+v", got)
	}
}

// All that a stranger sent was forwarded, however often.
func TestForwardingIsBoundedByRate(t *testing.T) {
	h, send := relay(t)
	const sent = 100
	for n := range sent {
		send("View", fmt.Sprintf("/views/%d", n), oursVideo, nil)
	}
	if n := len(h.queue.messages()); n < 60 || n > 90 {
		t.Errorf("%d of %d are forwarded", n, sent)
	}
	if v, _ := h.store.Snapshot().VideoByUUID(videoUUID); v.Views != sent {
		t.Errorf("%d views are counted", v.Views)
	}
}

// The same Announce under ever new ids was forwarded each time.
func TestRepeatedAnnounceIsForwardedOnce(t *testing.T) {
	h, send := relay(t)
	for n := range 5 {
		send("Announce", fmt.Sprintf("/announces/%d", n), oursVideo, nil)
	}
	if n := len(h.queue.messages()); n != 1 {
		t.Errorf("%d are forwarded", n)
	}
}

// A View that is over in a minute waited in the queue for two days, one for each time it was sent.
func TestViewersAreForwardedForTheirTimeAlone(t *testing.T) {
	h, send := relay(t)
	send("View", "/views/1", oursVideo, watches)
	time.Sleep(2 * time.Millisecond) // the second expires later
	send("View", "/views/1", oursVideo, watches)
	send("View", "/views/2", oursVideo, func(a map[string]any) { a["expires"] = time.Now().Add(1000 * time.Hour).UTC() })
	got := h.queue.messages()
	if len(got) != 3 || got[0].Coalesce == "" || got[0].Coalesce != got[1].Coalesce || got[0].Coalesce == got[2].Coalesce {
		t.Fatalf("forwarded: %+v", got)
	}
	for _, m := range got {
		if left := time.Until(m.Until); left <= 0 || left > maxWatch || m.Order != "" {
			t.Errorf("it is tried until %s, in the order of %q", m.Until, m.Order)
		}
	}
}

// A mirrored file that was told of again and again filled the queue.
func TestMirroredFilesReplaceEachOther(t *testing.T) {
	h, send := relay(t)
	file := map[string]any{"type": "CacheFile", "id": evil + "/redundancy/1", "object": oursVideo, "url": map[string]any{
		"type": "Link", "mediaType": "application/x-mpegURL", "href": evil + "/static/1",
	}}
	create := activity("Create", evilInstance, evil+"/c", file)
	delete(create, "@context")
	context := func(a map[string]any) { a["@context"] = vocab.Context("CacheFile") }
	for n := range 2 {
		send("Create", fmt.Sprintf("/c/%d", n), file, context)
	}
	send("Undo", "/u/1", create, context)
	got := h.queue.messages()
	if len(got) != 3 {
		t.Fatalf("forwarded: %+v", got)
	}
	for _, m := range got {
		if m.Coalesce == "" || m.Coalesce != got[0].Coalesce {
			t.Errorf("%s replaces %q", m.ID, m.Coalesce)
		}
	}
}
