// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/fetch"
	"shoal/peer/safedial"
)

// permanent marks failures that another attempt cannot help. A name that leads to a private address may
// lead elsewhere later: a network that wants somebody to log in first answers so.
func permanent(err error) error {
	var f *fetch.Error
	if errors.As(err, &f) && f.Code == fetch.CodeBlockedAddress && !errors.Is(err, safedial.ErrPrivate) {
		return fmt.Errorf("%w: %w", delivery.ErrPermanent, err)
	}
	return err
}

// service is a long job.
type service struct {
	name  string
	serve func(context.Context) error
}

// Serve does what goes on by itself until ctx ends: hearing, telling, delivering, walking outboxes and
// refreshing. The queue ends last, so that what the others still say is kept and tried once.
func (f *Federation) Serve(ctx context.Context) error {
	defer f.fetch.Close()
	queueCtx, stopQueue := context.WithCancel(context.WithoutCancel(ctx))
	defer stopQueue()
	queueDone := make(chan error, 1)
	go func() { queueDone <- f.queue.Serve(queueCtx) }()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	failed := make(chan error, len(f.services())+1)
	for _, s := range f.services() {
		all.Go(func() {
			if err := s.serve(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", s.name, err)
			}
			cancel() // one that ends by itself ends all
		})
	}
	var queueErr error
	select {
	case <-ctx.Done():
	case queueErr = <-queueDone:
		queueDone <- nil
		cancel()
	}
	all.Wait()
	stopQueue()
	queueErr = errors.Join(queueErr, <-queueDone)
	close(failed)
	errs := []error{f.outgoing.Keep()}
	for err := range failed {
		errs = append(errs, err)
	}
	if queueErr != nil {
		errs = append(errs, fmt.Errorf("delivering: %w", queueErr))
	}
	return errors.Join(errs...)
}

func (f *Federation) services() []service {
	return []service{
		{"reading the inbox", f.inbox.Serve},
		{"telling others", f.outgoing.Serve},
		{"keeping follows", f.follows.Serve},
		{"refreshing objects", f.resolver.Serve},
	}
}
