// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"slices"
	"sync"
	"time"

	"shoal/instance/party"
	"shoal/instance/store"
)

// knownFor is how long what is known of follows may be old.
const knownFor = 10 * time.Second

// knows remembers the parties that follow this instance or are followed by it. What they send gets
// ample room, as many servers send each activity once and never again; strangers get less, so that
// they cannot fill it.
type knows struct {
	mu      sync.Mutex
	parties map[string]bool
	read    time.Time
}

// known are the parties that this instance has to do with. The map is not to be changed.
func (b *Inbox) known() map[string]bool {
	k, now := &b.knows, b.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parties != nil && now.Sub(k.read).Abs() < knownFor {
		return k.parties
	}
	found := map[string]bool{}
	add := func(states ...store.FollowState) func(*store.Follow) (bool, error) {
		return func(f *store.Follow) (bool, error) {
			if slices.Contains(states, f.State) {
				found[party.Host(f.Host)] = true
			}
			return true, nil
		}
	}
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		// An answer is awaited of those that were asked.
		if err := tx.EachFollowing("", add(store.FollowAccepted, store.FollowPending)); err != nil {
			return err
		}
		return tx.EachFollower("", add(store.FollowAccepted))
	})
	if err != nil {
		b.log.Error("the follows cannot be read", "error", err)
		return k.parties
	}
	k.parties, k.read = found, now
	return found
}

// knowsHost reports whether a host is of a party that this instance has to do with. It reads the
// database: it is not for use in a transaction.
func (b *Inbox) knowsHost(host string) bool { return b.known()[party.Host(host)] }
