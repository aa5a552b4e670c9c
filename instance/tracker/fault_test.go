// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// rawClient is a WebSocket peer that keeps to the protocol only as far as a test wants.
type rawClient struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

// rawDial opens a TCP connection and, unless a request is given, a WebSocket on it.
func rawDial(t *testing.T, base, request string) *rawClient {
	t.Helper()
	host := strings.TrimPrefix(base, "http://")
	nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	c := &rawClient{t: t, nc: nc, r: bufio.NewReader(nc)}
	if request != "" {
		c.write([]byte(request))
		return c
	}
	c.write([]byte(upgradeRequest(host)))
	c.upgraded()
	return c
}

func upgradeRequest(host string) string {
	return "GET /tracker/socket HTTP/1.1\r\nHost: " + host + "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
}

// upgraded reads the answer to the request, whose key is the one of RFC 6455 §1.3.
func (c *rawClient) upgraded() {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.t.Fatalf("the handshake was answered with %v, %v", res, err)
	}
	if err := res.Body.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawClient) write(b []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// masked is a client's frame.
func masked(first byte, payload string) []byte {
	b := appendFrame(nil, 0, []byte(payload))
	head := b[:len(b)-len(payload)]
	head[0], head[1] = first, head[1]|0x80
	mask := [4]byte{1, 2, 3, 4}
	body := []byte(payload)
	unmask(body, mask)
	return append(append(append([]byte(nil), head...), mask[:]...), body...)
}

// frame reads one frame of the tracker.
func (c *rawClient) frame() (op byte, payload string, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.r, head); err != nil {
		return 0, "", err
	}
	n := int(head[1])
	if n == 126 {
		long := make([]byte, 2)
		if _, err := io.ReadFull(c.r, long); err != nil {
			return 0, "", err
		}
		n = int(long[0])<<8 | int(long[1])
	}
	b := make([]byte, n)
	_, err = io.ReadFull(c.r, b)
	return head[0] & 0x0f, string(b), err
}

// closing reads until the tracker closes and returns the code that it gave: 0 for none, -1 when the
// connection stayed open.
func (c *rawClient) closing() int {
	for {
		op, payload, err := c.frame()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return -1
		case err != nil:
			return 0
		case op == opClose:
			return int(payload[0])<<8 | int(payload[1])
		}
	}
}

func announceText(h, peer, more string) string {
	return `{"action":"announce","info_hash":"` + hash(h) + `","peer_id":"` + peer + `","left":1` + more + `}`
}

func held(tr *Tracker) int64 { return tr.heldIn.Load() + tr.heldOut.Load() }

// works checks that the tracker serves two new peers, and that nothing of others is left.
func works(t *testing.T, tr *Tracker, base string) {
	t.Helper()
	eventually(t, "every connection is gone", func() bool { return tr.Conns() == 0 && held(tr) == 0 })
	a, b := dial(t, base), dial(t, base)
	a.send(announce(hash("w"), id(901), nil))
	a.receive()
	b.send(announce(hash("w"), id(902), object{"offers": offers(1), "numwant": 1}))
	if got := b.receive(); got["incomplete"] != 2.0 {
		t.Errorf("two new peers got %v", got)
	}
	if got := a.receive(); got["offer"] == nil {
		t.Errorf("an offer did not come through: %v", got)
	}
	_, _ = a.ws.CloseNow(), b.ws.CloseNow()
	eventually(t, "the two are gone", func() bool { return tr.Conns() == 0 })
}

// TestFaultBrokenProtocol sends what no client may send; each connection is closed with the code of
// RFC 6455 §7.4.1.
func TestFaultBrokenProtocol(t *testing.T) {
	tr, base := serve(t, Config{})
	unmaskedFrame := appendFrame(nil, opText, []byte("{}"))
	for _, c := range []struct {
		name string
		sent []byte
		code int
	}{
		{"no mask", unmaskedFrame, closeProtocol},
		{"an extension's bit", masked(0xc1, "{}"), closeProtocol},
		{"an unknown opcode", masked(0x83, "{}"), closeProtocol},
		{"a fragmented ping", masked(0x09, "x"), closeProtocol},
		{"a long ping", masked(0x89, strings.Repeat("x", 126)), closeProtocol},
		{"a continuation of nothing", masked(0x80, "x"), closeProtocol},
		{"a message within another", append(masked(0x01, "{"), masked(0x81, "}")...), closeProtocol},
		{"HTTP again", []byte(upgradeRequest("x")), closeProtocol},
		{"2^62 bytes", []byte{0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, closeTooBig},
		{"a close", masked(0x88, "\x03\xe9"), closeGoing},
	} {
		raw := rawDial(t, base, "")
		raw.write(c.sent)
		if got := raw.closing(); got != c.code {
			t.Errorf("%s: closed with %d, want %d", c.name, got, c.code)
		}
		_ = raw.nc.Close()
	}
	works(t, tr, base)
}

// TestFaultGarbage sends messages that say nothing; each is refused, and the connection goes on.
func TestFaultGarbage(t *testing.T) {
	tr, base := serve(t, Config{})
	c := rawDial(t, base, "")
	for _, text := range []string{"", "\x00", "null", "[]", "{}", strings.Repeat("[", 60_000), strings.Repeat("\xff", 1000), `{"action":"announce"`, announceText("k", "short", "")} {
		c.write(masked(0x81, text))
		op, answer, err := c.frame()
		if err != nil || op != opText || !strings.Contains(answer, "failure reason") {
			t.Fatalf("%.20q: %d %q %v", text, op, answer, err)
		}
	}
	// The same connection is served all the same: in one byte at a time, in fragments, with a ping between.
	for _, b := range masked(0x81, announceText("k", id(1), "")) {
		c.write([]byte{b})
	}
	if _, answer, err := c.frame(); err != nil || !strings.Contains(answer, `"incomplete":1`) {
		t.Errorf("in single bytes: %q %v", answer, err)
	}
	text := announceText("k", id(1), "")
	c.write(masked(0x01, text[:30]))
	c.write(masked(0x89, "are you there"))
	c.write(masked(0x80, text[30:]))
	if op, answer, err := c.frame(); err != nil || op != opPong || answer != "are you there" {
		t.Errorf("a ping got %d %q %v", op, answer, err)
	}
	if _, answer, err := c.frame(); err != nil || !strings.Contains(answer, `"incomplete":1`) {
		t.Errorf("in fragments: %q %v", answer, err)
	}
	_ = c.nc.Close()
	works(t, tr, base)
}

// TestFaultHugeOffers announces offers of 100 KB each: two fit a message and are relayed, five do
// not, and the connection is closed with the reason.
func TestFaultHugeOffers(t *testing.T) {
	tr, base := serve(t, Config{})
	a, b := dial(t, base), dial(t, base)
	a.send(announce(hash("k"), id(1), nil))
	a.receive()
	huge := func(n int) []object {
		var all []object
		for i := range n {
			all = append(all, object{"offer_id": hash(fmt.Sprint(i)), "offer": object{"type": "offer", "sdp": strings.Repeat("x", 100_000)}})
		}
		return all
	}
	b.send(announce(hash("k"), id(2), object{"offers": huge(2)}))
	b.receive()
	if got := a.receive(); got["offer"] == nil {
		t.Errorf("got %v", got)
	}
	c := rawDial(t, base, "")
	c.write(masked(0x81, announceText("k", id(3), `,"offers":"`+strings.Repeat("x", 500_000)+`"`)))
	if got := c.closing(); got != closeTooBig {
		t.Errorf("closed with %d", got)
	}
	_, _, _ = c.nc.Close(), a.ws.CloseNow(), b.ws.CloseNow()
	works(t, tr, base)
}

// TestFaultHugeMessages sends 10 MB in one frame, and in fragments of 1,000 bytes: no more than a
// message's bound is ever kept.
func TestFaultHugeMessages(t *testing.T) {
	tr, base := serve(t, Config{})
	for name, part := range map[string]int{"one frame": 10_000_000, "fragments": 1000} {
		c := rawDial(t, base, "")
		var most int64
		ended := make(chan int, 1)
		go func() { ended <- c.closing() }()
		first := byte(0x01)
		for sent := 0; sent < 10_000_000; sent += part {
			if _, err := c.nc.Write(masked(first, strings.Repeat("x", part))); err != nil {
				break // the tracker has hung up
			}
			first, most = 0x00, max(most, held(tr))
		}
		if code := <-ended; code != closeTooBig {
			t.Errorf("%s: closed with %d", name, code)
		}
		if most > 2*DefaultMaxMessage {
			t.Errorf("%s: %d bytes were kept", name, most)
		}
		_ = c.nc.Close()
	}
	works(t, tr, base)
}
