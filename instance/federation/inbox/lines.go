// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"cmp"
	"container/heap"
	"slices"
	"sync"
	"time"

	"shoal/instance/party"
	"shoal/instance/store"
)

// lines are the items that wait, one line a party, in the order they came. One item of a line is worked
// on at a time. One that is to be tried again later holds up those behind it that are about the same
// object, and no others. Lines of strangers are worked on by some of the workers alone.
type lines struct {
	mu sync.Mutex
	of map[string]*line
	// The lines that nobody works on; friends are those of parties that are known here.
	friends, strangers lineHeap
	all                load
	turn               uint64
	// busy is how many lines of strangers are worked on, of most.
	busy, most int
	// wake has something to receive after something changed.
	wake chan struct{}
}

// load is how much waits.
type load struct{ items, bytes int }

func (l *load) add(n, bytes int) { l.items += n; l.bytes += bytes }

type line struct {
	party string
	items []*waiting // in order of their numbers
	load  load
	// known says that this instance has to do with the party; taken is the heap that the line is in or
	// was taken from.
	known bool
	taken *lineHeap
	// next is when the first item can be worked on; turn orders lines that all can.
	next time.Time
	turn uint64
	at   int // place in the heap, -1 while it is worked on
}

type waiting struct {
	store.InboxItem        // without the body
	order           string // what it is about
	size            int    // of the body, in bytes
}

// newLines has lines of which at most so many of strangers are worked on at once.
func newLines(strangers int) *lines {
	return &lines{of: map[string]*line{}, most: strangers, wake: make(chan struct{}, 1)}
}

func (l *lines) depth() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.items
}

// depths is how much waits in all and how much of a host's party.
func (l *lines) depths(host string) (all, of load) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if line, ok := l.of[party.Host(host)]; ok {
		of = line.load
	}
	return l.all, of
}

// add puts an item in its party's line, at the place of its number, unless it is there.
func (l *lines) add(item store.InboxItem, order string, known bool) {
	size := len(item.Body)
	item.Body = nil
	who := party.Host(item.Host)
	l.mu.Lock()
	defer l.mu.Unlock()
	ln, ok := l.of[who]
	if !ok {
		ln = &line{party: who, at: -1}
		l.of[who] = ln
	}
	ln.known = known
	i, found := ln.find(item.Seq)
	if found {
		return
	}
	ln.items = slices.Insert(ln.items, i, &waiting{item, order, size})
	ln.load.add(1, size)
	l.all.add(1, size)
	if !ok || ln.at >= 0 {
		l.settle(ln)
	}
	l.poke()
}

// settle puts a line that nobody works on where it belongs; l.mu is held.
func (l *lines) settle(ln *line) {
	ln.next = ln.due()
	if ln.at >= 0 {
		heap.Fix(ln.taken, ln.at)
		return
	}
	l.turn++
	ln.turn = l.turn
	if ln.taken = &l.strangers; ln.known {
		ln.taken = &l.friends
	}
	heap.Push(ln.taken, ln)
}

// done says that nobody works on a line any more; l.mu is held.
func (l *lines) done(ln *line) {
	if ln.taken == &l.strangers {
		l.busy--
	}
}

func (l *lines) poke() {
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// find is where an item of a number is, or would be.
func (ln *line) find(seq uint64) (at int, found bool) {
	return slices.BinarySearchFunc(ln.items, seq, func(w *waiting, seq uint64) int { return cmp.Compare(w.Seq, seq) })
}

// due is when the first item can be worked on.
func (ln *line) due() time.Time {
	if len(ln.items) > 0 && ln.items[0].Attempts == 0 {
		return ln.items[0].Due // and nothing is due before it
	}
	var first time.Time
	held := map[string]bool{}
	for _, w := range ln.items {
		if held[w.order] {
			continue
		}
		if first.IsZero() || w.Due.Before(first) {
			first = w.Due
		}
		if w.Attempts == 0 {
			break // it is due since it came, as all behind it that were never tried
		}
		held[w.order] = true
	}
	return first
}

// first is the first item that can be worked on now.
func (ln *line) first(now time.Time) *waiting {
	if len(ln.items) > 0 && !ln.items[0].Due.After(now) {
		return ln.items[0]
	}
	held := map[string]bool{}
	for _, w := range ln.items {
		if held[w.order] {
			continue
		}
		if !w.Due.After(now) {
			return w
		}
		held[w.order] = true
	}
	return nil
}

// take hands out the next item that can be worked on, or says how long there is none; a wait below 0
// is until wake. put or drop must follow.
func (l *lines) take(now time.Time) (w *waiting, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first lineHeap
	for _, h := range []*lineHeap{&l.friends, &l.strangers} {
		if len(*h) > 0 && (h == &l.friends || l.busy < l.most) {
			first = append(first, (*h)[0])
		}
	}
	if len(first) == 0 {
		return nil, -1
	}
	ln := first[0]
	if len(first) > 1 && first.Less(1, 0) {
		ln = first[1]
	}
	if ln.next.After(now) {
		return nil, ln.next.Sub(now)
	}
	w = ln.first(now)
	if w == nil { // not so: what next says is due
		ln.next = now.Add(time.Second)
		heap.Fix(ln.taken, ln.at)
		return nil, 0
	}
	heap.Pop(ln.taken)
	if ln.taken == &l.strangers {
		l.busy++
	}
	return w, 0
}

// put gives an item back, to be tried at its new time.
func (l *lines) put(w *waiting, item store.InboxItem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.InboxItem = item
	w.Body = nil
	ln := l.of[party.Host(w.Host)]
	l.done(ln)
	l.settle(ln)
	l.poke()
}

// drop takes an item off its line.
func (l *lines) drop(w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.of[party.Host(w.Host)]
	l.done(ln)
	if i, found := ln.find(w.Seq); found {
		if i == 0 { // most often
			ln.items[0] = nil
			ln.items = ln.items[1:]
		} else {
			ln.items = slices.Delete(ln.items, i, i+1)
		}
		ln.load.add(-1, -w.size)
		l.all.add(-1, -w.size)
	}
	if len(ln.items) == 0 {
		delete(l.of, ln.party)
	} else {
		l.settle(ln)
	}
	l.poke()
}

// lineHeap has first the line that can be worked on soonest, then the one that waits longest.
type lineHeap []*line

func (h lineHeap) Len() int { return len(h) }

func (h lineHeap) Less(i, j int) bool {
	if !h[i].next.Equal(h[j].next) {
		return h[i].next.Before(h[j].next)
	}
	return h[i].turn < h[j].turn
}

func (h lineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push is for container/heap.
func (h *lineHeap) Push(x any) {
	ln, ok := x.(*line)
	if !ok {
		return
	}
	ln.at = len(*h)
	*h = append(*h, ln)
}

// Pop is for container/heap.
func (h *lineHeap) Pop() any {
	last := len(*h) - 1
	ln := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	ln.at = -1
	return ln
}
