// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// ListQuery asks for a page of videos. The zero query is all that is listed, the first found first.
type ListQuery struct {
	// Origin is "local", "remote" or empty for both.
	Origin string
	// Search is words to find in title, description, tags and channel name.
	Search string
	// Host is a remote host; Account and Channel are actor ids.
	Host, Account, Channel string
	// A video has one of Tags and all of AllTags; one of the categories, licences and languages, by
	// their ids. Empty lists ask nothing.
	Tags, AllTags, Categories, Licences, Languages []string
	// NSFW and Live ask for one kind; nil for both.
	NSFW, Live *bool
	// Sort is name, duration, createdAt, publishedAt, originallyPublishedAt, views, likes, trending,
	// hot, best or match; empty is publishedAt, or match when there is a Search.
	Sort       string
	Descending bool
	// Count below 0 means all.
	Start, Count int
	// Unlisted asks also for what is known but not listed: not public, or brought by nobody followed.
	Unlisted bool
}

// Listed is one video of a page: exactly one is set.
type Listed struct {
	Local  *Video
	Remote *RemoteVideo
}

// Searcher finds videos by words.
type Searcher interface {
	// Search returns the numbers of all videos that fit, best first.
	Search(ctx context.Context, text string) ([]uint64, error)
}

// SetSearcher hands over the search index. Without one, searching finds local videos alone. It is
// called before the store is used.
func (s *Store) SetSearcher(f Searcher) { s.searcher = f }

// listIndex is all remote videos' lines, in memory.
type listIndex struct {
	mu       sync.RWMutex
	lines    map[uint64]*line
	followed map[string]bool // actor ids
	hosts    map[string]bool // hosts whose instance actor is followed
	blocked  func(host string) bool
}

func (x *listIndex) apply(changes []func(*listIndex)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, f := range changes {
		f(x)
	}
}

func (x *listIndex) put(l *line) {
	x.lines[l.number] = l
	x.show(l)
}

func (x *listIndex) delete(number uint64) { delete(x.lines, number) }

// show works out whether a followed actor brought the line, from a host that is not blocked.
func (x *listIndex) show(l *line) {
	l.shown = false
	if x.blocked(l.host) {
		return
	}
	for _, s := range l.sources {
		if x.followed[s] || len(x.hosts) > 0 && x.hosts[HostOf(s)] {
			l.shown = true
			return
		}
	}
}

// loadList reads the lines of all remote videos, and makes those anew that are of an older form.
func (s *Store) loadList() error {
	lines := map[uint64]*line{}
	texts := map[string]string{}
	intern := func(b []byte) string {
		if t, ok := texts[string(b)]; ok {
			return t
		}
		t := string(b)
		texts[t] = t
		return t
	}
	var stale []uint64
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketLines).ForEach(func(k, v []byte) error {
			l, err := decodeLine(v, intern)
			if err != nil {
				stale = append(stale, parseKeyText(string(k)))
				return nil //nolint:nilerr // made anew below
			}
			lines[l.number] = l
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("reading the instance's database: %w", err)
	}
	s.list.mu.Lock()
	s.list.lines, s.list.blocked = lines, s.Blocked
	s.list.mu.Unlock()
	if len(stale) == 0 {
		return nil
	}
	return s.Write("renewing the list of videos", func(tx *Tx) error {
		for _, n := range stale {
			v, ok, err := tx.RemoteVideoByNumber(n)
			if err != nil {
				return err
			}
			if !ok {
				if err := tx.bucket(bucketLines).Delete(key(n)); err != nil {
					return err
				}
				continue
			}
			if err := tx.storeRemote(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// reloadFollowing reads whom we follow and works out what is listed.
func (s *Store) reloadFollowing() error {
	followed, hosts := map[string]bool{}, map[string]bool{}
	err := s.Read(func(tx *Tx) error {
		return tx.EachFollowing("", func(f *Follow) (bool, error) {
			if f.State != FollowAccepted {
				return true, nil
			}
			followed[f.Remote] = true
			a, ok, err := tx.Actor(f.Remote)
			if err == nil && ok && a.Type == "Application" {
				hosts[HostOf(f.Remote)] = true
			}
			return true, err
		})
	})
	if err != nil {
		return fmt.Errorf("reading the instance's database: %w", err)
	}
	x := &s.list
	x.mu.Lock()
	defer x.mu.Unlock()
	x.followed, x.hosts = followed, hosts
	for _, l := range x.lines {
		x.show(l)
	}
	return nil
}

// ErrNoSearch is a search without a search index.
var ErrNoSearch = errors.New("searching is not available")

// List returns a page of videos and how many there are in all.
func (s *Store) List(ctx context.Context, q ListQuery) ([]Listed, int, error) {
	found, err := s.find(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	total := len(found)
	page := pageOf(found, q)
	out := make([]Listed, 0, len(page))
	err = s.Read(func(tx *Tx) error {
		for _, l := range page {
			if l.local != nil {
				out = append(out, Listed{Local: l.local})
				continue
			}
			v, ok, err := tx.RemoteVideoByNumber(l.number)
			if err != nil {
				return err
			}
			if ok {
				out = append(out, Listed{Remote: v})
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("listing videos: %w", err)
	}
	return out, total, nil
}

// find returns the lines that a query asks for, the best first where words are searched.
func (s *Store) find(ctx context.Context, q ListQuery) ([]*line, error) {
	want := q.filter()
	snap := s.Snapshot()
	s.list.mu.RLock()
	defer s.list.mu.RUnlock()
	if strings.TrimSpace(q.Search) != "" {
		return s.search(ctx, q, snap, want)
	}
	var found []*line
	if q.Origin != "remote" && q.Host == "" {
		for _, l := range snap.lines {
			if want(l) {
				found = append(found, l)
			}
		}
	}
	if q.Origin != "local" {
		for _, l := range s.list.lines {
			if want(l) && !s.list.blocked(l.host) {
				found = append(found, l)
			}
		}
	}
	return found, nil
}

func (s *Store) search(ctx context.Context, q ListQuery, snap *Snapshot, want func(*line) bool) ([]*line, error) {
	if s.searcher == nil {
		return nil, ErrNoSearch
	}
	numbers, err := s.searcher.Search(ctx, q.Search)
	if err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	var found []*line
	for _, n := range numbers {
		l := s.list.lines[n]
		if v, ok := snap.Video(n); ok {
			l = snap.lineOf(v)
		}
		if l != nil && want(l) && (l.local != nil || !s.list.blocked(l.host)) {
			found = append(found, l)
		}
	}
	return found, nil
}
