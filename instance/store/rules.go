// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// FollowerPolicy says what happens to those who want to follow.
type FollowerPolicy string

// The policies for followers.
const (
	FollowersAccept  FollowerPolicy = "accept"
	FollowersApprove FollowerPolicy = "approve" // an administrator decides
	FollowersReject  FollowerPolicy = "reject"
)

// Policy says how follows are answered. The zero Policy is read as FollowersAccept.
type Policy struct {
	// FollowBack follows whoever follows, but for hosts on the blacklist.
	FollowBack bool           `json:"followBack"`
	Followers  FollowerPolicy `json:"followers"`
}

// Block is a host that is blocked: its activities are dropped, its content hidden. A block covers
// the host's subdomains and ports.
type Block struct {
	Host   string `json:"host"`
	Reason string `json:"reason,omitempty"`
	// List is the subscription's URL that it came from, empty for one by hand.
	List  string    `json:"list,omitempty"`
	Since time.Time `json:"since"`
}

// Subscription is a shared block list.
type Subscription struct {
	URL     string    `json:"url"`
	Checked time.Time `json:"checked,omitzero"`
	Error   string    `json:"error,omitempty"`
	Hosts   int       `json:"hosts"`
}

// rules are the policy and the lists in memory. They never change.
type rules struct {
	policy    Policy
	blacklist map[string]bool
	blocks    map[string]bool
}

func (s *Store) reloadRules() error {
	r := &rules{policy: Policy{Followers: FollowersAccept}, blacklist: map[string]bool{}, blocks: map[string]bool{}}
	err := s.db.View(func(b *bolt.Tx) error {
		if raw := b.Bucket(bucketSettings).Get(keyPolicy); raw != nil {
			if err := json.Unmarshal(raw, &r.policy); err != nil {
				return fmt.Errorf("decoding the policy: %w", err)
			}
		}
		tx := &Tx{bolt: b, s: s}
		black, err := tx.Blacklist()
		if err != nil {
			return err
		}
		for _, host := range black {
			r.blacklist[CleanHost(host)] = true
		}
		return tx.scan(bucketBlocks, nil, func(k, _ []byte) (bool, error) {
			host, _, _ := strings.Cut(string(k), "\x00")
			r.blocks[CleanHost(host)] = true
			return true, nil
		})
	})
	if err != nil {
		return fmt.Errorf("reading the instance's database: %w", err)
	}
	s.rules.Store(r)
	return nil
}

// addBlocks is reloadRules where nothing but blocks came: a long list comes in many steps.
func (s *Store) addBlocks(hosts []string) {
	old := s.rules.Load()
	r := &rules{policy: old.policy, blacklist: old.blacklist, blocks: make(map[string]bool, len(old.blocks)+len(hosts))}
	maps.Copy(r.blocks, old.blocks)
	for _, host := range hosts {
		r.blocks[host] = true
	}
	s.rules.Store(r)
}

// Policy says how follows are answered.
func (s *Store) Policy() Policy { return s.rules.Load().policy }

// Blocked reports whether a host is blocked: itself, without its port, or a domain above it.
func (s *Store) Blocked(host string) bool { return Covers(s.rules.Load().blocks, host) }

// Blacklisted reports whether a host is never followed back; as Blocked with ports and subdomains.
func (s *Store) Blacklisted(host string) bool { return Covers(s.rules.Load().blacklist, host) }

// SetPolicy stores the policy.
func (tx *Tx) SetPolicy(p Policy) error {
	switch p.Followers {
	case "":
		p.Followers = FollowersAccept
	case FollowersAccept, FollowersApprove, FollowersReject:
	default:
		return fmt.Errorf("there is no policy %q for followers", p.Followers)
	}
	tx.policy = true
	return tx.put(bucketSettings, keyPolicy, p)
}

// PutBlacklist adds a host that is never followed back.
func (tx *Tx) PutBlacklist(host string) error {
	host, err := checkHost(host)
	if err != nil {
		return err
	}
	tx.policy = true
	return tx.bucket(bucketBlacklist).Put([]byte(host), nil)
}

// DeleteBlacklist takes a host off the blacklist. It is no error where it is not on it.
func (tx *Tx) DeleteBlacklist(host string) error {
	tx.policy = true
	return tx.bucket(bucketBlacklist).Delete([]byte(CleanHost(host)))
}

// Blacklist returns the hosts that are never followed back, in order.
func (tx *Tx) Blacklist() ([]string, error) { return tx.keysOf(bucketBlacklist, nil) }

// PutBlock blocks a host, by hand or from a list; one host can be blocked by several lists. What came
// from it is hidden at once, and deleted by PurgeBlocked.
func (tx *Tx) PutBlock(b Block) error {
	host, err := checkHost(b.Host)
	if err != nil {
		return err
	}
	b.Host = host
	if !tx.s.Blocked(host) {
		if len(tx.blocked) == 0 {
			if err := tx.duePurge(); err != nil {
				return err
			}
		}
		tx.blocked = append(tx.blocked, host)
	}
	return tx.put(bucketBlocks, pair(b.Host, b.List), b)
}

// DeleteBlock takes away a list's block of a host; the list is empty for one by hand.
func (tx *Tx) DeleteBlock(host, list string) error {
	tx.policy = true
	return tx.bucket(bucketBlocks).Delete(pair(CleanHost(host), list))
}

// Blocks returns all blocks in order of their hosts. A host stands once for each list.
func (tx *Tx) Blocks() ([]Block, error) {
	var all []Block
	err := eachOf(tx, bucketBlocks, nil, func(b *Block) (bool, error) {
		all = append(all, *b)
		return true, nil
	})
	return all, err
}

// PutSubscription stores a shared block list's state.
func (tx *Tx) PutSubscription(s Subscription) error {
	if err := checkID(s.URL); err != nil {
		return err
	}
	return tx.put(bucketSubscriptions, []byte(s.URL), s)
}

// DeleteSubscription forgets a shared block list. Its blocks stay.
func (tx *Tx) DeleteSubscription(url string) error {
	return tx.bucket(bucketSubscriptions).Delete([]byte(url))
}

// HasSubscription reports whether a shared block list is known.
func (tx *Tx) HasSubscription(url string) bool {
	return tx.bucket(bucketSubscriptions).Get([]byte(url)) != nil
}

// BlocksBy returns the hosts that a list blocks, in order; an empty list stands for those by hand.
func (tx *Tx) BlocksBy(list string) ([]string, error) {
	var all []string
	err := tx.scan(bucketBlocks, nil, func(k, _ []byte) (bool, error) {
		if host, by, _ := strings.Cut(string(k), "\x00"); by == list {
			all = append(all, host)
		}
		return true, nil
	})
	return all, err
}

// Subscriptions returns the shared block lists in order of their URLs.
func (tx *Tx) Subscriptions() ([]Subscription, error) {
	var all []Subscription
	err := eachOf(tx, bucketSubscriptions, nil, func(s *Subscription) (bool, error) {
		all = append(all, *s)
		return true, nil
	})
	return all, err
}
