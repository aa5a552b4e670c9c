// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// How a fuzzed body comes.
const (
	unsigned   = iota // without a signature
	otherBody         // signed over another body
	forged            // in good's name with evil's key
	forwarding        // by evil's instance, whoever it is of
	byEvil            // by evil's alice
	ways
)

// FuzzInbox sends anything in any way through the whole inbox. What is not signed is never kept and
// changes nothing; what evil.example signs never changes what is good.example's or ours.
func FuzzInbox(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(vectorsDir, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, file := range files {
		v := readVector(f, strings.TrimSuffix(filepath.Base(file), "-1.json"))
		for _, hosts := range []*strings.Replacer{
			strings.NewReplacer(server1, ours, server2, evil), strings.NewReplacer(server1, evil, server2, ours), strings.NewReplacer(server1, good, server2, evil),
		} {
			f.Add([]byte(hosts.Replace(string(v.body))), uint8(byEvil))
			f.Add([]byte(hosts.Replace(string(v.body))), uint8(forwarding))
		}
	}
	like := activity("Like", goodAlice, goodAlice+"/likes/1", oursVideo)
	for way := range uint8(ways) {
		f.Add(encode(like), way)
		f.Add(encode(activity("Undo", evilAlice, evil+"/1", like)), way)
		f.Add(encode(activity("Delete", evilAlice, evil+"/2", goodVideo)), way)
		f.Add(encode(activity("Update", evilAlice, evil+"/3", videoDoc(goodVideo, "x"))), way)
		f.Add(encode(activity("Create", evilAlice, evil+"/4", noteDoc(evil+"/comments/1", evilAlice, oursVideo, "x"))), way)
		f.Add(poison(8), way)
	}
	h := fuzzed(f)
	f.Fuzz(func(t *testing.T, body []byte, way uint8) {
		h.TB = t
		h.fuzz(body, int(way)%ways)
	})
}

// fuzzed is an instance that knows good's actors, a video and a comment of theirs and a rate.
func fuzzed(t testing.TB) *house {
	h := newWorld(t, options{idle: true, limits: Limits{
		Rate: 1 << 30, Burst: 1 << 30, HostRate: 1 << 28, HostBurst: 1 << 28, Lifetime: time.Nanosecond, Pause: time.Nanosecond,
	}})
	h.store.DB().NoSync = true
	if _, err := h.resolver.Video(t.Context(), goodVideo, 0); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{goodCarol, goodInstance, evilAlice, evilInstance} {
		if _, err := h.resolver.Actor(t.Context(), id, 0); err != nil {
			t.Fatal(err)
		}
	}
	h.write(func(tx *store.Tx) error {
		if _, err := tx.SetRate(oursVideo, goodCarol, 1, goodCarol+"/likes/1"); err != nil {
			return err
		}
		return tx.PutComment(&store.Comment{ID: good + "/comments/1", Video: oursVideo, InReplyTo: oursVideo, Author: goodCarol, Text: "carol's"})
	})
	return h
}

func (h *house) fuzz(body []byte, way int) {
	before := h.digest()
	r := httptest.NewRequest(http.MethodPost, ours+"/inbox", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/activity+json")
	over, keyID, key := body, evilAlice, evilKey()
	switch way {
	case otherBody:
		over = append([]byte(" "), body...)
	case forged:
		keyID = goodAlice
	case forwarding:
		keyID = evilInstance
	}
	if err := httpsig.Sign(r, keyID, key, over, time.Now()); err != nil {
		h.Fatal(err)
	}
	if way == unsigned {
		r.Header.Del("Signature")
	}
	status, reason := h.post(r)
	if status >= 500 {
		h.Fatalf("answered %d %s", status, reason)
	}
	h.read(func(tx *store.Tx) {
		err := tx.EachInbox(func(it *store.InboxItem) (bool, error) {
			if way != byEvil && way != forwarding {
				h.Fatalf("%d: kept what is not signed: %s", way, body)
			}
			if it.Signer != keyID || it.Host != "evil.example" {
				h.Fatalf("kept as %s's: %s", it.Signer, body)
			}
			return true, nil
		})
		if err != nil {
			h.Fatal(err)
		}
	})
	h.drain()
	if way != byEvil && way != forwarding && !bytes.Equal(before, h.digest()) {
		h.Fatalf("%d: what is not signed changed something: %s", way, body)
	}
	h.unharmed(body)
}

// drain works on all that waits, as the workers do, until it is done or given up.
func (h *house) drain() {
	for range 10 {
		w, wait := h.inbox.lines.take(time.Now())
		if w == nil {
			if wait < 0 {
				return
			}
			time.Sleep(wait)
			continue
		}
		h.inbox.work(h.Context(), w)
	}
	if n := h.inbox.Depth(); n > 0 {
		h.Fatalf("%d wait still", n)
	}
}

// digest is of all that is stored, but for the actors, whose keys are fetched anew when a signature
// does not fit.
func (h *house) digest() []byte {
	sum := sha256.New()
	h.read(func(tx *store.Tx) {
		err := tx.Bolt().ForEach(func(name []byte, b *bolt.Bucket) error {
			if string(name) == "actors" {
				return nil
			}
			return add(sum, b)
		})
		if err != nil {
			h.Fatal(err)
		}
	})
	return sum.Sum(nil)
}

func add(sum hash.Hash, b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		for _, part := range [][]byte{k, v} {
			sum.Write(part)
			sum.Write([]byte{0})
		}
		return nil
	})
}

// unharmed checks that what is good.example's and ours is as it was.
func (h *house) unharmed(body []byte) {
	v := h.video(goodVideo)
	if v == nil || v.Title != "A good video" || v.Channel != goodChannel || v.Account != goodAlice {
		h.Fatalf("good's video is %+v after %s", v, body)
	}
	if c := h.comment(good + "/comments/1"); c == nil || c.Text != "carol's" || !c.Deleted.IsZero() {
		h.Fatalf("carol's comment is %+v after %s", c, body)
	}
	if own, ok := h.store.Snapshot().VideoByUUID(videoUUID); !ok || own.Title != "Sample" || own.Privacy != store.Public {
		h.Fatalf("our video is %+v after %s", own, body)
	}
	h.read(func(tx *store.Tx) {
		if r, ok, err := tx.Rate(oursVideo, goodCarol); err != nil || !ok || r.Value != 1 {
			h.Fatalf("carol's rate is %+v, %v after %s", r, err, body)
		}
		if _, ok, err := tx.Rate(oursVideo, goodAlice); err != nil || ok {
			h.Fatalf("alice rated: %v after %s", err, body)
		}
		for _, id := range []string{goodAlice, goodCarol, goodChannel} {
			if a, ok, err := tx.Actor(id); err != nil || !ok || a.KeyPEM != keyPEM(testKey()) {
				h.Fatalf("%s is %+v, %v after %s", id, a, err, body)
			}
		}
		err := tx.EachRemoteVideo(func(v *store.RemoteVideo) (bool, error) {
			if v.ID != goodVideo && vocab.Host(v.ID) != "evil.example" {
				h.Fatalf("stored %s after %s", v.ID, body)
			}
			return true, nil
		})
		if err != nil {
			h.Fatal(err)
		}
	})
	for _, in := range h.follows.got {
		if in.Actor.Host != "evil.example" || in.Activity.Actor.ID != in.Actor.ID {
			h.Fatalf("handled %s's after %s", in.Actor.ID, body)
		}
	}
	h.follows.got = nil
}
