// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"shoal/instance/address"
	"shoal/instance/federation/delivery"
	"shoal/instance/store"
)

// Queue takes activities that are on their way out.
type Queue interface {
	Enqueue(tx *bolt.Tx, m delivery.Message) error
	Hosts() ([]delivery.Host, error)
	Drop(host string) error
	Retry(host string) error
}

// Signer signs activities as a local actor.
type Signer interface {
	Sign(ctx context.Context, actorID string, activity any) ([]byte, error)
}

// Resolver finds actors of other instances.
type Resolver interface {
	// Actor returns a remote actor, fetched anew when what is known is older than maxAge.
	Actor(ctx context.Context, id string, maxAge time.Duration) (*store.Actor, error)
	// Target finds the actor that a host, a handle or a URL means.
	Target(ctx context.Context, text string) (actorID string, err error)
}

// Getter asks other servers.
type Getter interface {
	Object(ctx context.Context, url string) (body []byte, final string, err error)
	Bytes(ctx context.Context, url, accept string, maxBytes int64) ([]byte, http.Header, error)
}

// Bringer takes an activity found in an outbox the way of a received one. It reports whether the
// activity brought something that was not known.
type Bringer interface {
	Bring(ctx context.Context, actor *store.Actor, activity json.RawMessage) (bool, error)
}

// Config is what a Service needs. Now and Logger have defaults.
type Config struct {
	Store    *store.Store
	Queue    Queue
	Author   Signer
	Resolver Resolver
	Fetch    Getter
	Bringer  Bringer
	Base     address.Base
	Logger   *slog.Logger
	Now      func() time.Time
}

// Service keeps the follows of an instance. Its methods are safe for concurrent use, and their
// errors are sentences for a person.
type Service struct {
	cfg  Config
	walk chan struct{} // a walk may be due

	lists sync.Mutex // one subscribed list is stored or taken away at a time

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a follow of ours changes
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{cfg: cfg, walk: make(chan struct{}, 1), changed: make(chan struct{})}
}

// Serve walks outboxes and reads subscribed block lists until ctx ends.
func (s *Service) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { s.walkDue(ctx) })
	all.Go(func() { s.readLists(ctx) })
	all.Wait()
	return nil
}

// tell wakes those who wait for a change of a follow.
func (s *Service) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Service) changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// putFollowing stores a follow of ours and tells those who wait once it is on disk.
func (s *Service) putFollowing(tx *store.Tx, f *store.Follow) error {
	tx.Bolt().OnCommit(s.tell)
	return tx.PutFollowing(f)
}

// startWalk has an outbox walked from its beginning.
func (s *Service) startWalk(tx *store.Tx, actorID string) error {
	tx.Bolt().OnCommit(s.wakeWalker)
	now := s.cfg.Now()
	return tx.PutWalk(store.Walk{Actor: actorID, Due: now, Updated: now})
}

func (s *Service) wakeWalker() {
	select {
	case s.walk <- struct{}{}:
	default: // it was woken already
	}
}
