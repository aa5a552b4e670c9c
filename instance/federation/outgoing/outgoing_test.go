// SPDX-License-Identifier: AGPL-3.0-or-later

package outgoing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"shoal/assets/contexts"
	"shoal/instance/address"
	"shoal/instance/federation/author"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/outgoing"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

const (
	base    = address.Base("https://tube.example")
	uuid    = "4e1f2f28-1822-4544-bf7c-52e111041379"
	id      = "https://tube.example/videos/watch/" + uuid
	root    = "https://tube.example/accounts/root"
	channel = "https://tube.example/video-channels/root_channel"
	bob     = "https://far.example/accounts/bob"
	there   = "https://far.example/videos/watch/1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start() time.Time { return time.Date(2026, 11, 22, 15, 26, 11, 0, time.UTC) }

// sent is an activity that was queued.
type sent struct {
	delivery.Message
	activity *vocab.Activity
}

// site is an instance with a queue that keeps what it gets.
type site struct {
	t     testing.TB
	store *store.Store
	out   *outgoing.Outgoing
	suite *ldsig.Suite

	mu      sync.Mutex
	now     time.Time
	queued  []sent
	full    error // what Enqueue fails with
	mute    error // what Sign fails with
	signer  *author.Author
	arrived chan struct{}
}

var first = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "outgoing")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	if err = s.SetSetting(store.SettingURL, string(base)); err == nil {
		err = s.EnsureRoot(start())
	}
	if err == nil {
		a, _ := s.Snapshot().Account(store.NameRoot)
		_, err = s.AddChannel(store.Channel{AccountID: a.ID, Name: "second", DisplayName: "Second"}, start())
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.FileName))
})

func newSite(t testing.TB) *site {
	t.Helper()
	fresh, err := first()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.FileName), fresh, 0o600); err != nil {
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
	x := &site{t: t, store: s, now: start().Add(time.Hour), arrived: make(chan struct{}, 1000)}
	if x.suite, err = ldsig.New(ldsig.Options{Contexts: contexts.Files()}); err != nil {
		t.Fatal(err)
	}
	x.signer = author.New(s.Snapshot, base, x.suite)
	x.out = x.outgoing()
	return x
}

func (x *site) outgoing() *outgoing.Outgoing {
	return outgoing.New(outgoing.Config{Store: x.store, Queue: x, Author: x, Base: base, Now: x.clock})
}

func (x *site) clock() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.now
}

func (x *site) pass(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now = x.now.Add(d)
}

func (x *site) fail(queue, sign error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.full, x.mute = queue, sign
}

func (x *site) Sign(ctx context.Context, actorID string, activity any) ([]byte, error) {
	x.mu.Lock()
	err := x.mute
	x.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return x.signer.Sign(ctx, actorID, activity)
}

func (x *site) Enqueue(tx *bolt.Tx, m delivery.Message) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.full != nil {
		return x.full
	}
	a, err := vocab.ParseActivity(m.Body)
	if err != nil {
		return err
	}
	tx.OnCommit(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.queued = append(x.queued, sent{m, a})
		x.arrived <- struct{}{}
	})
	return nil
}

// take works the log off and returns what was queued, each checked for its signature.
func (x *site) take() []sent {
	x.t.Helper()
	if _, err := x.out.Step(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	all := x.queued
	x.queued = nil
	for _, s := range all {
		name, _ := author.Name(base, s.activity.Actor.ID)
		key, ok := x.store.Snapshot().Key(name)
		if !ok || s.ID != s.activity.ID || s.Actor != s.activity.Actor.ID {
			x.t.Errorf("%s %s by %s of %s", s.activity.Type, s.ID, s.Actor, s.activity.Actor.ID)
			continue
		}
		if err := x.suite.Verify(x.t.Context(), s.Body, &key.PublicKey); err != nil {
			x.t.Errorf("%s: %v", s.ID, err)
		}
	}
	return all
}

// types are short descriptions: type, actor's name, object, inboxes.
func types(all []sent) []string {
	out := []string{}
	for _, s := range all {
		actor := s.activity.Actor.ID[strings.LastIndex(s.activity.Actor.ID, "/")+1:]
		hosts := []string{}
		for _, inbox := range s.Inboxes {
			hosts = append(hosts, strings.TrimSuffix(strings.TrimPrefix(inbox, "https://"), ".example/inbox"))
		}
		out = append(out, fmt.Sprintf("%s %s %s", s.activity.Type, actor, strings.Join(hosts, ",")))
	}
	return out
}

func (x *site) expect(want ...string) []sent {
	x.t.Helper()
	all := x.take()
	if got := types(all); !slices.Equal(got, want) {
		x.t.Fatalf("queued %q\ninstead of %q", got, want)
	}
	return all
}

func (x *site) write(f func(*store.Tx) error) {
	x.t.Helper()
	if err := x.store.Write("testing", f); err != nil {
		x.t.Fatal(err)
	}
}

// follower has an actor of a host follow a local one.
func (x *site) follower(local, host string) {
	x.t.Helper()
	x.write(func(tx *store.Tx) error {
		actor, inbox := "https://"+host+".example/accounts/peertube", "https://"+host+".example/inbox"
		if err := tx.PutActor(&store.Actor{ID: actor, Host: host + ".example", Username: "peertube", Inbox: actor + "/inbox", SharedInbox: inbox}); err != nil {
			return err
		}
		return tx.PutFollower(&store.Follow{ID: actor + "/follows/1", Local: local, Remote: actor, Host: host + ".example", State: store.FollowAccepted, Inbox: inbox})
	})
}

// stranger is a remote account with a video.
func (x *site) stranger() {
	x.t.Helper()
	x.write(func(tx *store.Tx) error {
		err := tx.PutActor(&store.Actor{ID: bob, Host: "far.example", Username: "bob", Inbox: bob + "/inbox", SharedInbox: "https://far.example/inbox"})
		if err != nil {
			return err
		}
		return tx.PutRemoteVideo(&store.RemoteVideo{
			ID: there, UUID: "9da9d5df-469c-4871-90a0-0476d8c72b58", Host: "far.example", Account: bob, Channel: bob, Privacy: store.Public,
		})
	})
}

func (x *site) publish() *store.Video {
	x.t.Helper()
	c, _ := x.store.Snapshot().Channel(store.NameChannel)
	v, err := x.store.Publish("", store.Video{
		UUID: uuid, ChannelID: c.ID, Title: "A video", Privacy: store.Public, Duration: 4, Thumbnail: "t.jpg", Preview: "p.jpg",
		Created: start(), Updated: start(), Published: start(),
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return v
}

func (x *site) update(v *store.Video, change func(*store.Video)) {
	x.t.Helper()
	x.write(func(tx *store.Tx) error {
		return tx.UpdateVideo(v.ID, func(v *store.Video) error { change(v); return nil })
	})
}

func (x *site) shares() map[string]string {
	x.t.Helper()
	out := map[string]string{}
	err := x.store.Read(func(tx *store.Tx) error {
		all, err := tx.Shares(id)
		for _, s := range all {
			out[s.Actor] = s.ID
		}
		return err
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

func TestVideoIsTold(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	x.follower(channel, "chan")
	x.follower(root, "acc")
	x.follower(channel, "blocked")
	x.write(func(tx *store.Tx) error { return tx.PutBlock(store.Block{Host: "blocked.example"}) })
	v := x.publish()
	all := x.expect("Announce root_channel acc,chan,inst", "Announce peertube acc,chan,inst", "Create root acc")
	if got, want := x.shares(), map[string]string{channel: all[0].ID, base.Actor(): all[1].ID}; !reflect.DeepEqual(got, want) {
		t.Errorf("shares %v", got)
	}
	for _, s := range all {
		if s.Order != id || s.activity.Object.ID != id || !vocab.IsPublic(s.activity.To) {
			t.Errorf("%s: %s", s.Order, s.Body)
		}
	}
	x.update(v, func(v *store.Video) { v.Title = "Another title" })
	update := x.expect("Update root acc,chan,inst")[0]
	if o, err := vocab.ParseVideo(update.activity.Object.Raw); err != nil || o.Name != "Another title" || update.Coalesce == "" {
		t.Errorf("%s, %v", update.Body, err)
	}
	// Private and public again: other ids, as receivers take a known id for a repetition.
	x.update(v, func(v *store.Video) { v.Privacy = store.Private })
	del := x.expect("Delete root acc,chan,inst")[0]
	if del.activity.Object.ID != id || len(x.shares()) != 0 {
		t.Errorf("%s, shares %v", del.Body, x.shares())
	}
	x.update(v, func(v *store.Video) { v.Title = "Nobody hears of it" })
	x.expect()
	x.update(v, func(v *store.Video) { v.Privacy = store.Public })
	again := x.expect("Announce root_channel acc,chan,inst", "Announce peertube acc,chan,inst", "Create root acc")
	for i := range again {
		if again[i].ID == all[i].ID {
			t.Errorf("%s is told twice", all[i].ID)
		}
	}
	x.write(func(tx *store.Tx) error { _, err := tx.DeleteVideo(v.ID, x.now); return err })
	if last := x.expect("Delete root acc,chan,inst")[0]; last.ID == del.ID {
		t.Errorf("%s is told twice", last.ID)
	}
}

func TestNothingIsToldOfWhatIsOver(t *testing.T) {
	x := newSite(t)
	x.follower(channel, "chan")
	v := x.publish()
	x.update(v, func(v *store.Video) { v.Title = "New title" })
	x.write(func(tx *store.Tx) error { _, err := tx.DeleteVideo(v.ID, x.now); return err })
	x.expect("Delete root chan")
	x.stranger()
	x.write(func(tx *store.Tx) error {
		c := &store.Comment{ID: root + "/c/1", Video: there, InReplyTo: there, Author: root, Text: "x", Local: true, Created: x.now, Updated: x.now}
		if err := tx.PutComment(c); err != nil {
			return err
		}
		if _, err := tx.SetRate(there, root, 1, root+"/likes/1"); err != nil {
			return err
		}
		return tx.DeleteRemoteVideo(there, x.now)
	})
	x.expect()
	err := x.store.Read(func(tx *store.Tx) error {
		all, err := tx.Changes(10)
		if len(all) != 0 {
			t.Errorf("left in the log: %+v", all)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVideoThatMoves(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	v := x.publish()
	old := x.take()[0]
	second, _ := x.store.Snapshot().Channel("second")
	x.update(v, func(v *store.Video) { v.ChannelID = second.ID })
	all := x.expect("Undo root_channel inst", "Announce second inst", "Update root inst")
	if undone, err := vocab.ParseActivity(all[0].activity.Object.Raw); err != nil || undone.ID != old.ID {
		t.Errorf("undone %+v, %v", undone, err)
	}
	if got := x.shares(); got[channel] != "" || got[base.Channel("second")] != all[1].ID {
		t.Errorf("shares %v", got)
	}
}

func TestCountsAreToldNowAndThen(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	v := x.publish()
	x.take()
	like := func(n int) {
		x.write(func(tx *store.Tx) error {
			actor := fmt.Sprintf("https://far.example/%d", n)
			_, err := tx.SetRate(id, actor, 1, actor+"/likes/1")
			return err
		})
	}
	like(1)
	x.expect("Update root inst")
	for n := range 5 {
		like(2 + n)
	}
	x.expect()
	wait, err := x.out.Step(t.Context())
	if err != nil || wait <= 0 || wait > 10*time.Second {
		t.Errorf("waits %v, %v", wait, err)
	}
	// Other changes go on meanwhile.
	x.update(v, func(v *store.Video) { v.Title = "New title" })
	x.expect("Update root inst")
	x.pass(time.Minute)
	x.expect("Update root inst")
	x.pass(time.Minute)
	x.expect()
}

// TestEveryViewBecameAnUpdate checks that followers hear of a first view soon, of all others now and
// then, and that views that others told of count too.
func TestEveryViewBecameAnUpdate(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	v := x.publish()
	x.take()
	views := func(want int64) {
		t.Helper()
		update := x.expect("Update root inst")[0]
		if o, err := vocab.ParseVideo(update.activity.Object.Raw); err != nil || o.Views != want {
			t.Errorf("want %d views: %s, %v", want, update.Body, err)
		}
	}
	watch := func() {
		x.write(func(tx *store.Tx) error {
			return errors.Join(tx.AddViews(map[uint64]int64{v.ID: 2}), tx.AddReceivedViews(id, 1))
		})
	}
	watch()
	views(3)
	for range 10 {
		watch()
		x.expect()
		x.pass(time.Minute)
	}
	// Rates go out meanwhile, with the views there are.
	x.write(func(tx *store.Tx) error {
		_, err := tx.SetRate(id, bob, 1, bob+"/likes/1")
		return err
	})
	views(33)
	watch()
	x.expect()
	if wait, err := x.out.Step(t.Context()); err != nil || wait <= 0 || wait > time.Minute {
		t.Errorf("waits %v, %v", wait, err)
	}
	x.pass(30 * time.Minute)
	views(36)
	x.pass(time.Hour)
	x.expect()
}

func TestRatesAndViewsGoToTheOrigin(t *testing.T) {
	x := newSite(t)
	x.stranger()
	x.follower(root, "acc")
	rate := func(value int, id string) {
		x.write(func(tx *store.Tx) error {
			if value == 0 {
				_, err := tx.DeleteRate(there, root)
				return err
			}
			_, err := tx.SetRate(there, root, value, id)
			return err
		})
	}
	rate(1, root+"/likes/1")
	like := x.expect("Like root far")[0]
	if like.ID != root+"/likes/1" || like.activity.Object.ID != there || !slices.Equal(like.activity.To, []string{bob}) {
		t.Errorf("%s", like.Body)
	}
	rate(-1, root+"/dislikes/2")
	all := x.expect("Undo root far", "Dislike root far")
	if undone, err := vocab.ParseActivity(all[0].activity.Object.Raw); err != nil || undone.ID != like.ID || undone.Type != "Like" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	rate(0, "")
	all = x.expect("Undo root far")
	if undone, err := vocab.ParseActivity(all[0].activity.Object.Raw); err != nil || undone.ID != root+"/dislikes/2" || undone.Type != "Dislike" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	x.write(func(tx *store.Tx) error {
		v, _, err := tx.RemoteVideo(there)
		if err != nil {
			return err
		}
		return tx.AddViews(map[uint64]int64{v.Number: 3})
	})
	views := x.expect("View peertube far", "View peertube far", "View peertube far")
	if views[0].ID == views[1].ID || views[0].activity.Object.ID != there || !views[0].activity.Expires.IsZero() {
		t.Errorf("%s\n%s", views[0].Body, views[1].Body)
	}
}

func TestCommentsReachWhomTheyConcern(t *testing.T) {
	x := newSite(t)
	x.stranger()
	x.follower(channel, "chan")
	x.follower(root, "acc")
	v := x.publish()
	x.take()
	eve := "https://eve.example/u"
	put := func(c store.Comment) {
		x.write(func(tx *store.Tx) error {
			c.Created, c.Updated = x.now, x.now
			return tx.PutComment(&c)
		})
	}
	x.write(func(tx *store.Tx) error {
		return tx.PutActor(&store.Actor{ID: eve, Host: "eve.example", Username: "eve", Inbox: "https://eve.example/inbox"})
	})
	put(store.Comment{ID: eve + "/1", Video: there, InReplyTo: there, Author: eve, Text: "first"})
	x.expect()
	mine := base.Video("9da9d5df-469c-4871-90a0-0476d8c72b58") + "/comments/1"
	put(store.Comment{ID: mine, Video: there, InReplyTo: eve + "/1", Author: root, Text: "answer", Local: true})
	create := x.expect("Create root far,acc,eve")[0]
	n, err := vocab.ParseNote(create.activity.Object.Raw)
	if err != nil || n.ID != mine || n.InReplyTo.ID != eve+"/1" || !slices.Contains(n.To, eve) || !slices.Contains(n.To, bob) || n.Tag[0].Href != eve || create.ID != mine+"/activity" {
		t.Errorf("%s, %v", create.Body, err)
	}
	put(store.Comment{ID: mine, Video: there, InReplyTo: eve + "/1", Author: root, Text: "changed", Local: true})
	x.expect("Update root far,acc,eve")
	x.write(func(tx *store.Tx) error { return tx.DeleteComment(mine) })
	if del := x.expect("Delete root far,acc,eve")[0]; del.activity.Object.ID != mine {
		t.Errorf("%s", del.Body)
	}
	// On a video of this instance.
	own := id + "/comments/1"
	put(store.Comment{ID: own, Video: id, InReplyTo: id, Author: root, Text: "mine", Local: true})
	x.pass(time.Minute)
	got := types(x.take())
	if !slices.Contains(got, "Create root acc,chan") {
		t.Errorf("queued %q", got)
	}
	// Nobody hears of an unlisted video from a comment on it.
	x.update(v, func(v *store.Video) { v.Privacy = store.Unlisted })
	x.take()
	put(store.Comment{ID: id + "/comments/2", Video: id, InReplyTo: id, Author: root, Text: "hidden", Local: true})
	x.pass(time.Minute)
	x.expect()
}

func TestVideoAccountTakesACommentAway(t *testing.T) {
	x := newSite(t)
	x.stranger()
	x.follower(channel, "chan")
	x.publish()
	x.take()
	c := store.Comment{ID: bob + "/c/1", Video: id, InReplyTo: id, Author: bob, Text: "rude", Created: x.now, Updated: x.now}
	old, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	x.write(func(tx *store.Tx) error {
		return tx.AddChange(store.Change{Kind: store.CommentDeleted, Subject: c.ID, Actor: root, Old: old, At: x.now})
	})
	if del := x.expect("Delete root chan,far")[0]; del.activity.Object.ID != c.ID || !strings.HasPrefix(del.ID, root+"/") {
		t.Errorf("%s", del.Body)
	}
}

func TestAccountThatLeavesTakesItsVideosAlong(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	if _, err := x.store.AddAccount(store.Account{Name: "carol"}, start()); err != nil {
		t.Fatal(err)
	}
	carol, _ := x.store.Snapshot().Account("carol")
	own, err := x.store.AddChannel(store.Channel{AccountID: carol.ID, Name: "carols"}, start())
	if err != nil {
		t.Fatal(err)
	}
	v, err := x.store.Publish("", store.Video{UUID: uuid, ChannelID: own.ID, Title: "A video", Privacy: store.Public, Published: start()})
	if err != nil {
		t.Fatal(err)
	}
	x.take()
	x.write(func(tx *store.Tx) error { _, err := tx.DeleteVideo(v.ID, x.now); return err })
	x.write(func(tx *store.Tx) error { return tx.DeleteChannel("carols") })
	x.write(func(tx *store.Tx) error { return tx.DeleteAccount("carol") })
	x.expect("Delete carol inst")
}

func TestActorsDescribeThemselves(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	x.follower(root, "acc")
	x.write(func(tx *store.Tx) error {
		return tx.UpdateChannel(store.NameChannel, func(c *store.Channel) error { c.DisplayName = "Renamed"; return nil })
	})
	update := x.expect("Update root_channel acc,inst")[0]
	if a, err := vocab.ParseActor(update.activity.Object.Raw); err != nil || a.Name != "Renamed" || a.ID != channel {
		t.Errorf("%s, %v", update.Body, err)
	}
}

// A change leaves the log with what it makes, or not at all.
func TestNothingIsLostWhereTheQueueFails(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	v := x.publish()
	x.update(v, func(v *store.Video) { v.Title = "New title" })
	x.fail(errors.New("the disk is full"), nil)
	for range 5 {
		if _, err := x.out.Step(t.Context()); err == nil {
			t.Fatal("no error")
		}
	}
	if len(x.shares()) != 0 {
		t.Error("shares without activities")
	}
	x.fail(nil, nil)
	x.out = x.outgoing() // a restart
	all := x.expect("Announce root_channel inst", "Announce peertube inst", "Update root inst")
	if all[0].ID != x.shares()[channel] {
		t.Errorf("%s is stored as %s", all[0].ID, x.shares()[channel])
	}
}

func TestWhatCannotBeSignedIsGivenUp(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	x.publish()
	x.fail(nil, errors.New("the key is odd"))
	failures := 0
	for range 5 {
		if _, err := x.out.Step(t.Context()); err != nil {
			failures++
		}
	}
	if failures != 2 {
		t.Errorf("failed %d times", failures)
	}
	x.fail(nil, nil)
	x.expect()
}

func TestServeIsWokenAndEnds(t *testing.T) {
	x := newSite(t)
	x.follower(base.Actor(), "inst")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.out.Serve(ctx) }()
	x.publish()
	for range 2 {
		select {
		case <-x.arrived:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing is told")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFollowerThatWasAwayCatchesUp(t *testing.T) {
	x := newSite(t)
	x.follower(channel, "chan")
	x.follower(base.Actor(), "other")
	x.publish()
	told := x.take()[0]
	inbox := "https://chan.example/inbox"
	x.out.OnResult(delivery.Result{ID: told.ID, Inbox: inbox, Failed: true, Status: 404})
	x.out.OnResult(delivery.Result{ID: told.ID, Inbox: inbox, Done: true})
	x.out.OnResult(delivery.Result{ID: told.ID, Inbox: inbox, Failed: true, Reason: "nobody answers"})
	if err := x.out.Keep(); err != nil {
		t.Fatal(err)
	}
	x.out = x.outgoing() // a restart
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.out.Serve(ctx) }()
	deadline := time.After(20 * time.Second)
	for len(x.arrived) > 0 {
		<-x.arrived
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
wait:
	for {
		x.out.OnResult(delivery.Result{Inbox: inbox, Done: true})
		select {
		case <-x.arrived:
			break wait
		case <-tick.C: // it may not have read yet who was away
		case <-deadline:
			t.Fatal("nothing is told")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if all := x.take(); len(all) != 1 || all[0].ID != told.ID || !slices.Equal(all[0].Inboxes, []string{inbox}) {
		t.Errorf("told %q", types(all))
	}
}

// TestEachInboxThatWasGivenUpWaitedForTheDisk checks that results are taken without a write, also while
// the database is busy, and that a write keeps them all.
func TestEachInboxThatWasGivenUpWaitedForTheDisk(t *testing.T) {
	x := newSite(t)
	const inboxes = 200
	// Within a write transaction another one would wait for ever.
	x.write(func(*store.Tx) error {
		for n := range inboxes {
			x.out.OnResult(delivery.Result{Inbox: fmt.Sprintf("https://%d.example/inbox", n), Failed: true})
		}
		return nil
	})
	if err := errors.Join(x.out.Keep(), x.out.Keep()); err != nil {
		t.Fatal(err)
	}
	kept := 0
	err := x.store.Read(func(tx *store.Tx) error {
		return tx.Bolt().Bucket([]byte("outgoingAway")).ForEach(func(_, _ []byte) error { kept++; return nil })
	})
	if err != nil || kept != inboxes {
		t.Errorf("%d are kept, %v", kept, err)
	}
}

func BenchmarkAnnounceToTenThousandFollowers(b *testing.B) {
	x := newSite(b)
	x.write(func(tx *store.Tx) error {
		for i := range 10_000 {
			host := fmt.Sprintf("h%04d.example", i%2000)
			actor := fmt.Sprintf("https://%s/accounts/u%d", host, i)
			err := tx.PutFollower(&store.Follow{
				ID: actor + "/1", Local: channel, Remote: actor, Host: host, State: store.FollowAccepted, Inbox: "https://" + host + "/inbox",
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	queue, err := delivery.New(x.store.DB(), delivery.Config{
		Post: func(context.Context, delivery.Attempt) (int, string, time.Duration, error) { return 204, "", 0, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	out := outgoing.New(outgoing.Config{Store: x.store, Queue: queue, Author: x.signer, Base: base})
	c, _ := x.store.Snapshot().Channel(store.NameChannel)
	for i := 0; b.Loop(); i++ {
		_, err := x.store.Publish("", store.Video{
			UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), ChannelID: c.ID, Title: "A video", Privacy: store.Public, Duration: 4,
			Thumbnail: "t.jpg", Preview: "p.jpg", Created: start(), Updated: start(), Published: start(),
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := out.Step(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(queue.Depth())/float64(b.N), "deliveries/op")
}
