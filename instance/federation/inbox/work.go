// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/party"
	"shoal/instance/store"
)

// Bounds of work on one item.
const (
	workTime = time.Minute
	maxPause = 4 * time.Hour
)

// Serve gives effect to what was received, what is left from before included, until the context ends.
// It returns an error where the inbox on disk cannot be read.
func (b *Inbox) Serve(ctx context.Context) error {
	if err := b.load(); err != nil {
		return err
	}
	jobs := make(chan *waiting)
	var all sync.WaitGroup
	for range b.cfg.Limits.Workers {
		all.Go(func() {
			for w := range jobs {
				b.work(ctx, w)
			}
		})
	}
	b.dispatch(ctx, jobs)
	close(jobs)
	all.Wait()
	return nil
}

// load puts what is on disk in line. What arrives meanwhile is there once.
func (b *Inbox) load() error {
	known := b.known()
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		return tx.EachInbox(func(item *store.InboxItem) (bool, error) {
			order := ""
			item.Body = tx.InboxBody(item.Seq)
			if a, err := vocab.ParseActivity(item.Body); err == nil {
				order = orderOf(a)
			}
			b.lines.add(*item, order, known[party.Host(item.Host)])
			return true, nil
		})
	})
	if err != nil {
		return fmt.Errorf("reading the inbox: %w", err)
	}
	return nil
}

func (b *Inbox) dispatch(ctx context.Context, jobs chan<- *waiting) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w, wait := b.lines.take(b.cfg.Now())
		if w != nil {
			select {
			case jobs <- w:
				continue
			case <-ctx.Done():
				return
			}
		}
		if wait < 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-b.lines.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// work gives one item its effect, keeps why it was refused, or has it tried again. What is under way
// when the context ends stays on disk as it is.
func (b *Inbox) work(ctx context.Context, w *waiting) {
	item := w.InboxItem
	timed, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	activity, err := b.apply(timed, &item)
	reason, refused := refusal(err)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return
	case refused:
		err = b.finish(&item, func(tx *store.Tx) error { return b.addRefused(tx, item, activity, reason) })
	case b.cfg.Now().Sub(item.Received) > b.cfg.Limits.Lifetime:
		reason := "given up after several attempts: " + err.Error()
		err = b.finish(&item, func(tx *store.Tx) error { return b.addRefused(tx, item, activity, reason) })
	default:
		b.again(w, item, err)
		return
	}
	if err != nil {
		b.again(w, item, err)
		return
	}
	b.lines.drop(w)
}

// refusal says why an activity never takes effect, where an error says that it does not.
func refusal(err error) (reason string, ok bool) {
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return r.Reason, true
	case errors.Is(err, store.ErrID):
		return "it cannot be stored: " + err.Error(), true
	}
	return "", false
}

func (b *Inbox) addRefused(tx *store.Tx, item store.InboxItem, a *vocab.Activity, reason string) error {
	if a == nil {
		a = &vocab.Activity{ID: item.ActivityID, Actor: vocab.IDRef(item.Signer)}
	}
	return tx.AddRefused(refusedRecord(b.cfg.Now(), a, item.Body, reason))
}

// again notes an attempt that failed and gives the item back to its line.
func (b *Inbox) again(w *waiting, item store.InboxItem, cause error) {
	pause := b.cfg.Limits.Pause
	for range item.Attempts {
		if pause *= 3; pause >= maxPause {
			pause = maxPause
			break
		}
	}
	item.Attempts++
	item.Error = cause.Error()
	// A fifth more or less, so that what failed at once does not come back at once.
	item.Due = b.cfg.Now().UTC().Add(time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64()))) //nolint:gosec // no secret
	b.log.Debug("an activity is tried again later", "id", item.ActivityID, "attempts", item.Attempts, "due", item.Due, "error", cause)
	err := b.cfg.Store.Batch("keeping an activity", func(tx *store.Tx) error { return tx.PutInboxAgain(&item) })
	if err != nil {
		b.log.Error("an attempt cannot be noted", "id", item.ActivityID, "error", err)
	}
	b.lines.put(w, item)
}

// apply finds an item's effect and gives it, in one transaction with taking the item off. The activity
// is returned also with an error, if it was read.
func (b *Inbox) apply(ctx context.Context, item *store.InboxItem) (*vocab.Activity, error) {
	err := b.cfg.Store.Read(func(tx *store.Tx) error {
		item.Body = tx.InboxBody(item.Seq)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the inbox: %w", err)
	}
	if item.Body == nil {
		return nil, nil // it was taken off before
	}
	a, err := vocab.ParseActivity(item.Body)
	if err != nil {
		return nil, &Refusal{"the body is no activity: " + err.Error()}
	}
	effect, err := b.effect(ctx, *item, a)
	if err != nil {
		return a, err
	}
	return a, b.finish(item, effect)
}

// finish runs an effect and takes the item off.
func (b *Inbox) finish(item *store.InboxItem, effect Effect) error {
	return b.cfg.Store.Batch("giving an activity its effect", func(tx *store.Tx) error {
		if tx.InboxBody(item.Seq) == nil {
			return nil
		}
		if effect != nil && !b.cfg.Store.Blocked(item.Host) { // blocked meanwhile: it was purged
			if err := effect(tx); err != nil {
				return err
			}
		}
		return tx.DeleteInbox(item.Seq)
	})
}

// verdict says what a failure to find an object means for the activity about it: nil is to pass over
// the activity in silence.
func verdict(err error) error {
	switch {
	case errors.Is(err, resolve.ErrGone), errors.Is(err, resolve.ErrLocal), errors.Is(err, resolve.ErrBlocked), errors.Is(err, resolve.ErrUnrelated):
		return nil
	case errors.Is(err, resolve.ErrRefused):
		return &Refusal{err.Error()}
	}
	return err
}
