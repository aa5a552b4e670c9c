// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"slices"
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
	// Search returns all videos that fit, each once, in no order.
	Search(ctx context.Context, text string) ([]Hit, error)
}

// Hit is a video that was found: the higher the score, the better it fits.
type Hit struct {
	Number uint64
	Score  float64
}

// SetSearcher hands over the search index. Without one, searching finds local videos alone. It is
// called before the store is used.
func (s *Store) SetSearcher(f Searcher) { s.searcher = f }

// listIndex is all remote videos' lines, in memory.
type listIndex struct {
	mu       sync.RWMutex
	lines    map[uint64]*line
	dense    []*line         // the same in no order, for going through them fast
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
	if old, ok := x.lines[l.number]; ok {
		l.place = old.place
		x.dense[l.place] = l
	} else {
		l.place = len(x.dense)
		x.dense = append(x.dense, l)
	}
	x.lines[l.number] = l
	x.show(l)
}

func (x *listIndex) delete(number uint64) {
	l, ok := x.lines[number]
	if !ok {
		return
	}
	last := len(x.dense) - 1
	x.dense[l.place] = x.dense[last]
	x.dense[l.place].place = l.place
	x.dense[last] = nil
	x.dense = x.dense[:last]
	delete(x.lines, number)
}

// show works out whether a followed actor brought the line, from a host that is not blocked.
func (x *listIndex) show(l *line) {
	l.blocked = x.blocked(l.host)
	l.shown = !l.blocked && slices.ContainsFunc(l.sources, func(s string) bool {
		return x.followed[s] || len(x.hosts) > 0 && x.hosts[HostOf(s)]
	})
}

// Lists reports whether a remote video is listed: public, brought by a followed actor, and of a host
// that is not blocked.
func (s *Store) Lists(v *RemoteVideo) bool {
	l := line{host: strings.ToLower(v.Host), sources: v.Sources}
	s.list.mu.RLock()
	s.list.show(&l)
	s.list.mu.RUnlock()
	return v.Privacy == Public && l.shown
}

// loadList reads the lines of all remote videos, and makes those anew that are of an older form.
func (s *Store) loadList() error {
	lines := map[uint64]*line{}
	var dense []*line
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
			l.place = len(dense)
			lines[l.number], dense = l, append(dense, l)
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("reading the instance's database: %w", err)
	}
	s.list.mu.Lock()
	s.list.lines, s.list.dense, s.list.blocked = lines, dense, s.Blocked
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
	for _, l := range x.dense {
		x.show(l)
	}
	return nil
}

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

// item is a line that was found, with what it is sorted by first.
type item struct {
	key int64
	*line
}

// find returns the lines that a query asks for, in no order.
func (s *Store) find(ctx context.Context, q ListQuery) ([]item, error) {
	var hits []Hit
	searching := q.Search != ""
	if searching {
		var err error
		if hits, err = s.search(ctx, q.Search); err != nil {
			return nil, fmt.Errorf("searching: %w", err)
		}
	}
	want, by := q.filter(), q.column()
	snap := s.Snapshot()
	s.list.mu.RLock()
	defer s.list.mu.RUnlock()
	var found []item
	if searching {
		found = make([]item, 0, len(hits))
		for _, h := range hits {
			l := s.list.lines[h.Number]
			if l == nil {
				l = snap.lines[h.Number]
			}
			if l != nil && want(l) {
				found = append(found, item{by(l, h.Score), l})
			}
		}
		return found, nil
	}
	found = make([]item, 0, len(snap.lines)+len(s.list.dense))
	for _, l := range snap.lines {
		if want(l) {
			found = append(found, item{by(l, 0), l})
		}
	}
	for _, l := range s.list.dense {
		if want(l) {
			found = append(found, item{by(l, 0), l})
		}
	}
	return found, nil
}

// search asks the search index, or else looks through the local videos.
func (s *Store) search(ctx context.Context, text string) ([]Hit, error) {
	if s.searcher != nil {
		return s.searcher.Search(ctx, text)
	}
	words := strings.Fields(strings.ToLower(text))
	var hits []Hit
	for _, v := range s.Snapshot().Videos() {
		if containsAll(strings.ToLower(v.Title+"\n"+v.Description+"\n"+strings.Join(v.Tags, "\n")), words) {
			hits = append(hits, Hit{Number: v.ID})
		}
	}
	return hits, nil
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
