// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
)

// Buckets of the queue.
var (
	// bucketMessages: number -> message. The numbers rise with each Enqueue.
	bucketMessages = []byte("deliveryMessages")
	// bucketRefs: number -> how many entries need the message; apart from it, as it changes often.
	bucketRefs = []byte("deliveryRefs")
	// bucketEntries: host, NUL, number -> entry. A host's entries lie side by side, in order.
	bucketEntries = []byte("deliveryEntries")
	// bucketHosts: host -> health, of hosts that failed last.
	bucketHosts = []byte("deliveryHosts")
	// bucketCoalesce: Message.Coalesce -> number of the latest message with it.
	bucketCoalesce = []byte("deliveryCoalesce")
	// bucketFailures: number -> Failure.
	bucketFailures = []byte("deliveryFailures")
)

func buckets() [][]byte {
	return [][]byte{bucketMessages, bucketRefs, bucketEntries, bucketHosts, bucketCoalesce, bucketFailures}
}

// format is the first byte of each record.
const format = 1

// formatMessage is the first byte of a message's record. An older one begins with format.
const formatMessage = 2

var errDamaged = errors.New("the record is damaged")

// message is what all the entries of a Message share.
type message struct {
	id, actor, coalesce string
	created, until      int64 // Unix milliseconds; until may be 0
	body                []byte
}

func (m *message) encode() []byte {
	b := make([]byte, 0, len(m.id)+len(m.actor)+len(m.coalesce)+len(m.body)+24)
	b = append(b, formatMessage)
	b = appendString(b, m.id)
	b = appendString(b, m.actor)
	b = appendString(b, m.coalesce)
	b = binary.AppendVarint(b, m.created)
	b = binary.AppendVarint(b, m.until)
	return append(b, m.body...)
}

// decodeMessage copies what it keeps.
func decodeMessage(v []byte) (*message, error) {
	r := reader{b: v}
	kind := r.byte()
	m := &message{id: r.string(), actor: r.string(), coalesce: r.string(), created: r.varint()}
	switch kind {
	case formatMessage:
		m.until = r.varint()
	case format: // it has no end of its own
	default:
		r.bad = true
	}
	if r.bad {
		return nil, fmt.Errorf("reading a message: %w", errDamaged)
	}
	m.body = bytes.Clone(r.b)
	return m, nil
}

// entry is one message for one host.
type entry struct {
	order   uint64 // hash of Message.Order; 0: none
	created int64  // of the message
	// next is when to try again, last the latest attempt; both Unix milliseconds or 0.
	next, last int64
	tries      uint64 // attempts that failed
	own        uint64 // those of them that were not the whole host's failure
	// ownWait: next holds even when the host works.
	ownWait bool
	inboxes []string // URLs that still have to get it
}

// Flags of an entry.
const flagOwnWait = 1

// Kinds of an inbox: what precedes the stored text.
const (
	inboxWhole = iota
	inboxHTTPS
	inboxHTTP
)

func (e *entry) encode(host string) []byte {
	b := make([]byte, 0, 48+24*len(e.inboxes))
	var flags byte
	if e.ownWait {
		flags |= flagOwnWait
	}
	b = append(b, format, flags)
	b = binary.BigEndian.AppendUint64(b, e.order)
	b = binary.AppendVarint(b, e.created)
	b = binary.AppendVarint(b, e.next)
	b = binary.AppendVarint(b, e.last)
	b = binary.AppendUvarint(b, e.tries)
	b = binary.AppendUvarint(b, e.own)
	b = binary.AppendUvarint(b, uint64(len(e.inboxes)))
	for _, inbox := range e.inboxes {
		kind, rest := byte(inboxWhole), inbox
		if s, ok := strings.CutPrefix(inbox, "https://"+host); ok {
			kind, rest = inboxHTTPS, s
		} else if s, ok := strings.CutPrefix(inbox, "http://"+host); ok {
			kind, rest = inboxHTTP, s
		}
		b = appendString(append(b, kind), rest)
	}
	return b
}

func decodeEntry(host string, v []byte) (entry, error) {
	r := reader{b: v}
	r.format()
	flags := r.byte()
	e := entry{ownWait: flags&flagOwnWait != 0, order: r.fixed()}
	e.created, e.next, e.last = r.varint(), r.varint(), r.varint()
	e.tries, e.own = r.uvarint(), r.uvarint()
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		n = 0
	}
	e.inboxes = make([]string, 0, n)
	for range n {
		kind, s := r.byte(), r.string()
		switch kind {
		case inboxHTTPS:
			s = "https://" + host + s
		case inboxHTTP:
			s = "http://" + host + s
		}
		e.inboxes = append(e.inboxes, s)
	}
	if r.bad || len(r.b) != 0 {
		return entry{}, fmt.Errorf("reading an entry for %s: %w", host, errDamaged)
	}
	return e, nil
}

// health is how a host answered lately.
type health struct {
	fails     uint64 // in a row
	next      int64  // Unix milliseconds: nothing is sent before
	lastError string
}

func (h *health) encode() []byte {
	b := binary.AppendUvarint([]byte{format}, h.fails)
	b = binary.AppendVarint(b, h.next)
	return appendString(b, h.lastError)
}

func decodeHealth(v []byte) (health, error) {
	r := reader{b: v}
	r.format()
	h := health{fails: r.uvarint(), next: r.varint(), lastError: r.string()}
	if r.bad {
		return health{}, fmt.Errorf("reading a host's state: %w", errDamaged)
	}
	return h, nil
}

func entryKey(host string, seq uint64) []byte {
	b := make([]byte, 0, len(host)+9)
	b = append(b, host...)
	return binary.BigEndian.AppendUint64(append(b, 0), seq)
}

func splitKey(k []byte) (host string, seq uint64, err error) {
	i := bytes.IndexByte(k, 0)
	if i <= 0 || len(k) != i+9 {
		return "", 0, fmt.Errorf("reading an entry's key: %w", errDamaged)
	}
	return string(k[:i]), binary.BigEndian.Uint64(k[i+1:]), nil
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// orderHash is 0 for no order. Two orders that share a hash wait for each other, no more.
func orderHash(order string) uint64 {
	if order == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(order))
	return max(h.Sum64(), 1)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes values off the front of a record; bad is set once one is not there.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) format() { r.bad = r.byte() != format || r.bad }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) fixed() uint64 {
	if len(r.b) < 8 {
		r.bad = true
		return 0
	}
	v := binary.BigEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return v * r.took(n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return v * int64(r.took(n))
}

// took moves on by n bytes and returns 1, or 0 where n says that there was no number.
func (r *reader) took(n int) uint64 {
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return 1
}

func (r *reader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
