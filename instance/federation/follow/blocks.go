// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"shoal/instance/fault"
	"shoal/instance/federation/delivery"
	"shoal/instance/store"
)

// Imported tells what a block list brought.
type Imported struct {
	// Blocked is how many hosts are blocked that were not, Known how many were already, Skipped how
	// many lines name no host to block.
	Blocked, Known, Skipped int
}

// Block blocks a host with its subdomains: it is not heard any more, follows in both directions end,
// what came from it goes, and comments and rates of its videos by local accounts are taken back.
func (s *Service) Block(ctx context.Context, host, reason string) error {
	host, err := Host(host)
	if err != nil {
		return err
	}
	if covers(host, s.cfg.Base.Host()) {
		return fault.Refused("%s is this instance itself: name another one to block", host)
	}
	if err := s.block(ctx, []ListEntry{{Host: host, Reason: oneLine(reason)}}, ""); err != nil {
		return err
	}
	s.purge(ctx)
	return nil
}

// Unblock takes a block by hand away.
func (s *Service) Unblock(host string) error {
	host, err := Host(host)
	if err != nil {
		return err
	}
	return s.cfg.Store.Write("storing the block list", func(tx *store.Tx) error {
		blocks, err := tx.Blocks()
		if err != nil {
			return err
		}
		byHand, list, above := false, "", ""
		for _, b := range blocks {
			switch {
			case b.Host == host && b.List == "":
				byHand = true
			case b.Host == host:
				list = b.List
			case covers(b.Host, host):
				above = b.Host
			}
		}
		switch {
		case byHand:
			err = tx.DeleteBlock(host, "")
		case list != "":
			err = fault.Refused("%s is on the block list %s: unsubscribe from that first", host, list)
		case above != "":
			err = fault.Refused("%s is blocked with %s: unblock that first", host, above)
		default:
			err = fault.NotFound("%s is not blocked: see the list of blocks", host)
		}
		return err
	})
}

// Blocks lists the blocked hosts in order, each once: the block by hand before those of lists.
func (s *Service) Blocks() (all []store.Block, err error) {
	err = s.cfg.Store.Read(func(tx *store.Tx) error {
		all, err = tx.Blocks()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the block list: %w", err)
	}
	slices.SortStableFunc(all, func(a, b store.Block) int {
		if c := strings.Compare(a.Host, b.Host); c != 0 {
			return c
		}
		return strings.Compare(a.List, b.List)
	})
	return slices.CompactFunc(all, func(a, b store.Block) bool { return a.Host == b.Host }), nil
}

// Import blocks every host of a list in either form.
func (s *Service) Import(ctx context.Context, r io.Reader) (Imported, error) {
	list, err := usable(r)
	if err != nil {
		return Imported{}, err
	}
	return s.blockList(ctx, list, "")
}

// Export writes the blocked hosts in a form.
func (s *Service) Export(w io.Writer, form string) error {
	blocks, err := s.Blocks()
	if err != nil {
		return err
	}
	entries := make([]ListEntry, 0, len(blocks))
	for _, b := range blocks {
		entries = append(entries, ListEntry{Host: b.Host, Reason: b.Reason})
	}
	return WriteList(w, form, entries)
}

// blockList blocks the hosts of a list, but never this instance.
func (s *Service) blockList(ctx context.Context, list List, from string) (Imported, error) {
	done := Imported{Skipped: list.Skipped}
	stored, err := s.blocksBy(from)
	if err != nil {
		return Imported{}, err
	}
	var fresh []ListEntry
	for _, e := range list.Entries {
		switch {
		case covers(e.Host, s.cfg.Base.Host()):
			done.Skipped++
			continue
		case s.cfg.Store.Blocked(e.Host):
			done.Known++
		default:
			done.Blocked++
		}
		if !stored[e.Host] {
			fresh = append(fresh, e)
		}
	}
	// In the order of the file they are in, a step touches few pages.
	slices.SortFunc(fresh, func(a, b ListEntry) int { return strings.Compare(a.Host, b.Host) })
	for some := range slices.Chunk(fresh, blockStep) {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if err := s.block(ctx, some, from); err != nil {
			return done, err
		}
	}
	s.purge(ctx)
	return done, nil
}

// blockStep is how many hosts one transaction blocks.
const blockStep = 20_000

// blocksBy are the hosts that a list blocks; an empty list stands for those by hand.
func (s *Service) blocksBy(list string) (map[string]bool, error) {
	var hosts []string
	err := s.cfg.Store.Read(func(tx *store.Tx) (err error) {
		hosts, err = tx.BlocksBy(list)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the block list: %w", err)
	}
	set := make(map[string]bool, len(hosts))
	for _, h := range hosts {
		set[h] = true
	}
	return set, nil
}

// block blocks some hosts, by hand or from a list, and tells those there that follows end and that what
// was said here about their videos is taken back. From the
// first write on nothing of them is shown and nothing more is queued for them; what waits for them goes
// after it, so that a crash in between forgets nothing of a host that is not blocked.
func (s *Service) block(ctx context.Context, hosts []ListEntry, list string) error {
	set := map[string]bool{}
	for _, e := range hosts {
		set[e.Host] = true
	}
	ours, theirs, messages, err := s.severed(ctx, set)
	if err != nil {
		return err
	}
	words, err := s.said(set)
	if err != nil {
		return err
	}
	back, err := s.signSaid(ctx, words)
	if err != nil {
		return err
	}
	messages = append(messages, back...)
	err = s.cfg.Store.Write("storing the block list", func(tx *store.Tx) error {
		for _, e := range ours {
			if err := s.end(tx, &e.Follow); err != nil {
				return err
			}
		}
		for _, e := range theirs {
			if err := tx.DeleteFollower(e.Follow.Local, e.Follow.Remote); err != nil {
				return err
			}
		}
		for _, e := range hosts {
			if err := tx.PutBlock(store.Block{Host: e.Host, Reason: e.Reason, List: list, Since: s.cfg.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.dropQueue(set); err != nil || len(messages) == 0 {
		return err
	}
	return s.cfg.Store.Write("queueing the end of follows", func(tx *store.Tx) error {
		return errors.Join(s.unsay(tx, words), s.enqueue(tx, messages...))
	})
}

// purge deletes what came from blocked hosts. It is an error of nobody's where it does not come to its
// end: Serve goes on with it.
func (s *Service) purge(ctx context.Context) {
	if err := s.cfg.Store.PurgeBlocked(ctx); err != nil && ctx.Err() == nil {
		s.cfg.Logger.Error("what came from blocked hosts cannot be deleted yet", "error", err)
	}
}

// severed are the follows with the actors of some hosts, and what tells them that these end.
func (s *Service) severed(ctx context.Context, hosts map[string]bool) (ours, theirs []Entry, messages []delivery.Message, err error) {
	of := func(list func() ([]Entry, error)) ([]Entry, error) {
		all, err := list()
		return slices.DeleteFunc(all, func(e Entry) bool { return !store.Covers(hosts, e.Follow.Host) }), err
	}
	if ours, err = of(s.Following); err != nil {
		return nil, nil, nil, err
	}
	if theirs, err = of(s.Followers); err != nil {
		return nil, nil, nil, err
	}
	for _, e := range ours {
		m, err := s.undo(ctx, &e.Follow, e.inbox())
		if err != nil {
			return nil, nil, nil, err
		}
		messages = append(messages, m)
	}
	for _, e := range theirs {
		if e.Follow.State == store.FollowRejected {
			continue
		}
		m, err := s.answer(ctx, "Reject", &e.Follow, e.inbox())
		if err != nil {
			return nil, nil, nil, err
		}
		messages = append(messages, m)
	}
	return ours, theirs, messages, nil
}

// dropQueue forgets what waits for some hosts.
func (s *Service) dropQueue(hosts map[string]bool) error {
	waiting, err := s.cfg.Queue.Hosts()
	if err != nil {
		return fmt.Errorf("reading the queue: %w", err)
	}
	for _, h := range waiting {
		if !store.Covers(hosts, h.Host) {
			continue
		}
		if err := s.cfg.Queue.Drop(h.Host); err != nil {
			return fmt.Errorf("emptying the queue: %w", err)
		}
	}
	return nil
}

// covers reports whether a block of one host is a block of another: itself, its ports and its
// subdomains.
func covers(blocked, host string) bool {
	return store.Covers(map[string]bool{store.CleanHost(blocked): true}, host)
}
