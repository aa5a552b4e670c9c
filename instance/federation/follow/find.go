// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"shoal/instance/fault"
	"shoal/instance/store"
)

// Entry is a follow with what is known of the other actor.
type Entry struct {
	Follow store.Follow
	// Actor is nil where nothing is known of the actor.
	Actor *store.Actor
}

// Instance reports whether the other actor stands for its whole instance.
func (e Entry) Instance() bool {
	return e.Actor != nil && (e.Actor.Type == "Application" || e.Actor.Type == "Service")
}

// Handle is how a person names the other actor: name@host, or the host where the actor stands for it.
func (e Entry) Handle() string {
	switch {
	case e.Instance():
		return e.Follow.Host
	case e.Actor == nil || e.Actor.Username == "":
		return e.Follow.Remote
	}
	return e.Actor.Username + "@" + e.Follow.Host
}

// inbox is the other actor's own inbox.
func (e Entry) inbox() string {
	if e.Actor != nil && e.Actor.Inbox != "" {
		return e.Actor.Inbox
	}
	return e.Follow.Inbox
}

// Following lists who local actors follow, newest first.
func (s *Service) Following() ([]Entry, error) {
	return s.entries((*store.Tx).EachFollowing)
}

// Followers lists who follows local actors, newest first.
func (s *Service) Followers() ([]Entry, error) {
	return s.entries((*store.Tx).EachFollower)
}

func (s *Service) entries(each func(*store.Tx, string, func(*store.Follow) (bool, error)) error) ([]Entry, error) {
	var all []Entry
	err := s.cfg.Store.Read(func(tx *store.Tx) error {
		return each(tx, "", func(f *store.Follow) (bool, error) {
			actor, _, err := tx.Actor(f.Remote)
			all = append(all, Entry{Follow: *f, Actor: actor})
			return true, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading follows: %w", err)
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return b.Follow.Created.Compare(a.Follow.Created) })
	return all, nil
}

// find returns the entries that a target means. A host means all of it, or with one its instance
// actor where it is among them.
func (s *Service) find(ctx context.Context, list func() ([]Entry, error), target string, all bool) ([]Entry, error) {
	entries, err := list()
	if err != nil {
		return nil, err
	}
	target = strings.TrimSpace(target)
	found := match(entries, target)
	if len(found) == 0 && strings.Contains(target, "://") {
		// A page of an actor, whose id is another.
		if id, err := s.cfg.Resolver.Target(ctx, target); err == nil {
			found = match(entries, id)
		}
	}
	switch {
	case len(found) == 0:
		return nil, fault.NotFound("there is no follow of %s here: check the name", clip(target))
	case all:
		return found, nil
	}
	if whole := instances(found); len(whole) > 0 {
		found = whole
	}
	for _, e := range found {
		if e.Follow.Remote != found[0].Follow.Remote {
			return nil, fault.BadInput("several actors of %s are meant: name one, such as %s", clip(target), found[0].Handle())
		}
	}
	return found, nil
}

func instances(entries []Entry) []Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return !e.Instance() })
}

// match picks the entries of an id, a page, a handle or a host.
func match(entries []Entry, target string) []Entry {
	name, handleHost, isHandle := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(target, "acct:"), "@"), "@")
	if isHandle {
		if clean, err := Host(handleHost); err == nil {
			handleHost = clean
		}
	}
	host, notHost := Host(target)
	if _, path, ok := strings.Cut(target, "://"); ok && strings.Contains(strings.TrimSuffix(path, "/"), "/") {
		host = "" // a URL with a path is of one actor
	}
	var found []Entry
	for _, e := range entries {
		a := e.Actor
		switch {
		case e.Follow.Remote == target, a != nil && a.URL != "" && a.URL == target,
			isHandle && a != nil && strings.EqualFold(a.Username, name) && e.Follow.Host == handleHost,
			notHost == nil && host != "" && e.Follow.Host == host:
			found = append(found, e)
		}
	}
	return found
}
