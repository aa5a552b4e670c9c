// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

const us = "https://us.example"

// openFederated opens a store of an instance with a public URL, an account and a channel.
func openFederated(t testing.TB) *Store {
	t.Helper()
	return federated(t, t.TempDir())
}

func federated(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := open(dir, migrations(), testKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := errors.Join(s.SetSetting(SettingURL, us), s.EnsureRoot(now)); err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, s *Store, f func(*Tx) error) {
	t.Helper()
	if err := s.Write("testing", f); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, s *Store, f func(*Tx) error) {
	t.Helper()
	if err := s.Read(f); err != nil {
		t.Fatal(err)
	}
}

// remote is a video of a host, brought by the host's instance actor and its channel.
func remote(host string, n int) *RemoteVideo {
	base := "https://" + host
	uuid := fmt.Sprintf("4e1f2f28-1822-4544-bf7c-%06d%06d", len(host), n)
	return &RemoteVideo{
		ID: base + "/videos/watch/" + uuid, UUID: uuid, Host: host, Account: base + "/accounts/a", Channel: base + "/video-channels/c",
		Title: fmt.Sprintf("Video %d", n), Privacy: Public, Published: now.Add(time.Duration(n) * time.Hour), Tags: []string{"Tag"},
		Files:   []RemoteFile{{Resolution: 480, URL: base + "/480.mp4"}, {Resolution: 240, URL: base + "/240.mp4"}},
		Sources: []string{base + "/accounts/peertube", base + "/video-channels/c"},
	}
}

func putActors(tx *Tx, host string) error {
	for kind, path := range map[string]string{"Application": "/accounts/peertube", "Person": "/accounts/a", "Group": "/video-channels/c"} {
		a := &Actor{ID: "https://" + host + path, Type: kind, Host: host, Username: path[strings.LastIndexByte(path, '/')+1:], Inbox: "https://" + host + path + "/inbox"}
		if err := tx.PutActor(a); err != nil {
			return err
		}
	}
	return nil
}

func follow(host string, state FollowState) *Follow {
	return &Follow{ID: "f", Local: us + "/accounts/peertube", Remote: "https://" + host + "/accounts/peertube", Host: host, State: state}
}

// TestVersionOneMigrates opens a database as the first version wrote it.
func TestVersionOneMigrates(t *testing.T) {
	dir := t.TempDir()
	db, err := bolt.Open(dir+"/"+FileName, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(db, dir, []migration{create}); err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, r := range []struct{ bucket, key, value string }{
			{"settings", SettingURL, us},
			{"accounts", keyText(1), `{"id":1,"name":"root","displayName":"root","created":"2026-11-22T15:25:47.388Z","updated":"2026-11-22T15:25:47.388Z"}`},
			{"channels", keyText(1), `{"id":1,"accountId":1,"name":"root_channel","displayName":"Main","created":"2026-11-22T15:25:47.388Z","updated":"2026-11-22T15:25:47.388Z"}`},
			{"videos", keyText(1), `{"id":1,"uuid":"4e1f2f28-1822-4544-bf7c-52e111041379","channelId":1,"title":"Old","privacy":1,"state":1,"published":"2026-11-22T15:25:47.388Z",
				"files":[{"id":1,"name":"a.mp4","infohash":"0100000000000000000000000000000000000000","file":"a.torrent"}]}`},
		} {
			b := tx.Bucket([]byte(r.bucket))
			if err := errors.Join(b.Put([]byte(r.key), []byte(r.value)), b.SetSequence(1)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}

	s := openTest(t, dir)
	snap := s.Snapshot()
	v, ok := snap.VideoByUUID("4e1f2f28-1822-4544-bf7c-52e111041379")
	if !ok || v.Title != "Old" || v.CommentsPolicy() != CommentsEnabled {
		t.Errorf("the video is %+v", v)
	}
	keys := map[string]string{}
	for _, name := range []string{NameInstance, NameRoot, NameChannel} {
		if k, ok := snap.Key(name); !ok || k.N.BitLen() != keyBits || !strings.HasPrefix(snap.PublicPEM(name), "-----BEGIN PUBLIC KEY-----\n") {
			t.Errorf("%s has no key", name)
		}
		keys[name] = snap.PublicPEM(name)
	}
	page, total, err := s.List(t.Context(), ListQuery{Channel: us + "/video-channels/root_channel", Count: 1})
	if err != nil || total != 1 || page[0].Local.Title != "Old" {
		t.Errorf("listed %v of %d, %v", page, total, err)
	}
	if touched, err := s.TouchedAfter(0, 10); err != nil || len(touched) != 1 || touched[0].Title != "Old" {
		t.Errorf("for the search index: %+v, %v", touched, err)
	}
	identity, err := s.Identity()
	if err != nil || len(identity) != 32 {
		t.Errorf("identity %q, %v", identity, err)
	}
	r := remote("far.example", 1)
	write(t, s, func(tx *Tx) error { return tx.PutRemoteVideo(r) })
	if r.Number != 2 || r.Files[0].Number == r.Files[1].Number {
		t.Errorf("the remote video has number %d, files %+v", r.Number, r.Files)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	again, _ := s.Identity()
	for name, pem := range keys {
		if s.Snapshot().PublicPEM(name) != pem || again != identity {
			t.Errorf("%s has another key after a restart, or the database another identity", name)
		}
	}
}

func TestActors(t *testing.T) {
	s := openFederated(t)
	write(t, s, func(tx *Tx) error { return putActors(tx, "far.example") })
	read(t, s, func(tx *Tx) error {
		a, ok, err := tx.ActorByHandle("PeerTube", "FAR.example")
		if err != nil || !ok || a.ID != "https://far.example/accounts/peertube" {
			t.Errorf("by handle: %+v, %v", a, err)
		}
		b, ok, err := tx.ActorByNumber(a.Number)
		if err != nil || !ok || b.ID != a.ID {
			t.Errorf("by number: %+v, %v", b, err)
		}
		return nil
	})
	var moved Actor
	write(t, s, func(tx *Tx) error {
		moved = Actor{ID: "https://far.example/new/peertube", Type: "Application", Host: "far.example", Username: "peertube"}
		return tx.PutActor(&moved) // the same handle
	})
	account, err := s.AddAccount(Account{Name: "later"}, now)
	if err != nil || account.ID <= moved.Number {
		t.Errorf("account %d, remote actor %d, %v", account.ID, moved.Number, err)
	}
	write(t, s, func(tx *Tx) error { return tx.DeleteActor("https://far.example/accounts/peertube") })
	read(t, s, func(tx *Tx) error {
		if a, ok, _ := tx.ActorByHandle("peertube", "far.example"); !ok || a.ID != moved.ID {
			t.Errorf("the handle leads to %+v", a)
		}
		return nil
	})
	for _, id := range []string{"", "a\x00b", strings.Repeat("a", maxID+1)} {
		if err := s.Write("testing", func(tx *Tx) error { return tx.PutActor(&Actor{ID: id}) }); err == nil {
			t.Errorf("an actor with the id %.20q was stored", id)
		}
	}
}

func titles(t testing.TB, s *Store, q ListQuery) string {
	t.Helper()
	if q.Count == 0 {
		q.Count = -1
	}
	page, total, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{fmt.Sprint(total)}
	for _, l := range page {
		if l.Local != nil {
			all = append(all, l.Local.Title)
		} else {
			all = append(all, l.Remote.Host+" "+l.Remote.Title)
		}
	}
	return strings.Join(all, ", ")
}

// TestListedIsWhatFollowedActorsBring checks that follows, blocks and sources decide at once.
func TestListedIsWhatFollowedActorsBring(t *testing.T) {
	dir := t.TempDir()
	s := federated(t, dir)
	if _, err := s.Publish("", sample(s)); err != nil {
		t.Fatal(err)
	}
	write(t, s, func(tx *Tx) error {
		for _, host := range []string{"a.example", "b.example"} {
			if err := errors.Join(putActors(tx, host), tx.PutRemoteVideo(remote(host, 1)), tx.PutRemoteVideo(remote(host, 2))); err != nil {
				return err
			}
		}
		v := remote("b.example", 2)
		v.Privacy, v.Sources = Unlisted, nil
		return tx.PutRemoteVideo(v)
	})
	all := ListQuery{Sort: "publishedAt"}
	expect := func(what, want string) {
		t.Helper()
		if got := titles(t, s, all); got != want {
			t.Errorf("%s: listed %q, want %q", what, got, want)
		}
	}
	expect("nobody is followed", "1, Sample")
	write(t, s, func(tx *Tx) error { return tx.PutFollowing(follow("a.example", FollowPending)) })
	expect("a follow is pending", "1, Sample")
	write(t, s, func(tx *Tx) error { return tx.PutFollowing(follow("a.example", FollowAccepted)) })
	expect("a follow is accepted", "3, Sample, a.example Video 1, a.example Video 2")
	write(t, s, func(tx *Tx) error {
		f := follow("b.example", FollowAccepted)
		f.Remote = "https://b.example/video-channels/c"
		return tx.PutFollowing(f)
	})
	expect("a channel is followed, one of its videos is unlisted", "4, Sample, a.example Video 1, b.example Video 1, a.example Video 2")
	write(t, s, func(tx *Tx) error {
		return tx.RemoveSource(remote("b.example", 1).ID, "https://b.example/video-channels/c")
	})
	expect("the source is gone", "3, Sample, a.example Video 1, a.example Video 2")
	write(t, s, func(tx *Tx) error {
		return tx.AddSource(remote("b.example", 1).ID, "https://a.example/accounts/peertube")
	})
	expect("a followed instance announced another's video", "4, Sample, a.example Video 1, b.example Video 1, a.example Video 2")
	write(t, s, func(tx *Tx) error { return tx.PutBlock(Block{Host: "B.example", Since: now}) })
	expect("its host is blocked", "3, Sample, a.example Video 1, a.example Video 2")
	if got := titles(t, s, ListQuery{Sort: "publishedAt", Unlisted: true, Origin: "remote"}); got != "2, a.example Video 1, a.example Video 2" {
		t.Errorf("known: %s", got)
	}
	write(t, s, func(tx *Tx) error { return tx.DeleteBlock("b.example", "") })
	write(t, s, func(tx *Tx) error {
		return tx.DeleteFollowing(us+"/accounts/peertube", "https://a.example/accounts/peertube")
	})
	expect("unfollowed", "1, Sample")
	if got := titles(t, s, ListQuery{Sort: "publishedAt", Unlisted: true}); got != "5, Sample, a.example Video 1, b.example Video 1, a.example Video 2, b.example Video 2" {
		t.Errorf("known: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	if got := titles(t, s, ListQuery{Sort: "publishedAt", Unlisted: true, Tags: []string{"TAG"}}); got != "4, a.example Video 1, b.example Video 1, a.example Video 2, b.example Video 2" {
		t.Errorf("after a restart: %s", got)
	}
}

func TestFollowerInboxes(t *testing.T) {
	s := openFederated(t)
	channel := us + "/video-channels/root_channel"
	write(t, s, func(tx *Tx) error {
		for i, host := range []string{"a.example", "b.example", "c.example"} {
			for _, local := range []string{us + "/accounts/peertube", channel} {
				f := follow(host, FollowAccepted)
				f.Local, f.Inbox = local, "https://"+host+"/inbox"
				if i == 1 && local == channel {
					f.State = FollowPending
				}
				if err := tx.PutFollower(f); err != nil {
					return err
				}
			}
		}
		return tx.PutBlock(Block{Host: "c.example"})
	})
	write(t, s, func(tx *Tx) error {
		for want, locals := range map[string][]string{
			"https://a.example/inbox https://b.example/inbox": nil,
			"https://a.example/inbox":                         {channel},
		} {
			got, err := tx.FollowerInboxes(locals...)
			if strings.Join(got, " ") != want || err != nil {
				t.Errorf("%v: %v, %v", locals, got, err)
			}
		}
		return tx.DeleteActor("https://a.example/accounts/peertube")
	})
	read(t, s, func(tx *Tx) error {
		if got, err := tx.FollowerInboxes(); len(got) != 1 || err != nil {
			t.Errorf("after a follower is deleted: %v, %v", got, err)
		}
		return nil
	})
}

func TestBlocksCoverPortsAndSubdomains(t *testing.T) {
	s := openFederated(t)
	write(t, s, func(tx *Tx) error {
		for _, b := range []Block{{Host: "Bad.example "}, {Host: "127.0.0.1:9001"}, {Host: "worse.example", List: "https://l.example/l"}, {Host: "worse.example", List: "https://m.example/l"}} {
			if err := tx.PutBlock(b); err != nil {
				return err
			}
		}
		for _, host := range []string{"", "a b", "https://x.example", "a@b"} {
			if err := tx.PutBlock(Block{Host: host}); !errors.Is(err, ErrHost) {
				t.Errorf("blocked %q: %v", host, err)
			}
		}
		return errors.Join(tx.PutSubscription(Subscription{URL: "https://l.example/l", Hosts: 1}), tx.PutBlacklist("Shy.example"))
	})
	for host, want := range map[string]bool{
		"bad.example": true, "BAD.example.": true, "bad.example:8443": true, "a.b.bad.example": true, "a.bad.example:1": true,
		"notbad.example": false, "example": false, "127.0.0.1:9001": true, "127.0.0.1:9002": false, "127.0.0.1": false, "worse.example": true, "": false,
	} {
		if s.Blocked(host) != want {
			t.Errorf("%q is blocked: %v", host, !want)
		}
	}
	if !s.Blacklisted("shy.example") || s.Blacklisted("bad.example") {
		t.Error("the blacklist is wrong")
	}
	write(t, s, func(tx *Tx) error {
		hosts, err := tx.BlocksBy("https://l.example/l")
		if len(hosts) != 1 || hosts[0] != "worse.example" || !tx.HasSubscription("https://l.example/l") || tx.HasSubscription("https://m.example/l") {
			t.Errorf("a list blocks %v", hosts)
		}
		return errors.Join(err, tx.DeleteBlock("worse.example", "https://l.example/l"), tx.DeleteSubscription("https://l.example/l"))
	})
	if !s.Blocked("worse.example") {
		t.Error("another list's block went with the subscription")
	}
	write(t, s, func(tx *Tx) error {
		return errors.Join(tx.DeleteBlock("worse.example", "https://m.example/l"), tx.SetPolicy(Policy{FollowBack: true, Followers: FollowersReject}), tx.DeleteBlacklist("shy.example"))
	})
	if s.Blocked("worse.example") || s.Blacklisted("shy.example") || s.Policy() != (Policy{true, FollowersReject}) {
		t.Error("the rules did not follow")
	}
	if err := s.Write("testing", func(tx *Tx) error { return tx.SetPolicy(Policy{Followers: "maybe"}) }); err == nil {
		t.Error("an unknown policy was stored")
	}
}

// kinds writes the change log as text and empties it.
func kinds(t testing.TB, s *Store) string {
	t.Helper()
	var all []string
	write(t, s, func(tx *Tx) error {
		changes, err := tx.Changes(1000)
		if err != nil {
			return err
		}
		for _, c := range changes {
			all = append(all, string(c.Kind)+" "+strings.TrimPrefix(c.Subject, us)+" "+strings.TrimPrefix(c.Actor, us))
			if ok, err := tx.DeleteChange(c.Seq); !ok || err != nil {
				t.Errorf("deleting change %d: %v, %v", c.Seq, ok, err)
			}
		}
		return nil
	})
	return strings.Join(all, "; ")
}

// TestEveryLocalChangeIsLogged checks what goes to the change log and that the rest does not.
func TestEveryLocalChangeIsLogged(t *testing.T) {
	s := openFederated(t)
	const root, video = us + "/accounts/root", "/videos/watch/4e1f2f28-1822-4544-bf7c-52e111041379"
	expect := func(what, want string) {
		t.Helper()
		if got := kinds(t, s); got != want {
			t.Errorf("%s: logged %q, want %q", what, got, want)
		}
	}
	expect("a new store", "")
	v, err := s.Publish("", sample(s))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Changed():
	default:
		t.Error("nobody was woken")
	}
	expect("publishing", "videoPublished "+video+" /accounts/root")
	update := func(f func(*Video)) {
		t.Helper()
		if err := s.Update(v.ID, func(v *Video) error { f(v); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	update(func(v *Video) { v.Files[0].ModTime = now.Add(time.Hour) })
	expect("a file's time", "")
	update(func(v *Video) { v.Description = "new" })
	expect("a description", "videoUpdated "+video+" /accounts/root")
	if err := s.Rename(v.ID, "Renamed", []Torrent{{Hash{9}, "n.torrent"}}, now); err != nil {
		t.Fatal(err)
	}
	expect("a new title", "videoUpdated "+video+" /accounts/root")
	update(func(v *Video) { v.Privacy = Private })
	expect("closing", "videoDeleted "+video+" /accounts/root")
	update(func(v *Video) { v.Title = "secret" })
	expect("changing a private video", "")
	update(func(v *Video) { v.Privacy = Public })
	expect("opening", "videoPublished "+video+" /accounts/root")
	if err := s.AddViews(map[uint64]int64{v.ID: 3, 99: 1}); err != nil {
		t.Fatal(err)
	}
	expect("views", "videoWatched "+video+" /accounts/root")
	write(t, s, func(tx *Tx) error { return tx.AddReceivedViews(us+video, 4) })
	expect("views that others told of", "videoWatched "+video+" /accounts/root")
	if got, _ := s.Snapshot().Video(v.ID); got.Views != 7 {
		t.Errorf("%d views", got.Views)
	}
	far := remote("far.example", 1)
	write(t, s, func(tx *Tx) error {
		for _, actor := range []string{"https://far.example/accounts/a", root} {
			if _, err := tx.SetRate(us+video, actor, 1, "l"); err != nil {
				return err
			}
		}
		_, err := tx.SetRate(us+video, root, 1, "l")
		return errors.Join(err, tx.PutRemoteVideo(far))
	})
	expect("rates of a local video", "videoRefresh "+video+" /accounts/root")
	write(t, s, func(tx *Tx) error {
		_, a := tx.SetRate(far.ID, root, 1, "l")
		_, b := tx.SetRate(far.ID, root, -1, "d")
		_, c := tx.DeleteRate(far.ID, root)
		_, d := tx.SetRate(far.ID, "https://far.example/accounts/b", 1, "x")
		return errors.Join(a, b, c, d)
	})
	one := "rated " + far.ID + " /accounts/root"
	expect("rates of a remote video", strings.Join([]string{one, one, one}, "; "))
	c := Comment{ID: us + video + "/comments/1", Video: far.ID, InReplyTo: far.ID, Author: root, Text: "hi", Local: true, Created: now, Updated: now}
	write(t, s, func(tx *Tx) error {
		other := Comment{ID: "https://far.example/c/1", Video: us + video, InReplyTo: us + video, Author: "https://far.example/accounts/a"}
		err := errors.Join(tx.PutComment(&c), tx.PutComment(&other))
		c.Text = "changed"
		return errors.Join(err, tx.PutComment(&c), tx.DeleteComment(c.ID), tx.DeleteComment(c.ID), tx.DeleteComment(other.ID))
	})
	at := " " + video + "/comments/1 /accounts/root"
	expect("comments", "commentAdded"+at+"; commentUpdated"+at+"; commentDeleted"+at)
	write(t, s, func(tx *Tx) error {
		change := func(c *Channel) error { c.Description = "new"; return nil }
		return errors.Join(tx.UpdateChannel(NameChannel, change), tx.UpdateChannel(NameChannel, change))
	})
	expect("a channel", "actorUpdated /video-channels/root_channel /video-channels/root_channel")
	write(t, s, func(tx *Tx) error {
		gone, err := tx.DeleteVideo(v.ID, now)
		if err != nil || gone.Title != "secret" || len(gone.Files) != 1 {
			t.Errorf("deleted %+v, %v", gone, err)
		}
		return err
	})
	expect("deleting", "videoDeleted "+video+" /accounts/root")
	read(t, s, func(tx *Tx) error {
		if !tx.Gone(us+video) || !tx.GoneAt(us+video).Equal(now) {
			t.Error("no tombstone")
		}
		return nil
	})
	if _, ok := s.Snapshot().Video(v.ID); ok {
		t.Error("the video is still there")
	}
}

// TestAChangeDuringWorkIsNotLost checks that a refresh that coalesces while somebody works on the one
// before stays in the log.
func TestAChangeDuringWorkIsNotLost(t *testing.T) {
	s := openFederated(t)
	refresh := func(tx *Tx) error { return tx.AddChange(Change{Kind: VideoRefresh, Subject: "v"}) }
	write(t, s, refresh)
	var seq uint64
	read(t, s, func(tx *Tx) error {
		all, err := tx.Changes(10)
		seq = all[0].Seq
		return err
	})
	write(t, s, refresh)
	write(t, s, func(tx *Tx) error {
		if there, err := tx.DeleteChange(seq); there || err != nil {
			t.Errorf("the change that was worked on is there still: %v, %v", there, err)
		}
		all, err := tx.Changes(10)
		if len(all) != 1 {
			t.Errorf("%d changes wait", len(all))
		}
		return err
	})
}

// inboxOf lists the inbox.
func inboxOf(t testing.TB, tx *Tx) []*InboxItem {
	t.Helper()
	var all []*InboxItem
	err := tx.EachInbox(func(it *InboxItem) (bool, error) {
		all = append(all, it)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestInboxKeepsItsOrder(t *testing.T) {
	s := openFederated(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			err := s.Batch("receiving", func(tx *Tx) error {
				if i%10 == 9 {
					return errors.New("refused")
				}
				return tx.PutInbox(&InboxItem{Received: now, Host: fmt.Sprintf("h%d.example", i%2), ActivityID: fmt.Sprint(i), Body: []byte(fmt.Sprint("body ", i))})
			})
			if (err != nil) != (i%10 == 9) {
				t.Errorf("item %d: %v", i, err)
			}
		})
	}
	all.Wait()
	var last uint64
	write(t, s, func(tx *Tx) error {
		all := inboxOf(t, tx)
		if len(all) != 36 {
			t.Fatalf("%d items wait", len(all))
		}
		for _, it := range all {
			if it.Seq <= last || string(tx.InboxBody(it.Seq)) != "body "+it.ActivityID || !it.Due.Equal(now) {
				t.Errorf("got %+v after %d", it, last)
			}
			last = it.Seq
		}
		first := all[0]
		first.Due, first.Attempts, first.Error = now.Add(time.Hour), 1, "unreachable"
		if err := tx.PutInboxAgain(first); err != nil {
			return err
		}
		if again := inboxOf(t, tx); again[0].Seq != first.Seq || again[0].Error != first.Error || !again[0].Due.Equal(first.Due) {
			t.Errorf("after an attempt: %+v", again[0])
		}
		for _, it := range all {
			if err := errors.Join(tx.DeleteInbox(it.Seq), tx.DeleteInbox(it.Seq)); err != nil {
				return err
			}
		}
		if left := inboxOf(t, tx); len(left) != 0 || tx.InboxBody(last) != nil {
			t.Errorf("left: %+v", left)
		}
		return nil
	})
	if err := s.Write("testing", func(tx *Tx) error { return tx.PutInboxAgain(&InboxItem{Seq: last}) }); !errors.Is(err, ErrNotFound) {
		t.Errorf("an item that is gone came back: %v", err)
	}
}

func TestMemoriesAreBounded(t *testing.T) {
	s := openFederated(t)
	write(t, s, func(tx *Tx) error {
		for i := range maxRefused + 50 {
			if err := tx.AddRefused(Refused{At: now, Reason: fmt.Sprint(i), Body: make([]byte, 2*maxRefusedBody)}); err != nil {
				return err
			}
		}
		for i := range 100 {
			if err := errors.Join(tx.MarkSeen(fmt.Sprint("old", i), now), tx.MarkSeen(fmt.Sprint("old", i), now)); err != nil {
				return err
			}
		}
		for i := range 20 {
			if err := tx.MarkSeen(fmt.Sprint("new", i), now.Add(seenFor)); err != nil {
				return err
			}
		}
		return nil
	})
	read(t, s, func(tx *Tx) error {
		all, err := tx.Refusals(5)
		if err != nil || len(all) != 5 || all[0].Reason != fmt.Sprint(maxRefused+49) || len(all[0].Body) != maxRefusedBody {
			t.Errorf("refusals: %v", err)
		}
		if all, _ := tx.Refusals(10_000); len(all) != maxRefused {
			t.Errorf("%d refusals are kept", len(all))
		}
		if !tx.Seen("new19") || tx.Seen("old0") || tx.Seen("old99") || tx.number(keySeenDepth) != 20 {
			t.Errorf("%d are remembered", tx.number(keySeenDepth))
		}
		return nil
	})
}

func TestThreads(t *testing.T) {
	s := openFederated(t)
	const video = "https://far.example/v"
	comment := func(id, to, author string) *Comment {
		return &Comment{ID: id, Video: video, InReplyTo: to, Author: author, Text: "text of " + id, Created: now}
	}
	ids := func(all []*Comment) string {
		var out []string
		for _, c := range all {
			out = append(out, c.ID)
		}
		return strings.Join(out, " ")
	}
	write(t, s, func(tx *Tx) error {
		return errors.Join(
			tx.PutComment(comment("a", video, "https://x.example/1")), tx.PutComment(comment("b", "a", "https://y.example/1")),
			tx.PutComment(comment("c", "b", "https://x.example/1")), tx.PutComment(comment("d", video, "https://bad.example/1")),
			tx.PutBlock(Block{Host: "bad.example"}),
		)
	})
	check := func(what, comments, stand string, count int) {
		t.Helper()
		read(t, s, func(tx *Tx) error {
			cs, total, err1 := tx.CommentsOf(video, 0, 2)
			lines, err2 := tx.CommentLines(video)
			var places []string
			for _, l := range lines {
				c, _, err := tx.CommentByNumber(l.Number)
				if err != nil {
					return err
				}
				places = append(places, l.Thread+"/"+c.ID)
			}
			n, err3 := tx.Counts(video)
			if got := fmt.Sprint(total, " ", ids(cs)); got != comments || strings.Join(places, " ") != stand || n.Comments != count {
				t.Errorf("%s: comments %q, standing %q, count %d", what, got, places, n.Comments)
			}
			return errors.Join(err1, err2, err3)
		})
	}
	check("all", "3 a b", "a/a a/b a/c d/d", 4)
	write(t, s, func(tx *Tx) error { return tx.DeleteComment("b") })
	check("a gap", "2 a c", "a/a a/b a/c d/d", 3)
	read(t, s, func(tx *Tx) error {
		b, ok, err := tx.Comment("b")
		if !ok || b.Text != "" || b.Deleted.IsZero() {
			t.Errorf("the gap is %+v", b)
		}
		return err
	})
	write(t, s, func(tx *Tx) error { return tx.DeleteComment("c") })
	check("a gap with nothing below it goes too", "1 a", "a/a d/d", 2)
	write(t, s, func(tx *Tx) error { return tx.PutRemoteVideo(&RemoteVideo{ID: video, UUID: "u"}) })
	write(t, s, func(tx *Tx) error { return tx.DeleteRemoteVideo(video, now) })
	check("the video is deleted", "0 ", "", 0)
}

// TestRemoteVideoSurvives checks that a record comes back as it was, and its files keep their
// numbers.
func TestRemoteVideoSurvives(t *testing.T) {
	s := openFederated(t)
	first := now.Add(-time.Hour)
	v := remote("far.example", 1)
	v.Description, v.OriginallyPublished, v.Category = strings.Repeat("Ünïcode <b> & \x00 ", 500), &first, Term{"2", "Films"}
	v.Playlists = []RemotePlaylist{{MasterURL: "https://far.example/m", Infohashes: []string{"aa"}, Files: []RemoteFile{{URL: "https://far.example/hls"}}}}
	write(t, s, func(tx *Tx) error { return tx.PutRemoteVideo(v) })
	var got *RemoteVideo
	read(t, s, func(tx *Tx) (err error) {
		got, _, err = tx.RemoteVideoByUUID(v.UUID)
		return err
	})
	want, _ := json.Marshal(v)
	if have, _ := json.Marshal(got); !reflect.DeepEqual(have, want) {
		t.Errorf("got %s\nwant %s", have, want)
	}
	again := remote("far.example", 1)
	again.Playlists = v.Playlists
	again.Files = slices.Clone(again.Files)
	slices.Reverse(again.Files)
	again.Sources = []string{"https://other.example/accounts/peertube"}
	write(t, s, func(tx *Tx) error { return tx.PutRemoteVideo(again) })
	if again.Number != v.Number || again.Files[0].Number != v.Files[1].Number || again.Files[1].Number != v.Files[0].Number ||
		again.Playlists[0].Number != v.Playlists[0].Number || len(again.Sources) != 3 {
		t.Errorf("after an update: %+v", again)
	}
	if err := s.Write("testing", func(tx *Tx) error { return tx.UpdateRemoteVideo("https://far.example/none", nil) }); !errors.Is(err, ErrNotFound) {
		t.Errorf("updating nothing: %v", err)
	}
}
