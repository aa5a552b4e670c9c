// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shoal/instance/store"
)

func inboxItem(seq uint64, host string, due time.Time) store.InboxItem {
	return store.InboxItem{Seq: seq, Host: host, Received: due, Due: due}
}

// Whatever arrives, fails and succeeds in whatever order: items about one object of one host are done
// in the order of their numbers, one item of a host is out at a time, and each is done once.
func TestLinesKeepOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLines(1)
		now := time.Unix(1_000_000, 0)
		var seq uint64
		orders := map[uint64]string{}
		out := map[string]*waiting{}
		last := map[string]uint64{} // the last number done, by host and order
		done := 0
		finish := func(w *waiting, again bool) {
			delete(out, w.Host)
			if again {
				item := w.InboxItem
				item.Attempts++
				item.Due = now.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "pause")) * time.Second)
				l.put(w, item)
				return
			}
			k := w.Host + " " + w.order
			if w.order != orders[w.Seq] || w.Seq <= last[k] {
				t.Fatalf("%s: %d after %d", k, w.Seq, last[k])
			}
			last[k] = w.Seq
			done++
			l.drop(w)
		}
		take := func() bool {
			w, wait := l.take(now)
			if w == nil {
				if wait == 0 {
					t.Fatal("there is something, and it is not handed out")
				}
				return false
			}
			if out[w.Host] != nil || w.Due.After(now) {
				t.Fatalf("handed out %+v while %v is out", w, out[w.Host])
			}
			out[w.Host] = w
			strangers := 0
			for host := range out {
				if ln := l.of[host]; ln.taken == &l.strangers {
					strangers++
				}
			}
			if strangers > 1 || l.busy != strangers {
				t.Fatalf("%d lines of strangers are out, counted as %d", strangers, l.busy)
			}
			return true
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				seq++
				order := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "order"))
				orders[seq] = order
				item := inboxItem(seq, fmt.Sprint("host", rapid.IntRange(0, 3).Draw(t, "host")), now)
				known := rapid.Bool().Draw(t, "known")
				l.add(item, order, known)
				l.add(item, order, known) // twice is once
			},
			"take": func(*rapid.T) { take() },
			"finish": func(t *rapid.T) {
				host := fmt.Sprint("host", rapid.IntRange(0, 3).Draw(t, "host"))
				if w := out[host]; w != nil {
					finish(w, rapid.Bool().Draw(t, "again"))
				}
			},
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "time")) * time.Second) },
		})
		for l.depth() > 0 {
			for _, w := range out {
				finish(w, false)
			}
			if !take() {
				now = now.Add(time.Minute)
			}
		}
		if done != int(seq) || len(l.of) != 0 || len(l.friends)+len(l.strangers)+l.busy != 0 || l.all != (load{}) {
			t.Fatalf("%d of %d done, left: %+v", done, seq, l)
		}
	})
}
