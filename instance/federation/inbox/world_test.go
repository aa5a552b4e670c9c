// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"shoal/instance/federation/httpsig"
)

// The hosts of the tests: ours, one that behaves, one that does not.
const (
	ours = "https://ours.example"
	good = "https://good.example"
	evil = "https://evil.example"
)

// Some of their actors and a video of alice's here.
const (
	goodAlice    = good + "/accounts/alice"
	goodChannel  = good + "/video-channels/alice_channel"
	goodInstance = good + "/accounts/peertube"
	goodCarol    = good + "/accounts/carol"
	evilAlice    = evil + "/accounts/alice"
	evilInstance = evil + "/accounts/peertube"
	goodVideo    = good + "/videos/watch/11111111-2222-4333-8444-555555555555"
	oursVideo    = ours + "/videos/watch/" + videoUUID
)

func keyPEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// evilKey is the key of all actors of evil.example, as testKey is of good.example.
var evilKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Errorf("making a key: %w", err))
	}
	return k
})

// newWorld opens our instance between the two others.
func newWorld(t testing.TB, o options) *house {
	t.Helper()
	d := newDocs()
	for _, id := range []string{goodAlice, goodChannel, goodInstance, goodCarol} {
		d.put(id, actorDoc(id, keyPEM(testKey())))
	}
	for _, id := range []string{evilAlice, evil + "/video-channels/alice_channel", evilInstance} {
		d.put(id, actorDoc(id, keyPEM(evilKey())))
	}
	d.put(goodVideo, videoDoc(goodVideo, "A good video"))
	o.base, o.fetch = ours, d
	h := newHouse(t, o)
	h.docs = d
	return h
}

// videoDoc is a video of alice's channel on the id's host.
func videoDoc(id, title string) map[string]any {
	host := id[:len(id)-len("/videos/watch/")-36]
	return map[string]any{
		"type": "Video", "id": id, "name": title, "duration": "PT4S", "uuid": id[len(id)-36:], "views": 3, "state": 1,
		"commentsPolicy": 1, "published": "2026-11-22T15:30:18.091Z", "updated": "2026-11-22T15:30:18.091Z",
		"icon": []any{map[string]any{"type": "Image", "url": host + "/t.jpg", "mediaType": "image/jpeg", "width": 280, "height": 157}},
		"url": []any{
			map[string]any{"type": "Link", "mediaType": "text/html", "href": id},
			map[string]any{"type": "Link", "mediaType": "video/mp4", "href": host + "/v.mp4", "height": 240, "width": 320, "size": 55577, "fps": 24},
		},
		"attributedTo": []any{
			map[string]any{"type": "Person", "id": host + "/accounts/alice"},
			map[string]any{"type": "Group", "id": host + "/video-channels/alice_channel"},
		},
		"to": []any{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []any{},
	}
}

func noteDoc(id, author, answers, text string) map[string]any {
	return map[string]any{
		"type": "Note", "id": id, "attributedTo": author, "inReplyTo": answers, "content": text, "mediaType": "text/markdown",
		"published": "2026-11-22T16:00:00.000Z", "url": id, "to": []any{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []any{},
	}
}

// activity is an activity of an actor, with an id on its host.
func activity(kind, actor, id string, object any) map[string]any {
	return map[string]any{
		"@context": []any{
			"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1",
			map[string]any{"RsaSignature2017": "https://w3id.org/security#RsaSignature2017"},
		},
		"type": kind, "id": id, "actor": actor, "object": object, "to": []any{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []any{},
	}
}

func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func keyOf(actor string) *rsa.PrivateKey {
	if len(actor) > len(evil) && actor[:len(evil)] == evil {
		return evilKey()
	}
	return testKey()
}

// signed is a POST of a body to an inbox of ours with an actor's HTTP signature.
func signed(t testing.TB, actor, path string, body []byte) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, ours+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(r, actor, keyOf(actor), body, time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

// by posts an activity to our shared inbox with its actor's HTTP signature, and expects 204.
func (h *house) by(actor string, a map[string]any) {
	h.Helper()
	if status, reason := h.post(signed(h, actor, "/inbox", encode(a))); status != http.StatusNoContent {
		h.Fatalf("answered %d %s", status, reason)
	}
	h.settle()
}

// ld adds an actor's Linked Data signature.
func (h *house) ld(body []byte, creator string, key *rsa.PrivateKey, at time.Time) []byte {
	h.Helper()
	out, err := h.suite.Sign(h.Context(), body, creator, key, at)
	if err != nil {
		h.Fatal(err)
	}
	return out
}
