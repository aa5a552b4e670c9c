// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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
