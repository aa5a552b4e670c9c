// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"shoal/assets/contexts"
	"shoal/instance/address"
	"shoal/instance/federation/author"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/fetch"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/microcosm-cc/bluemonday.init.0.func1"))
}

// videoUUID is the video of the captures.
const videoUUID = "4e1f2f28-1822-4544-bf7c-52e111041379"

// template is a database with its keys, which take long to make; each test gets a copy.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "shoal-inbox-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := fill(s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.FileName))
})

// fill adds the accounts of both servers of the captures, with a video of alice's.
func fill(s *store.Store) error {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	for _, name := range []string{"alice", "bob"} {
		a, err := s.AddAccount(store.Account{Name: name, DisplayName: name}, now)
		if err != nil {
			return err
		}
		c, err := s.AddChannel(store.Channel{AccountID: a.ID, Name: name + "_channel", DisplayName: name}, now)
		if err != nil || name != "alice" {
			return err
		}
		_, err = s.Publish("", store.Video{
			UUID: videoUUID, ChannelID: c.ID, Title: "Sample", Privacy: store.Public, Duration: 12, Created: now, Updated: now, Published: now,
			Files: []store.File{{Name: "f.mp4", Resolution: 480, Size: 7, MediaType: "video/mp4"}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// house is a whole instance's receiving side.
type house struct {
	testing.TB
	store    *store.Store
	base     address.Base
	inbox    *Inbox
	resolver *resolve.Resolver
	suite    *ldsig.Suite
	author   *author.Author
	handler  http.Handler
	follows  *follows
	queue    *queue
	docs     *docs
}

type deliveryMessage = delivery.Message

// fetches is how often a document was asked for.
func (h *house) fetches(id string) int {
	h.docs.mu.Lock()
	defer h.docs.mu.Unlock()
	return h.docs.asked[id]
}

type options struct {
	base   address.Base
	fetch  resolve.Fetcher
	now    func() time.Time
	limits Limits
	idle   bool // no workers
	accept bool // listen; base is where
}

// newHouse opens an instance; its workers end with the test.
func newHouse(t testing.TB, o options) *house {
	t.Helper()
	raw, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.FileName), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, base: o.base, follows: &follows{}, queue: &queue{}}
	if h.store, err = store.Open(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	mux := chi.NewRouter()
	if o.accept {
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		h.base = address.Base(server.URL)
	}
	h.handler = mux
	if err := h.store.SetSetting(store.SettingURL, string(h.base)); err != nil {
		t.Fatal(err)
	}
	if o.now == nil {
		o.now = time.Now
	}
	if h.suite, err = ldsig.New(ldsig.Options{Contexts: contexts.Files()}); err != nil {
		t.Fatal(err)
	}
	h.author = author.New(h.store.Snapshot, h.base, h.suite)
	if o.fetch == nil {
		client := fetch.New(fetch.Options{Dev: true, Sign: func(r *http.Request) error { return h.author.Request(r, h.base.Actor(), nil) }})
		t.Cleanup(client.Close)
		o.fetch = client
	}
	h.resolver = resolve.New(resolve.Config{Store: h.store, Fetch: o.fetch, Base: h.base, Dev: true, Now: o.now})
	if o.limits.Pause == 0 {
		o.limits.Pause = 20 * time.Millisecond
	}
	h.inbox = New(Config{
		Store: h.store, Suite: h.suite, Resolver: h.resolver, Follows: h.follows, Queue: h.queue, Author: h.author, Base: h.base,
		Verifier: httpsig.NewVerifier(httpsig.Options{Keys: h.resolver.Key, Host: h.base.Host(), Now: o.now}), Limits: o.limits, Now: o.now,
	})
	h.inbox.Routes(mux)
	if !o.idle {
		h.serve()
	}
	return h
}

// serve runs the workers until the test or the function that is returned ends.
func (h *house) serve() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.inbox.Serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.Errorf("the workers ended: %v", err)
		}
	})
	h.Cleanup(stop)
	return stop
}

// post sends a request to the handler and returns the status and the reason.
func (h *house) post(r *http.Request) (int, string) {
	h.Helper()
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	res := w.Result()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(body))
}

// settle waits until nothing waits in the inbox.
func (h *house) settle() {
	h.Helper()
	h.until("the inbox is empty", func() bool { return h.inbox.Depth() == 0 })
}

func (h *house) until(what string, ok func() bool) {
	h.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("never: %s", what)
		}
	}
}

func (h *house) read(f func(*store.Tx)) {
	h.Helper()
	if err := h.store.Read(func(tx *store.Tx) error { f(tx); return nil }); err != nil {
		h.Fatal(err)
	}
}

func (h *house) write(f func(*store.Tx) error) {
	h.Helper()
	if err := h.store.Write("testing", f); err != nil {
		h.Fatal(err)
	}
}

func (h *house) video(id string) *store.RemoteVideo {
	h.Helper()
	var v *store.RemoteVideo
	h.read(func(tx *store.Tx) {
		got, ok, err := tx.RemoteVideo(id)
		if err != nil {
			h.Fatal(err)
		}
		if ok {
			v = got
		}
	})
	return v
}

func (h *house) comment(id string) *store.Comment {
	h.Helper()
	var c *store.Comment
	h.read(func(tx *store.Tx) {
		got, ok, err := tx.Comment(id)
		if err != nil {
			h.Fatal(err)
		}
		if ok {
			c = got
		}
	})
	return c
}

func (h *house) counts(id string) (n store.Counts) {
	h.Helper()
	h.read(func(tx *store.Tx) {
		var err error
		if n, err = tx.Counts(id); err != nil {
			h.Fatal(err)
		}
	})
	return n
}

// refusals are the reasons kept, newest first, as "Type: reason".
func (h *house) refusals() []string {
	h.Helper()
	var all []string
	h.read(func(tx *store.Tx) {
		got, err := tx.Refusals(100)
		if err != nil {
			h.Fatal(err)
		}
		for _, r := range got {
			all = append(all, r.Type+": "+r.Reason)
		}
	})
	return all
}

// follow notes that a local actor is followed from an inbox.
func (h *house) follower(local, remote, inbox string) {
	h.Helper()
	h.write(func(tx *store.Tx) error {
		return tx.PutFollower(&store.Follow{ID: remote + "/f", Local: local, Remote: remote, Host: vocab.Host(remote), State: store.FollowAccepted, Inbox: inbox})
	})
}

// follows is a Handler that notes what it gets.
type follows struct {
	mu  sync.Mutex
	got []Incoming
	// fail is how often it fails first.
	fail int
}

func (f *follows) Handle(_ context.Context, in Incoming) (Effect, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail > 0 {
		f.fail--
		return nil, errors.New("not now")
	}
	f.got = append(f.got, in)
	return nil, nil
}

func (f *follows) types() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, in := range f.got {
		all = append(all, in.Activity.Type)
	}
	return all
}

// queue notes what goes out.
type queue struct {
	mu  sync.Mutex
	got []delivery.Message
}

func (q *queue) Enqueue(tx *bolt.Tx, m delivery.Message) error {
	tx.OnCommit(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.got = append(q.got, m)
	})
	return nil
}

func (q *queue) messages() []delivery.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.got)
}

// docs is a Fetcher that serves from a table.
type docs struct {
	mu    sync.Mutex
	m     map[string][]byte
	asked map[string]int
	// moved are redirects.
	moved map[string]string
}

func newDocs() *docs {
	return &docs{m: map[string][]byte{}, asked: map[string]int{}, moved: map[string]string{}}
}

func (d *docs) move(from, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moved[from] = to
}

func (d *docs) put(id string, doc any) {
	raw, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.m[id] = raw
}

func (d *docs) Object(_ context.Context, url string) ([]byte, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[url]++
	if to, ok := d.moved[url]; ok {
		url = to
	}
	if raw, ok := d.m[url]; ok {
		return raw, url, nil
	}
	return nil, url, &fetch.Error{Code: fetch.CodeNotFound, Status: 404, URL: url, Text: "their server answered 404"}
}

func (d *docs) Webfinger(_ context.Context, handle string) (string, error) {
	return "", &fetch.Error{Code: fetch.CodeNotFound, Text: "nobody is called " + handle}
}

func (d *docs) InstanceActor(_ context.Context, host string) (string, error) {
	return "http://" + host + "/accounts/peertube", nil
}

// actorDoc is an actor as PeerTube shows one.
func actorDoc(id, pem string) map[string]any {
	kind, name := "Person", id[strings.LastIndex(id, "/")+1:]
	host := id[:strings.Index(id[8:], "/")+8]
	d := map[string]any{
		"id": id, "preferredUsername": name, "inbox": id + "/inbox", "outbox": id + "/outbox",
		"endpoints": map[string]any{"sharedInbox": host + "/inbox"},
		"publicKey": map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": pem},
	}
	switch {
	case strings.Contains(id, "/video-channels/"):
		kind = "Group"
		d["attributedTo"] = []any{map[string]any{"type": "Person", "id": host + "/accounts/" + strings.TrimSuffix(name, "_channel")}}
	case name == "peertube":
		kind = "Application"
	}
	d["type"] = kind
	return d
}

// testKey is a key for signing in tests.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Errorf("making a key: %w", err))
	}
	return k
})
