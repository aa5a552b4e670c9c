// SPDX-License-Identifier: AGPL-3.0-or-later

package outgoing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"shoal/instance/address"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/object"
	"shoal/instance/store"
)

// Queue takes activities that are on their way out.
type Queue interface {
	Enqueue(tx *bolt.Tx, m delivery.Message) error
}

// Signer signs activities as a local actor.
type Signer interface {
	Sign(ctx context.Context, actorID string, activity any) ([]byte, error)
}

// Config is what an Outgoing needs. Name, Now and Logger have defaults.
type Config struct {
	Store  *store.Store
	Queue  Queue
	Author Signer
	Base   address.Base
	// Name is what the instance calls itself.
	Name string
	// ViewsEvery is how often followers are told of one video's views, where nothing else is to be told
	// of it. Default 30 minutes.
	ViewsEvery time.Duration
	Now        func() time.Time
	Logger     *slog.Logger
}

// Outgoing works the change log off. It is safe for concurrent use.
type Outgoing struct {
	cfg   Config
	local object.Local

	// Serve's own.
	attempts map[uint64]int     // failures of a change
	next     map[told]time.Time // when it may be told again

	mu      sync.Mutex
	away    map[string]time.Time // inboxes that were given up, and since when they missed something
	unsaved map[string]bool      // of these, those that are not on disk yet
	left    chan struct{}        // there are such
	back    chan string          // inboxes that answer again
}

// told is what is told of a video now and then alone: its counts, or its views.
type told struct {
	kind  store.ChangeKind
	video string
}

// viewsEvery is the default of Config.ViewsEvery.
const viewsEvery = 30 * time.Minute

// New makes an Outgoing.
func New(cfg Config) *Outgoing {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ViewsEvery == 0 {
		cfg.ViewsEvery = viewsEvery
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Outgoing{
		cfg: cfg, local: object.Local{Base: cfg.Base, Name: cfg.Name},
		attempts: map[uint64]int{}, next: map[told]time.Time{},
		away: map[string]time.Time{}, unsaved: map[string]bool{}, left: make(chan struct{}, 1), back: make(chan string, 64),
	}
}

const (
	// batch is how many changes one transaction takes off the log.
	batch = 64
	// maxAttempts is how often a change that fails is tried, retryAfter the pause between.
	maxAttempts = 3
	retryAfter  = 2 * time.Second
	// idle is how long nothing is looked at without being woken.
	idle = time.Minute
)

// Serve works the change log off as it grows, until ctx ends.
func (o *Outgoing) Serve(ctx context.Context) error {
	if err := o.loadAway(); err != nil {
		return fmt.Errorf("reading who was away: %w", err)
	}
	for {
		wait, err := o.Step(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end
		}
		if err != nil {
			o.cfg.Logger.Error("others cannot be told of a change yet", "error", err)
			wait = retryAfter
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-o.cfg.Store.Changed():
		case <-o.left:
			if err := o.keepAway(); err != nil {
				o.cfg.Logger.Error("it cannot be kept that followers are away", "error", err)
			}
		case inbox := <-o.back:
			if err := o.catchUp(ctx, inbox); err != nil && ctx.Err() == nil {
				o.cfg.Logger.Error("a follower that was away cannot be told what it missed", "inbox", inbox, "error", err)
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Step works off what is in the log now, and says after how long to look again unless something changes.
func (o *Outgoing) Step(ctx context.Context) (wait time.Duration, err error) {
	for {
		plans, wait, err := o.plans()
		if err != nil {
			return 0, err
		}
		if len(plans) == 0 {
			return wait, nil
		}
		failed := o.sign(ctx, plans)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err := o.commit(plans); err != nil {
			return 0, err
		}
		if failed != nil {
			return 0, failed
		}
	}
}

// plans reads the first changes that are due and what is to be told of them.
func (o *Outgoing) plans() (plans []*plan, wait time.Duration, err error) {
	wait = idle
	now := o.cfg.Now()
	snap := o.cfg.Store.Snapshot()
	err = o.cfg.Store.Read(func(tx *store.Tx) error {
		changes, err := tx.Changes(batch + len(o.next))
		if err != nil {
			return err
		}
		for _, c := range changes {
			if at, ok := o.next[told{c.Kind, c.Subject}]; ok && now.Before(at) {
				wait = min(wait, at.Sub(now))
				continue
			}
			if len(plans) == batch {
				return nil
			}
			p := &plan{change: c}
			p.err = (&planner{o: o, tx: tx, snap: snap, plan: p}).make()
			plans = append(plans, p)
		}
		return nil
	})
	return plans, wait, err
}

// sign makes the bodies, outside of any transaction. A plan that cannot be signed has its error. What comes after one
// that is to be tried again stays in the log, so that the order is kept; the error is returned.
func (o *Outgoing) sign(ctx context.Context, plans []*plan) error {
	for i, p := range plans {
		for n := range p.out {
			if p.err != nil || len(p.out[n].Inboxes) == 0 {
				continue
			}
			p.out[n].Body, p.err = o.cfg.Author.Sign(ctx, p.out[n].Actor, p.out[n].activity)
		}
		if p.err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		seq := p.change.Seq
		if o.attempts[seq]++; o.attempts[seq] < maxAttempts {
			for _, later := range plans[i:] {
				later.keep = true
			}
			return fmt.Errorf("telling of %s %s: %w", p.change.Kind, p.change.Subject, p.err)
		}
		o.cfg.Logger.Error("others are not told of a change", "kind", string(p.change.Kind), "subject", p.change.Subject, "error", p.err)
		p.out, p.apply = nil, nil
	}
	return nil
}

// commit takes the changes off the log and queues what is told of them, in one transaction.
func (o *Outgoing) commit(plans []*plan) error {
	var done []*plan
	err := o.cfg.Store.Write("queueing activities", func(tx *store.Tx) error {
		done = done[:0]
		for _, p := range plans {
			if p.keep {
				continue
			}
			there, err := tx.DeleteChange(p.change.Seq)
			if err != nil {
				return err
			}
			if !there {
				continue // a later one took its place
			}
			for _, m := range p.out {
				if len(m.Inboxes) == 0 {
					continue
				}
				if err := o.cfg.Queue.Enqueue(tx.Bolt(), m.Message); err != nil {
					return fmt.Errorf("queueing an activity: %w", err)
				}
			}
			for _, apply := range p.apply {
				if err := apply(tx); err != nil {
					return err
				}
			}
			done = append(done, p)
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := o.cfg.Now()
	for _, p := range done {
		delete(o.attempts, p.change.Seq)
		about := told{p.change.Kind, p.change.Subject}
		switch p.change.Kind {
		case store.VideoRefresh:
			o.next[about] = now.Add(pause(p))
		case store.VideoWatched:
			o.next[about] = now.Add(max(o.cfg.ViewsEvery, pause(p)))
		}
	}
	for about, at := range o.next {
		if now.After(at) {
			delete(o.next, about)
		}
	}
	return nil
}

// pause is how long a video's counts are not told again: the longer, the more there are to tell.
func pause(p *plan) time.Duration {
	n := 0
	for _, m := range p.out {
		n += len(m.Inboxes)
	}
	return 5*time.Second + time.Duration(n)*20*time.Millisecond
}

var errOwner = errors.New("its channel or account is missing")
