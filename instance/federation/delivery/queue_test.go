// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

func TestDelivers(t *testing.T) {
	w := &world{}
	var r results
	q := newQueue(t, tempDB(t), Config{Post: w.post, OnResult: r.add})
	enqueue(t, q, note("1", "https://a.example/inbox", "https://b.example:8443/inbox", "https://a.example/inbox", "http://127.0.0.1:9001/inbox"),
		note("2", "https://a.example/users/x/inbox"), note("3"))
	if q.Depth() != 4 {
		t.Errorf("depth %d", q.Depth())
	}
	hosts, err := q.Hosts()
	if err != nil || len(hosts) != 3 || hosts[1].Host != "a.example" || hosts[1].Depth != 2 || hosts[2].Host != "b.example:8443" || hosts[0].Host != "127.0.0.1:9001" {
		t.Errorf("%+v, %v", hosts, err)
	}
	serve(t, q)
	waitFor(t, "all delivered", drained(q))
	checkEmpty(t, q)
	if n := len(w.all()); n != 4 {
		t.Errorf("%d attempts", n)
	}
	for _, s := range w.all() {
		if string(s.Body) != "body of "+s.ID || s.Actor != "https://own.example/a" || s.Tries != 0 {
			t.Errorf("%+v", s.Attempt)
		}
	}
	if got := r.get(); len(got) != 4 || !got["1 https://b.example:8443/inbox"].Done {
		t.Errorf("results: %+v", got)
	}
	// The workers sleep by now; a later message wakes them.
	enqueue(t, q, note("4", "https://a.example/inbox"))
	waitFor(t, "the later one", drained(q))
	if got := w.got("https://a.example/inbox"); !slices.Equal(got, []string{"1", "4"}) {
		t.Error(got)
	}
}

func TestHosts(t *testing.T) {
	for inbox, want := range map[string]string{
		"https://A.example:443/inbox": "a.example", "http://a.example:80/": "a.example", "http://a.example:443": "a.example:443",
		"https://[2001:db8::1]:8443/i": "[2001:db8::1]:8443", "ftp://a.example/": "", "": "", "https:///inbox": "", "https://%zz/": "", "/inbox": "",
		"https://" + strings.Repeat("a", 400) + "/inbox": "",
	} {
		if got, ok := hostOf(inbox); got != want || ok != (want != "") {
			t.Errorf("%s: %q", inbox, got)
		}
	}
}

func TestRefusedMessages(t *testing.T) {
	q := newQueue(t, tempDB(t), Config{Post: (&world{}).post})
	for _, m := range []Message{
		{ID: "", Body: []byte("x")}, {ID: "x"}, {ID: "x", Body: make([]byte, MaxBody+1)}, {ID: strings.Repeat("x", maxText+1), Body: []byte("x")},
	} {
		m.Inboxes = []string{"https://a.example/inbox"}
		if err := q.db.Update(func(tx *bolt.Tx) error { return q.Enqueue(tx, m) }); err == nil {
			t.Errorf("queued: id %.10q, %d bytes", m.ID, len(m.Body))
		}
	}
	// A bad inbox keeps nobody else from the message, and is on record.
	enqueue(t, q, note("1", "https://a.example/inbox", "ftp://b.example/inbox", "nonsense"))
	fs, err := q.Failures(0)
	if err != nil || len(fs) != 2 || fs[0].Inbox != "nonsense" || !strings.Contains(fs[0].Reason, "no web address") {
		t.Errorf("%+v, %v", fs, err)
	}
	if q.Depth() != 1 {
		t.Error(q.Depth())
	}
	if _, err := New(q.db, Config{}); err == nil {
		t.Error("a queue without Post")
	}
}

func TestRollbackQueuesNothing(t *testing.T) {
	q := newQueue(t, tempDB(t), Config{Post: (&world{}).post})
	no := errors.New("no")
	err := q.db.Update(func(tx *bolt.Tx) error {
		if err := q.Enqueue(tx, note("1", "https://a.example/inbox")); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) || q.Depth() != 0 {
		t.Errorf("%v, depth %d", err, q.Depth())
	}
	checkEmpty(t, q)
}

// Every answer that is final, and every one that is not.

func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		final := map[int]bool{200: true, 202: true, 204: true, 400: true, 401: true, 403: true, 404: true, 405: true, 410: true, 413: true, 422: true}
		statuses := []int{200, 202, 204, 301, 308, 400, 401, 403, 404, 405, 408, 410, 413, 422, 425, 429, 500, 501, 502, 503, 504}
		var gone []string
		var r results
		w := &world{}
		w.say = func(a Attempt) answer {
			var status int
			fmt.Sscanf(a.Inbox, "https://s%d.", &status)
			if a.Tries > 0 {
				return answer{status: 202}
			}
			return answer{status: status, reason: "because\x00 of\nit"}
		}
		q := newQueue(t, tempDB(t), Config{Post: w.post, OnResult: r.add, OnGone: func(res Result) { gone = append(gone, res.Inbox) }})
		for _, s := range statuses {
			enqueue(t, q, note("1", fmt.Sprintf("https://s%d.example/inbox", s)))
		}
		stop := serve(t, q)
		time.Sleep(time.Hour)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		tries := map[string]int{}
		for _, s := range w.all() {
			tries[s.Inbox]++
		}
		failures, err := q.Failures(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statuses {
			inbox := fmt.Sprintf("https://s%d.example/inbox", s)
			want := 2
			if final[s] {
				want = 1
			}
			if tries[inbox] != want {
				t.Errorf("%d was tried %d times", s, tries[inbox])
			}
			res := r.get()["1 "+inbox]
			failed := final[s] && s >= 400
			if res.Failed != failed || res.Done == failed {
				t.Errorf("%d: %+v", s, res)
			}
			if failed && res.Reason != fmt.Sprintf("their server answered %d: because of it", s) {
				t.Errorf("reason %q", res.Reason)
			}
			if failed != slices.ContainsFunc(failures, func(f Failure) bool {
				return f.Inbox == inbox && f.Status == s && f.Reason == res.Reason && f.ID == "1"
			}) {
				t.Errorf("%d among the failures: %v", s, !failed)
			}
		}
		if !slices.Equal(gone, []string{"https://s410.example/inbox"}) {
			t.Error(gone)
		}
	})
}

func TestPermanentErrors(t *testing.T) {
	w := &world{say: func(a Attempt) answer {
		if a.ID == "bad" {
			return answer{err: fmt.Errorf("the actor has no key: %w", ErrPermanent)}
		}
		return answer{status: 202}
	}}
	q := newQueue(t, tempDB(t), Config{Post: w.post, MaxFailures: 3})
	for i := range 5 {
		enqueue(t, q, note("bad", fmt.Sprintf("https://a.example/inbox/%d", i)), note("good", fmt.Sprintf("https://a.example/inbox/%d", i)))
	}
	serve(t, q)
	waitFor(t, "all delivered", drained(q))
	checkEmpty(t, q)
	fs, err := q.Failures(0)
	if err != nil || len(fs) != 3 || fs[0].Inbox != "https://a.example/inbox/4" || fs[2].Inbox != "https://a.example/inbox/2" {
		t.Errorf("%+v, %v", fs, err)
	}
	if one, err := q.Failures(1); err != nil || len(one) != 1 || one[0] != fs[0] {
		t.Errorf("%+v, %v", one, err)
	}
}

// A workstation that was off over the weekend still tries what waited.

// An activity that a server cannot take (500) does not keep the next ones from it.

// Hosts that work, but slowly, do not stand in line behind those that do not answer at all.

// What waits is on disk: in memory there is little more than the names of the hosts.

func TestMemory(t *testing.T) {
	const hosts, messages = 2000, 100
	inUse := func() int64 {
		runtime.GC()
		runtime.GC() // pools live through one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	db := tempDB(t)
	q := newQueue(t, db, Config{Post: (&world{}).post})
	m := note("1")
	m.Body = make([]byte, 16<<10)
	for i := range hosts {
		m.Inboxes = append(m.Inboxes, fmt.Sprintf("https://h%d.example/inbox", i))
	}
	before := inUse()
	for i := range messages {
		m.ID = fmt.Sprint(i)
		enqueue(t, q, m)
	}
	grown := inUse() - before
	if q.Depth() != hosts*messages {
		t.Errorf("depth %d", q.Depth())
	}
	if grown > 1000*hosts {
		t.Errorf("%d bytes for each host", grown/hosts)
	}
	t.Logf("%d bytes for each host", grown/hosts)
	runtime.KeepAlive(q)
}

// What replaces a message that is on its way goes out after it.

// What is dropped while it is sent does not come back, whatever the answer.

func TestOneInboxOfAHostFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(a Attempt) answer {
			if strings.HasSuffix(a.Inbox, "/2") && a.Tries < 2 {
				return answer{status: 500}
			}
			return answer{status: 202}
		}}
		q := newQueue(t, tempDB(t), Config{Post: w.post})
		first := note("1", "https://a.example/1", "https://a.example/2", "https://a.example/3")
		first.Order = "o"
		second := note("2", "https://a.example/1")
		second.Order = "o"
		enqueue(t, q, first, second)
		stop := serve(t, q)
		time.Sleep(time.Hour)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		if n := len(w.all()); n != 6 {
			t.Errorf("%d attempts", n)
		}
		if got := w.got("https://a.example/1"); !slices.Equal(got, []string{"1", "2"}) {
			t.Error(got)
		}
	})
}

// Ten thousand inboxes of one host do not keep a worker for as long as they take.

func TestManyInboxesOfOneHost(t *testing.T) {
	w := &world{}
	q := newQueue(t, tempDB(t), Config{Post: w.post, MaxHosts: 1})
	m := note("1")
	for i := range 1000 {
		m.Inboxes = append(m.Inboxes, fmt.Sprintf("https://a.example/%d/inbox", i))
	}
	enqueue(t, q, m, note("2", "https://b.example/inbox"))
	serve(t, q)
	waitFor(t, "all delivered", drained(q))
	checkEmpty(t, q)
	all := w.all()
	if len(all) != 1001 {
		t.Errorf("%d attempts", len(all))
	}
	if i := slices.IndexFunc(all, func(s seen) bool { return s.ID == "2" }); i > runAttempts {
		t.Errorf("the other host's turn came after %d attempts", i)
	}
}

func TestShutdownWaitsAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := tempDB(t)
		w := &world{say: func(a Attempt) answer {
			if strings.Contains(a.Inbox, "slow") {
				return answer{status: hang}
			}
			time.Sleep(2 * time.Second)
			return answer{status: 202}
		}}
		q := newQueue(t, db, Config{Post: w.post})
		enqueue(t, q, note("1", "https://a.example/inbox", "https://slow.example/inbox"))
		stop := serve(t, q)
		time.Sleep(time.Second)
		start := time.Now()
		stop()
		if d := time.Since(start); d > 2*grace {
			t.Errorf("stopping took %s", d)
		}
		again := newQueue(t, db, Config{Post: w.post})
		hosts, _ := again.Hosts()
		if len(hosts) != 1 || hosts[0].Host != "slow.example" || hosts[0].LastError != "" {
			t.Errorf("left: %+v", hosts)
		}
		// The same queue can be served again, though not twice at a time.
		stop = serve(t, q)
		synctest.Wait()
		if err := q.Serve(t.Context()); err == nil {
			t.Error("served twice")
		}
		stop()
	})
}

// The clock is set back by a day: what waits is not held up by it.
