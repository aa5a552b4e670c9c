// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// link is what moves a connection's bytes. The connection's lock is held when it is called.
type link interface {
	// write takes as many bytes as it can without blocking. Of fewer than all, the link calls flush
	// when it takes more.
	write(b []byte) (int, error)
	// finish ends what is sent, after what write took.
	finish()
	// drop ends both directions at once; the reader then ends.
	drop()
}

// conn is one WebSocket. One goroutine reads, and is the only one to touch peers and what is marked
// so; anyone may send.
type conn struct {
	t    *Tracker
	link link
	ip   netip.Addr

	peers  []*peer // what it announced
	in     []byte  // an unfinished frame
	part   []byte  // an unfinished message of several frames
	inPart bool
	ended  bool  // what comes in is no longer looked at
	heldIn int   // bytes of in and part
	filled int64 // Unix seconds until which spent is reduced
	spent  int   // frames
	joined atomic.Bool
	heard  atomic.Int64 // Unix seconds of the last message
	// Unix seconds since when a message is unfinished, and since when the client does not take what is
	// sent or does not close; 0 when neither.
	unfinished, stuck atomic.Int64

	mu      sync.Mutex
	out     *outBuffer // nil when nothing is queued
	heldOut int        // bytes of out, where not all went out at once
	dirty   bool       // a worker will flush it
	last    bool       // close when what is queued is written
	gone    bool       // dropped
}

// Socket is the handler of /tracker/socket. It returns once the connection is open, so that the
// server's own stack and request are freed.
func (t *Tracker) Socket(w http.ResponseWriter, r *http.Request) {
	ip := t.cfg.ClientIP(r)
	if !t.wsPerIP.add(ip) {
		http.Error(w, "too many connections", http.StatusTooManyRequests)
		return
	}
	nc, early, err := upgrade(w, r, t.cfg.HangTimeout)
	if err != nil { // it is answered
		t.wsPerIP.sub(ip)
		t.log.Debug("refused a socket", "ip", ip, "error", err)
		return
	}
	now := time.Now().Unix()
	c := &conn{t: t, ip: ip, in: early, filled: now}
	c.heard.Store(now)
	if err := t.open(c, nc); err != nil {
		t.wsPerIP.sub(ip)
		t.log.Debug("a socket cannot be served", "ip", ip, "error", err)
	}
}

// errClosed is of connections that came while the tracker closed.
var errClosed = errors.New("the tracker is closed")

// open serves a connection on a link of its own.
func (t *Tracker) open(c *conn, nc net.Conn) error {
	serve, err := t.attach(c, nc)
	if err != nil {
		return errors.Join(err, nc.Close())
	}
	t.mu.Lock()
	if !t.closed {
		t.conns[c] = struct{}{}
		t.wg.Add(1) // leave takes it off
	} else {
		err = errClosed
	}
	t.mu.Unlock()
	return serve(err == nil)
}

// announce handles an announce, or an answer to an offer.
func (c *conn) announce(w *worker, m *message) {
	if !c.t.cfg.Known(m.infohash) {
		c.fail(w, unknown(m.infohash, c.ip), m)
		if len(c.peers) == 0 { // a connection that also tracks something known stays
			c.end(w, closeNormal)
		}
		return
	}
	if m.answer != nil {
		c.relayAnswer(w, m)
		return
	}
	var targets [maxOffers]*conn
	st, n, err := c.join(m, w.now, &targets)
	if err != nil {
		c.fail(w, err.Error(), m)
		return
	}
	c.joined.Store(true)
	b := append(w.out[:0], `{"complete":`...)
	b = strconv.AppendInt(b, int64(st.Seeders), 10)
	b = append(b, `,"incomplete":`...)
	b = strconv.AppendInt(b, int64(st.Leechers), 10)
	b = append(b, `,"action":"announce","interval":`...)
	b = strconv.AppendInt(b, int64(c.t.cfg.SocketInterval.Seconds()), 10)
	b = append(b, `,"info_hash":`...)
	b = append(append(b, m.hashJSON...), '}')
	c.send(w, b)
	for i := range n {
		o := m.offers[i]
		b = relay(b[:0], "offer", o.offer, o.id, m)
		targets[i].send(w, b)
	}
	w.out = b
}

// join notes an announce in its swarm and picks who gets its offers.
func (c *conn) join(m *message, now time.Time, targets *[maxOffers]*conn) (Stats, int, error) {
	if len(c.peers) >= c.t.cfg.MaxSwarms {
		c.prune()
	}
	sh := c.t.shard(m.infohash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.get(m.infohash)
	p := s.peers[m.peerID]
	if string(m.event) == "stopped" {
		if p != nil && p.conn == c {
			s.dropConn(p)
		}
		return s.stats(), 0, nil
	}
	mine := p != nil && p.conn == c
	if !mine {
		if p != nil && p.conn != nil && p.conn.alive(now) && p.conn.ip != c.ip {
			return Stats{}, 0, errors.New("peer_id is in use by another peer")
		}
		if len(c.peers) >= c.t.cfg.MaxSwarms {
			return Stats{}, 0, fmt.Errorf("too many swarms on one connection: %d are allowed", c.t.cfg.MaxSwarms)
		}
		p = s.get(m.infohash, m.peerID)
		s.setConn(p, c)
		c.peers = append(c.peers, p)
	}
	p.wsSeen = now.Unix()
	completed := string(m.event) == "completed"
	s.note(p, !m.left || completed, completed)

	want := len(m.offers)
	if m.numwant >= 0 {
		want = min(want, m.numwant)
	}
	n := 0
	pick(s.sockets, want, p, func(to *peer) {
		targets[n] = to.conn
		n++
	})
	return s.stats(), n, nil
}

// alive reports whether the connection spoke within two announce intervals.
func (c *conn) alive(now time.Time) bool {
	return now.Unix()-c.heard.Load() < 2*int64(c.t.cfg.SocketInterval.Seconds())
}

// relayAnswer passes an answer to the peer whose offer it answers.
func (c *conn) relayAnswer(w *worker, m *message) {
	sh := c.t.shard(m.infohash)
	sh.mu.Lock()
	var to *conn
	if s := sh.swarms[m.infohash]; s != nil {
		from, p := s.peers[m.peerID], s.peers[m.toPeer]
		if from != nil && from.conn == c && p != nil { // who is not in the swarm answers nobody
			to = p.conn
		}
	}
	sh.mu.Unlock()
	if to != nil {
		w.out = relay(w.out[:0], "answer", m.answer, m.offerID, m)
		to.send(w, w.out)
	}
}

// relay appends the message that carries an offer or an answer.
func relay(b []byte, kind string, body, id []byte, m *message) []byte {
	b = append(append(append(b, `{"action":"announce","`...), kind...), `":`...)
	b = append(append(b, body...), `,"offer_id":`...)
	b = append(append(b, id...), `,"peer_id":`...)
	b = append(append(b, m.peerJSON...), `,"info_hash":`...)
	return append(append(b, m.hashJSON...), '}')
}

func (c *conn) scrape(w *worker, m *message) {
	b := append(w.out[:0], `{"action":"scrape","files":{`...)
	first := true
	for i, h := range m.scrape {
		if !c.t.cfg.Known(h) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		st := c.t.Stats(h)
		b = append(append(b, m.scrapeJS[i]...), `:{"complete":`...)
		b = strconv.AppendInt(b, int64(st.Seeders), 10)
		b = append(b, `,"incomplete":`...)
		b = strconv.AppendInt(b, int64(st.Leechers), 10)
		b = append(b, `,"downloaded":`...)
		b = append(strconv.AppendInt(b, int64(st.Downloads), 10), '}')
	}
	b = append(b, `},"flags":{"min_request_interval":`...)
	b = strconv.AppendInt(b, int64(c.t.cfg.HTTPInterval.Seconds()), 10)
	w.out = append(b, `}}`...)
	c.send(w, w.out)
}

// fail tells the client why its request was refused. m is nil where it could not be read.
func (c *conn) fail(w *worker, reason string, m *message) {
	text, err := json.Marshal(reason)
	if err != nil {
		return
	}
	b := append(w.out[:0], '{')
	if m != nil {
		b = append(b, `"action":"announce",`...)
	}
	b = append(append(b, `"failure reason":`...), text...)
	if m != nil {
		b = append(append(b, `,"info_hash":`...), m.hashJSON...)
	}
	c.t.log.Debug("refused a request", "ip", c.ip, "reason", reason)
	w.out = append(b, '}')
	c.send(w, w.out)
}

func unknown(h Hash, ip netip.Addr) string {
	return fmt.Sprintf("Unknown infoHash %x requested by ip %s", h, ip)
}

// leave ends what open began. The reader calls it last.
func (c *conn) leave() {
	c.drop()
	_ = c.hold(&c.t.heldIn, &c.heldIn, 0)
	for _, p := range c.peers {
		c.forget(p)
	}
	c.peers = nil
	c.t.mu.Lock()
	delete(c.t.conns, c)
	c.t.mu.Unlock()
	c.t.wsPerIP.sub(c.ip)
	c.t.wg.Done()
}

func (c *conn) forget(p *peer) {
	sh := c.t.shard(p.hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s := sh.swarms[p.hash]; s != nil && p.conn == c {
		s.dropConn(p)
	}
}

// prune takes the swarms that were left, or that expired, off the connection's list.
func (c *conn) prune() {
	kept := c.peers[:0]
	for _, p := range c.peers {
		sh := c.t.shard(p.hash)
		sh.mu.Lock()
		if p.conn == c {
			kept = append(kept, p)
		}
		sh.mu.Unlock()
	}
	clear(c.peers[len(kept):])
	c.peers = kept
}
