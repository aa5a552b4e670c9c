// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/anacrolix/torrent/metainfo"
)

// The messages of BEP 3, BEP 6 and BEP 10.
const (
	msgChoke, msgUnchoke, msgInterested, msgHave = 0, 1, 2, 4
	msgBitfield, msgRequest, msgPiece            = 5, 6, 7
	msgHaveAll, msgReject, msgExtended           = 14, 16, 20
	msgKeepalive                                 = -1
)

const blockSize = 16 << 10

// wire is one end of a peer connection whose messages a test makes by hand.
type wire struct {
	net.Conn
	tb testing.TB
	f  *fixture
}

// dialWire connects to an engine over TCP and exchanges handshakes.
func dialWire(tb testing.TB, e *Engine, f *fixture, name string) *wire {
	tb.Helper()
	w, err := tryWire(tb, e, f, name)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func tryWire(tb testing.TB, e *Engine, f *fixture, name string) (*wire, error) {
	tb.Helper()
	c, err := net.Dial("tcp", e.addr())
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() { _ = c.Close() })
	return shakeHands(tb, c, f, name)
}

func shakeHands(tb testing.TB, c net.Conn, f *fixture, name string) (*wire, error) {
	tb.Helper()
	w := &wire{Conn: c, tb: tb, f: f}
	if _, err := c.Write(wireHandshake(f.hash, name)); err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(testPatience)); err != nil {
		return nil, err
	}
	theirs := make([]byte, 68)
	if _, err := io.ReadFull(c, theirs); err != nil {
		return nil, err
	}
	if !bytes.Equal(theirs[28:48], f.hash[:]) {
		return nil, errors.New("handshake for another torrent")
	}
	return w, nil
}

// wireHandshake says that it knows the extension protocol and the fast extension.
func wireHandshake(h metainfo.Hash, name string) []byte {
	b := append([]byte("\x13BitTorrent protocol"), 0, 0, 0, 0, 0, 0x10, 0, 0x04)
	b = append(b, h[:]...)
	id := []byte("-XX0000-------------")
	copy(id[8:], name)
	return append(b, id...)
}

func wireMessage(id byte, body ...any) []byte {
	b := []byte{0, 0, 0, 0, id}
	for _, part := range body {
		switch v := part.(type) {
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		case byte:
			b = append(b, v)
		case []byte:
			b = append(b, v...)
		case string:
			b = append(b, v...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func (w *wire) send(id byte, body ...any) error {
	_, err := w.Write(wireMessage(id, body...))
	return err
}

// receive returns the next message; an error when the other side has hung up.
func (w *wire) receive() (id int, body []byte, err error) {
	var size [4]byte
	if _, err := io.ReadFull(w, size[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 {
		return msgKeepalive, nil, nil
	}
	if n > 1<<20 {
		return 0, nil, fmt.Errorf("message of %d bytes", n)
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(w, body); err != nil {
		return 0, nil, err
	}
	return int(body[0]), body[1:], nil
}

// await skips messages up to one of a kind.
func (w *wire) await(id int) ([]byte, error) {
	for {
		got, body, err := w.receive()
		if err != nil || got == id {
			return body, err
		}
	}
}

var errRejected = errors.New("the request was rejected")

// block asks for one block and compares it with the fixture.
func (w *wire) block(piece, begin int) error {
	length := int(w.f.pieceLength())
	if err := w.send(msgRequest, piece, begin, blockSize); err != nil {
		return err
	}
	for {
		id, body, err := w.receive()
		switch {
		case err != nil:
			return err
		case id == msgReject, id == msgChoke:
			return errRejected
		case id == msgPiece:
			at := piece*length + begin
			if !bytes.Equal(body[8:], w.f.data[at:at+blockSize]) {
				w.tb.Errorf("wrong bytes of piece %d were sent", piece)
			}
			return nil
		}
	}
}

// have reads the messages up to the bitfield, or what stands for it, and returns how many pieces the
// other side has.
func (w *wire) have() (n int, err error) {
	for {
		id, body, err := w.receive()
		switch {
		case err != nil:
			return 0, err
		case id == msgHaveAll:
			return (len(w.f.data) + int(w.f.pieceLength()) - 1) / int(w.f.pieceLength()), nil
		case id == msgBitfield:
			for _, b := range body {
				for ; b != 0; b &= b - 1 {
					n++
				}
			}
			return n, nil
		case id == 15: // have none
			return 0, nil
		}
	}
}

func (f *fixture) pieceLength() int64 {
	info, err := f.mi.UnmarshalInfo()
	if err != nil {
		panic(err)
	}
	return info.PieceLength
}
