// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"shoal/peer/foreign"
)

// outcome is what became of one message for one inbox. Either done or failed: what is tried again
// stands in report.later.
type outcome struct {
	seq uint64
	Result
	expired bool // it was past its end before it was sent
}

// report is what a run found out, and what is then written.
type report struct {
	run      *run
	before   health    // the host's health at the start
	outcomes []outcome // deliveries that are over
	later    []planned // entries that failed, with their new waits
	tried    []Result  // attempts that will be repeated
	idle     bool      // nothing was due
	until    int64     // where idle: when to look again
}

// again notes an entry that has to be tried again. Another inbox of the last one replaces it.
func (rep *report) again(p planned) {
	if rep.last() == p.seq {
		rep.later = rep.later[:len(rep.later)-1]
	}
	rep.later = append(rep.later, p)
}

// last is the number of the last entry that failed, or 0.
func (rep *report) last() uint64 {
	if len(rep.later) == 0 {
		return 0
	}
	return rep.later[len(rep.later)-1].seq
}

// empty reports whether there is nothing to write.
func (rep *report) empty() bool {
	return len(rep.outcomes) == 0 && len(rep.later) == 0 && rep.run.state == rep.before
}

// kind is what an answer means.
type kind uint8

const (
	delivered   kind = iota
	refused          // for good
	own              // this message failed, others may not
	down             // the whole host failed
	interrupted      // by our own end
)

// work makes the attempts of one run.
func (q *Queue) work(ctx context.Context, r *run) {
	rep := &report{run: r, before: r.state}
	n, err := q.visit(ctx, r, rep)
	if err != nil {
		select {
		case q.failed <- err:
		default:
		}
	}
	q.ended(r, rep, n)
}

func (q *Queue) visit(ctx context.Context, r *run, rep *report) (attempts int, err error) {
	due, until, err := q.plan(r.h.name, &r.state, q.now())
	if err != nil {
		return 0, err
	}
	rep.idle, rep.until = len(due) == 0, until
	held := map[uint64]bool{}
	for i := range due {
		if held[due[i].order] {
			continue
		}
		if attempts > 0 && (attempts >= runAttempts || time.Since(r.start) > runTime) {
			break
		}
		n, more, err := q.send(ctx, r, rep, &due[i])
		attempts += n
		if err != nil || !more {
			return attempts, err
		}
		if due[i].order != 0 && rep.last() == due[i].seq {
			held[due[i].order] = true
		}
	}
	return attempts, nil
}

// send posts one message to the inboxes that miss it. more is false where the run has to end.
func (q *Queue) send(ctx context.Context, r *run, rep *report, p *planned) (attempts int, more bool, err error) {
	m, done, err := q.use(p.seq)
	if err != nil {
		return 0, false, err
	}
	defer done()
	for _, inbox := range p.inboxes {
		if ctx.Err() != nil || attempts > 0 && (attempts >= runAttempts || time.Since(r.start) > runTime) {
			return attempts, false, nil
		}
		res := Result{Inbox: inbox}
		if m == nil { // entries and messages are written together, so this is damage
			res.Failed, res.Reason = true, "the activity is missing from the queue"
			rep.outcomes = append(rep.outcomes, outcome{seq: p.seq, Result: res})
			continue
		}
		if m.until != 0 && m.until <= q.now() {
			rep.outcomes = append(rep.outcomes, outcome{seq: p.seq, Result: res, expired: true})
			continue
		}
		attempts++
		res.ID, res.Actor = m.id, m.actor
		k, wait := q.post(ctx, m, p, &res)
		if k == interrupted {
			return attempts, false, nil
		}
		now := q.now()
		if k == delivered || k == refused {
			res.Done, res.Failed = k == delivered, k == refused
			rep.outcomes = append(rep.outcomes, outcome{seq: p.seq, Result: res})
			r.state = health{lastError: res.Reason} // it answers
			continue
		}
		r.state.lastError = res.Reason
		first := r.state.fails == 0
		r.state.fails++
		e := *p // so that several inboxes count once
		expired := q.retreat(r, &e.entry, k, first, wait, now)
		rep.again(e)
		if expired {
			res.Failed = true
			res.Reason = fmt.Sprintf("given up after %s: %s", q.cfg.Lifetime, res.Reason)
			rep.outcomes = append(rep.outcomes, outcome{seq: p.seq, Result: res})
		} else {
			rep.tried = append(rep.tried, res)
		}
		if r.state.broken() {
			return attempts, false, q.giveUpOld(r, rep, now)
		}
		if k == down {
			return attempts, false, nil
		}
	}
	return attempts, true, nil
}

// retreat sets the waits of an entry and of its host after a failure; first is whether the host
// worked before. It reports whether the entry is past its lifetime.
func (q *Queue) retreat(r *run, e *entry, k kind, first bool, wait time.Duration, now int64) (expired bool) {
	end := e.created + q.cfg.Lifetime.Milliseconds()
	e.tries++
	e.last = now
	e.ownWait = k == own || first
	n := e.tries
	if e.ownWait {
		e.own++
		n = e.own
	}
	wait = min(wait, maxRetryAfter)
	e.next = now + max(backoff(n), wait).Milliseconds()
	if k == down || r.state.broken() {
		r.state.next = now + max(hostPause(r.state.fails), wait).Milliseconds()
	}
	if end <= now {
		return true
	}
	// One more attempt right at the end. A pause that was asked for is kept all the same.
	last := max(end, now+wait.Milliseconds())
	e.next, r.state.next = min(e.next, last), min(r.state.next, last)
	return false
}

// giveUpOld ends what has waited too long for a host that does not work.
func (q *Queue) giveUpOld(r *run, rep *report, now int64) error {
	entries, err := q.old(r.h.name, now)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	key := func(seq uint64, inbox string) string { return string(seqKey(seq)) + inbox }
	for _, o := range rep.outcomes {
		known[key(o.seq, o.Inbox)] = true
	}
	for _, p := range entries {
		m, done, err := q.use(p.seq)
		if err != nil {
			return err
		}
		for _, inbox := range p.inboxes {
			if known[key(p.seq, inbox)] {
				continue
			}
			res := Result{Inbox: inbox, Failed: true, Reason: fmt.Sprintf("given up after %s: %s", q.cfg.Lifetime, r.state.lastError)}
			expired := false
			if m != nil {
				res.ID, res.Actor = m.id, m.actor
				expired = m.until != 0
			}
			res.Failed = !expired
			rep.outcomes = append(rep.outcomes, outcome{seq: p.seq, Result: res, expired: expired})
		}
		done()
	}
	return nil
}

// post makes one attempt and says what its answer means. It fills in res.
func (q *Queue) post(ctx context.Context, m *message, p *planned, res *Result) (kind, time.Duration) {
	one, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	a := Attempt{ID: m.id, Actor: m.actor, Inbox: res.Inbox, Body: m.body, Tries: int(min(p.tries, 1<<20))}
	status, reason, wait, err := q.cfg.Post(one, a)
	if status == 0 && err == nil {
		err = errors.New("there was no answer")
	}
	res.Status = status
	if status == 0 {
		res.Reason = foreign.Clip(err.Error())
		switch {
		case ctx.Err() != nil:
			return interrupted, 0
		case errors.Is(err, ErrPermanent):
			return refused, 0
		}
		return down, wait
	}
	if status >= 200 && status <= 299 {
		return delivered, 0
	}
	res.Reason = fmt.Sprintf("their server answered %d", status)
	if reason = foreign.Clip(reason); reason != "" {
		res.Reason += ": " + reason
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return down, wait
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return own, wait
	}
	if status >= 400 && status <= 499 {
		return refused, 0
	}
	return own, wait
}
