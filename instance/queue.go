// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import "time"

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
func (i *Instance) Queue() ([]QueueHost, error) { return nil, errNotReady }

// QueueDepth is how many deliveries wait.
func (i *Instance) QueueDepth() int { return 0 }

// RetryQueue tries a host again now; empty means all hosts.
func (i *Instance) RetryQueue(host string) error { return errNotReady }

// Refusal is something that came in and was refused.
type Refusal struct {
	At time.Time
	// Actor is who sent it, Type the activity's type, ID its id.
	Actor, Host, Type, ID string
	// Reason is a sentence for a person.
	Reason string
}

// Refusals lists the newest refusals, at most as many as max.
func (i *Instance) Refusals(max int) ([]Refusal, error) { return nil, errNotReady }
