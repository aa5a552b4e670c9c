// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Defaults of Config.
const (
	defaultMaxHosts    = 64
	defaultTimeout     = 15 * time.Second
	defaultLifetime    = 48 * time.Hour
	defaultMaxFailures = 1000
)

// Queue is the outbound queue. Its methods are safe for concurrent use.
//
// Nobody holds mu while he waits for the database.
type Queue struct {
	db      *bolt.DB
	cfg     Config
	bodies  bodies
	serving atomic.Bool

	mu    sync.Mutex
	hosts map[string]*host // those that something waits for
	depth int
	turns
	reports []*report // outcomes that are not written yet

	wake   chan struct{} // something may be due
	ripe   chan struct{} // reports is not empty
	failed chan error    // the database does not work any more
}

// New returns the queue in db, with all that waited there. It creates what is missing.
func New(db *bolt.DB, cfg Config) (*Queue, error) {
	if cfg.Post == nil {
		return nil, errors.New("creating the delivery queue: there is no Post")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxHosts <= 0 {
		cfg.MaxHosts = defaultMaxHosts
	}
	if cfg.MaxSlow <= 0 {
		cfg.MaxSlow = 2 * cfg.MaxHosts
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Lifetime <= 0 {
		cfg.Lifetime = defaultLifetime
	}
	if cfg.MaxFailures <= 0 {
		cfg.MaxFailures = defaultMaxFailures
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue{
		db: db, cfg: cfg, hosts: map[string]*host{}, turns: newTurns(),
		wake: make(chan struct{}, 1), ripe: make(chan struct{}, 1), failed: make(chan error, 1),
	}
	if err := q.prepare(); err != nil {
		return nil, fmt.Errorf("preparing the delivery queue: %w", err)
	}
	if err := db.View(q.load); err != nil {
		return nil, fmt.Errorf("reading the delivery queue: %w", err)
	}
	return q, nil
}

// prepare writes only where a bucket is missing.
func (q *Queue) prepare() error {
	missing := false
	err := q.db.View(func(tx *bolt.Tx) error {
		missing = slices.ContainsFunc(buckets(), func(name []byte) bool { return tx.Bucket(name) == nil })
		return nil
	})
	if err != nil || !missing {
		return err
	}
	return q.db.Update(Prepare)
}

// load counts what waits for each host.
func (q *Queue) load(tx *bolt.Tx) error {
	now := q.now()
	var h *host
	c := tx.Bucket(bucketEntries).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		name, _, err := splitKey(k)
		if err != nil {
			return err
		}
		if h == nil || h.name != name {
			h = &host{name: name}
			if v := tx.Bucket(bucketHosts).Get([]byte(name)); v != nil {
				if h.health, err = decodeHealth(v); err != nil {
					return err
				}
			}
			if h.next > now+sane.Milliseconds() {
				h.next = 0
			}
			q.hosts[name] = h
			q.await(h, h.next)
		}
		e, err := decodeEntry(name, v)
		if err != nil {
			return err
		}
		h.depth += len(e.inboxes)
		q.depth += len(e.inboxes)
	}
	return nil
}

func (q *Queue) now() int64 { return q.cfg.Now().UnixMilli() }

// Depth returns how many deliveries wait, one for each message and inbox.
func (q *Queue) Depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(q.depth, 0)
}

// Hosts returns the hosts that deliveries wait for, by name. The error is always nil.
func (q *Queue) Hosts() ([]Host, error) {
	q.mu.Lock()
	hosts := make([]Host, 0, len(q.hosts))
	for _, h := range q.hosts {
		if h.depth <= 0 {
			continue
		}
		view := Host{Host: h.name, Depth: h.depth, LastError: h.lastError, Broken: h.broken()}
		if h.phase == phaseWaiting {
			view.Next = time.UnixMilli(h.wakeAt)
		}
		hosts = append(hosts, view)
	}
	q.mu.Unlock()
	slices.SortFunc(hosts, func(a, b Host) int { return cmp.Compare(a.Host, b.Host) })
	return hosts, nil
}

// changed takes over what a committed transaction added and removed.
func (q *Queue) changed(change map[string]int) {
	q.mu.Lock()
	for name, by := range change {
		h := q.hosts[name]
		if h == nil {
			h = &host{name: name}
			q.hosts[name] = h
		}
		h.depth += by
		q.depth += by
		h.changed = true
		if h.phase != phaseTaken {
			q.await(h, h.next)
		}
		q.forget(h)
	}
	q.mu.Unlock()
	signal(q.wake)
}

// Retry makes all that waits for a host due now; "" means every host. A host that failed often
// still gets one probe first.
func (q *Queue) Retry(name string) error {
	name = strings.ToLower(name)
	err := q.db.Update(func(tx *bolt.Tx) error {
		now, entries := q.now(), tx.Bucket(bucketEntries)
		type update struct{ k, v []byte }
		var updates []update
		if err := each(entries, name, func(host string, k []byte, e *entry) error {
			if e.next > now {
				e.next, e.ownWait = 0, false
				updates = append(updates, update{bytes.Clone(k), e.encode(host)})
			}
			return nil
		}); err != nil {
			return err
		}
		for _, u := range updates {
			if err := entries.Put(u.k, u.v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("retrying deliveries: %w", err)
	}
	q.mu.Lock()
	for _, h := range q.hosts {
		if name != "" && name != h.name {
			continue
		}
		h.retry, h.next = true, 0
		if h.phase == phaseWaiting {
			q.await(h, 0)
		}
	}
	q.mu.Unlock()
	signal(q.wake)
	return nil
}

// Drop forgets all that waits for a host. Nobody is told of it. An attempt under way goes on.
func (q *Queue) Drop(name string) error {
	name = strings.ToLower(name)
	if name == "" {
		return errors.New("dropping deliveries: name a host")
	}
	change := map[string]int{}
	err := q.db.Update(func(tx *bolt.Tx) error {
		entries := tx.Bucket(bucketEntries)
		refs := map[uint64]int64{}
		var keys [][]byte
		if err := each(entries, name, func(host string, k []byte, e *entry) error {
			_, seq, err := splitKey(k)
			refs[seq]--
			change[host] -= len(e.inboxes)
			keys = append(keys, bytes.Clone(k))
			return err
		}); err != nil {
			return err
		}
		for _, k := range keys {
			if err := entries.Delete(k); err != nil {
				return err
			}
		}
		for seq, by := range refs {
			if err := addRefs(tx, seq, by); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketHosts).Delete([]byte(name))
	})
	if err != nil {
		return fmt.Errorf("dropping deliveries to %s: %w", name, err)
	}
	q.changed(change)
	return nil
}

// each calls f with the entries of a host, or of all for "".
func each(entries *bolt.Bucket, name string, f func(host string, k []byte, e *entry) error) error {
	var prefix []byte
	if name != "" {
		prefix = append([]byte(name), 0)
	}
	c := entries.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		host, _, err := splitKey(k)
		if err != nil {
			return err
		}
		e, err := decodeEntry(host, v)
		if err != nil {
			return err
		}
		if err := f(host, k, &e); err != nil {
			return err
		}
	}
	return nil
}

// signal wakes whoever waits for c.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
