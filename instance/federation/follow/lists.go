// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

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

// Subscribe reads a shared block list now and every day from then on.
func (s *Service) Subscribe(ctx context.Context, url string) (Imported, error) {
	lists, err := s.Subscriptions()
	if err != nil {
		return Imported{}, err
	}
	if len(lists) >= maxLists {
		return Imported{}, fmt.Errorf("there are %d subscriptions already: unsubscribe from one first", len(lists))
	}
	return s.readList(ctx, store.Subscription{URL: url})
}

// Unsubscribe forgets a shared block list and what it alone blocked.
func (s *Service) Unsubscribe(url string) error {
	return s.cfg.Store.Write("storing the subscriptions", func(tx *store.Tx) error {
		lists, err := tx.Subscriptions()
		if err != nil {
			return err
		}
		for _, l := range lists {
			if l.URL == url {
				return tx.DeleteSubscription(url)
			}
		}
		return fmt.Errorf("there is no subscription of %s", clip(url))
	})
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

// readList reads one list: its hosts are blocked, and those that it does not name any more are not
// on its account.
func (s *Service) readList(ctx context.Context, sub store.Subscription) (Imported, error) {
	body, _, err := s.cfg.Fetch.Bytes(ctx, sub.URL, "text/plain, text/csv, */*;q=0.1", MaxList)
	if err != nil {
		return Imported{}, fmt.Errorf("the block list cannot be read: %w", err)
	}
	list, err := ParseList(bytes.NewReader(body))
	if err != nil {
		return Imported{}, err
	}
	if len(list.Entries) == 0 {
		return Imported{}, errors.New("the block list names no host: check its address")
	}
	done, err := s.blockList(ctx, list, sub.URL)
	if err != nil {
		return done, err
	}
	named := map[string]bool{}
	for _, e := range list.Entries {
		named[e.Host] = true
	}
	return done, s.cfg.Store.Write("storing a subscription", func(tx *store.Tx) error {
		blocks, err := tx.Blocks()
		if err != nil {
			return err
		}
		for _, b := range blocks {
			if b.List == sub.URL && !named[b.Host] {
				if err := tx.DeleteBlock(b.Host, b.List); err != nil {
					return err
				}
			}
		}
		return tx.PutSubscription(store.Subscription{URL: sub.URL, Checked: s.cfg.Now(), Hosts: len(list.Entries)})
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
		if _, err := s.readList(ctx, l); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("a subscribed block list cannot be read", "url", l.URL, "error", err)
			s.noteList(l, err)
		}
	}
}

// noteList keeps why a list could not be read, unless it was unsubscribed meanwhile.
func (s *Service) noteList(l store.Subscription, cause error) {
	l.Checked, l.Error = s.cfg.Now(), cause.Error()
	err := s.cfg.Store.Write("storing a subscription", func(tx *store.Tx) error {
		lists, err := tx.Subscriptions()
		if err != nil {
			return err
		}
		for _, known := range lists {
			if known.URL == l.URL {
				return tx.PutSubscription(l)
			}
		}
		return nil
	})
	if err != nil {
		s.cfg.Logger.Error("a subscription cannot be stored", "url", l.URL, "error", err)
	}
}
