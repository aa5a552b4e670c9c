// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// writeTimeout is how long one write may hang before its connection is dropped.
const writeTimeout = 10 * time.Second

// conn is one WebSocket. Its reader is the only one to touch peers; anyone may send.
type conn struct {
	t            *Tracker
	ws           *websocket.Conn
	ip           netip.Addr
	peers        []*peer // what it announced
	heard        atomic.Int64
	writingSince atomic.Int64

	mu      sync.Mutex
	queue   [][]byte
	queued  int  // bytes in queue
	writing bool // a writer runs
	last    bool // close when the queue is empty
}

// Socket is the handler of /tracker/socket.
func (t *Tracker) Socket(w http.ResponseWriter, r *http.Request) {
	ip := t.cfg.ClientIP(r)
	if !t.wsPerIP.add(ip) {
		http.Error(w, "too many connections", http.StatusTooManyRequests)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // players on any page may ask
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil { // Accept has answered
		t.wsPerIP.sub(ip)
		t.log.Debug("refused a socket", "ip", ip, "error", err)
		return
	}
	ws.SetReadLimit(t.cfg.MaxMessage)
	c := &conn{t: t, ws: ws, ip: ip}
	c.heard.Store(time.Now().Unix())

	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		t.wsPerIP.sub(ip)
		c.drop()
		return
	}
	t.conns[c] = struct{}{}
	// The handler returns, so that the server's own stack and request are freed.
	t.wg.Go(c.serve)
	t.mu.Unlock()
}

// buffers holds what one message needs while it is handled; connections share them.
type buffers struct {
	in  []byte
	msg message
}

// serve reads until the connection ends.
func (c *conn) serve() {
	defer c.leave()
	for {
		_, r, err := c.ws.Reader(context.Background())
		if err != nil {
			return
		}
		now := time.Now()
		c.heard.Store(now.Unix())
		if err := c.one(r, now); err != nil {
			return
		}
	}
}

// one reads and handles one message.
func (c *conn) one(r io.Reader, now time.Time) error {
	b := c.t.buffers.Get().(*buffers) //nolint:forcetypeassert // the pool holds nothing else
	defer c.t.buffers.Put(b)
	var err error
	if b.in, err = readAll(r, b.in[:0]); err != nil {
		return err
	}
	if err := parseMessage(b.in, &b.msg); err != nil {
		c.fail(err.Error(), nil)
		return nil
	}
	if string(b.msg.action) == "scrape" {
		c.scrape(&b.msg)
		return nil
	}
	c.announce(&b.msg, now)
	return nil
}

func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// announce handles an announce, or an answer to an offer.
func (c *conn) announce(m *message, now time.Time) {
	if !c.t.cfg.Known(m.infohash) {
		c.fail(unknown(m.infohash, c.ip), m)
		if len(c.peers) == 0 { // a connection that also tracks something known stays
			c.end()
		}
		return
	}
	if m.answer != nil {
		c.relayAnswer(m)
		return
	}
	var targets [maxOffers]*conn
	st, n, err := c.join(m, now, &targets)
	if err != nil {
		c.fail(err.Error(), m)
		return
	}
	b := make([]byte, 0, 96+len(m.hashJSON))
	b = append(b, `{"complete":`...)
	b = strconv.AppendInt(b, int64(st.Seeders), 10)
	b = append(b, `,"incomplete":`...)
	b = strconv.AppendInt(b, int64(st.Leechers), 10)
	b = append(b, `,"action":"announce","interval":`...)
	b = strconv.AppendInt(b, int64(c.t.cfg.SocketInterval.Seconds()), 10)
	b = append(b, `,"info_hash":`...)
	c.send(append(append(b, m.hashJSON...), '}'))
	for i := range n {
		o := m.offers[i]
		targets[i].send(relay("offer", o.offer, o.id, m))
	}
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
func (c *conn) relayAnswer(m *message) {
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
		to.send(relay("answer", m.answer, m.offerID, m))
	}
}

// relay builds the message that carries an offer or an answer.
func relay(kind string, body, id []byte, m *message) []byte {
	b := make([]byte, 0, len(body)+len(id)+len(m.peerJSON)+len(m.hashJSON)+80)
	b = append(append(append(b, `{"action":"announce","`...), kind...), `":`...)
	b = append(append(b, body...), `,"offer_id":`...)
	b = append(append(b, id...), `,"peer_id":`...)
	b = append(append(b, m.peerJSON...), `,"info_hash":`...)
	return append(append(b, m.hashJSON...), '}')
}

func (c *conn) scrape(m *message) {
	b := append(make([]byte, 0, 256), `{"action":"scrape","files":{`...)
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
	c.send(append(b, `}}`...))
}

// fail tells the client why its request was refused. m is nil where it could not be read.
func (c *conn) fail(reason string, m *message) {
	text, err := json.Marshal(reason)
	if err != nil {
		return
	}
	b := []byte{'{'}
	if m != nil {
		b = append(b, `"action":"announce",`...)
	}
	b = append(append(b, `"failure reason":`...), text...)
	if m != nil {
		b = append(append(b, `,"info_hash":`...), m.hashJSON...)
	}
	c.t.log.Debug("refused a request", "ip", c.ip, "reason", reason)
	c.send(append(b, '}'))
}

func unknown(h Hash, ip netip.Addr) string {
	return fmt.Sprintf("Unknown infoHash %x requested by ip %s", h, ip)
}

// leave ends what serve began.
func (c *conn) leave() {
	c.drop()
	for _, p := range c.peers {
		c.forget(p)
	}
	c.peers = nil
	c.t.mu.Lock()
	delete(c.t.conns, c)
	c.t.mu.Unlock()
	c.t.wsPerIP.sub(c.ip)
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
