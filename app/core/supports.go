// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"shoal/peer/library"
)

// supports keeps the library's supports, with them in memory for quick answers.
type supports struct {
	library *library.Library
	kick    chan struct{} // wakes the worker; buffered, 1

	mu      sync.Mutex
	list    map[string]library.Support
	waiting map[string]string // why the fetching for one waits, for a person
}

func newSupports(l *library.Library, logger *slog.Logger) *supports {
	s := &supports{library: l, kick: make(chan struct{}, 1), list: map[string]library.Support{}, waiting: map[string]string{}}
	stored, err := l.Supports()
	if err != nil { // those that can be read are there
		logger.Warn("some supports cannot be read", "error", err)
	}
	for _, one := range stored {
		s.list[one.ID] = one
	}
	return s
}

// look wakes the worker.
func (s *supports) look() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// all returns the supports, oldest first.
func (s *supports) all() []library.Support {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []library.Support
	for _, one := range s.list {
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y library.Support) int {
		return cmp.Or(x.Added.Compare(y.Added), cmp.Compare(x.ID, y.ID))
	})
	return out
}

func (s *supports) get(id string) (library.Support, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.list[id]
	return one, ok
}

// add keeps a new one, and wakes the worker.
func (s *supports) add(one library.Support) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) >= maxSupports {
		return fail(CodeBadInput, nil, "%d are supported already, which is the most there can be: remove one first", len(s.list))
	}
	if err := s.library.PutSupport(one); err != nil {
		return err
	}
	s.list[one.ID] = one
	s.look()
	return nil
}

// change edits one. CodeNotFound says that there is none.
func (s *supports) change(id string, edit func(*library.Support)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.list[id]
	if !ok {
		return noSupport(id)
	}
	one.Refused = slices.Clone(one.Refused)
	edit(&one)
	if err := s.library.PutSupport(one); err != nil {
		return err
	}
	s.list[id] = one
	return nil
}

func noSupport(id string) error {
	return fail(CodeNotFound, nil, "nothing with the id %s is supported: shoal support list shows what is", id)
}

func (s *supports) remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.list[id]; !ok {
		return noSupport(id)
	}
	if err := s.library.DeleteSupport(id); err != nil {
		return fmt.Errorf("ending the support: %w", err)
	}
	delete(s.list, id)
	delete(s.waiting, id)
	return nil
}

// credit keeps what an entry gave back for its support when the entry goes.
func (s *supports) credit(e library.Entry) error {
	if _, ok := s.get(e.Support); e.Support == "" || !ok {
		return nil
	}
	return s.change(e.Support, func(one *library.Support) { one.Uploaded = one.Uploaded.Plus(e.Helped()) })
}

// wait says why the fetching for one waits, "" that it does not.
func (s *supports) wait(id, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.list[id]; ok {
		s.waiting[id] = why
	}
}

func (s *supports) waitingFor(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting[id]
}
