// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"strings"
)

const (
	// purgeStep is how many things one transaction of PurgeBlocked deletes, purgeLooks at how many hosts
	// it looks: others that write come in between.
	purgeStep  = 500
	purgeLooks = 5000
)

// PurgeBlocked deletes all that came from blocked hosts, their subdomains and ports: actors, videos,
// comments, rates, shares and follows. It goes in steps, so that others can write meanwhile. What is
// left where ctx ends is deleted by the next call, also after a restart.
func (s *Store) PurgeBlocked(ctx context.Context) error {
	for {
		var due, done int
		err := s.Read(func(tx *Tx) error {
			due, done = tx.number(keyPurgeDue), tx.number(keyPurgeDone)
			return nil
		})
		if err != nil || due == done {
			return err
		}
		for next, first := "", true; first || next != ""; first = false {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := s.Write("deleting what came from blocked hosts", func(tx *Tx) (err error) {
				if next, err = tx.purge(s.Blocked, next, purgeStep); err != nil || next != "" {
					return err
				}
				// What was blocked meanwhile is due still.
				return tx.addNumber(keyPurgeDone, due-done)
			})
			if err != nil {
				return err
			}
		}
	}
}

// duePurge notes that a host is blocked of which there may be something.
func (tx *Tx) duePurge() error { return tx.addNumber(keyPurgeDue, 1) }

// purge deletes what came from hosts that are blocked, about most things, from a place that an earlier
// call returned, or from the beginning where it is empty. It returns where to go on, empty when nothing
// is left. It seeks from host to host.
func (tx *Tx) purge(blocked func(host string) bool, from string, most int) (next string, err error) {
	buckets := [][]byte{bucketBy, bucketActors}
	at := 0
	if from != "" {
		at, from = int(from[0]-'0'), from[1:]
	}
	looks := 0
	for ; at < len(buckets); at, from = at+1, "" {
		for {
			raw, _ := tx.bucket(buckets[at]).Cursor().Seek([]byte(from))
			if raw == nil {
				break
			}
			k := string(raw)
			if looks++; most <= 0 || looks > purgeLooks {
				return string(rune('0'+at)) + k, nil
			}
			id, _, _ := strings.Cut(k, "\x00")
			if !blocked(HostOf(id)) {
				scheme, rest, _ := strings.Cut(id, "://")
				name, _, _ := strings.Cut(rest, "/")
				from = scheme + "://" + name + "/\xff"
				continue
			}
			n, err := tx.dropHanging(id, most)
			if err != nil {
				return "", err
			}
			if most -= n + 1; most <= 0 {
				continue // what hangs on it may not be all yet: it is where the next go begins
			}
			if err := tx.DeleteActor(id); err != nil {
				return "", err
			}
			from = id + "\x01"
		}
	}
	return "", nil
}
