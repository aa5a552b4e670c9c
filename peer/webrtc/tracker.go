// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// tracker is the WebSocket to one tracker, shared by every swarm that announces there. It is
// opened again whenever it breaks, after a pause that doubles.
type tracker struct {
	t   *Transport
	url string
	end chan struct{} // closed when nobody needs the tracker any more

	kick chan struct{} // the next pause before connecting is skipped; see reconnect

	pace *rate.Limiter // of announces that are in no hurry

	mu      sync.Mutex
	members map[[20]byte]*announcer
	session *session // nil: not connected
	problem string   // why there is no session
}

// session is one WebSocket connection.
type session struct {
	conn *websocket.Conn
	out  chan outgoing
	done chan struct{} // closed when the connection is of no more use
	once sync.Once
}

// outgoing is a message on its way; sent, if not nil, is closed when it is written.
type outgoing struct {
	data []byte
	sent chan struct{}
}

// Complete seeds announce to a tracker at this pace when it is reached for the first time or again.
const (
	pacePerSecond = 50
	paceBurst     = 20
)

// maxOutgoing is how many messages may wait for a slow tracker.
const maxOutgoing = 64

func newTracker(t *Transport, u string) *tracker {
	return &tracker{
		t:       t,
		url:     u,
		end:     make(chan struct{}),
		kick:    make(chan struct{}, 1),
		pace:    rate.NewLimiter(pacePerSecond, paceBurst),
		members: make(map[[20]byte]*announcer),
	}
}

func isTrackerURL(s string) bool {
	if len(s) > maxURL {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "ws" || u.Scheme == "wss") && u.Host != ""
}

// add makes an announcer hear what comes for its swarm. One that is leaving the same swarm hears
// no more.
func (tr *tracker) add(a *announcer) {
	tr.mu.Lock()
	a.tracker = tr
	tr.members[a.s.cfg.Infohash] = a
	tr.mu.Unlock()
}

// remove undoes add and tells whether nobody is left.
func (tr *tracker) remove(a *announcer) (last bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.members[a.s.cfg.Infohash] == a {
		delete(tr.members, a.s.cfg.Infohash)
	}
	return len(tr.members) == 0
}

// empty tells that nobody needs the tracker.
func (tr *tracker) empty() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.members) == 0
}

// stop ends the WebSocket.
func (tr *tracker) stop() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	select {
	case <-tr.end:
	default:
		close(tr.end)
	}
}

// current is the session, or nil and why there is none.
func (tr *tracker) current() (*session, string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.session, tr.problem
}

// set has the members announce to a session, or do without one.
func (tr *tracker) set(s *session, problem string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.session, tr.problem = s, problem
	if s == nil {
		return
	}
	for _, a := range tr.members {
		a.hurry()
	}
}

// run keeps the WebSocket open until the tracker is stopped.
func (tr *tracker) run() {
	ctx, cancel := context.WithCancel(tr.t.ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, tr.stop)
	defer stop()
	tr.t.spawn(func() {
		<-tr.end
		cancel()
	})
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		err := tr.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > tr.t.times.backoffMax {
			failures = 0
		}
		tr.t.logger.Debug("tracker not connected", "url", tr.url, "error", err)
		tr.set(nil, err.Error())
		pause := backoff(tr.t.times.backoffMin, tr.t.times.backoffMax, failures)
		failures++
		select {
		case <-time.After(pause):
		case <-tr.kick:
			failures = 0
		case <-ctx.Done():
		}
	}
}

// backoff is the pause after so many failures: it doubles up to most, less up to a half by chance,
// so that not everybody comes back at the same moment.
func backoff(least, most time.Duration, failures int) time.Duration {
	pause := min(most, least<<min(failures, 20))
	return pause/2 + rand.N(pause/2+1) //nolint:gosec // chance, no secret
}

// connect opens the WebSocket and reads from it until it breaks or ctx ends.
func (tr *tracker) connect(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, tr.t.times.dial)
	defer cancel()
	conn, resp, err := websocket.Dial(dialing, tr.url, &websocket.DialOptions{HTTPClient: tr.t.client})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return fmt.Errorf("connecting to tracker: %w", err)
	}
	conn.SetReadLimit(maxTrackerMessage)
	s := &session{conn: conn, out: make(chan outgoing, maxOutgoing), done: make(chan struct{})}
	reading, abort := context.WithCancel(context.Background())
	defer abort()
	var workers sync.WaitGroup
	workers.Go(func() { s.write(tr.t.times.write) })
	workers.Go(func() { s.ping(tr.t.times) })
	workers.Go(func() {
		select {
		case <-s.done:
		case <-ctx.Done():
			// Members have said "stopped" by now.
			force := time.AfterFunc(tr.t.times.flush, abort)
			defer force.Stop()
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}
	})
	tr.set(s, "")
	err = tr.read(reading, s)
	s.fail()
	_ = conn.CloseNow()
	workers.Wait()
	return err
}

func (tr *tracker) read(ctx context.Context, s *session) error {
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("reading from tracker: %w", err)
		}
		m, err := parseMessage(data)
		if err != nil {
			tr.t.logger.Debug("tracker sent garbage", "url", tr.url, "kind", kind.String(), "error", err)
			continue
		}
		tr.dispatch(s, m)
	}
}

// dispatch gives a message to the member that it is for. A failure without an infohash is for each
// member that waits for an answer.
func (tr *tracker) dispatch(s *session, m *message) {
	tr.mu.Lock()
	var to []*announcer
	if id, ok := m.Infohash.id(); ok {
		if a := tr.members[id]; a != nil {
			to = append(to, a)
		}
	} else if m.Failure != "" {
		for _, a := range tr.members {
			if a.waits() {
				to = append(to, a)
			}
		}
	}
	tr.mu.Unlock()
	for _, a := range to {
		a.handle(s, m)
	}
}

// send queues a message; false if the connection is broken or the tracker too slow.
func (s *session) send(m *message) bool { return s.queue(m, nil) }

// queueWait is how long a message waits for its place in the queue: a thousand swarms that leave or
// join at once have the tracker's patience, and it has theirs.
const queueWait = 10 * time.Second

// sendWait sends a message and waits, no longer than limit, until it is written.
func (s *session) sendWait(m *message, limit time.Duration) {
	sent := make(chan struct{})
	if !s.queue(m, sent) {
		return
	}
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	select {
	case <-sent:
	case <-s.done:
	case <-timeout.C:
	}
}

func (s *session) queue(m *message, sent chan struct{}) bool {
	data, err := m.encode()
	if err != nil {
		return false
	}
	o := outgoing{data: data, sent: sent}
	select {
	case s.out <- o:
		return true
	case <-s.done:
		return false
	default:
	}
	slow := time.NewTimer(queueWait)
	defer slow.Stop()
	select {
	case s.out <- o:
		return true
	case <-s.done:
		return false
	case <-slow.C:
		s.fail()
		return false
	}
}

// fail marks the connection as broken and makes it so.
func (s *session) fail() {
	s.once.Do(func() { close(s.done) })
}

// write writes what is queued until the connection breaks.
func (s *session) write(limit time.Duration) {
	for {
		select {
		case o := <-s.out:
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			err := s.conn.Write(ctx, websocket.MessageText, o.data)
			cancel()
			if err != nil {
				s.fail()
				_ = s.conn.CloseNow()
				return
			}
			if o.sent != nil {
				close(o.sent)
			}
		case <-s.done:
			_ = s.conn.CloseNow()
			return
		}
	}
}

var errNoPong = errors.New("tracker does not answer pings")

// ping finds out when the other side is gone without a word.
func (s *session) ping(times timings) {
	tick := time.NewTicker(times.ping)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ctx, cancel := context.WithTimeoutCause(context.Background(), times.write, errNoPong)
			err := s.conn.Ping(ctx)
			cancel()
			if err != nil {
				s.fail()
				return
			}
		case <-s.done:
			return
		}
	}
}
