// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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
