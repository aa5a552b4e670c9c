// SPDX-License-Identifier: AGPL-3.0-or-later

package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"shoal/instance/federation/fetch"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/resolve"
	"shoal/instance/federation/vocab"
	"shoal/instance/party"
	"shoal/instance/store"
)

// answer is what a request gets. A zero status means that it passes.
type answer struct {
	status int
	// reason is a sentence's part for whoever runs the sender.
	reason string
	// retry is when to come back.
	retry time.Duration
}

func (a answer) write(w http.ResponseWriter) {
	if a.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(a.retry.Seconds()))))
	}
	if a.status == http.StatusNoContent {
		w.WriteHeader(a.status)
		return
	}
	http.Error(w, a.reason, a.status)
}

func deny(status int, reason string) answer { return answer{status: status, reason: reason} }

// done is the answer to what is dropped as to what is taken.
func done() answer { return answer{status: http.StatusNoContent} }

// receive answers POSTs to one kind of inbox. target says whose it is, and whether there is one.
func (b *Inbox) receive(target func(*http.Request) (id string, ok bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		to, ok := target(r)
		if !ok {
			deny(http.StatusNotFound, "there is no such inbox").write(w)
			return
		}
		claimed, a := b.claims(r)
		if a.status != 0 {
			a.write(w)
			return
		}
		leave, wait, ok := b.enter(claimed)
		if !ok {
			answer{http.StatusTooManyRequests, "too many requests: come back later", wait}.write(w)
			return
		}
		defer leave()
		if a := b.room(claimed.host, int(max(r.ContentLength, 0))); a.status != 0 {
			a.write(w)
			return
		}
		body, a := b.read(w, r)
		if a.status == 0 {
			a = b.take(r, body, to, claimed)
		}
		a.write(w)
	}
}

// enter bounds what one address asks, and what it asks of one host. Claimed hosts are not proved yet:
// one address cannot use up what another's may ask in the same name.
func (b *Inbox) enter(c claim) (leave func(), wait time.Duration, ok bool) {
	gates := b.strangers
	if c.known {
		gates = b.friends
	}
	leaveClient, wait, ok := gates.client.enter(c.client)
	if !ok {
		return nil, wait, false
	}
	leaveHost, wait, ok := gates.host.enter(c.client + " " + c.host)
	if !ok {
		leaveClient()
		return nil, wait, false
	}
	return func() { leaveHost(); leaveClient() }, 0, true
}

// claim is who a request says it is of.
type claim struct {
	keyID, host string
	// client is whose address it comes from, known whether this instance has to do with the host.
	client string
	known  bool
}

// claims makes the checks that need neither the body nor a key.
func (b *Inbox) claims(r *http.Request) (claim, answer) {
	if !jsonType(r.Header.Get("Content-Type")) {
		return claim{}, deny(http.StatusUnsupportedMediaType, "the body must be application/activity+json or application/ld+json")
	}
	if r.ContentLength > b.cfg.Limits.MaxBytes {
		return claim{}, deny(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	keyID, err := httpsig.KeyID(r)
	if err != nil {
		return claim{}, deny(http.StatusForbidden, "the request carries no HTTP signature")
	}
	host := vocab.Host(keyID)
	if handle, ok := strings.CutPrefix(keyID, "acct:"); ok {
		_, host, _ = strings.Cut(strings.TrimPrefix(handle, "@"), "@")
		host = strings.ToLower(host)
	}
	switch {
	case !resolve.PlainHost(host) || len(keyID) > maxID || len(host) > maxHost:
		return claim{}, deny(http.StatusForbidden, "the signature's keyId is no actor's")
	case host == b.cfg.Base.Host():
		return claim{}, deny(http.StatusForbidden, "the signature's keyId is of this instance")
	case b.cfg.Store.Blocked(host):
		return claim{}, deny(http.StatusForbidden, "your server is blocked here")
	}
	return claim{keyID, host, party.Addr(b.cfg.ClientIP(r)).String(), b.knowsHost(host)}, answer{}
}

// Bounds of ids and hosts, in bytes. An activity's id leaves room for what is added to it where it
// is remembered.
const (
	maxID   = 1900
	maxHost = 300
)

func jsonType(header string) bool {
	t, _, err := mime.ParseMediaType(header)
	return err == nil && (t == "application/activity+json" || t == "application/ld+json" || t == "application/json")
}

// room asks senders to wait while too much of theirs, or of all's, waits already. size is that of what
// comes, in bytes.
func (b *Inbox) room(host string, size int) answer {
	l := b.cfg.Limits
	items, bytes := l.MaxWaiting, l.MaxWaitingBytes
	if !b.knowsHost(host) {
		items, bytes = items/2, bytes/2
	}
	switch all, of := b.lines.depths(host); {
	case all.items >= items, all.bytes+size > bytes:
		return answer{http.StatusServiceUnavailable, "too many activities wait here: come back later", time.Minute}
	case of.items >= l.MaxWaitingOf, of.bytes+size > l.MaxWaitingBytesOf:
		return answer{http.StatusTooManyRequests, "too many activities of your server wait here: come back later", time.Minute}
	}
	return answer{}
}

// read reads the body within its bounds of size and time.
func (b *Inbox) read(w http.ResponseWriter, r *http.Request) ([]byte, answer) {
	control := http.NewResponseController(w)
	// Sockets keep real time, whatever the clock that was handed over says. A writer without
	// deadlines, as in tests, has none.
	if err := control.SetReadDeadline(time.Now().Add(b.cfg.Limits.BodyTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, deny(http.StatusBadRequest, "the body cannot be read")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, b.cfg.Limits.MaxBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, deny(http.StatusRequestEntityTooLarge, "the body is too large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, deny(http.StatusRequestTimeout, "the body took too long")
	case err != nil:
		return nil, deny(http.StatusBadRequest, "the body cannot be read")
	}
	return body, answer{}
}

// takeTime bounds what is done before the answer, fetching a key included.
const takeTime = 20 * time.Second

// take verifies a body and puts it on disk.
func (b *Inbox) take(r *http.Request, body []byte, to string, claimed claim) answer {
	ctx, cancel := context.WithTimeout(r.Context(), takeTime)
	defer cancel()
	// Many servers tell everybody of each account that goes. Of one that was never known here there
	// is nothing to fetch, check or do.
	if b.unknownGoes(body, claimed) {
		return done()
	}
	in, a := b.verify(fetch.Unproved(ctx, fetch.Asker{Client: claimed.client, Known: claimed.known}), r, body, claimed)
	if a.status != 0 {
		return a
	}
	// What is forwarded waits in the line of its author's host.
	if a := b.room(vocab.Host(in.activity.Actor.ID), len(body)); a.status != 0 {
		return a
	}
	if err := b.cfg.Resolver.Proved(in.activity.Actor.ID); err != nil {
		b.log.Warn("an actor cannot be stored", "id", in.activity.Actor.ID, "error", err)
	}
	item := store.InboxItem{
		Received: b.cfg.Now().UTC(), Signer: in.activity.Actor.ID, Host: vocab.Host(in.activity.Actor.ID), Target: to,
		ActivityID: in.activity.ID, Forwarded: in.forwarded, Body: body,
	}
	if err := b.keep(ctx, item, in.activity); err != nil {
		b.log.Error("an activity cannot be stored", "error", err)
		return answer{http.StatusServiceUnavailable, "the activity cannot be stored now: come back later", time.Minute}
	}
	return done()
}

// keep puts an item on disk, unless the same one came before, and gives it to the workers.
func (b *Inbox) keep(ctx context.Context, item store.InboxItem, activity *vocab.Activity) error {
	mark := seenMark(activity, item.Body)
	known := false
	// A Follow can be the same to the byte after an Undo. Done again it is answered again, no more;
	// who brings another's must not undo the Undo.
	again := activity.Type == typeFollow && !item.Forwarded
	seen := func(tx *store.Tx) error {
		known = !again && tx.Seen(mark)
		return nil
	}
	if err := b.cfg.Store.Read(seen); err != nil {
		return fmt.Errorf("reading the inbox: %w", err)
	}
	if known {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := b.cfg.Store.Batch("storing an activity", func(tx *store.Tx) error {
		if err := seen(tx); err != nil || known {
			return err
		}
		if err := tx.MarkSeen(mark, item.Received); err != nil {
			return err
		}
		return tx.PutInbox(&item)
	})
	if err == nil && !known {
		b.lines.add(item, orderOf(activity), b.knowsHost(item.Host))
	}
	return err
}
