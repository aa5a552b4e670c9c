// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What others had passed on filled the queue for a host that does not work, without any bound.
func TestSpareMessagesDoNotFillTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, tempDB(t), Config{Post: (&world{}).post})
		for i := range maxSpareOf + 50 {
			m := note(fmt.Sprint(i), "https://a.example/inbox")
			m.Spare = true
			enqueue(t, q, m)
		}
		if n := q.Depth(); n != maxSpareOf {
			t.Errorf("%d wait", n)
		}
		both := note("both", "https://a.example/inbox", "https://b.example/inbox")
		both.Spare = true
		enqueue(t, q, both, note("own", "https://a.example/inbox"))
		if n := q.Depth(); n != maxSpareOf+2 {
			t.Errorf("%d wait: our own must always be queued, and b is not crowded", n)
		}
	})
}

// A View that was over in a minute was tried for two days.
func TestMessagePastItsEndIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{say: func(Attempt) answer { return answer{status: 503} }}
		told := 0
		q := newQueue(t, tempDB(t), Config{Post: w.post, OnResult: func(r Result) {
			if r.Failed || r.Done {
				told++
			}
		}})
		short, late := note("short", "https://a.example/inbox"), note("late", "https://a.example/inbox")
		short.Until, late.Until = time.Now().Add(time.Minute), time.Now()
		enqueue(t, q, short, late, note("long", "https://a.example/inbox"))
		if q.Depth() != 2 {
			t.Errorf("%d wait", q.Depth())
		}
		stop := serve(t, q)
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		if n := q.Depth(); n != 1 || told != 0 {
			t.Errorf("%d wait, %d ends were told", n, told)
		}
		w.mu.Lock()
		w.say = nil
		w.mu.Unlock()
		if err := q.Retry(""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		stop()
		checkEmpty(t, q)
		if got := w.got("https://a.example/inbox"); !slices.Equal(got, []string{"long"}) {
			t.Error(got)
		}
		if fs, err := q.Failures(0); err != nil || len(fs) != 0 {
			t.Errorf("failures %v, %v", fs, err)
		}
	})
}
