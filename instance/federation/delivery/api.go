// SPDX-License-Identifier: AGPL-3.0-or-later

package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// ErrPermanent is wrapped by an error of Config.Post when another attempt cannot help: an inbox at
// an address that is refused, an actor without a key.
var ErrPermanent = errors.New("cannot be delivered")

// Message is an activity and where it goes.
type Message struct {
	// ID is the activity's id. It is the same in each attempt.
	ID string
	// Actor is the id of the actor whose key signs the HTTP requests.
	Actor string
	// Order is the id of the object that the activity is about. Messages with the same Order reach
	// one host in the order of Enqueue. Empty: in any order.
	Order string
	// Body is the activity, at most MaxBody bytes.
	Body []byte
	// Inboxes are URLs. One that is named twice, as shared inboxes are, gets the message once.
	Inboxes []string
	// Coalesce, if not empty, names what the message says something about: for each host that gets
	// both, it replaces an earlier message with the same Coalesce that still waits. Nobody is told
	// of the message that was replaced.
	Coalesce string
	// Until is when the message is worth nothing any more: what was not delivered by then is dropped,
	// and nobody is told. Zero: it is tried for the queue's Lifetime.
	Until time.Time
	// Spare says that it is another server's message, passed on: a host for which much waits already
	// does not get it, nor does any while much waits in all.
	Spare bool
}

// Attempt is one request to make.
type Attempt struct {
	ID    string // the activity's id
	Actor string // whose key signs
	Inbox string // the URL to post to
	Body  []byte // shared with other attempts: not to be changed
	Tries int    // earlier attempts for this host that failed
}

// Result is the outcome of one attempt. Neither Done nor Failed: it is tried again.
type Result struct {
	ID     string // the activity's id
	Actor  string
	Inbox  string
	Done   bool   // the inbox has it
	Failed bool   // it was given up
	Status int    // the HTTP status, or 0 without an answer
	Reason string // why it is not Done: a sentence's part, as in "their server answered 403: invalid signature"
}

// Config is what a Queue needs. Only Post has no default.
type Config struct {
	// Post signs and sends one activity. reason is what the other server said, if it is known;
	// retryAfter is the pause it asks for, or 0. err is a failure without an answer. Its context
	// has the time-out of one attempt.
	Post func(ctx context.Context, a Attempt) (status int, reason string, retryAfter time.Duration, err error)
	// OnResult, if not nil, is told of each attempt, right before the outcome is written: a crash
	// in between tells it again. It may use the database. It must be quick, as further outcomes
	// wait for it.
	OnResult func(Result)
	// OnGone, if not nil, is told as OnResult is, of inboxes that answered 410 Gone.
	OnGone func(Result)
	// Now is the clock; default time.Now.
	Now func() time.Time
	// MaxHosts bounds the hosts that are served at once, not counting slow ones. Default 64.
	MaxHosts int
	// MaxSlow bounds the hosts that are waited for beside the MaxHosts others: those that take
	// longer than half a second, and, in half of the places, those that failed last. Default twice
	// MaxHosts.
	MaxSlow int
	// Timeout bounds one attempt. Default 15 s.
	Timeout time.Duration
	// Lifetime is how long a message is tried. Default 48 h.
	Lifetime time.Duration
	// MaxFailures bounds the list of failures; the oldest go first. Default 1000.
	MaxFailures int
	// Logger may be nil.
	Logger *slog.Logger
}

// Bounds of a message.
const (
	MaxBody = 1 << 20 // bytes
	maxText = 4096    // bytes of an id, an inbox and the like

	maxSpareOf = 1000    // deliveries that wait for a host from which it gets no spare message
	maxSpare   = 100_000 // deliveries that wait in all from which nobody does
)

// Host is where messages wait for.
type Host struct {
	Host      string    // name, and port if it is not the scheme's own
	Depth     int       // deliveries that wait
	Next      time.Time // not tried before; zero: now
	LastError string    // of the last attempt, empty after one that worked
	Broken    bool      // failed several times in a row: only one probe goes out at a time
}

// Failure is a delivery that was given up.
type Failure struct {
	Time   time.Time
	ID     string // the activity's id
	Actor  string
	Inbox  string
	Status int // the last answer's HTTP status, or 0
	Reason string
}
