// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"shoal/instance/federation/httpsig"
	"shoal/instance/store"
)

// Nothing of a request that is refused at the door is kept or takes effect.
func TestRefusedAtTheDoor(t *testing.T) {
	like := encode(activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo))
	foreign := func(h *house, sign func(body []byte) []byte) *http.Request {
		return signed(h, evilInstance, "/inbox", sign(like))
	}
	cases := map[string]struct {
		request func(h *house) *http.Request
		status  int
		reason  string
	}{
		"no signature": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/inbox", like)
			r.Header.Del("Signature")
			return r
		}, 403, "no HTTP signature"},
		"wrong digest": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/inbox", like)
			r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(like, []byte("Like"), []byte("View"))))
			return r
		}, 403, "wrong digest"},
		"no digest": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/inbox", like)
			r.Header.Del("Digest")
			return r
		}, 403, "invalid signature"},
		"another's key": {func(h *house) *http.Request {
			r := signed(h, evilAlice, "/inbox", like)
			r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), evil, good))
			return r
		}, 403, "bad HTTP signature"},
		"for another inbox": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/accounts/alice/inbox", like)
			r.URL.Path, r.RequestURI = "/inbox", "/inbox"
			return r
		}, 403, "bad HTTP signature"},
		"for another host": {func(h *house) *http.Request {
			r := httptest.NewRequest(http.MethodPost, "https://other.example/inbox", bytes.NewReader(like))
			r.Header.Set("Content-Type", "application/activity+json")
			if err := httpsig.Sign(r, goodAlice, testKey(), like, time.Now()); err != nil {
				h.Fatal(err)
			}
			return r
		}, 403, "bad HTTP signature"},
		"an old date": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/inbox", like)
			r.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			return r
		}, 403, "out of date"},
		"by our own instance": {func(h *house) *http.Request {
			return signed(h, ours+"/accounts/alice", "/inbox", like)
		}, 403, "of this instance"},
		"not JSON by its type": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/inbox", like)
			r.Header.Set("Content-Type", "text/plain")
			return r
		}, 415, "activity+json"},
		"no activity": {func(h *house) *http.Request { return signed(h, goodAlice, "/inbox", []byte(`{"type":"Like"}`)) }, 400, "no activity"},
		"no JSON":     {func(h *house) *http.Request { return signed(h, goodAlice, "/inbox", []byte(`{"type"`)) }, 400, "no activity"},
		"deep JSON": {func(h *house) *http.Request {
			return signed(h, goodAlice, "/inbox", []byte(`{"id":"`+goodAlice+`/1","type":"Like","actor":"`+goodAlice+`","object":`+strings.Repeat(`[`, 100_000)+strings.Repeat(`]`, 100_000)+`}`))
		}, 400, "nests too deep"},
		"too large": {func(h *house) *http.Request {
			return signed(h, goodAlice, "/inbox", bytes.Repeat([]byte(" "), 1<<20+1))
		}, 413, "too large"},
		"too large, unannounced": {func(h *house) *http.Request {
			r := signed(h, goodAlice, "/inbox", bytes.Repeat([]byte(" "), 1<<20+1))
			r.ContentLength = -1
			return r
		}, 413, "too large"},
		"no such inbox": {func(h *house) *http.Request { return signed(h, goodAlice, "/accounts/nobody/inbox", like) }, 404, "no such inbox"},
		"an id of another server": {func(h *house) *http.Request {
			return signed(h, evilAlice, "/inbox", encode(activity("Like", evilAlice, goodAlice+"/likes/1", oursVideo)))
		}, 403, "another server than its actor"},
		"somebody else's, without a signature of its own": {func(h *house) *http.Request {
			return foreign(h, func(b []byte) []byte { return b })
		}, 403, "no signature of its own"},
		"somebody else's, signed by the forwarder": {func(h *house) *http.Request {
			return foreign(h, func(b []byte) []byte { return h.ld(b, evilInstance, evilKey(), time.Now()) })
		}, 403, "somebody else than its actor"},
		"somebody else's, forged": {func(h *house) *http.Request {
			return foreign(h, func(b []byte) []byte { return h.ld(b, goodAlice, evilKey(), time.Now()) })
		}, 403, "invalid Linked Data signature"},
		"somebody else's, changed": {func(h *house) *http.Request {
			return foreign(h, func(b []byte) []byte {
				return bytes.Replace(h.ld(b, goodAlice, testKey(), time.Now()), []byte(`"Like"`), []byte(`"Dislike"`), 1)
			})
		}, 403, "invalid Linked Data signature"},
		"somebody else's, from long ago": {func(h *house) *http.Request {
			return foreign(h, func(b []byte) []byte { return h.ld(b, goodAlice, testKey(), time.Now().Add(-8*24*time.Hour)) })
		}, 403, "out of date"},
		"somebody else's, from tomorrow": {func(h *house) *http.Request {
			return foreign(h, func(b []byte) []byte { return h.ld(b, goodAlice, testKey(), time.Now().Add(24*time.Hour)) })
		}, 403, "out of date"},
		"somebody else's, a poisoned graph": {func(h *house) *http.Request {
			return foreign(h, func([]byte) []byte { return poison(12) })
		}, 403, "invalid Linked Data signature"},
		"a host in letters of its own": {func(h *house) *http.Request {
			r := signed(h, evilAlice, "/inbox", like)
			r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), "evil.example", "ëvil.example"))
			return r
		}, 403, ""},
		"a key that is gone": {func(h *house) *http.Request {
			return signed(h, good+"/accounts/gone", "/inbox", encode(activity("Like", good+"/accounts/gone", good+"/1", oursVideo)))
		}, 403, "its key is gone"},
	}
	h := newWorld(t, options{})
	for name, c := range cases {
		start := time.Now()
		status, reason := h.post(c.request(h))
		if status != c.status || !strings.Contains(reason, c.reason) {
			t.Errorf("%s: answered %d %q", name, status, reason)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s took %s", name, d)
		}
		if n := h.inbox.Depth(); n != 0 {
			t.Fatalf("%s: %d wait", name, n)
		}
	}
	h.settle()
	if n := h.counts(oursVideo); n != (store.Counts{}) {
		t.Errorf("counts %+v", n)
	}
}

// poison is a small graph whose blank nodes look alike.
func poison(n int) []byte {
	var nodes []string
	for i := range n {
		var others []string
		for j := range n {
			if j != i {
				others = append(others, fmt.Sprintf(`"_:b%d"`, j))
			}
		}
		nodes = append(nodes, fmt.Sprintf(`{"id":"_:b%d","p":[%s]}`, i, strings.Join(others, ",")))
	}
	return []byte(`{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1",{"p":{"@id":"http://x.example/p","@type":"@id"}}],` +
		`"id":"` + goodAlice + `/1","type":"Create","actor":"` + goodAlice + `","object":[` + strings.Join(nodes, ",") + `],` +
		`"signature":{"type":"RsaSignature2017","creator":"` + goodAlice + `","created":"` + time.Now().UTC().Format("2006-01-02T15:04:05.000Z") + `","signatureValue":"AAAA"}}`)
}

// What is forwarded with its author's signature counts as the author's.
func TestForwardedActivityIsItsAuthors(t *testing.T) {
	h := newWorld(t, options{})
	body := h.ld(encode(activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo)), goodAlice, testKey(), time.Now())
	if status, reason := h.post(signed(h, evilInstance, "/inbox", body)); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, reason)
	}
	h.settle()
	h.read(func(tx *store.Tx) {
		if r, ok, err := tx.Rate(oursVideo, goodAlice); err != nil || !ok || r.Value != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
	})
}

// What a good signature stands under but may not be is refused with a reason that is kept.
func TestRefusedWithAReason(t *testing.T) {
	spoof := videoDoc(goodVideo, "Spoofed")
	mine := noteDoc(good+"/comments/1", goodCarol, goodVideo, "carol's")
	cases := map[string]struct {
		actor  string
		a      map[string]any
		reason string
	}{
		"an update by another host":         {evilAlice, activity("Update", evilAlice, evil+"/u/1", spoof), "of another server"},
		"an update by somebody else there":  {goodCarol, activity("Update", goodCarol, good+"/u/2", spoof), "only its account"},
		"a delete by its channel":           {goodChannel, activity("Delete", goodChannel, good+"/d/1", goodVideo), "only its account"},
		"a delete by its instance":          {goodInstance, activity("Delete", goodInstance, good+"/d/2", goodVideo), "only its account"},
		"a delete by another host":          {evilAlice, activity("Delete", evilAlice, evil+"/d/3", goodVideo), "only its account"},
		"a delete as a tombstone":           {evilAlice, activity("Delete", evilAlice, evil+"/d/4", map[string]any{"type": "Tombstone", "id": goodVideo, "formerType": "Video"}), "only its account"},
		"a delete of our video":             {evilAlice, activity("Delete", evilAlice, evil+"/d/5", oursVideo), "not its own"},
		"a delete of an actor":              {goodAlice, activity("Delete", goodAlice, good+"/d/6", goodCarol), "by itself alone"},
		"a delete of a comment":             {evilAlice, activity("Delete", evilAlice, evil+"/d/7", good+"/comments/1"), "only its author"},
		"a like that is somebody else's":    {evilAlice, activity("Undo", evilAlice, evil+"/n/1", activity("Like", goodCarol, goodCarol+"/likes/1", oursVideo)), "somebody else did"},
		"an announce, somebody else's":      {evilInstance, activity("Undo", evilInstance, evil+"/n/2", activity("Announce", goodInstance, good+"/a/1", goodVideo)), "somebody else did"},
		"a like by a channel":               {goodChannel, activity("Like", goodChannel, good+"/l/1", oursVideo), "only accounts"},
		"a comment of another host":         {evilAlice, activity("Create", evilAlice, evil+"/c/1", mine), "of another server"},
		"a comment of somebody else":        {goodAlice, activity("Create", goodAlice, good+"/c/2", noteDoc(good+"/comments/2", goodCarol, goodVideo, "x")), "somebody else's"},
		"a comment under a foreign name":    {evilAlice, activity("Create", evilAlice, evil+"/c/3", noteDoc(evil+"/comments/3", goodCarol, goodVideo, "x")), "somebody on another server"},
		"a comment rewritten":               {goodAlice, activity("Update", goodAlice, good+"/c/4", noteDoc(good+"/comments/1", goodAlice, goodVideo, "x")), "somebody else's"},
		"a video of another host":           {evilAlice, activity("Create", evilAlice, evil+"/v/1", spoof), "of another server"},
		"an actor changed by somebody else": {goodCarol, activity("Update", goodCarol, good+"/u/3", actorDoc(goodAlice, keyPEM(evilKey()))), "by itself, its owner"},
		"an actor changed by another host":  {evilAlice, activity("Update", evilAlice, evil+"/u/4", actorDoc(goodAlice, keyPEM(evilKey()))), "of another server"},
		"views of another's video":          {evilInstance, counted(activity("View", evilInstance, evil+"/w/1", goodVideo)), "another server's video"},
	}
	h := newWorld(t, options{})
	if _, err := h.resolver.Video(t.Context(), goodVideo, 0); err != nil {
		t.Fatal(err)
	}
	h.by(goodInstance, activity("Announce", goodInstance, good+"/a/1", goodVideo))
	h.by(goodCarol, activity("Create", goodCarol, good+"/c/0", mine))
	h.by(goodCarol, activity("Like", goodCarol, goodCarol+"/likes/1", oursVideo))
	if got := h.refusals(); len(got) != 0 || h.comment(good+"/comments/1") == nil {
		t.Fatalf("before: %q", got)
	}
	for name, c := range cases {
		h.by(c.actor, c.a)
		got := h.refusals()
		if len(got) == 0 || !strings.Contains(got[0], c.reason) {
			t.Errorf("%s: %q", name, got)
		}
		v, note := h.video(goodVideo), h.comment(good+"/comments/1")
		if v == nil || v.Title != "A good video" || v.Views != 3 || !slices.Contains(v.Sources, goodInstance) {
			t.Fatalf("%s: the video is %+v", name, v)
		}
		if note == nil || note.Text != "carol's" {
			t.Fatalf("%s: the comment is %+v", name, note)
		}
		if n := h.counts(oursVideo); n != (store.Counts{Likes: 1}) {
			t.Fatalf("%s: counts %+v", name, n)
		}
		if n := h.counts(goodVideo); n != (store.Counts{Shares: 1, Comments: 1}) {
			t.Fatalf("%s: counts of the other %+v", name, n)
		}
		if _, ok := h.store.Snapshot().VideoByUUID(videoUUID); !ok {
			t.Fatalf("%s: our video is gone", name)
		}
	}
	key, err := h.resolver.Key(t.Context(), goodAlice, false)
	if err != nil || !key.Public.Equal(&testKey().PublicKey) {
		t.Errorf("alice's key changed: %v", err)
	}
}

func private(note map[string]any) map[string]any {
	note["to"] = []any{goodAlice}
	return note
}

// Posts that have nothing to do with a video here, and what is for few, leave no trace.
func TestUnrelatedNotesArePassedOver(t *testing.T) {
	h := newWorld(t, options{})
	h.by(goodCarol, activity("Create", goodCarol, good+"/c/5", noteDoc(good+"/comments/5", goodCarol, "", "x")))
	h.by(goodCarol, activity("Create", goodCarol, good+"/c/6", private(noteDoc(good+"/comments/6", goodCarol, oursVideo, "x"))))
	h.docs.put(good+"/comments/7", noteDoc(good+"/comments/7", goodAlice, "", "a post"))
	h.by(goodCarol, activity("Create", goodCarol, good+"/c/8", noteDoc(good+"/comments/8", goodCarol, good+"/comments/7", "x")))
	if got := h.refusals(); len(got) != 0 || h.counts(oursVideo).Comments != 0 {
		t.Errorf("%q, %+v", got, h.counts(oursVideo))
	}
}

func counted(view map[string]any) map[string]any {
	view["result"] = map[string]any{"type": "InteractionCounter", "userInteractionCount": 1_000_000}
	return view
}

// An embedded video is never believed: its host is asked.
func TestAnnouncedVideoIsFetched(t *testing.T) {
	h := newWorld(t, options{})
	h.by(evilInstance, activity("Announce", evilInstance, evil+"/a/1", videoDoc(goodVideo, "Spoofed")))
	v := h.video(goodVideo)
	if v == nil || v.Title != "A good video" || v.Channel != goodChannel || v.Host != "good.example" {
		t.Errorf("got %+v", v)
	}
	// An account announces nothing.
	other := good + "/videos/watch/11111111-2222-4333-8444-666666666666"
	h.docs.put(other, videoDoc(other, "Another"))
	h.by(goodAlice, activity("Announce", goodAlice, good+"/a/2", other))
	if h.video(other) != nil || len(h.refusals()) != 0 {
		t.Error("an account's announcement counted")
	}
}

// What a host says of another's objects is refused, however it says it.
func TestForeignObjectsAreRefused(t *testing.T) {
	claims := map[string]any{
		// An address of evil's that answers with good's video.
		"/videos/watch/11111111-2222-4333-8444-000000000001": videoDoc(goodVideo, "Spoofed"),
		// A video of evil's that it says is good's channel's.
		"/videos/watch/11111111-2222-4333-8444-000000000002": func() any {
			d := videoDoc(evil+"/videos/watch/11111111-2222-4333-8444-000000000002", "x")
			d["attributedTo"] = []any{map[string]any{"type": "Group", "id": goodChannel}}
			return d
		}(),
		// One that names no channel.
		"/videos/watch/11111111-2222-4333-8444-000000000003": func() any {
			d := videoDoc(evil+"/videos/watch/11111111-2222-4333-8444-000000000003", "x")
			d["attributedTo"] = []any{evilAlice}
			return d
		}(),
		// One with the UUID of ours.
		"/videos/watch/11111111-2222-4333-8444-000000000004": func() any {
			d := videoDoc(evil+"/videos/watch/11111111-2222-4333-8444-000000000004", "x")
			d["uuid"] = videoUUID
			return d
		}(),
		// A note.
		"/videos/watch/11111111-2222-4333-8444-000000000005": noteDoc(evil+"/videos/watch/11111111-2222-4333-8444-000000000005", evilAlice, oursVideo, "x"),
	}
	h := newWorld(t, options{})
	for path, doc := range claims {
		h.docs.put(evil+path, doc)
		h.by(evilInstance, activity("Announce", evilInstance, evil+path+"/announces/1", evil+path))
		if got := h.refusals(); len(got) == 0 {
			t.Errorf("%s: not refused", path)
		}
	}
	h.read(func(tx *store.Tx) {
		err := tx.EachRemoteVideo(func(v *store.RemoteVideo) (bool, error) {
			t.Errorf("stored %s", v.ID)
			return true, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if n := len(h.refusals()); n != len(claims) {
		t.Errorf("%d refusals for %d claims: %q", n, len(claims), h.refusals())
	}
}

// A blocked host is turned away before anything is fetched, and what others forward of it is dropped.
func TestBlockedHost(t *testing.T) {
	h := newWorld(t, options{})
	h.write(func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "evil.example"}) })
	like := encode(activity("Like", evilAlice, evilAlice+"/likes/1", oursVideo))
	if status, reason := h.post(signed(h, evilAlice, "/inbox", like)); status != http.StatusForbidden || !strings.Contains(reason, "blocked") {
		t.Errorf("answered %d %s", status, reason)
	}
	if status, _ := h.post(signed(h, goodInstance, "/inbox", h.ld(like, evilAlice, evilKey(), time.Now()))); status != http.StatusNoContent {
		t.Errorf("forwarded: %d", status)
	}
	h.settle()
	if n := h.counts(oursVideo); n.Likes != 0 || h.fetches(evilAlice) != 0 {
		t.Errorf("%+v, asked %d times", n, h.fetches(evilAlice))
	}
}

// A video of a blocked host that another announces is not fetched.
func TestBlockedVideo(t *testing.T) {
	h := newWorld(t, options{})
	h.write(func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "good.example"}) })
	h.by(evilInstance, activity("Announce", evilInstance, evil+"/a/1", goodVideo))
	if h.video(goodVideo) != nil || h.fetches(goodVideo) != 0 {
		t.Error("it was fetched")
	}
}

func TestTooManyRequests(t *testing.T) {
	h := newWorld(t, options{limits: Limits{HostRate: 1, HostBurst: 3}})
	denied := 0
	for i := range 6 {
		status, _ := h.post(signed(h, goodAlice, "/inbox", encode(activity("Like", goodAlice, fmt.Sprintf("%s/likes/%d", goodAlice, i), oursVideo))))
		if status == http.StatusTooManyRequests {
			denied++
		}
	}
	if denied != 3 {
		t.Errorf("%d were denied", denied)
	}
	// Another host's are not touched by that.
	h.by(evilAlice, activity("Like", evilAlice, evilAlice+"/likes/1", oursVideo))
}

func TestTooManyWait(t *testing.T) {
	h := newWorld(t, options{idle: true, limits: Limits{MaxWaiting: 6, MaxWaitingOf: 2}})
	post := func(actor string, i int) int {
		status, _ := h.post(signed(h, actor, "/inbox", encode(activity("Like", actor, fmt.Sprintf("%s/likes/%d", actor, i), oursVideo))))
		return status
	}
	var got []int
	for i := range 3 {
		got = append(got, post(goodAlice, i))
	}
	for i := range 2 {
		got = append(got, post(evilAlice, i))
	}
	if !slices.Equal(got, []int{204, 204, 429, 204, 503}) {
		t.Errorf("got %v", got)
	}
}

// A body that trickles in ends with its time, and says so.
func TestSlowBody(t *testing.T) {
	h := newHouse(t, options{accept: true, limits: Limits{BodyTime: 100 * time.Millisecond}})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", h.base.Host())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /inbox HTTP/1.1\r\nHost: %s\r\nContent-Type: application/activity+json\r\nContent-Length: 100\r\n"+
		"Signature: keyId=\"%s\",algorithm=\"rsa-sha256\",headers=\"(request-target) host date digest\",signature=\"AAAA\"\r\n\r\n{", h.base.Host(), goodAlice)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(answer, []byte("408 Request Timeout")) {
		t.Errorf("%s, %v", answer, err)
	}
}
