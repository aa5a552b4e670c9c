// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"container/heap"
	"time"
)

const (
	// slowAfter is how long a host may take before others are served beside it.
	slowAfter = 500 * time.Millisecond
	// maxSlowNames bounds the hosts that are remembered to be slow.
	maxSlowNames = 4096
)

// phase is where a host stands.
type phase uint8

const (
	phaseNone    phase = iota // nowhere yet
	phaseReady                // in a line
	phaseWaiting              // in the heap, until wakeAt
	phaseTaken                // a worker has it, or its outcomes are being written
)

// host is what is kept in memory of a host that messages wait for.
type host struct {
	name  string
	depth int // deliveries; may pass below zero while transactions and their notices cross
	health
	phase   phase
	wakeAt  int64 // Unix milliseconds
	index   int   // in the heap
	changed bool  // entries came or went since a worker took it
	retry   bool  // a person asked for another attempt since a worker took it
}

// turns decides whose turn it is. Hosts that are due stand in one of three lines: those known to be
// slow in their own, and those that failed last in another, so that no number of them keeps the
// others from being served.
type turns struct {
	waiting          timers
	fast, slow, sick line
	slowNames        map[string]struct{}
	// inFast are the runs that count against MaxHosts; nSlow is the number of the others, of which
	// nSick are with hosts that failed last. Those get half of the places at most.
	inFast       map[*run]struct{}
	nSlow, nSick int
}

func newTurns() turns {
	return turns{slowNames: map[string]struct{}{}, inFast: map[*run]struct{}{}}
}

// run is one worker's turn with one host.
type run struct {
	h     *host
	start time.Time
	slow  bool // counts against MaxSlow
	sick  bool // and among the sick
	// state is the host's health: at first the host's own, then as the attempts change it.
	state health
}

// await puts h where it belongs until at: into a line if that has passed.
func (q *Queue) await(h *host, at int64) {
	if h.phase == phaseReady {
		return
	}
	if h.phase == phaseWaiting {
		heap.Remove(&q.waiting, h.index)
	}
	h.wakeAt = at
	if at > q.now() {
		h.phase = phaseWaiting
		heap.Push(&q.waiting, h)
		return
	}
	h.phase = phaseReady
	_, slow := q.slowNames[h.name]
	switch {
	case h.fails > 0:
		q.sick.push(h)
	case slow:
		q.slow.push(h)
	default:
		q.fast.push(h)
	}
}

// forget drops a host that nothing waits for any more, unless a line or a worker still has it.
func (q *Queue) forget(h *host) {
	if h.depth != 0 {
		return
	}
	switch h.phase {
	case phaseReady, phaseTaken:
		return
	case phaseWaiting:
		heap.Remove(&q.waiting, h.index)
	case phaseNone:
	}
	h.phase = phaseNone
	delete(q.hosts, h.name)
}

// take returns the runs that may begin now, and how long until that may change.
func (q *Queue) take() (runs []*run, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for len(q.waiting) > 0 && (q.waiting[0].wakeAt <= now || q.waiting[0].wakeAt > now+sane.Milliseconds()) {
		q.await(q.waiting[0], 0)
	}
	wait = time.Minute // the wall clock may be set, and stands still while the machine sleeps
	if len(q.waiting) > 0 {
		wait = min(wait, time.Duration(q.waiting[0].wakeAt-now)*time.Millisecond)
	}
	for q.nSlow < q.cfg.MaxSlow {
		h, sick := q.next(&q.slow), false
		if h == nil && q.nSick < max(q.cfg.MaxSlow/2, 1) {
			h, sick = q.next(&q.sick), true
		}
		if h == nil {
			break
		}
		q.nSlow++
		if sick {
			q.nSick++
		}
		runs = append(runs, &run{h: h, start: time.Now(), slow: true, sick: sick, state: h.health})
	}
	for {
		if len(q.inFast) >= q.cfg.MaxHosts {
			if q.fast.len() == 0 {
				break
			}
			if until := q.promote(); len(q.inFast) >= q.cfg.MaxHosts {
				wait = min(wait, until)
				break
			}
		}
		h := q.next(&q.fast)
		if h == nil {
			break
		}
		r := &run{h: h, start: time.Now(), state: h.health}
		q.inFast[r] = struct{}{}
		runs = append(runs, r)
	}
	return runs, max(wait, time.Millisecond)
}

// next takes a host off a line.
func (q *Queue) next(l *line) *host {
	for l.len() > 0 {
		h := l.pop()
		h.phase = phaseNone
		if h.depth == 0 {
			q.forget(h)
			continue
		}
		h.phase, h.changed, h.retry = phaseTaken, false, false
		return h
	}
	return nil
}

// promote lets runs that take long count as slow, and returns when the next one will be.
func (q *Queue) promote() time.Duration {
	until := time.Minute
	for r := range q.inFast {
		left := slowAfter - time.Since(r.start)
		switch {
		case left > 0:
			until = min(until, left)
		case q.nSlow < q.cfg.MaxSlow:
			r.slow = true
			q.nSlow++
			delete(q.inFast, r)
			q.rememberSlow(r.h.name, true)
		}
	}
	return until
}

func (q *Queue) rememberSlow(name string, slow bool) {
	if !slow {
		delete(q.slowNames, name)
		return
	}
	for other := range q.slowNames {
		if len(q.slowNames) < maxSlowNames {
			break
		}
		delete(q.slowNames, other)
	}
	q.slowNames[name] = struct{}{}
}

// ended frees the place of a run that made n attempts and hands its report on.
func (q *Queue) ended(r *run, rep *report, n int) {
	q.mu.Lock()
	if r.sick {
		q.nSick--
	}
	if r.slow {
		q.nSlow--
	} else {
		delete(q.inFast, r)
	}
	if n > 0 {
		q.rememberSlow(r.h.name, time.Since(r.start) > time.Duration(n)*slowAfter)
	}
	if rep.empty() {
		q.settled(rep, 0)
	} else {
		q.reports = append(q.reports, rep)
		signal(q.ripe)
	}
	q.mu.Unlock()
	signal(q.wake)
}

// settled puts a host back when its report is written; done is by how many deliveries it shrank.
func (q *Queue) settled(rep *report, done int) {
	h := rep.run.h
	h.depth -= done
	q.depth -= done
	h.health = rep.run.state
	h.phase = phaseNone
	switch {
	case h.depth == 0:
		q.forget(h)
	case h.retry:
		h.next = 0
		q.await(h, 0)
	case h.next > q.now():
		q.await(h, h.next)
	case rep.idle && !h.changed:
		q.await(h, rep.until)
	default:
		q.await(h, 0)
	}
}

// line is a queue of hosts that are due.
type line struct {
	hosts []*host
	head  int
}

func (l *line) len() int { return len(l.hosts) - l.head }

func (l *line) push(h *host) {
	if l.head > 64 && l.head > len(l.hosts)/2 {
		n := copy(l.hosts, l.hosts[l.head:])
		clear(l.hosts[n:])
		l.hosts, l.head = l.hosts[:n], 0
	}
	l.hosts = append(l.hosts, h)
}

func (l *line) pop() *host {
	h := l.hosts[l.head]
	l.hosts[l.head] = nil
	l.head++
	return h
}

// timers is a heap of hosts by wakeAt.
type timers []*host

// Len is for package heap, as the others are.
func (t timers) Len() int { return len(t) }

// Less puts the earliest first.
func (t timers) Less(i, j int) bool { return t[i].wakeAt < t[j].wakeAt }

// Swap keeps each host's index.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push adds a *host.
func (t *timers) Push(x any) {
	h, _ := x.(*host)
	h.index = len(*t)
	*t = append(*t, h)
}

// Pop removes the last.
func (t *timers) Pop() any {
	old := *t
	h := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	return h
}
