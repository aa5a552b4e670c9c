// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"shoal/peer/foreign"
)

// fill is how full pages get when entries are added: mostly in the order of their keys.
const fill = 0.8

// Prepare creates the queue's buckets.
func Prepare(tx *bolt.Tx) error {
	for _, name := range buckets() {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("creating bucket %s: %w", name, err)
		}
	}
	return nil
}

// Enqueue stores m for each of its inboxes, in the caller's write transaction. The workers see it
// when the transaction commits. An inbox that is no web address is put among the failures.
func (q *Queue) Enqueue(tx *bolt.Tx, m Message) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("queueing activity %q: %w", foreign.Clip(m.ID), err)
	}
	s := sender{tx: tx, now: q.now(), change: map[string]int{}}
	if !m.Until.IsZero() && m.Until.UnixMilli() <= s.now {
		return nil
	}
	if m.Spare {
		s.crowded = q.crowded
	}
	if err := s.enqueue(&m, q.cfg.MaxFailures); err != nil {
		return fmt.Errorf("queueing activity %q: %w", foreign.Clip(m.ID), err)
	}
	tx.OnCommit(func() { q.changed(s.change) })
	for _, inbox := range s.refused {
		q.cfg.Logger.Warn("inbox is no web address", "activity", m.ID, "inbox", foreign.Clip(inbox))
	}
	return nil
}

// crowded reports whether so much waits for a host, or in all, that a spare message is left out.
func (q *Queue) crowded(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[name]
	return q.depth >= maxSpare || h != nil && h.depth >= maxSpareOf
}

func (m *Message) check() error {
	switch {
	case m.ID == "":
		return errors.New("it has no id")
	case len(m.Body) == 0 || len(m.Body) > MaxBody:
		return fmt.Errorf("its body has %d bytes, not 1 to %d", len(m.Body), MaxBody)
	case max(len(m.ID), len(m.Actor), len(m.Order), len(m.Coalesce)) > maxText:
		return fmt.Errorf("one of its names is longer than %d bytes", maxText)
	}
	return nil
}

// target is an inbox and its host.
type target struct{ host, inbox string }

// targets sorts the inboxes by host, each once.
func targets(inboxes []string) (good []target, bad []string) {
	good = make([]target, 0, len(inboxes))
	for _, inbox := range inboxes {
		host, ok := hostOf(inbox)
		if !ok {
			bad = append(bad, inbox)
			continue
		}
		good = append(good, target{host, inbox})
	}
	slices.SortFunc(good, func(a, b target) int {
		return cmp.Or(strings.Compare(a.host, b.host), strings.Compare(a.inbox, b.inbox))
	})
	return slices.Compact(good), bad
}

// hostOf is the host of an inbox, with the port where it is not the scheme's own.
func hostOf(inbox string) (string, bool) {
	if len(inbox) > maxText {
		return "", false
	}
	u, err := url.Parse(inbox)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || len(u.Host) > 300 || strings.ContainsRune(u.Host, 0) {
		return "", false
	}
	return HostKey(u), true
}

// HostKey is the name under which a URL's host stands in the queue: lower case, with the port where
// it is not the scheme's own.
func HostKey(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// sender is one Enqueue.
type sender struct {
	tx      *bolt.Tx
	now     int64
	change  map[string]int // host -> by how many deliveries its depth changes
	refused []string
	crowded func(host string) bool // nil: no host is
}

func (s *sender) enqueue(m *Message, maxFailures int) error {
	to, bad := targets(m.Inboxes)
	s.refused = bad
	for _, inbox := range bad {
		f := Failure{Time: time.UnixMilli(s.now), ID: m.ID, Actor: m.Actor, Inbox: foreign.Clip(inbox), Reason: "the inbox is no web address"}
		if err := putFailure(s.tx, f, maxFailures); err != nil {
			return err
		}
	}
	if s.crowded != nil {
		to = slices.DeleteFunc(to, func(t target) bool { return s.crowded(t.host) })
	}
	if len(to) == 0 {
		return nil
	}
	messages, entries := s.tx.Bucket(bucketMessages), s.tx.Bucket(bucketEntries)
	messages.FillPercent, entries.FillPercent = fill, fill
	seq, err := messages.NextSequence()
	if err != nil {
		return err
	}
	older, err := s.older(m.Coalesce)
	if err != nil {
		return err
	}
	refs := int64(0)
	for len(to) > 0 {
		host := to[0].host
		n := slices.IndexFunc(to, func(t target) bool { return t.host != host })
		if n < 0 {
			n = len(to)
		}
		e := entry{order: orderHash(m.Order), created: s.now, inboxes: make([]string, n)}
		for i := range n {
			e.inboxes[i] = to[i].inbox
		}
		to = to[n:]
		if older != 0 {
			if err := s.replace(host, older, &e); err != nil {
				return err
			}
		}
		if err := entries.Put(entryKey(host, seq), e.encode(host)); err != nil {
			return err
		}
		s.change[host] += n
		refs++
	}
	if m.Coalesce != "" {
		if err := s.tx.Bucket(bucketCoalesce).Put([]byte(m.Coalesce), seqKey(seq)); err != nil {
			return err
		}
	}
	stored := message{id: m.ID, actor: m.Actor, coalesce: m.Coalesce, created: s.now, body: m.Body}
	if !m.Until.IsZero() {
		stored.until = m.Until.UnixMilli()
	}
	if err := messages.Put(seqKey(seq), stored.encode()); err != nil {
		return err
	}
	return addRefs(s.tx, seq, refs)
}

// older is the number of a message with the same key, or 0.
func (s *sender) older(coalesce string) (uint64, error) {
	if coalesce == "" {
		return 0, nil
	}
	v := s.tx.Bucket(bucketCoalesce).Get([]byte(coalesce))
	if v == nil {
		return 0, nil
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("reading what an activity replaces: %w", errDamaged)
	}
	return binary.BigEndian.Uint64(v), nil
}

// replace takes the inboxes of e out of an older entry. e takes over its place in the back-off, so
// that a busy sender does not hammer a host that fails.
func (s *sender) replace(host string, older uint64, e *entry) error {
	entries := s.tx.Bucket(bucketEntries)
	k := entryKey(host, older)
	v := entries.Get(k)
	if v == nil {
		return nil
	}
	old, err := decodeEntry(host, v)
	if err != nil {
		return err
	}
	before := len(old.inboxes)
	old.inboxes = slices.DeleteFunc(old.inboxes, func(s string) bool { return slices.Contains(e.inboxes, s) })
	s.change[host] -= before - len(old.inboxes)
	if before != len(old.inboxes) {
		e.next, e.last, e.tries, e.own, e.ownWait = old.next, old.last, old.tries, old.own, old.ownWait
	}
	if len(old.inboxes) > 0 {
		return entries.Put(k, old.encode(host))
	}
	if err := entries.Delete(k); err != nil {
		return err
	}
	return addRefs(s.tx, older, -1)
}

// addRefs changes how many entries need a message, which goes with the last of them.
func addRefs(tx *bolt.Tx, seq uint64, by int64) error {
	k, refs := seqKey(seq), tx.Bucket(bucketRefs)
	refs.FillPercent = fill
	n := by
	if v := refs.Get(k); v != nil {
		old, size := binary.Varint(v)
		if size <= 0 {
			return fmt.Errorf("counting an activity's inboxes: %w", errDamaged)
		}
		n += old
	}
	if n > 0 {
		return refs.Put(k, binary.AppendVarint(nil, n))
	}
	if err := refs.Delete(k); err != nil {
		return err
	}
	messages := tx.Bucket(bucketMessages)
	if v := messages.Get(k); v != nil {
		m, err := decodeMessage(v)
		if err != nil {
			return err
		}
		if m.coalesce != "" {
			b := tx.Bucket(bucketCoalesce)
			if string(b.Get([]byte(m.coalesce))) == string(k) {
				if err := b.Delete([]byte(m.coalesce)); err != nil {
					return err
				}
			}
		}
	}
	return messages.Delete(k)
}
