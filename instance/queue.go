// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"fmt"
	"time"

	"shoal/instance/store"
)

// QueueHost is a host with activities on their way to it.
type QueueHost struct {
	Host string
	// Depth is how many wait.
	Depth int
	// Next is when the next attempt is due.
	Next time.Time
	// LastError is a sentence for a person that says why the last attempt failed, or empty.
	LastError string
}

// Queue lists the hosts that activities wait for.
func (i *Instance) Queue() ([]QueueHost, error) {
	hosts, err := i.fed.Queue().Hosts()
	if err != nil {
		return nil, fmt.Errorf("reading the queue: %w", err)
	}
	all := make([]QueueHost, 0, len(hosts))
	for _, h := range hosts {
		all = append(all, QueueHost{Host: h.Host, Depth: h.Depth, Next: h.Next, LastError: h.LastError})
	}
	return all, nil
}

// QueueDepth is how many deliveries wait.
func (i *Instance) QueueDepth() int { return i.fed.Queue().Depth() }

// RetryQueue tries a host again now; empty means all hosts.
func (i *Instance) RetryQueue(host string) error { return i.fed.Queue().Retry(host) }

// GivenUp is a delivery that is not tried any more: the other side refused it, or was out of reach for
// too long.
type GivenUp struct {
	At time.Time
	// Host was to get it, ID is the activity's id, Actor whose it is.
	Host, ID, Actor string
	// Reason is a sentence for a person.
	Reason string
}

// GivenUp lists the newest deliveries that were given up, at most most.
func (i *Instance) GivenUp(most int) ([]GivenUp, error) {
	failures, err := i.fed.Queue().Failures(most)
	if err != nil {
		return nil, err
	}
	all := make([]GivenUp, 0, len(failures))
	for _, f := range failures {
		all = append(all, GivenUp{At: f.Time, Host: store.HostOf(f.Inbox), ID: f.ID, Actor: f.Actor, Reason: f.Reason})
	}
	return all, nil
}

// Refusal is something that came in and was refused.
type Refusal struct {
	At time.Time
	// Actor is who sent it, Type the activity's type, ID its id.
	Actor, Host, Type, ID string
	// Reason is a sentence for a person.
	Reason string
}

// Refusals lists the newest refusals, at most most.
func (i *Instance) Refusals(most int) ([]Refusal, error) {
	var all []Refusal
	err := i.store.Read(func(tx *store.Tx) error {
		refused, err := tx.Refusals(most)
		for _, r := range refused {
			all = append(all, Refusal{At: r.At, Actor: r.Actor, Host: r.Host, Type: r.Type, ID: r.ID, Reason: r.Reason})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading refusals: %w", err)
	}
	return all, nil
}
