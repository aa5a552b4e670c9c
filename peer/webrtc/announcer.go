// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"shoal/peer/pulse"
)

// announcer announces one swarm to one tracker: at the tracker's interval, soon after a change, and
// never in a storm.
type announcer struct {
	s       *Swarm
	tracker *tracker
	pulse   *pulse.Pulse // of tend

	// For tend alone, and then for leave.
	session *session          // the last one
	turn    time.Time         // of a complete seed to announce itself in the session; zero: not known yet
	place   *rate.Reservation // of that turn

	mu        sync.Mutex
	started   bool // this session of the tracker has heard "started"
	pending   bool // "completed" is to be told
	waiting   bool // an announce waits for its answer
	offered   bool // the last announce had offers, if there was room for any
	trackerID text
	interval  time.Duration
	quick     time.Duration // pause before the next announce for want of peers
	lost      int           // the swarm's lost connections when quick was set
	failures  int           // "failure reason"s in a row
	holdUntil time.Time     // no announce before this, after a failure
	last      time.Time
	next      time.Time // planned
	counted   bool      // the tracker told how many take part
	seeders   int
	leechers  int
	warning   string
	failure   string
}

func newAnnouncer(s *Swarm) *announcer {
	a := &announcer{s: s, interval: s.t.times.interval, quick: s.t.times.quick}
	a.pulse = pulse.New(a.tend)
	return a
}

// tend announces if that is due. It returns how long it is until the next time.
func (a *announcer) tend() time.Duration {
	to, _ := a.tracker.current()
	if to == nil || a.s.ctx.Err() != nil {
		return pulse.Never
	}
	if to != a.session {
		a.session = to
		if time.Now().After(a.turn) {
			a.turn = time.Time{}
		}
		a.mu.Lock()
		a.started, a.waiting = false, false
		a.mu.Unlock()
	}
	if wait := time.Until(a.due()); wait > 0 {
		return wait
	}
	if wait := a.queued(); wait > 0 {
		return wait
	}
	a.announce(to)
	return max(0, time.Until(a.due()))
}

// queued is how long a complete seed has to wait for its turn to announce itself in a session: most idle.
func (a *announcer) queued() time.Duration {
	a.mu.Lock()
	started := a.started
	a.mu.Unlock()
	if _, _, left := a.s.progress(); started || left != 0 {
		return 0
	}
	if a.turn.IsZero() {
		a.place = a.tracker.pace.Reserve()
		a.turn = time.Now().Add(a.place.Delay())
	}
	return time.Until(a.turn)
}

// due is when the next announce is to be made. Only tend calls it, since it asks the torrent client
// for progress.
func (a *announcer) due() time.Time {
	at := a.plan()
	a.mu.Lock()
	a.next = at
	a.mu.Unlock()
	return at
}

func (a *announcer) plan() time.Time {
	soon, conns, lost := a.s.wants(a)
	_, _, left := a.s.progress()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.started || a.pending:
		return a.holdUntil
	}
	at := a.last.Add(a.interval)
	if lost != a.lost {
		// What the tracker counted is old by now.
		a.lost, a.quick, a.counted = lost, a.s.t.times.quick, false
	}
	alone := conns == 0 && left != 0
	if left == 0 && a.counted && !a.offered && !a.waiting && soon && a.leechers > conns {
		at = a.last // it has told us that there is somebody
	} else if soon && (alone || a.others(left) > conns) {
		if quick := a.last.Add(a.quick); quick.Before(at) {
			at = quick
		}
	}
	if at.Before(a.holdUntil) {
		at = a.holdUntil
	}
	return at
}

// others is how many peers there may be to connect to, as far as the tracker tells: a complete peer
// has no use for others that are complete. a.mu is held.
func (a *announcer) others(left int64) int {
	switch {
	case !a.counted:
		return maxOffersPerSwarm
	case left == 0:
		return a.leechers
	default:
		return a.seeders + a.leechers - 1
	}
}

// offersFor is how many offers to make beside so many connections. Trackers hand an offer to anybody, so
// one that is meant for an incomplete peer takes as many as there are peers. a.mu is held.
func (a *announcer) offersFor(left int64, conns int) int {
	others := a.others(left)
	if left == 0 && a.counted && others > conns {
		others = max(others, a.seeders+a.leechers-1) // it may not have counted us
	}
	return min(a.s.t.cfg.Offers, others-conns)
}

// announce makes offers, if more peers are wanted, and sends them.
func (a *announcer) announce(to *session) {
	uploaded, downloaded, left := a.s.progress()
	_, conns, _ := a.s.wants(a)
	a.mu.Lock()
	first := !a.started
	want := a.offersFor(left, conns)
	if left == 0 && first && !a.counted {
		want = 0 // an offer costs, and most seeds idle: the answer tells whether one is needed
	}
	a.mu.Unlock()
	offers := a.s.makeOffers(a.s.ctx, a, want)
	if a.s.ctx.Err() != nil {
		return
	}
	m := a.message(uploaded, downloaded, left)
	m.Offers, m.Numwant = offers, newNumber(int64(len(offers)))
	a.mu.Lock()
	m.Event = a.event()
	a.started, a.waiting, a.offered, a.last = true, true, want > 0, time.Now()
	a.quick = min(2*a.quick, a.interval)
	a.mu.Unlock()
	to.send(m)
}

// event is the announce's event (BEP 3), and is told once. a.mu is held.
func (a *announcer) event() string {
	switch {
	case !a.started:
		return "started"
	case a.pending:
		a.pending = false
		return "completed"
	default:
		return ""
	}
}

func (a *announcer) message(uploaded, downloaded, left int64) *message {
	m := &message{
		Action:     "announce",
		Infohash:   a.s.cfg.Infohash[:],
		PeerID:     a.s.cfg.PeerID[:],
		Uploaded:   newNumber(max(0, uploaded)),
		Downloaded: newNumber(max(0, downloaded)),
	}
	if left >= 0 {
		// Trackers take an announce without it for one of a peer that is not complete.
		m.Left = newNumber(left)
	}
	a.mu.Lock()
	m.TrackerID = a.trackerID
	a.mu.Unlock()
	return m
}

// leave tells the tracker, if it has heard of us, that we are gone, once the swarm is closed.
func (a *announcer) leave() {
	defer a.s.t.release(a.tracker, a)
	<-a.s.ctx.Done()
	a.pulse.Stop()
	a.pulse.Wait()
	if a.place != nil {
		a.place.Cancel() // others move up
	}
	a.mu.Lock()
	started := a.started
	a.mu.Unlock()
	if !started {
		return
	}
	m := a.message(a.s.progress())
	m.Event, m.Numwant = "stopped", newNumber(0)
	a.session.sendWait(m, a.s.t.times.flush)
}

// complete announces "completed" soon.
func (a *announcer) complete() {
	a.mu.Lock()
	a.pending = true
	a.mu.Unlock()
	a.hurry()
}

// hurry makes the announcer look again at when it is due.
func (a *announcer) hurry() { a.pulse.Wake() }

func (a *announcer) waits() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting
}

// handle takes a message that the tracker sent for the swarm.
func (a *announcer) handle(from *session, m *message) {
	if m.Offer != nil || m.Answer != nil {
		if m.Offer != nil {
			a.s.handleOffer(a, from, m)
		}
		if m.Answer != nil {
			a.s.handleAnswer(m)
		}
		return
	}
	a.mu.Lock()
	a.waiting = false
	if m.Warning != "" {
		a.warning = string(m.Warning)
		a.s.t.logger.Debug("tracker warns", "url", a.tracker.url, "text", a.warning)
	}
	if m.Failure != "" {
		a.fail(m)
	} else {
		a.respond(m)
	}
	a.mu.Unlock()
	a.hurry()
}

// fail honours a "failure reason": no announce for a while that doubles, or for as long as the
// tracker says (BEP 31). a.mu is held.
func (a *announcer) fail(m *message) {
	a.failure = string(m.Failure)
	a.s.t.logger.Debug("tracker refuses", "url", a.tracker.url, "reason", a.failure)
	pause := min(a.s.t.times.failure<<min(a.failures, 10), a.s.t.times.intervalMax)
	a.failures++
	if m.RetryIn == "never" {
		pause = neverAgain
	} else if minutes, err := strconv.ParseFloat(string(m.RetryIn), 64); err == nil && minutes > 0 {
		pause = max(pause, min(time.Duration(minutes*float64(time.Minute)), neverAgain))
	}
	a.holdUntil = time.Now().Add(pause)
}

const neverAgain = 24 * time.Hour

// respond takes what an announce was answered with. a.mu is held.
func (a *announcer) respond(m *message) {
	a.failure, a.failures, a.holdUntil = "", 0, time.Time{}
	if m.GivenID != "" {
		a.trackerID = m.GivenID
	}
	if m.Interval != nil || m.MinInterval != nil {
		a.interval = a.bounded(max(m.Interval.value(), m.MinInterval.value()))
	}
	if m.Complete != nil || m.Incomplete != nil {
		a.counted = true
		a.seeders, a.leechers = count(m.Complete), count(m.Incomplete)
	}
}

// bounded is a tracker's interval of so many seconds, within what is sane, and up to a tenth
// longer by chance.
func (a *announcer) bounded(seconds int64) time.Duration {
	times := &a.s.t.times
	d := times.interval
	if seconds > 0 {
		d = time.Duration(min(seconds, int64(times.intervalMax/time.Second)+1)) * time.Second
	}
	d = max(d, times.intervalMin)
	return min(d+rand.N(d/10+1), times.intervalMax) //nolint:gosec // chance, no secret
}

// count bounds a tracker's count to what can be true.
func count(n *number) int { return int(max(0, min(n.value(), 1_000_000_000))) }

func (a *announcer) status() TrackerStatus {
	session, problem := a.tracker.current()
	a.mu.Lock()
	defer a.mu.Unlock()
	st := TrackerStatus{
		URL:          a.tracker.url,
		Connected:    session != nil,
		Seeders:      a.seeders,
		Leechers:     a.leechers,
		Interval:     a.interval,
		LastAnnounce: a.last,
		Warning:      a.warning,
		LastError:    a.failure,
	}
	if session == nil {
		st.LastError = problem
	} else if a.started {
		st.NextAnnounce = a.next
	}
	return st
}
