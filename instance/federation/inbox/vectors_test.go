// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shoal/instance/address"
	"shoal/instance/store"
)

// vector is an activity as a PeerTube posted it.
type vector struct {
	Kind, Method, Path string
	Headers            map[string]string
	BodyBase64         string
	HTTPPublicKeyPEM   string `json:"httpPublicKeyPem"`
	HTTPSignature      struct {
		KeyID string `json:"keyId"`
	}
	LD *struct {
		Creator      string
		PublicKeyPEM string `json:"publicKeyPem"`
	}
	body []byte
	at   time.Time
}

const vectorsDir = "../ldsig/testdata/vectors"

func readVector(t testing.TB, kind string) *vector {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(vectorsDir, kind+"-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	v := &vector{}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	if v.body, err = base64.StdEncoding.DecodeString(v.BodyBase64); err != nil {
		t.Fatal(err)
	}
	if v.at, err = http.ParseTime(v.Headers["date"]); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *vector) request(path string, body []byte) *http.Request {
	r := httptest.NewRequest(v.Method, "http://"+v.Headers["host"]+path, bytes.NewReader(body))
	for name, value := range v.Headers {
		switch name {
		case "host", "content-length", "connection":
		default:
			r.Header.Set(name, value)
		}
	}
	return r
}

// captured serves what the two servers of the captures would: their actors with the keys of the
// vectors, and the videos that their activities embed.
func captured(t testing.TB) *docs {
	t.Helper()
	d := newDocs()
	files, err := filepath.Glob(filepath.Join(vectorsDir, "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	pem := map[string]string{}
	for _, f := range files {
		v := readVector(t, strings.TrimSuffix(filepath.Base(f), "-1.json"))
		pem[v.HTTPSignature.KeyID] = v.HTTPPublicKeyPEM
		if v.LD != nil && v.LD.PublicKeyPEM != "" {
			pem[v.LD.Creator] = v.LD.PublicKeyPEM
		}
	}
	some := pem["http://127.0.0.1:9001/accounts/alice"]
	for _, id := range []string{
		"http://127.0.0.1:9001/accounts/alice", "http://127.0.0.1:9001/video-channels/alice_channel", "http://127.0.0.1:9001/accounts/peertube",
		"http://127.0.0.1:9002/accounts/bob", "http://127.0.0.1:9002/video-channels/bob_channel", "http://127.0.0.1:9002/accounts/peertube",
	} {
		if pem[id] == "" {
			pem[id] = some
		}
	}
	for id, key := range pem {
		d.put(id, actorDoc(id, key))
	}
	for _, kind := range []string{"Update-Video", "Create-Video"} {
		var a struct{ Object map[string]any }
		if err := json.Unmarshal(readVector(t, kind).body, &a); err != nil {
			t.Fatal(err)
		}
		id, _ := a.Object["id"].(string)
		d.put(id, a.Object)
		for _, c := range []string{"likes", "dislikes"} {
			d.put(id+"/"+c, map[string]any{"id": id + "/" + c, "type": "OrderedCollection", "totalItems": len(c)})
		}
	}
	return d
}

const (
	server1 = "http://127.0.0.1:9001"
	server2 = "http://127.0.0.1:9002"
	sample  = server1 + "/videos/watch/" + videoUUID
	bob     = server2 + "/accounts/bob"
)

// asServer is the instance that a vector was posted to.
func asServer(t testing.TB, v *vector, d *docs) *house {
	t.Helper()
	offset := time.Until(v.at)
	h := newHouse(t, options{base: address.Base("http://" + v.Headers["host"]), fetch: d, now: func() time.Time { return time.Now().Add(offset) }})
	h.docs = d
	if string(h.base) != server1 { // the video is server 1's
		h.write(func(tx *store.Tx) error {
			v, _ := h.store.Snapshot().VideoByUUID(videoUUID)
			_, err := tx.DeleteVideo(v.ID, time.Now())
			return err
		})
	}
	return h
}

func TestWhatPeerTubePostsTakesEffect(t *testing.T) {
	note := server2 + "/videos/watch/" + videoUUID + "/comments/1"
	cases := map[string]struct {
		before func(h *house)
		check  func(h *house)
	}{
		"Follow":        {check: handled("Follow")},
		"Accept-Follow": {check: handled("Accept")},
		"Reject-Follow": {check: handled("Reject")},
		"Undo-Follow":   {check: handled("Undo")},
		"Announce": {check: func(h *house) {
			v := h.video(sample)
			if v == nil || !slices.Contains(v.Sources, server1+"/video-channels/alice_channel") || v.Likes != 5 || v.Dislikes != 8 ||
				v.Account != server1+"/accounts/alice" || v.Channel != server1+"/video-channels/alice_channel" {
				h.Errorf("got %+v", v)
			}
			if n := h.counts(sample); n.Shares != 1 {
				h.Errorf("counts %+v", n)
			}
		}},
		"Create-Video": {check: func(h *house) {
			found := 0
			h.read(func(tx *store.Tx) {
				_ = tx.EachRemoteVideo(func(v *store.RemoteVideo) (bool, error) {
					found++
					if len(v.Files) == 0 || !slices.Contains(v.Sources, server1+"/accounts/alice") {
						h.Errorf("got %+v", v)
					}
					return true, nil
				})
			})
			if found != 1 {
				h.Errorf("%d videos", found)
			}
		}},
		"Update-Video": {
			before: func(h *house) {
				if _, err := h.resolver.Video(h.Context(), sample, 0); err != nil {
					h.Fatal(err)
				}
				h.write(func(tx *store.Tx) error {
					return tx.UpdateRemoteVideo(sample, func(v *store.RemoteVideo) error {
						v.Title, v.Updated = "old", v.Updated.Add(-time.Hour)
						return nil
					})
				})
			},
			check: func(h *house) {
				if v := h.video(sample); v == nil || v.Title == "old" {
					h.Errorf("got %+v", v)
				}
			},
		},
		"Update-Person": {check: func(h *house) {
			if n := h.fetches(server1 + "/accounts/alice"); n < 2 {
				h.Errorf("fetched %d times", n)
			}
		}},
		"Update-Group": {check: func(h *house) {
			if n := h.fetches(server1 + "/video-channels/alice_channel"); n < 2 {
				h.Errorf("fetched %d times", n)
			}
		}},
		"Create-Note": {
			before: func(h *house) {
				h.follower(server1+"/video-channels/alice_channel", "http://other.example/accounts/peertube", "http://other.example/inbox")
				h.follower(server1+"/accounts/alice", server2+"/accounts/peertube", server2+"/inbox")
			},
			check: func(h *house) {
				c := h.comment(note)
				if c == nil || c.Video != sample || c.Author != bob || c.Thread != note || !strings.Contains(c.Text, "hello from bob") {
					h.Fatalf("got %+v", c)
				}
				if n := h.counts(sample); n.Comments != 1 {
					h.Errorf("counts %+v", n)
				}
				m := h.queue.messages()
				if len(m) != 2 {
					h.Fatalf("%d messages", len(m))
				}
				slices.SortFunc(m, func(a, b deliveryMessage) int { return len(a.Body) - len(b.Body) })
				approve, forward := m[0], m[1]
				if !slices.Equal(approve.Inboxes, []string{bob + "/inbox"}) || approve.Actor != server1+"/accounts/alice" ||
					!bytes.Contains(approve.Body, []byte(`"type":"ApproveReply"`)) || !bytes.Contains(approve.Body, []byte(`"signature"`)) {
					h.Errorf("the answer is %s to %v", approve.Body, approve.Inboxes)
				}
				if !slices.Equal(forward.Inboxes, []string{"http://other.example/inbox"}) || forward.Actor != server1+"/accounts/peertube" ||
					!bytes.Equal(forward.Body, readVector(h, "Create-Note").body) {
					h.Errorf("forwarded %s to %v", forward.Body, forward.Inboxes)
				}
			},
		},
		"Delete": {
			before: func(h *house) {
				h.write(func(tx *store.Tx) error {
					id := server2 + "/videos/watch/" + videoUUID + "/comments/3"
					return tx.PutComment(&store.Comment{ID: id, Video: sample, InReplyTo: sample, Author: bob, Text: "x"})
				})
			},
			check: func(h *house) {
				if n := h.counts(sample); n.Comments != 0 {
					h.Errorf("counts %+v", n)
				}
			},
		},
		"Like":         {check: rates(1, 0)},
		"Dislike":      {check: rates(0, 1)},
		"Undo-Like":    {before: rated(1), check: rates(0, 0)},
		"Undo-Dislike": {before: rated(-1), check: rates(0, 0)},
		"View": {check: func(h *house) {
			if n := h.inbox.Viewers(videoUUID); n != 1 {
				h.Errorf("%d viewers", n)
			}
		}},
		"Flag": {check: func(h *house) {
			if got := h.refusals(); !slices.Equal(got, []string{"Flag: report about http://127.0.0.1:9001/videos/watch/4e1f2f28-1822-4544-bf7c-52e111041379: test report"}) {
				h.Errorf("got %q", got)
			}
		}},
		"ApproveReply":    {check: quiet},
		"Create-Playlist": {check: quiet},
		"Update-Playlist": {check: quiet},
		"Create-WatchAction": {check: func(h *house) {
			quiet(h)
			if got := h.queue.messages(); len(got) != 0 {
				h.Errorf("went out: %+v", got)
			}
		}},
		"Create-CacheFile":      {before: otherFollows, check: forwards("Create-CacheFile")},
		"Undo-Create-CacheFile": {before: otherFollows, check: forwards("Undo-Create-CacheFile")},
	}
	files, err := filepath.Glob(filepath.Join(vectorsDir, "*.json"))
	if err != nil || len(files) != len(cases) {
		t.Errorf("%d vectors for %d cases, %v", len(files), len(cases), err)
	}
	for kind, c := range cases {
		t.Run(kind, func(t *testing.T) {
			v := readVector(t, kind)
			d := captured(t)
			h := asServer(t, v, d)
			if c.before != nil {
				c.before(h)
			}
			if status, reason := h.post(v.request(v.Path, v.body)); status != http.StatusNoContent {
				t.Fatalf("answered %d %s", status, reason)
			}
			h.settle()
			if got := h.refusals(); len(got) > 0 && kind != "Flag" {
				t.Errorf("refused: %q", got)
			}
			c.check(h)
			// The same again does nothing; a Follow is heard again.
			before := len(h.follows.types())
			if kind == "Follow" {
				before++
			}
			if status, reason := h.post(v.request(v.Path, v.body)); status != http.StatusNoContent {
				t.Errorf("the second time %d %s", status, reason)
			}
			h.settle()
			if n := h.inbox.Depth(); n != 0 || len(h.follows.types()) != before {
				t.Errorf("the second time %d wait", n)
			}
		})
	}
}

func handled(kind string) func(*house) {
	return func(h *house) {
		if got := h.follows.types(); !slices.Equal(got, []string{kind}) {
			h.Errorf("handled %q", got)
		}
	}
}

func rates(likes, dislikes int) func(*house) {
	return func(h *house) {
		if n := h.counts(sample); n.Likes != likes || n.Dislikes != dislikes {
			h.Errorf("counts %+v", n)
		}
		changed := false
		h.read(func(tx *store.Tx) {
			all, err := tx.Changes(100)
			if err != nil {
				h.Fatal(err)
			}
			for _, c := range all {
				changed = changed || (c.Kind == store.VideoRefresh && c.Subject == sample)
			}
		})
		if !changed {
			h.Error("nobody is told")
		}
	}
}

func rated(value int) func(*house) {
	return func(h *house) {
		h.write(func(tx *store.Tx) error {
			_, err := tx.SetRate(sample, bob, value, bob+"/likes/1")
			return err
		})
	}
}

func quiet(h *house) {
	if got := h.refusals(); len(got) != 0 {
		h.Errorf("refused %q", got)
	}
}

func otherFollows(h *house) {
	h.follower(server1+"/accounts/peertube", "http://other.example/accounts/peertube", "http://other.example/inbox")
}

func forwards(kind string) func(*house) {
	return func(h *house) {
		m := h.queue.messages()
		if len(m) != 1 || !bytes.Equal(m[0].Body, readVector(h, kind).body) || !slices.Equal(m[0].Inboxes, []string{"http://other.example/inbox"}) {
			h.Errorf("went out: %+v", m)
		}
	}
}
