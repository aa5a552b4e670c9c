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

// supportStore is the part of the library that supports are written to.
type supportStore interface {
	PutSupport(one library.Support) error
	DeleteSupport(id string) error
}

// supports keeps the library's supports, with them in memory for quick answers. Who reads never waits
// for the disk.
type supports struct {
	library supportStore
	kick    chan struct{} // wakes the worker; buffered, 1

	writing sync.Mutex // one change at a time, until it is on the disk

	mu      sync.Mutex // never held over what waits
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
	s.writing.Lock()
	defer s.writing.Unlock()
	if n := len(s.all()); n >= maxSupports {
		return fail(CodeBadInput, nil, "%d are supported already, which is the most there can be: remove one first", n)
	}
	if err := s.put(one); err != nil {
		return err
	}
	s.look()
	return nil
}

// change edits one. CodeNotFound says that there is none.
func (s *supports) change(id string, edit func(*library.Support)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	one, ok := s.get(id)
	if !ok {
		return noSupport(id)
	}
	one.Refused = slices.Clone(one.Refused)
	edit(&one)
	return s.put(one)
}

// put writes one; s.writing is held.
func (s *supports) put(one library.Support) error {
	if err := s.library.PutSupport(one); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[one.ID] = one
	return nil
}

func noSupport(id string) error {
	return fail(CodeNotFound, nil, "nothing with the id %s is supported: shoal support list shows what is", id)
}

func (s *supports) remove(id string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, ok := s.get(id); !ok {
		return noSupport(id)
	}
	if err := s.library.DeleteSupport(id); err != nil {
		return fmt.Errorf("ending the support: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
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
