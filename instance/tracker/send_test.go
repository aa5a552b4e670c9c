// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"bytes"
	"testing"
)

// sip is a link that takes a few bytes at a time.
type sip struct {
	takes int
	got   []byte
}

func (s *sip) write(b []byte) (int, error) {
	n := min(s.takes, len(b))
	s.got = append(s.got, b[:n]...)
	return n, nil
}

func (*sip) finish() {}
func (*sip) drop()   {}

// TestWhatWaitsIsCountedWhole has much wait for a client that then takes all but a few bytes: what is
// counted is what the buffer costs, never more than the bound, and little at the end.
func TestWhatWaitsIsCountedWhole(t *testing.T) {
	const most = 300_000
	tr := New(Config{MaxQueue: most})
	defer tr.Close()
	link, w := &sip{}, newWorker()
	c := &conn{t: tr, link: link}
	var want []byte
	message := bytes.Repeat([]byte("x"), 9000)
	for range most/9010 - 1 {
		want = appendFrame(want, opText, message)
		c.send(w, message)
		w.flush()
		if n := int64(cap(c.out.b)); tr.heldOut.Load() != n || n > most {
			t.Fatalf("%d bytes are counted of a buffer of %d", tr.heldOut.Load(), n)
		}
	}
	for link.takes = 10_000; len(want)-len(link.got) > 10_000; {
		c.flush()
		if n := int64(cap(c.out.b)); tr.heldOut.Load() != n || n > max(keptSize, int64(4*len(c.out.b))) {
			t.Fatalf("%d bytes are counted of a buffer of %d that holds %d", tr.heldOut.Load(), n, len(c.out.b))
		}
	}
	c.flush()
	if c.out != nil || tr.heldOut.Load() != 0 || !bytes.Equal(link.got, want) {
		t.Errorf("%d bytes are counted at the end, %d of %d came", tr.heldOut.Load(), len(link.got), len(want))
	}
}

// TestAnswersNeedNoBuffer sends short messages to a client that takes them at once.
func TestAnswersNeedNoBuffer(t *testing.T) {
	tr := New(Config{})
	defer tr.Close()
	w := newWorker()
	c := &conn{t: tr, link: &sip{takes: 1 << 20, got: make([]byte, 0, 1<<20)}}
	message := bytes.Repeat([]byte("x"), 200)
	if n := testing.AllocsPerRun(1000, func() {
		c.send(w, message)
		w.flush()
	}); n >= 1 {
		t.Errorf("%.1f allocations a message", n)
	}
}
