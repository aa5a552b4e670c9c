// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// shutdownWait bounds the shutdown of all services together; the program promises 10 s.
const shutdownWait = 9 * time.Second

// Service is a long job under the supervisor.
type Service struct {
	Name string
	// Serve runs until ctx ends and then returns nil. An earlier return ends the program.
	Serve func(ctx context.Context) error
}

// running is a service that was started.
type running struct {
	Service
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid once done is closed
}

// supervise starts the services in order, waits for ctx or for one of them to end, then ends them
// in reverse order, each before the next. It returns the errors of all.
func supervise(ctx context.Context, logger *slog.Logger, services []Service) error {
	ended := make(chan *running, len(services))
	var started []*running
	for _, s := range services {
		// Its own end comes in its turn, not with ctx's.
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{Service: s, cancel: cancel, done: make(chan struct{})}
		started = append(started, r)
		go func() {
			r.err = r.Serve(own)
			close(r.done)
			ended <- r
		}()
	}
	var errs []error
	select {
	case <-ctx.Done():
	case r := <-ended:
		if r.err == nil {
			errs = append(errs, fmt.Errorf("%s ended by itself", r.Name))
		}
	}
	deadline := time.After(shutdownWait)
	for i := len(started) - 1; i >= 0; i-- {
		r := started[i]
		logger.Debug("stopping", "service", r.Name)
		r.cancel()
		select {
		case <-r.done:
			errs = append(errs, r.err)
		case <-deadline:
			for _, rest := range started[:i] {
				rest.cancel()
			}
			return errors.Join(append(errs, fmt.Errorf("%s did not stop in time", r.Name))...)
		}
	}
	return errors.Join(errs...)
}
