// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shoal/instance/federation/fetch"
	"shoal/instance/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ours      = "https://ours.example"
	good      = "https://good.example"
	evil      = "https://evil.example"
	alice     = good + "/accounts/alice"
	channel   = good + "/video-channels/alice_channel"
	instance  = good + "/accounts/peertube"
	videoUUID = "4e1f2f28-1822-4544-bf7c-52e111041379"
	theirs    = good + "/videos/watch/11111111-2222-4333-8444-555555555555"
)

// web is a Fetcher that serves from a table.
type web struct {
	mu     sync.Mutex
	docs   map[string]any
	fails  map[string]error
	moved  map[string]string
	finger map[string]string
	asked  map[string]int
	wait   chan struct{}
}

func (w *web) Object(ctx context.Context, url string) ([]byte, string, error) {
	w.mu.Lock()
	w.asked[url]++
	wait := w.wait
	w.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, url, &fetch.Error{Code: fetch.CodeCanceled, Text: "canceled", Err: ctx.Err()}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if to, ok := w.moved[url]; ok {
		url = to
	}
	if err, ok := w.fails[url]; ok {
		return nil, url, err
	}
	doc, ok := w.docs[url]
	if !ok {
		return nil, url, &fetch.Error{Code: fetch.CodeNotFound, Status: 404, Text: "their server answered 404"}
	}
	if raw, ok := doc.(string); ok {
		return []byte(raw), url, nil
	}
	raw, err := json.Marshal(doc)
	return raw, url, err
}

func (w *web) Webfinger(_ context.Context, handle string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked["acct:"+handle]++
	if id, ok := w.finger[handle]; ok {
		return id, nil
	}
	return "", &fetch.Error{Code: fetch.CodeNotFound, Text: "nobody is called " + handle}
}

func (w *web) InstanceActor(_ context.Context, host string) (string, error) {
	if host == "good.example" {
		return instance, nil
	}
	return "", &fetch.Error{Code: fetch.CodeUnreachable, Text: host + " cannot be reached"}
}

func (w *web) set(url string, doc any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.fails, url)
	w.docs[url] = doc
}

func (w *web) fail(url string, code fetch.Code) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails[url] = &fetch.Error{Code: code, Text: "it failed: " + string(code)}
}

func (w *web) count(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[url]
}

var aKey = sync.OnceValue(func() string { return newPEM(2048) })

func newPEM(bits int) string {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func actorDoc(kind, id string) map[string]any {
	d := map[string]any{
		"type": kind, "id": id, "preferredUsername": id[strings.LastIndex(id, "/")+1:], "inbox": id + "/inbox", "followers": id + "/followers",
		"publicKey": map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": aKey()},
	}
	if kind == "Group" {
		d["attributedTo"] = []any{map[string]any{"type": "Person", "id": id[:strings.Index(id[8:], "/")+8] + "/accounts/alice"}}
	}
	return d
}

func videoDoc(id string) map[string]any {
	host := id[:len(id)-len("/videos/watch/")-36]
	return map[string]any{
		"type": "Video", "id": id, "name": "A video", "duration": "PT4S", "uuid": id[len(id)-36:], "views": 3, "state": 1, "commentsPolicy": 1,
		"published": "2026-11-22T15:30:18.091Z", "updated": "2026-11-22T15:30:18.091Z",
		"icon":  []any{map[string]any{"type": "Image", "url": host + "/t.jpg", "mediaType": "image/jpeg", "width": 280, "height": 157}},
		"url":   []any{map[string]any{"type": "Link", "mediaType": "text/html", "href": id}},
		"likes": id + "/likes", "dislikes": id + "/dislikes", "comments": id + "/comments",
		"attributedTo": []any{host + "/accounts/alice", host + "/video-channels/alice_channel"},
		"to":           []any{"https://www.w3.org/ns/activitystreams#Public"},
	}
}

func collection(id string, total int, items ...any) map[string]any {
	return map[string]any{"type": "OrderedCollection", "id": id, "totalItems": total, "orderedItems": items}
}

func noteDoc(id, answers string) map[string]any {
	return map[string]any{
		"type": "Note", "id": id, "attributedTo": id[:strings.Index(id[8:], "/")+8] + "/accounts/alice", "inReplyTo": answers, "content": "x",
		"mediaType": "text/markdown", "published": "2026-11-22T16:00:00.000Z", "to": []any{"https://www.w3.org/ns/activitystreams#Public"},
	}
}

type bench struct {
	*testing.T
	*Resolver
	web *web
	at  time.Time
	mu  sync.Mutex
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "shoal-resolve-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	err = errors.Join(s.SetSetting(store.SettingURL, ours), s.EnsureRoot(now))
	if err == nil {
		c, _ := s.Snapshot().Channel(store.NameChannel)
		_, err = s.Publish("", store.Video{UUID: videoUUID, ChannelID: c.ID, Title: "Ours", Privacy: store.Public, Duration: 12, Published: now})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.FileName))
})

func newBench(t *testing.T) *bench {
	t.Helper()
	raw, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.FileName), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &web{docs: map[string]any{}, fails: map[string]error{}, moved: map[string]string{}, finger: map[string]string{}, asked: map[string]int{}}
	for _, host := range []string{good, evil} {
		w.docs[host+"/accounts/alice"] = actorDoc("Person", host+"/accounts/alice")
		w.docs[host+"/video-channels/alice_channel"] = actorDoc("Group", host+"/video-channels/alice_channel")
		w.docs[host+"/accounts/peertube"] = actorDoc("Application", host+"/accounts/peertube")
	}
	w.docs[theirs] = videoDoc(theirs)
	w.docs[theirs+"/likes"] = collection(theirs+"/likes", 7)
	b := &bench{T: t, web: w, at: time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)}
	b.Resolver = New(Config{Store: s, Fetch: w, Base: ours, Dev: true, Now: b.clock})
	return b
}

func TestActorIsFetchedOnce(t *testing.T) {
	b := newBench(t)
	b.web.wait = make(chan struct{})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if a, err := b.Actor(t.Context(), channel+"#main-key", Stored); err != nil || a.ID != channel || a.Owner != alice || a.Host != "good.example" {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
	for b.web.count(channel) == 0 {
		time.Sleep(time.Millisecond)
	}
	close(b.web.wait)
	all.Wait()
	if n := b.web.count(channel); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if b.web.count(alice) != 1 {
		t.Error("its owner was not asked")
	}
	b.later(3 * time.Hour)
	if _, err := b.Actor(t.Context(), channel, time.Hour); err != nil || b.web.count(channel) != 2 {
		t.Errorf("%v, asked %d times", err, b.web.count(channel))
	}
	// An old copy stands in while its host is away, but for who asks for a fresh one.
	b.web.fail(channel, fetch.CodeTimeout)
	b.later(3 * time.Hour)
	if a, err := b.Actor(t.Context(), channel, time.Hour); err != nil || a.ID != channel {
		t.Errorf("got %+v, %v", a, err)
	}
	if _, err := b.Actor(t.Context(), channel, Fresh); !errors.Is(err, ErrUnreachable) || !Temporary(err) {
		t.Errorf("got %v", err)
	}
}

// Work goes on for those who still wait, and ends when nobody does.
func TestFlightEndsWithItsLastWaiter(t *testing.T) {
	b := newBench(t)
	b.web.wait = make(chan struct{})
	first, cancel := context.WithCancel(t.Context())
	got := make(chan error, 2)
	go func() { _, err := b.Actor(first, alice, Stored); got <- err }()
	for b.web.count(alice) == 0 {
		time.Sleep(time.Millisecond)
	}
	go func() { _, err := b.Actor(t.Context(), alice, Stored); got <- err }()
	for {
		b.actors.mu.Lock()
		n := b.actors.m[alice].waiters
		b.actors.mu.Unlock()
		if n == 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(b.web.wait)
	if err := <-got; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestActorsThatAreRefused(t *testing.T) {
	change := func(kind, id string, f func(map[string]any)) map[string]any {
		d := actorDoc(kind, id)
		f(d)
		return d
	}
	x := evil + "/accounts/x"
	for name, doc := range map[string]any{
		"another host's":     actorDoc("Person", alice),
		"a foreign inbox":    change("Person", x, func(d map[string]any) { d["inbox"] = good + "/inbox" }),
		"a foreign key":      change("Person", x, func(d map[string]any) { d["publicKey"].(map[string]any)["owner"] = alice }),
		"a foreign key's id": change("Person", x, func(d map[string]any) { d["publicKey"].(map[string]any)["id"] = alice + "#main-key" }),
		"a foreign owner":    change("Group", x, func(d map[string]any) { d["attributedTo"] = []any{alice} }),
		"no owner":           change("Group", x, func(d map[string]any) { delete(d, "attributedTo") }),
		"owned by itself":    change("Group", x, func(d map[string]any) { d["attributedTo"] = []any{x} }),
		"owned by a channel": change("Group", x, func(d map[string]any) { d["attributedTo"] = []any{evil + "/video-channels/alice_channel"} }),
		"no actor":           noteDoc(x, theirs),
		"no JSON":            `{"type":`,
		"deep":               strings.Repeat(`[`, 100_000),
	} {
		b := newBench(t)
		b.web.set(x, doc)
		a, err := b.Actor(t.Context(), x, Stored)
		if !errors.Is(err, ErrRefused) || Temporary(err) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		// The failure is remembered: nothing is asked again.
		if _, err := b.Actor(t.Context(), x, Stored); err == nil || b.web.count(x) != 1 {
			t.Errorf("%s: %v, asked %d times", name, err, b.web.count(x))
		}
	}
	b := newBench(t)
	for id, want := range map[string]error{
		ours + "/accounts/root": ErrLocal, "nothing": ErrRefused, "ftp://good.example/x": ErrRefused, good + "/" + strings.Repeat("x", 3000): ErrRefused,
	} {
		if _, err := b.Actor(t.Context(), id, Stored); !errors.Is(err, want) || b.web.count(id) != 0 {
			t.Errorf("%.50s: %v", id, err)
		}
	}
}

// An address that redirects to the object on another host is followed; the id that counts is that host's.
func TestRedirects(t *testing.T) {
	b := newBench(t)
	b.web.moved[evil+"/videos/watch/1"] = theirs
	v, err := b.Video(t.Context(), evil+"/videos/watch/1", Stored)
	if err != nil || v.ID != theirs || v.Host != "good.example" {
		t.Errorf("got %+v, %v", v, err)
	}
	// One that answers with another id of its host has that asked.
	b.web.set(good+"/w/short", videoDoc(theirs))
	if v, err := b.Video(t.Context(), good+"/w/short", Stored); err != nil || v.ID != theirs {
		t.Errorf("got %+v, %v", v, err)
	}
	// One that says it is what denies it is refused.
	liar := good + "/videos/watch/liar"
	b.web.set(liar, videoDoc(good+"/videos/watch/11111111-2222-4333-8444-666666666666"))
	b.web.set(good+"/videos/watch/11111111-2222-4333-8444-666666666666", videoDoc(theirs))
	if _, err := b.Video(t.Context(), liar, Stored); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestVideo(t *testing.T) {
	b := newBench(t)
	v, err := b.Video(t.Context(), theirs, Stored)
	if err != nil || v.Likes != 7 || v.Dislikes != 0 || v.Channel != channel || v.Account != alice || !slices.Contains(v.Sources, channel) || v.Privacy != store.Public {
		t.Fatalf("got %+v, %v", v, err)
	}
	// A collection that fails leaves the count.
	b.web.fail(theirs+"/likes", fetch.CodeTimeout)
	if v, err := b.Video(t.Context(), theirs, Fresh); err != nil || v.Likes != 7 {
		t.Errorf("got %+v, %v", v, err)
	}
	b.web.fail(theirs, fetch.CodeNotFound)
	if _, err := b.Video(t.Context(), theirs, Fresh); !errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
	if v, err := b.storedVideo(theirs); err != nil || v != nil {
		t.Errorf("it is stored still: %+v, %v", v, err)
	}
	err = b.store.Read(func(tx *store.Tx) error {
		if !tx.Gone(theirs) {
			t.Error("it left no tombstone")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What is 404 may be a mistake of its server's for a day; 410 is no mistake.
func TestActorsGo(t *testing.T) {
	b := newBench(t)
	for _, id := range []string{alice, instance} {
		if _, err := b.Actor(t.Context(), id, Stored); err != nil {
			t.Fatal(err)
		}
	}
	there := func(id string) bool {
		a, err := b.storedActor(id)
		if err != nil {
			t.Fatal(err)
		}
		return a != nil
	}
	b.web.fail(instance, fetch.CodeGone)
	if _, err := b.Actor(t.Context(), instance, Fresh); !errors.Is(err, ErrGone) || there(instance) {
		t.Errorf("410: %v", err)
	}
	b.web.fail(alice, fetch.CodeNotFound)
	for i, want := range []bool{true, true, false} {
		if _, err := b.Actor(t.Context(), alice, Fresh); !errors.Is(err, ErrGone) || there(alice) != want {
			t.Errorf("404, time %d: %v", i, err)
		}
		b.later(13 * time.Hour)
	}
}

func TestKeys(t *testing.T) {
	b := newBench(t)
	b.web.finger["alice@good.example"] = alice
	for _, id := range []string{alice, alice + "#main-key", "acct:alice@good.example"} {
		if k, err := b.Key(t.Context(), id, false); err != nil || k.Owner != alice || k.Public == nil {
			t.Errorf("%s: %+v, %v", id, k, err)
		}
	}
	if n := b.web.count(alice); n != 1 {
		t.Errorf("asked %d times", n)
	}
	// A new key is found, and its owner is not asked more often than once a minute.
	d := actorDoc("Person", alice)
	d["publicKey"].(map[string]any)["publicKeyPem"] = newPEM(1024)
	b.web.set(alice, d)
	b.later(2 * time.Minute)
	for range 5 {
		if k, err := b.Key(t.Context(), alice, true); err != nil || k.Public.N.BitLen() != 1024 {
			t.Errorf("got %+v, %v", k, err)
		}
	}
	if n := b.web.count(alice); n != 2 {
		t.Errorf("asked %d times", n)
	}
	// A key with a document of its own, which its owner names.
	own := good + "/keys/1"
	b.web.set(own, map[string]any{"type": "Key", "id": own, "owner": instance, "publicKeyPem": aKey()})
	if _, err := b.Key(t.Context(), own, false); err == nil {
		t.Error("a key that its owner does not name is taken")
	}
	d = actorDoc("Application", instance)
	d["publicKey"].(map[string]any)["id"] = own
	b.web.set(instance, d)
	if _, err := b.Actor(t.Context(), instance, Fresh); err != nil {
		t.Fatal(err)
	}
	if k, err := b.Key(t.Context(), own, false); err != nil || k.Owner != instance {
		t.Errorf("got %+v, %v", k, err)
	}
	for _, id := range []string{ours + "/accounts/root", "acct:nobody", "acct:no@good.example", good + "/nobody"} {
		if k, err := b.Key(t.Context(), id, false); err == nil {
			t.Errorf("%s: %+v", id, k)
		}
	}
}

func TestComments(t *testing.T) {
	b := newBench(t)
	ids := make([]string, 4)
	answers := theirs
	for i := range ids {
		ids[i] = fmt.Sprintf("%s/comments/%d", good, i)
		b.web.set(ids[i], noteDoc(ids[i], answers))
		answers = ids[i]
	}
	// One by its address brings those above it.
	if _, err := b.Video(t.Context(), theirs, Stored); err != nil {
		t.Fatal(err)
	}
	c, err := b.Comment(t.Context(), theirs, ids[3])
	if err != nil || c.ID != ids[3] || c.Thread != ids[0] || c.Video != theirs {
		t.Fatalf("got %+v, %v", c, err)
	}
	if again, err := b.Comment(t.Context(), theirs, ids[1]); err != nil || again.ID != ids[1] || b.web.count(ids[1]) != 1 {
		t.Errorf("got %+v, %v", again, err)
	}
	// What comes by itself is of a known video.
	stray := evil + "/comments/1"
	unknown := good + "/videos/watch/11111111-2222-4333-8444-666666666666"
	b.web.set(unknown, videoDoc(unknown))
	b.web.set(stray, noteDoc(stray, unknown))
	if _, err := b.Thread(t.Context(), stray, nil); !errors.Is(err, ErrUnrelated) {
		t.Errorf("got %v", err)
	}
	local := evil + "/comments/2"
	b.web.set(local, noteDoc(local, ours+"/videos/watch/"+videoUUID))
	if chain, err := b.Thread(t.Context(), local, nil); err != nil || len(chain) != 1 || chain[0].Video != ours+"/videos/watch/"+videoUUID {
		t.Errorf("got %+v, %v", chain, err)
	}
	b.web.set(local, noteDoc(local, ours+"/videos/watch/11111111-2222-4333-8444-999999999999"))
	if _, err := b.Thread(t.Context(), local, nil); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestTargets(t *testing.T) {
	b := newBench(t)
	b.web.finger["alice@good.example"] = alice
	b.web.finger["alice_channel@good.example"] = channel
	for text, want := range map[string]string{
		"good.example": instance, " Good.Example ": instance, "https://good.example": instance, "https://good.example/": instance,
		"alice@good.example": alice, "@alice@good.example": alice, alice: alice, channel: channel,
		good + "/c/alice_channel/videos": channel, good + "/a/alice": alice, good + "/@alice": alice, "good.example/c/alice_channel": channel,
	} {
		if id, err := b.Target(t.Context(), text); err != nil || id != want {
			t.Errorf("%q: %s, %v", text, id, err)
		}
	}
	for text, want := range map[string]error{
		"": ErrRefused, "ours.example": ErrLocal, ours + "/accounts/root": ErrLocal, "dead.example": ErrUnreachable, theirs: ErrRefused,
		"nobody@good.example": ErrGone, "https://user:password@good.example/": ErrRefused, good + "/nothing": ErrGone,
	} {
		if id, err := b.Target(t.Context(), text); !errors.Is(err, want) {
			t.Errorf("%q: %s, %v", text, id, err)
		}
	}
	// Who asks again is not told what failed before.
	b.web.mu.Lock()
	b.web.finger["nobody@good.example"] = instance
	b.web.mu.Unlock()
	if id, err := b.Target(t.Context(), "@nobody@good.example"); err != nil || id != instance {
		t.Errorf("%s, %v", id, err)
	}
	err := b.store.Write("blocking", func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "good.example"}) })
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"good.example", alice} {
		if _, err := b.Target(t.Context(), text); !errors.Is(err, ErrBlocked) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What is used and old is fetched anew in the background, with counts and comments.
func TestRefresh(t *testing.T) {
	b := newBench(t)
	if _, err := b.Video(t.Context(), theirs, Stored); err != nil {
		t.Fatal(err)
	}
	note := good + "/comments/1"
	b.web.set(theirs+"/comments", map[string]any{"type": "OrderedCollection", "id": theirs + "/comments", "totalItems": 1, "first": theirs + "/comments?page=1"})
	b.web.set(theirs+"/comments?page=1", map[string]any{"type": "OrderedCollectionPage", "id": theirs + "/comments?page=1", "orderedItems": []any{note}})
	b.web.set(note, noteDoc(note, theirs))
	b.web.set(channel+"/followers", collection(channel+"/followers", 12))
	b.web.finger["alice_channel@good.example"] = channel
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx) }()
	b.later(Stale + time.Hour)
	for _, ask := range []func() error{
		func() error { _, err := b.Video(t.Context(), theirs, Stored); return err },
		func() error { _, err := b.Actor(t.Context(), channel, Stored); return err },
	} {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		a, err := b.storedActor(channel)
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.storedComment(note)
		if a.FollowerCount == 12 && err == nil && c.Video == theirs {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %+v, %+v, %v", a, c, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A name belongs to whom its host says, once it is asked again.
func TestNameMoves(t *testing.T) {
	b := newBench(t)
	if _, err := b.Actor(t.Context(), alice, Stored); err != nil {
		t.Fatal(err)
	}
	moved := good + "/users/1"
	d := actorDoc("Person", moved)
	d["preferredUsername"] = "alice"
	b.web.set(moved, d)
	has := func() string {
		var id string
		err := b.store.Read(func(tx *store.Tx) error {
			a, _, err := tx.ActorByHandle("alice", "good.example")
			if a != nil {
				id = a.ID
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for finger, want := range map[string]string{"": alice, evil + "/accounts/alice": alice, moved: moved} {
		delete(b.web.finger, "alice@good.example")
		if finger != "" {
			b.web.finger["alice@good.example"] = finger
		}
		err := b.refreshActor(t.Context(), alice)
		if refused := finger == evil+"/accounts/alice"; has() != want || errors.Is(err, ErrRefused) != refused {
			t.Errorf("%q: the name is of %q, %v", finger, has(), err)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var f failures
	now := time.Now()
	for i := range 3 * maxRemembered {
		id := fmt.Sprint(i)
		f.put(id, ErrGone, now)
		if i%2 == 0 {
			f.forget(id)
		}
	}
	if len(f.t.m) > maxRemembered || len(f.t.order) > 2*maxRemembered {
		t.Errorf("%d entries, %d in order", len(f.t.m), len(f.t.order))
	}
	last := fmt.Sprint(3*maxRemembered - 1)
	if f.get(last, now) == nil || f.get(last, now.Add(2*goneFor)) != nil {
		t.Error("what was put last is not as it was put")
	}
	l := limits{every: 1, burst: 1}
	for i := range 3 * maxRemembered {
		l.of(fmt.Sprint(i))
	}
	if len(l.t.m) > maxRemembered {
		t.Errorf("%d limits", len(l.t.m))
	}
}
