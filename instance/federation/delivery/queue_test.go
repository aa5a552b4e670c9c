// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
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

func TestGivesUpAfterLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(Attempt) answer { return answer{err: errRefused} }}
		var r results
		q := newQueue(t, tempDB(t), Config{Post: w.post, OnResult: r.add})
		start := time.Now()
		for i := range 40 {
			m := note(fmt.Sprint(i), "https://dead.example/inbox")
			m.Order = fmt.Sprint(i % 3)
			enqueue(t, q, m)
		}
		enqueue(t, q, note("alone", "https://dead2.example/inbox"))
		stop := serve(t, q)
		time.Sleep(47 * time.Hour)
		synctest.Wait()
		hosts, _ := q.Hosts()
		if len(hosts) != 2 || hosts[0].Depth != 40 || !hosts[0].Broken || hosts[0].LastError != "connection refused" || !hosts[0].Next.After(time.Now()) {
			t.Errorf("after 47 h: %+v", hosts)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		for id, res := range r.get() {
			if !res.Failed || res.Reason != "given up after 48h0m0s: connection refused" {
				t.Errorf("%s: %+v", id, res)
			}
		}
		if n := len(r.get()); n != 41 {
			t.Errorf("%d results", n)
		}
		perHost := map[string]int{}
		for _, s := range w.all() {
			perHost[s.Inbox]++
			if s.at.Sub(start) > 49*time.Hour {
				t.Errorf("tried after %s", s.at.Sub(start))
			}
		}
		for inbox, n := range perHost {
			if n < 12 || n > 40 {
				t.Errorf("%s got %d attempts in 48 h", inbox, n)
			}
		}
	})
}

// A workstation that was off over the weekend still tries what waited.
func TestOldMessagesGetAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := tempDB(t)
		w := &world{}
		enqueue(t, newQueue(t, db, Config{Post: w.post}), note("1", "https://a.example/inbox", "https://dead.example/inbox"))
		time.Sleep(80 * time.Hour)
		w.say = func(a Attempt) answer {
			if strings.Contains(a.Inbox, "dead") {
				return answer{err: errRefused}
			}
			return answer{status: 202}
		}
		q := newQueue(t, db, Config{Post: w.post})
		stop := serve(t, q)
		time.Sleep(time.Minute)
		stop()
		if got := w.got("https://a.example/inbox"); len(got) != 1 {
			t.Error(got)
		}
		checkEmpty(t, q)
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		dead.Store(true)
		w := &world{}
		w.say = func(Attempt) answer {
			if dead.Load() {
				return answer{status: 503}
			}
			return answer{status: 202}
		}
		q := newQueue(t, tempDB(t), Config{Post: w.post})
		for i := range 100 {
			enqueue(t, q, note(fmt.Sprint(i), "https://a.example/inbox"))
		}
		stop := serve(t, q)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		n := len(w.all())
		hosts, _ := q.Hosts()
		if n < breakAt || n > breakAt+1 || len(hosts) != 1 || !hosts[0].Broken {
			t.Errorf("%d attempts in the first minutes; %+v", n, hosts)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if more := len(w.all()) - n; more < 2 || more > 6 {
			t.Errorf("%d probes in three hours", more)
		}
		probed := map[string]bool{}
		for _, s := range w.all() {
			probed[s.ID] = true
		}
		if len(probed) != len(w.all()) {
			t.Errorf("%d attempts with %d messages: one that kills a server would be its only probe", len(w.all()), len(probed))
		}
		dead.Store(false)
		time.Sleep(5 * time.Hour) // the next probe comes before that, and then all the others at once
		synctest.Wait()
		checkEmpty(t, q)
		dead.Store(true)
		enqueue(t, q, note("again", "https://a.example/inbox"))
		time.Sleep(time.Second)
		synctest.Wait()
		if hosts, _ := q.Hosts(); len(hosts) != 1 || hosts[0].Broken {
			t.Errorf("the breaker stays open: %+v", hosts)
		}
		stop()
	})
}

// An activity that a server cannot take (500) does not keep the next ones from it.
func TestPoisonHoldsUpNobody(t *testing.T) {
	for _, ans := range []answer{{status: 500}, {status: hang}, {status: 502}} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{}
			w.say = func(a Attempt) answer {
				if a.ID == "poison" {
					return ans
				}
				return answer{status: 202}
			}
			q := newQueue(t, tempDB(t), Config{Post: w.post})
			enqueue(t, q, note("poison", "https://a.example/inbox"))
			stop := serve(t, q)
			for i := range 50 {
				enqueue(t, q, note(fmt.Sprint(i), "https://a.example/inbox"))
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			if got := w.got("https://a.example/inbox"); len(got) != 50 {
				t.Errorf("%+v: %d of 50 arrived", ans, len(got))
			}
			if n := len(w.all()) - 50; n > 12 {
				t.Errorf("%+v: the poison was tried %d times in 50 minutes", ans, n)
			}
			stop()
		})
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := &world{}
		w.say = func(a Attempt) answer {
			if strings.Contains(a.Inbox, "long") {
				return answer{status: 429, after: 1000 * time.Hour}
			}
			if time.Since(start) < 20*time.Minute {
				return answer{status: 503, after: 20 * time.Minute}
			}
			return answer{status: 202}
		}
		q := newQueue(t, tempDB(t), Config{Post: w.post})
		enqueue(t, q, note("1", "https://a.example/inbox", "https://long.example/inbox"))
		stop := serve(t, q)
		time.Sleep(time.Minute)
		enqueue(t, q, note("2", "https://a.example/inbox"))
		time.Sleep(22 * time.Minute)
		synctest.Wait()
		if got := w.got("https://a.example/inbox"); len(got) != 2 {
			t.Error(got)
		}
		if n := len(w.all()); n != 4 {
			t.Errorf("%d attempts", n)
		}
		time.Sleep(7 * time.Hour)
		synctest.Wait()
		if n := len(w.all()); n != 5 {
			t.Errorf("%d attempts after %s", n, time.Since(start))
		}
		stop()
	})
}

func TestDeadAndSlowHostsDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const good, bad = 400, 300
		w := &world{}
		w.say = func(a Attempt) answer {
			if strings.HasPrefix(a.Inbox, "https://dead") {
				return answer{status: hang}
			}
			time.Sleep(100 * time.Millisecond)
			return answer{status: 202}
		}
		m := note("1")
		for i := range bad {
			m.Inboxes = append(m.Inboxes, fmt.Sprintf("https://dead%d.example/inbox", i))
		}
		for i := range good {
			m.Inboxes = append(m.Inboxes, fmt.Sprintf("https://good%d.example/inbox", i))
		}
		q := newQueue(t, tempDB(t), Config{Post: w.post, MaxHosts: 20, MaxSlow: 400})
		enqueue(t, q, m)
		before := runtime.NumGoroutine()
		stop := serve(t, q)
		start := time.Now()
		last := func() (d time.Duration, n int) {
			for _, s := range w.all() {
				if s.ok && s.ID == "1" {
					d = max(d, s.at.Sub(start))
					n++
				}
			}
			return d, n
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before+20+400+10 {
			t.Errorf("%d goroutines", n)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		// 20 at a time, a tenth of a second each, and each dead host takes a place for half a second.
		d, n := last()
		if n != good || d > 12*time.Second {
			t.Errorf("%d of %d in %s", n, good, d)
		}
		// By now they are known to be slow, and are not waited for.
		enqueue(t, q, note("2", m.Inboxes...))
		start = time.Now()
		time.Sleep(time.Hour)
		synctest.Wait()
		d = 0
		n = 0
		for _, s := range w.all() {
			if s.ok && s.ID == "2" {
				d = max(d, s.at.Sub(start))
				n++
			}
		}
		if n != good || d > 3*time.Second {
			t.Errorf("the second: %d of %d in %s", n, good, d)
		}
		w.mu.Lock()
		w.say = nil
		w.mu.Unlock()
		stop()
	})
}

// Hosts that work, but slowly, do not stand in line behind those that do not answer at all.
func TestSlowHostsGoBeforeDeadOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(a Attempt) answer {
			if strings.HasPrefix(a.Inbox, "https://dead") {
				return answer{status: hang}
			}
			time.Sleep(700 * time.Millisecond)
			return answer{status: 202}
		}}
		q := newQueue(t, tempDB(t), Config{Post: w.post, MaxHosts: 4, MaxSlow: 8})
		dead, slow := note("dead"), note("slow")
		for i := range 100 {
			dead.Inboxes = append(dead.Inboxes, fmt.Sprintf("https://dead%d.example/inbox", i))
		}
		for i := range 10 {
			slow.Inboxes = append(slow.Inboxes, fmt.Sprintf("https://slow%d.example/inbox", i))
		}
		enqueue(t, q, slow, dead)
		stop := serve(t, q)
		time.Sleep(20 * time.Minute) // all of them are known by now
		for round := range 5 {
			slow.ID = fmt.Sprint("slow", round)
			enqueue(t, q, slow)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			n := 0
			for _, s := range w.all() {
				if s.ok && s.ID == slow.ID {
					n++
				}
			}
			if n != 10 {
				t.Errorf("round %d: %d of 10 in five seconds", round, n)
			}
		}
		w.mu.Lock()
		w.say = nil
		w.mu.Unlock()
		stop()
	})
}

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

func TestMaxHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(Attempt) answer {
			time.Sleep(30 * time.Millisecond)
			return answer{status: 202}
		}}
		m := note("1")
		for i := range 300 {
			m.Inboxes = append(m.Inboxes, fmt.Sprintf("https://h%d.example/inbox", i))
		}
		q := newQueue(t, tempDB(t), Config{Post: w.post, MaxHosts: 7})
		enqueue(t, q, m)
		stop := serve(t, q)
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		if w.most != 7 {
			t.Errorf("%d hosts at once", w.most)
		}
	})
}

func TestCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		var dead atomic.Bool
		dead.Store(true)
		w.say = func(a Attempt) answer {
			if dead.Load() && strings.Contains(a.Inbox, "b.example") {
				return answer{status: 500}
			}
			return answer{status: 202}
		}
		db := tempDB(t)
		q := newQueue(t, db, Config{Post: w.post})
		view := func(id string, inboxes ...string) Message {
			m := note(id, inboxes...)
			m.Coalesce = "views of 7"
			return m
		}
		enqueue(t, q, view("1", "https://a.example/inbox", "https://c.example/inbox"), view("2", "https://a.example/inbox", "https://b.example/1", "https://b.example/2"),
			view("3", "https://a.example/inbox", "https://b.example/1"), note("other", "https://a.example/inbox"))
		if q.Depth() != 5 { // 3 to a and b/1, 2 to b/2, 1 to c, other
			hosts, _ := q.Hosts()
			t.Errorf("depth %d: %+v", q.Depth(), hosts)
		}
		if again := newQueue(t, db, Config{Post: w.post}); again.Depth() != 5 {
			t.Errorf("on disk: %d", again.Depth())
		}
		stop := serve(t, q)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.got("https://a.example/inbox"); !slices.Equal(got, []string{"3", "other"}) {
			t.Error(got)
		}
		if got := w.got("https://c.example/inbox"); !slices.Equal(got, []string{"1"}) {
			t.Error(got)
		}
		// While b fails, a view a second neither piles up nor hammers it.
		before := len(w.all())
		for i := range 600 {
			enqueue(t, q, view(fmt.Sprint("v", i), "https://b.example/1"))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := len(w.all()) - before; n > 16 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		if q.Depth() != 2 {
			t.Errorf("depth %d", q.Depth())
		}
		dead.Store(false)
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		if got := w.got("https://b.example/1"); !slices.Equal(got, []string{"v599"}) {
			t.Error(got)
		}
		if got := w.got("https://b.example/2"); !slices.Equal(got, []string{"2"}) {
			t.Error(got)
		}
	})
}

// What replaces a message that is on its way goes out after it.
func TestCoalesceInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(Attempt) answer {
			time.Sleep(5 * time.Second)
			return answer{status: 202}
		}}
		q := newQueue(t, tempDB(t), Config{Post: w.post})
		a, b := note("1", "https://a.example/inbox"), note("2", "https://a.example/inbox")
		a.Coalesce, b.Coalesce = "k", "k"
		enqueue(t, q, a)
		stop := serve(t, q)
		time.Sleep(time.Second)
		enqueue(t, q, b)
		if q.Depth() != 1 {
			t.Error(q.Depth())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		if got := w.got("https://a.example/inbox"); !slices.Equal(got, []string{"1", "2"}) {
			t.Error(got)
		}
	})
}

func TestRetryAndDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(Attempt) answer { return answer{err: errRefused} }}
		q := newQueue(t, tempDB(t), Config{Post: w.post})
		for i := range 20 {
			enqueue(t, q, note(fmt.Sprint(i), "https://a.example/inbox", "https://b.example/inbox", "https://c.example/inbox"))
		}
		stop := serve(t, q)
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		count := func() int { return len(w.all()) }
		n := count()
		if err := q.Retry("A.example"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if count() != n+1 {
			t.Errorf("%d attempts after a retry of one host", count()-n)
		}
		n = count()
		if err := q.Retry(""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if count() != n+3 {
			t.Errorf("%d attempts after a retry of all", count()-n)
		}
		if err := q.Drop("b.example"); err != nil {
			t.Fatal(err)
		}
		if err := q.Drop(""); err == nil {
			t.Error("dropped everything")
		}
		hosts, _ := q.Hosts()
		if q.Depth() != 40 || len(hosts) != 2 {
			t.Errorf("after a drop: %d, %+v", q.Depth(), hosts)
		}
		w.mu.Lock()
		w.say = nil
		w.mu.Unlock()
		if err := q.Retry(""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		if got := w.got("https://a.example/inbox"); len(got) != 20 {
			t.Errorf("%d at a", len(got))
		}
		if got := w.got("https://b.example/inbox"); len(got) != 0 {
			t.Errorf("%d at b, which was dropped", len(got))
		}
	})
}

// What is dropped while it is sent does not come back, whatever the answer.
func TestDropInFlight(t *testing.T) {
	for _, status := range []int{202, 500, 503, 404} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{say: func(Attempt) answer {
				time.Sleep(5 * time.Second)
				return answer{status: status}
			}}
			q := newQueue(t, tempDB(t), Config{Post: w.post})
			enqueue(t, q, note("1", "https://a.example/inbox"), note("2", "https://a.example/inbox"))
			stop := serve(t, q)
			time.Sleep(time.Second)
			if err := q.Drop("a.example"); err != nil {
				t.Fatal(err)
			}
			if q.Depth() != 0 {
				t.Error(q.Depth())
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			stop()
			checkEmpty(t, q)
		})
	}
}

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
func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shift := time.Duration(0)
		w := &world{say: func(a Attempt) answer {
			if a.Tries == 0 {
				return answer{status: 503}
			}
			return answer{status: 202}
		}}
		db := tempDB(t)
		now := func() time.Time { return time.Now().Add(shift) }
		q := newQueue(t, db, Config{Post: w.post, Now: now})
		enqueue(t, q, note("1", "https://a.example/inbox"))
		stop := serve(t, q)
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		stop()
		shift = -24 * time.Hour
		q = newQueue(t, db, Config{Post: w.post, Now: now})
		stop = serve(t, q)
		time.Sleep(5 * time.Minute)
		stop()
		checkEmpty(t, q)
	})
}
