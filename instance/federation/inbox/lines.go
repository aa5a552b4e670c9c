// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"cmp"
	"container/heap"
	"slices"
	"sync"
	"time"

	"shoal/instance/store"
)

// lines are the items that wait, one line a host, in the order they came. One item of a line is worked
// on at a time. One that is to be tried again later holds up those behind it that are about the same
// object, and no others.
type lines struct {
	mu    sync.Mutex
	of    map[string]*line
	ready lineHeap // those that nobody works on
	count int
	turn  uint64
	// wake has something to receive after something changed.
	wake chan struct{}
}

type line struct {
	host  string
	items []*waiting // in order of their numbers
	// next is when the first item can be worked on; turn orders lines that all can.
	next time.Time
	turn uint64
	at   int // place in the heap, -1 while it is worked on
}

type waiting struct {
	store.InboxItem        // without the body
	order           string // what it is about
}

func newLines() *lines { return &lines{of: map[string]*line{}, wake: make(chan struct{}, 1)} }

func (l *lines) depth() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// depths is how many items wait in all and how many of a host.
func (l *lines) depths(host string) (all, of int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if line, ok := l.of[host]; ok {
		of = len(line.items)
	}
	return l.count, of
}

// add puts an item in its host's line, at the place of its number, unless it is there.
func (l *lines) add(item store.InboxItem, order string) {
	item.Body = nil
	l.mu.Lock()
	defer l.mu.Unlock()
	ln, ok := l.of[item.Host]
	if !ok {
		ln = &line{host: item.Host, at: -1}
		l.of[item.Host] = ln
	}
	i, found := ln.find(item.Seq)
	if found {
		return
	}
	ln.items = slices.Insert(ln.items, i, &waiting{item, order})
	l.count++
	if !ok || ln.at >= 0 {
		l.settle(ln)
	}
	l.poke()
}

// settle puts a line that nobody works on where it belongs; l.mu is held.
func (l *lines) settle(ln *line) {
	ln.next = ln.due()
	if ln.at >= 0 {
		heap.Fix(&l.ready, ln.at)
		return
	}
	l.turn++
	ln.turn = l.turn
	heap.Push(&l.ready, ln)
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
	if len(l.ready) == 0 {
		return nil, -1
	}
	ln := l.ready[0]
	if ln.next.After(now) {
		return nil, ln.next.Sub(now)
	}
	w = ln.first(now)
	if w == nil { // not so: what next says is due
		ln.next = now.Add(time.Second)
		heap.Fix(&l.ready, 0)
		return nil, 0
	}
	heap.Pop(&l.ready)
	return w, 0
}

// put gives an item back, to be tried at its new time.
func (l *lines) put(w *waiting, item store.InboxItem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.InboxItem = item
	w.Body = nil
	l.settle(l.of[w.Host])
	l.poke()
}

// drop takes an item off its line.
func (l *lines) drop(w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.of[w.Host]
	if i, found := ln.find(w.Seq); found {
		if i == 0 { // most often
			ln.items[0] = nil
			ln.items = ln.items[1:]
		} else {
			ln.items = slices.Delete(ln.items, i, i+1)
		}
		l.count--
	}
	if len(ln.items) == 0 {
		delete(l.of, ln.host)
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
