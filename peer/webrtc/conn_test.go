// SPDX-License-Identifier: AGPL-3.0-or-later

package webrtc

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

func noise(n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(out)
	return out
}

func TestBytesArriveAsSentBothWays(t *testing.T) {
	a, b := pair(t, defaultTimings())
	data := noise(8 << 20)
	back := noise(3<<20 + 7)
	errs := make(chan error, 2)
	go func() {
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(200<<10))
			if _, err := a.Write(rest[:n]); err != nil {
				errs <- err
				return
			}
			rest = rest[n:]
		}
		errs <- nil
	}()
	go func() {
		_, err := b.Write(back)
		errs <- err
	}()
	got := make(chan []byte, 1)
	go func() {
		all := make([]byte, len(back))
		_, _ = io.ReadFull(a, all)
		got <- all
	}()
	all := make([]byte, 0, len(data))
	for buf := make([]byte, 300<<10); len(all) < len(data); {
		n, err := b.Read(buf[:1+rand.IntN(len(buf))])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, buf[:n]...)
	}
	if !bytes.Equal(all, data) {
		t.Fatal("what arrived differs from what was sent")
	}
	if !bytes.Equal(<-got, back) {
		t.Fatal("what came back differs from what was sent")
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadDeadline(t *testing.T) {
	a, b := pair(t, defaultTimings())
	buf := make([]byte, 100)
	if err := a.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want a deadline error", err)
	}
	if err := a.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want a deadline error", err)
	}
	var timeout net.Error
	if _, err := a.Read(buf); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("got %v, want a net.Error that is a timeout", err)
	}

	// A deadline moved while a Read waits holds for that Read, earlier and later.
	if err := a.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := a.Read(buf)
		done <- err
	}()
	if err := a.SetReadDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want a deadline error", err)
	}
	if err := a.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write([]byte("after all")); err != nil {
		t.Fatal(err)
	}
	n, err := a.Read(buf)
	if err != nil || string(buf[:n]) != "after all" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
}

func TestWriteBlocksAtABoundAndHasADeadline(t *testing.T) {
	a, b := pair(t, defaultTimings())
	if err := a.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	// Nobody reads: what is taken is the receive window and what may wait here.
	n, err := a.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("wrote %d bytes and got %v, want a deadline error", n, err)
	}
	if most := receiveBuffer + writeHigh + 1<<20; n == 0 || n > most {
		t.Fatalf("%d bytes were taken, want at most %d", n, most)
	}
	if err := a.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := a.Write([]byte("end"))
		done <- err
	}()
	got, err := io.ReadAll(io.LimitReader(b, int64(n)+3))
	if err != nil || !bytes.HasSuffix(got, []byte("end")) {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestCloseUnblocksAndIsHeardAtTheOtherEnd(t *testing.T) {
	a, b := pair(t, defaultTimings())
	reading, writing := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := a.Read(make([]byte, 1))
		reading <- err
	}()
	go func() {
		_, err := a.Write(make([]byte, 64<<20))
		writing <- err
	}()
	for range 3 {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-reading; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Read got %v, want net.ErrClosed", err)
	}
	if err := <-writing; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Write got %v, want net.ErrClosed", err)
	}
	if _, err := io.Copy(io.Discard, b); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Fatalf("other end got %v", err)
	}
	if err := a.SetDeadline(time.Now()); err != nil {
		t.Fatalf("SetDeadline got %v, at which the torrent client panics", err)
	}
}

func TestRemoteAddrIsSyntheticAndCannotBeDialled(t *testing.T) {
	a, _ := pair(t, defaultTimings())
	ra := a.RemoteAddr()
	if ra.Network() != "webrtc" {
		t.Fatalf("network is %q", ra.Network())
	}
	ap, err := netip.ParseAddrPort(ra.String())
	if err != nil || ap.Port() != 1 || ap.Addr().As16()[0] != 0xfd {
		t.Fatalf("address is %q (%v)", ra, err)
	}
	if p, ok := ra.(interface{ AddrPort() netip.AddrPort }); !ok || p.AddrPort().IsValid() {
		t.Fatal("the address can be dialled")
	}
	salt := [32]byte{1}
	x, y := newAddr(salt, id("x"), "192.0.2.1"), newAddr(salt, id("y"), "192.0.2.1")
	if x == y {
		t.Fatal("two peers behind one IP address have the same address")
	}
	if x != newAddr(salt, id("x"), "192.0.2.1") {
		t.Fatal("a peer that comes back has another address")
	}
	if x == newAddr(salt, id("x"), "192.0.2.2") {
		t.Fatal("another machine gets a peer's address by using its id")
	}
}

func TestClientThatBeginsWithSomethingElseIsCutOff(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	ta.Join(swarmOf("a", f.URL))
	cb := swarmOf("b", f.URL)
	tb.Join(cb)
	c, err := ta.Listener().Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\n")); err == nil {
		t.Fatal("it was taken for a handshake")
	}
	if _, err := c.Write([]byte("x")); err == nil {
		t.Fatal("the connection is still open")
	}
}

func TestHandshakeIsSentAtOnce(t *testing.T) {
	f := newFakeTracker(t)
	ta, tb := testTransport(t, quickTimes()), testTransport(t, quickTimes())
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	ta.Join(ca)
	tb.Join(cb)
	// b has written nothing when a reads b's handshake.
	_, theirs := accept(t, ta, ca)
	if theirs != handshake(&cb) {
		t.Fatalf("handshake is %q", theirs)
	}
}

// A peer that left was refused for a minute when it came back: its leaving was taken for ours.
func TestAPeerThatLeftIsWelcomeAgain(t *testing.T) {
	f := newFakeTracker(t)
	times := quickTimes()
	times.unwanted, times.refuse = time.Hour, time.Hour
	ta, tb := testTransport(t, times), testTransport(t, times)
	ca, cb := swarmOf("a", f.URL), swarmOf("b", f.URL)
	ta.Join(ca)
	for range 3 {
		sb := tb.Join(cb)
		a, _ := acceptOnce(t, ta, ca)
		b, _ := acceptOnce(t, tb, cb)
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
		_ = b.Close()
		// As a torrent client does: it reads until the end, and closes then.
		if _, err := io.Copy(io.Discard, a); err != nil {
			t.Logf("reading ended with %v", err)
		}
		_ = a.Close()
	}
}
