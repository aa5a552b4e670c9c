// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench && linux

package tracker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// load is many WebSocket peers of one tracker, driven by one thread: what the driver uses is taken
// from the tracker's share of the machine. A peer's announce is one frame that was masked
// beforehand, and an answer is a frame with two holes. The ids are ASCII, so they stand in the JSON
// of every tracker as they are.
type load struct {
	ep    int
	peers []*loadPeer
	byFD  map[int32]*loadPeer
	buf   []byte
	out   []byte

	responses, offers, answers, failures int
	took                                 []time.Duration // from announce to response
}

type loadPeer struct {
	fd               int
	announce, answer []byte
	in               []byte    // an unfinished frame
	sent             time.Time // of the announce that waits for its response
}

const (
	loadSwarm  = 50
	loadOffers = 5
	loadSDP    = 500 // bytes, about what a data channel's offer with three candidates has
)

// loadMask is the mask of every frame of the driver (RFC 6455 §5.3). It is not zero, since some
// servers take a short cut then.
var loadMask = [4]byte{0x5a, 0xc3, 0x17, 0xe9}

// loadHash is the infohash of swarm n.
func loadHash(n int) string { return fmt.Sprintf("swarm-%014d", n) }

// newLoad connects n peers in swarms of loadSwarm and lets each announce once. It goes on when the
// tracker has answered them all.
func newLoad(target string, n int) (*load, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	addr, err := net.ResolveTCPAddr("tcp4", u.Host)
	if err != nil {
		return nil, err
	}
	if !addr.IP.IsLoopback() {
		return nil, fmt.Errorf("%s is not on this machine", target)
	}
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l := &load{ep: ep, byFD: map[int32]*loadPeer{}, buf: make([]byte, 256<<10)}
	handshake := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	for i := range n {
		p, err := dialLoad(addr, handshake)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("connecting peer %d: %w", i, err)
		}
		p.prepare(i)
		l.peers = append(l.peers, p)
		l.byFD[int32(p.fd)] = p                                                                                                                  //nolint:gosec // small
		if err := syscall.EpollCtl(ep, syscall.EPOLL_CTL_ADD, p.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(p.fd)}); err != nil { //nolint:gosec // small
			l.close()
			return nil, err
		}
	}
	return l, nil
}

// dialLoad opens one WebSocket, blocking, then sets it non-blocking.
func dialLoad(addr *net.TCPAddr, handshake string) (*loadPeer, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	p := &loadPeer{fd: fd}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}); err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	if _, err := syscall.Write(fd, []byte(handshake)); err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	var head []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) { // to the byte, since frames may follow
		if n, err := syscall.Read(fd, one); err != nil || n != 1 {
			return nil, errors.Join(fmt.Errorf("the handshake ended after %q", head), err, syscall.Close(fd))
		}
		head = append(head, one[0])
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		return nil, errors.Join(fmt.Errorf("the tracker answered %q", head), syscall.Close(fd))
	}
	return p, errors.Join(syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1), syscall.SetNonblock(fd, true))
}

// prepare makes the frames of peer i.
func (p *loadPeer) prepare(i int) {
	id := fmt.Sprintf("-TL0001-%012d", i)
	sdp := `v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`
	for len(sdp) < loadSDP {
		sdp += `a=candidate:1 1 udp 2122260223 127.0.0.1 40000 typ host generation 0\r\n`
	}
	var offers []string
	for n := range loadOffers {
		offers = append(offers, fmt.Sprintf(`{"offer":{"type":"offer","sdp":"%s"},"offer_id":"offer%d-%013d"}`, sdp, n, i))
	}
	left := 1000
	if i%loadSwarm == 0 {
		left = 0
	}
	head := fmt.Sprintf(`{"action":"announce","info_hash":"%s","peer_id":"%s",`, loadHash(i/loadSwarm), id)
	p.announce = maskedFrame(fmt.Sprintf(`%s"numwant":%d,"uploaded":0,"downloaded":0,"left":%d,"offers":[%s]}`, head, loadOffers, left, strings.Join(offers, ",")))
	hole := strings.Repeat("\x00", 20)
	p.answer = maskedFrame(fmt.Sprintf(`{"to_peer_id":"%s","offer_id":"%s",%s`, hole, hole, head[1:]) +
		fmt.Sprintf(`"answer":{"type":"answer","sdp":"%s"}}`, sdp))
}

// The holes of an answer frame, after its header of 8 bytes.
const (
	holeTo    = 8 + len(`{"to_peer_id":"`)
	holeOffer = holeTo + 20 + len(`","offer_id":"`)
)

// maskedFrame is a text message as a client sends it (RFC 6455 §5.2).
func maskedFrame(text string) []byte {
	b := []byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text))}
	b = append(b, loadMask[:]...)
	for i := range len(text) {
		b = append(b, text[i]^loadMask[i&3])
	}
	return b
}

func fill(frame []byte, hole int, v []byte) {
	for i, c := range v {
		frame[hole+i] = c ^ loadMask[(hole-8+i)&3]
	}
}

func (l *load) close() {
	for _, p := range l.peers {
		_ = syscall.Close(p.fd)
	}
	_ = syscall.Close(l.ep)
}

// reset forgets what was counted.
func (l *load) reset() {
	l.responses, l.offers, l.answers, l.failures, l.took = 0, 0, 0, 0, l.took[:0]
}

// p is the q-quantile of the response times.
func (l *load) quantile(q float64) time.Duration {
	if len(l.took) == 0 {
		return 0
	}
	slices.Sort(l.took)
	return l.took[min(len(l.took)-1, int(q*float64(len(l.took))))]
}

// send lets the k-th announce go out. Announces go round the swarms, so that a swarm's come evenly.
func (l *load) send(k int) error {
	n := len(l.peers)
	swarms := n / loadSwarm
	p := l.peers[(k%swarms)*loadSwarm+(k/swarms)%loadSwarm]
	if !p.sent.IsZero() {
		return fmt.Errorf("the tracker did not answer an announce before the next")
	}
	p.sent = time.Now()
	return write(p.fd, p.announce)
}

func write(fd int, b []byte) error {
	n, err := syscall.Write(fd, b)
	if err == nil && n < len(b) {
		err = syscall.EAGAIN
	}
	if err != nil {
		return fmt.Errorf("the tracker does not read: %w", err)
	}
	return nil
}

// paced announces rate times a second for a time, whether or not responses come.
func (l *load) paced(rate float64, length time.Duration) error {
	l.reset()
	start := time.Now()
	total := int(rate * length.Seconds())
	for sent := 0; sent < total; {
		due := min(total, int(time.Since(start).Seconds()*rate)+1)
		for ; sent < due; sent++ {
			if err := l.send(sent); err != nil {
				return fmt.Errorf("after %d announces: %w", sent, err)
			}
		}
		if err := l.poll(time.Until(start.Add(time.Duration(float64(sent) / rate * 1e9)))); err != nil {
			return err
		}
	}
	return l.settle()
}

// closed keeps window announces unanswered for a time: as fast as the tracker goes.
func (l *load) closed(window int, length time.Duration) error {
	l.reset()
	for start, sent := time.Now(), 0; time.Since(start) < length; {
		for ; sent-l.responses < window; sent++ {
			if err := l.send(sent); err != nil {
				return err
			}
		}
		if err := l.poll(time.Second); err != nil {
			return err
		}
	}
	return nil
}

// all lets every peer announce once, few at a time.
func (l *load) all() error {
	l.reset()
	for sent := 0; l.responses < len(l.peers); {
		for ; sent < len(l.peers) && sent-l.responses < 32; sent++ {
			if err := l.send(sent); err != nil {
				return err
			}
		}
		if err := l.poll(time.Second); err != nil {
			return err
		}
	}
	return l.settle()
}

// settle reads until the tracker has been quiet for a moment.
func (l *load) settle() error {
	for {
		before := l.responses + l.offers + l.answers
		if err := l.poll(200 * time.Millisecond); err != nil {
			return err
		}
		if l.responses+l.offers+l.answers == before {
			return nil
		}
	}
}

// poll waits for messages and handles them.
func (l *load) poll(wait time.Duration) error {
	var events [256]syscall.EpollEvent
	n, err := syscall.EpollWait(l.ep, events[:], int(max(wait, 0)/time.Millisecond))
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return err
	}
	for _, e := range events[:max(n, 0)] {
		if err := l.read(l.byFD[e.Fd]); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) read(p *loadPeer) error {
	kept := copy(l.buf, p.in)
	n, err := syscall.Read(p.fd, l.buf[kept:])
	if errors.Is(err, syscall.EAGAIN) {
		return nil
	}
	if err != nil || n == 0 {
		return errors.Join(errors.New("the tracker closed a connection"), err)
	}
	b := l.buf[:kept+n]
	l.out = l.out[:0]
	for len(b) > 1 {
		head, size := 2, int(b[1])
		switch {
		case size == 127:
			return errors.New("the tracker sent a message of more than 64 KiB")
		case size == 126 && len(b) < 4:
			head = len(b) + 1
		case size == 126:
			head, size = 4, int(binary.BigEndian.Uint16(b[2:]))
		}
		if len(b) < head+size {
			break
		}
		if b[0] != 0x81 {
			return fmt.Errorf("the tracker sent a frame that begins with %#x", b[0])
		}
		l.message(p, b[head:head+size])
		b = b[head+size:]
	}
	p.in = append(p.in[:0], b...)
	if len(l.out) > 0 {
		return write(p.fd, l.out)
	}
	return nil
}

// message counts one message; an offer is answered.
func (l *load) message(p *loadPeer, m []byte) {
	start := m[:min(len(m), 48)]
	switch {
	case bytes.Contains(start, []byte(`"offer":`)):
		l.offers++
		from, offer := field(m, `"peer_id":"`), field(m, `"offer_id":"`)
		if from == nil || offer == nil {
			l.failures++
			return
		}
		fill(p.answer, holeTo, from)
		fill(p.answer, holeOffer, offer)
		l.out = append(l.out, p.answer...)
	case bytes.Contains(start, []byte(`"answer":`)):
		l.answers++
	case bytes.Contains(m, []byte(`"interval":`)):
		l.responses++
		if !p.sent.IsZero() {
			l.took = append(l.took, time.Since(p.sent))
			p.sent = time.Time{}
		}
	default:
		l.failures++
	}
}

// field is a string of 20 bytes in a message's last part.
func field(m []byte, key string) []byte {
	i := bytes.LastIndex(m, []byte(key))
	if i < 0 || len(m) < i+len(key)+20 {
		return nil
	}
	return m[i+len(key):][:20]
}
