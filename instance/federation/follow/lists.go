// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"shoal/instance/fault"
	"shoal/instance/store"
)

const (
	// listEvery is how often a subscribed block list is read; one that failed is tried sooner.
	listEvery = 24 * time.Hour
	listAgain = time.Hour
	// listsLook is how often it is looked which lists are due.
	listsLook = 10 * time.Minute
	// maxLists bounds the subscriptions.
	maxLists = 100
)

// Subscribe reads a shared block list now and every day from then on. What ends while the hosts are
// stored goes on with the next start, until it is unsubscribed.
func (s *Service) Subscribe(ctx context.Context, url string) (Imported, error) {
	list, err := s.fetchList(ctx, url)
	if err != nil {
		return Imported{}, err
	}
	err = s.cfg.Store.Write("storing a subscription", func(tx *store.Tx) error {
		lists, err := tx.Subscriptions()
		switch {
		case err != nil || tx.HasSubscription(url):
			return err
		case len(lists) >= maxLists:
			return fault.Refused("there are %d subscriptions already: unsubscribe from one first", len(lists))
		}
		return tx.PutSubscription(store.Subscription{URL: url})
	})
	if err != nil {
		return Imported{}, err
	}
	return s.takeList(ctx, url, list)
}

// Unsubscribe forgets a shared block list and what it alone blocked, also what is left of one that is
// forgotten already.
func (s *Service) Unsubscribe(ctx context.Context, url string) error {
	s.lists.Lock()
	defer s.lists.Unlock()
	var known bool
	var hosts []string
	err := s.cfg.Store.Read(func(tx *store.Tx) (err error) {
		known = tx.HasSubscription(url)
		if url != "" { // those by hand stay
			hosts, err = tx.BlocksBy(url)
		}
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("reading the subscriptions: %w", err)
	case !known && len(hosts) == 0:
		return fault.NotFound("there is no subscription of %s: see the list of subscriptions for its address", clip(url))
	}
	if err := s.unblock(ctx, url, hosts); err != nil {
		return err
	}
	return s.cfg.Store.Write("storing the subscriptions", func(tx *store.Tx) error { return tx.DeleteSubscription(url) })
}

// unblock takes away a list's blocks of some hosts.
func (s *Service) unblock(ctx context.Context, url string, hosts []string) error {
	for some := range slices.Chunk(hosts, blockStep) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.cfg.Store.Write("storing the block list", func(tx *store.Tx) error {
			for _, h := range some {
				if err := tx.DeleteBlock(h, url); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Subscriptions lists the shared block lists.
func (s *Service) Subscriptions() (all []store.Subscription, err error) {
	err = s.cfg.Store.Read(func(tx *store.Tx) error {
		all, err = tx.Subscriptions()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the subscriptions: %w", err)
	}
	return all, nil
}

// fetchList reads what is at an address.
func (s *Service) fetchList(ctx context.Context, url string) (List, error) {
	body, _, err := s.cfg.Fetch.Bytes(ctx, url, "text/plain, text/csv, */*;q=0.1", MaxList)
	if err != nil {
		return List{}, fmt.Errorf("the block list cannot be read: %w", err)
	}
	return usable(bytes.NewReader(body))
}

// takeList stores what a subscribed list names: its hosts are blocked, and those that it does not name
// any more are not on its account.
func (s *Service) takeList(ctx context.Context, url string, list List) (Imported, error) {
	s.lists.Lock()
	defer s.lists.Unlock()
	known := false
	var old []string
	err := s.cfg.Store.Read(func(tx *store.Tx) (err error) {
		known = tx.HasSubscription(url)
		old, err = tx.BlocksBy(url)
		return err
	})
	switch {
	case err != nil:
		return Imported{}, fmt.Errorf("reading the block list: %w", err)
	case !known:
		return Imported{}, fault.Refused("the block list was unsubscribed while it was read: subscribe to it again")
	}
	done, err := s.blockList(ctx, list, url)
	if err != nil {
		return done, err
	}
	named := make(map[string]bool, len(list.Entries))
	for _, e := range list.Entries {
		named[e.Host] = true
	}
	if err := s.unblock(ctx, url, slices.DeleteFunc(old, func(h string) bool { return named[h] })); err != nil {
		return done, err
	}
	return done, s.cfg.Store.Write("storing a subscription", func(tx *store.Tx) error {
		return tx.PutSubscription(store.Subscription{URL: url, Checked: s.cfg.Now(), Hosts: len(list.Entries)})
	})
}

// readLists keeps the subscriptions fresh until ctx ends, and deletes what is left of blocked hosts.
func (s *Service) readLists(ctx context.Context) {
	tick := time.NewTicker(listsLook)
	defer tick.Stop()
	for {
		s.purge(ctx)
		s.readDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) readDue(ctx context.Context) {
	lists, err := s.Subscriptions()
	if err != nil {
		s.cfg.Logger.Error("subscribed block lists cannot be read", "error", err)
		return
	}
	for _, l := range lists {
		every := listEvery
		if l.Error != "" {
			every = listAgain
		}
		if s.cfg.Now().Sub(l.Checked) < every || ctx.Err() != nil {
			continue
		}
		list, err := s.fetchList(ctx, l.URL)
		if err == nil {
			_, err = s.takeList(ctx, l.URL, list)
		}
		if err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("a subscribed block list cannot be read", "url", l.URL, "error", err)
			s.noteList(l, err)
		}
	}
}

// noteList keeps why a list could not be read, unless it was unsubscribed meanwhile.
func (s *Service) noteList(l store.Subscription, cause error) {
	l.Checked, l.Error = s.cfg.Now(), cause.Error()
	err := s.cfg.Store.Write("storing a subscription", func(tx *store.Tx) error {
		if !tx.HasSubscription(l.URL) {
			return nil
		}
		return tx.PutSubscription(l)
	})
	if err != nil {
		s.cfg.Logger.Error("a subscription cannot be stored", "url", l.URL, "error", err)
	}
}
