// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"shoal/peer"
	"shoal/peer/library"
	"shoal/peer/peertube"
)

// Support is a channel, an account or a whole instance that is helped: its newest or rarest videos are
// held within a budget, without being watched.
type Support struct {
	ID          string    `json:"id"`
	Kind        Kind      `json:"kind"`        // KindChannel, KindAccount or KindInstance
	Name        string    `json:"name"`        // name or name@host; the host for an instance
	DisplayName string    `json:"displayName"` // for people
	Host        string    `json:"host"`        // of the instance that is asked, with its port
	URL         string    `json:"url"`         // its page there
	Budget      int64     `json:"budget"`      // bytes
	Order       string    `json:"order"`       // library.OrderNewest or library.OrderRarest
	Added       time.Time `json:"added"`

	Used     int64      `json:"used"`     // bytes on disk
	Videos   int        `json:"videos"`   // held, whole or not
	Complete int        `json:"complete"` // of these, held whole
	Uploaded peer.Bytes `json:"uploaded"` // what was given back, by transport

	Checked time.Time `json:"checked,omitzero"` // when its list of videos was last read
	Next    time.Time `json:"next,omitzero"`    // when it is read next
	Problem string    `json:"problem"`          // what is in the way, for a person; "" where nothing is
}

// SupportOptions say how much is held, and of what. Zero values are the defaults, or what was before.
type SupportOptions struct {
	Budget int64  // bytes
	Order  string // library.OrderNewest or library.OrderRarest
}

// Bounds of supports.
const (
	DefaultSupportBudget = 20e9    // bytes
	minSupportBudget     = 1 << 20 // bytes
	maxSupports          = 200
	maxRefused           = 500 // videos of one support that a person removed
)

// AddSupport begins to support what an address leads to: a channel, an account (name@host or its
// page) or an instance. One that is supported already gets the options that are
// given, and is looked at at once.
func (a *App) AddSupport(ctx context.Context, arg string, o SupportOptions) (Support, error) {
	if err := o.check(); err != nil {
		return Support{}, err
	}
	s, err := a.findSupport(ctx, strings.TrimSpace(arg))
	if err != nil {
		return Support{}, err
	}
	if a.instance != nil && s.Instance == a.instance.URL() {
		return Support{}, fail(CodeBadInput, nil, "this is your own instance: all of its videos are held and seeded already")
	}
	if old, ok := a.supports.get(s.ID); ok {
		return a.SetSupport(old.ID, o)
	}
	s.Budget, s.Order, s.Added = DefaultSupportBudget, library.OrderNewest, a.keeper.now().UTC()
	o.apply(&s)
	if err := a.supports.add(s); err != nil {
		return Support{}, err
	}
	a.named.add(s.Instance)
	return a.describe(s, a.entriesBySupport()[s.ID]), nil
}

func (o SupportOptions) check() error {
	switch {
	case o.Budget < 0 || o.Budget > 0 && o.Budget < minSupportBudget:
		return fail(CodeBadInput, nil, "a budget of %d bytes holds no video: give one such as 20GB", o.Budget)
	case o.Order != "" && o.Order != library.OrderNewest && o.Order != library.OrderRarest:
		return fail(CodeBadInput, nil, "there is no order %q: choose %s or %s", o.Order, library.OrderNewest, library.OrderRarest)
	}
	return nil
}

func (o SupportOptions) apply(s *library.Support) {
	if o.Budget > 0 {
		s.Budget = o.Budget
	}
	if o.Order != "" {
		s.Order = o.Order
	}
}

// SetSupport changes a support's options, and looks for its videos at once.
func (a *App) SetSupport(id string, o SupportOptions) (Support, error) {
	if err := o.check(); err != nil {
		return Support{}, err
	}
	err := a.supports.change(id, func(s *library.Support) {
		o.apply(s)
		s.Next = time.Time{}
	})
	if err != nil {
		return Support{}, err
	}
	a.supports.look()
	s, _ := a.supports.get(id)
	return a.describe(s, a.entriesBySupport()[s.ID]), nil
}

// RemoveSupport ends a support. Its videos are deleted, or go on as those that were watched do; those
// that a person pinned, watched or co-seeds always do.
func (a *App) RemoveSupport(ctx context.Context, id string, deleteFiles bool) error {
	if err := a.supports.remove(id); err != nil {
		return err
	}
	var errs []error
	for infohash, e := range a.keeper.all() {
		if e.Support != id {
			continue
		}
		if deleteFiles {
			gone, err := a.evict(ctx, infohash, func(e library.Entry) bool { return !e.Wanted() })
			errs = append(errs, err)
			if gone || err != nil {
				continue
			}
		}
		errs = append(errs, a.keeper.change(infohash, release))
	}
	a.supports.look()
	return errors.Join(errs...)
}

// release makes an entry one that is held for no support.
func release(e *library.Entry) { e.Support, e.Video, e.Before = "", "", peer.Bytes{} }

// Supports lists all supports, oldest first.
func (a *App) Supports() []Support {
	entries := a.entriesBySupport()
	var out []Support
	for _, s := range a.supports.all() {
		out = append(out, a.describe(s, entries[s.ID]))
	}
	return out
}

func (a *App) entriesBySupport() map[string][]library.Entry {
	out := map[string][]library.Entry{}
	for _, e := range a.keeper.all() {
		if e.Support != "" {
			out[e.Support] = append(out[e.Support], e)
		}
	}
	return out
}

// FindSupport returns the support that a person means by its id, its page, its name, or the name of
// an instance.
func (a *App) FindSupport(arg string) (Support, error) {
	arg = strings.TrimSpace(arg)
	location, handle, err := supportAddress(arg)
	for _, s := range a.supports.all() {
		d := a.describe(s, nil)
		same := arg == d.ID || strings.EqualFold(arg, d.Name) || arg == d.URL
		if err == nil && location.Instance == s.Instance {
			name := shortName(location.Channel+location.Account+handle, s.Instance)
			kind := handle != "" && s.Kind != library.SupportInstance || string(kindOf(location)) == s.Kind
			same = same || kind && strings.EqualFold(name, s.Name)
		}
		if same {
			return a.describe(s, a.entriesBySupport()[s.ID]), nil
		}
	}
	return Support{}, fail(CodeNotFound, nil, "%s is not supported: shoal support list shows what is", arg)
}

// describe adds to a support the entries that are held for it.
func (a *App) describe(s library.Support, entries []library.Entry) Support {
	d := Support{
		ID: s.ID, Kind: Kind(s.Kind), Name: s.Name, DisplayName: s.DisplayName, Budget: s.Budget, Order: s.Order,
		Added: s.Added, Uploaded: s.Uploaded, Checked: s.Checked, Next: s.Next, Problem: s.Problem,
	}
	l := peertube.Location{Instance: s.Instance}
	switch s.Kind {
	case library.SupportChannel:
		l.Channel = s.Name
	case library.SupportAccount:
		l.Account = s.Name
	}
	d.URL, d.Host = l.String(), hostOf(s.Instance)
	if d.Name == "" {
		d.Name = d.Host
	} else if !strings.Contains(d.Name, "@") {
		d.Name += "@" + d.Host
	}
	if d.DisplayName == "" {
		d.DisplayName = d.Name
	}
	held := map[string]bool{} // by UUID, whether it is whole
	for _, e := range entries {
		e, bytes := a.live(e)
		d.Used += bytes
		d.Uploaded = d.Uploaded.Plus(e.Helped())
		whole, seen := held[e.Video]
		held[e.Video] = e.Complete && (whole || !seen)
	}
	d.Videos = len(held)
	for _, whole := range held {
		if whole {
			d.Complete++
		}
	}
	if d.Problem == "" {
		d.Problem = a.supports.waitingFor(s.ID)
	}
	return d
}

// live is an entry with the figures of this moment, and the bytes of it that are on disk.
func (a *App) live(e library.Entry) (library.Entry, int64) {
	if swarm, ok := a.joined(e.Infohash); ok {
		stats := swarm.Stats()
		e.Uploaded, e.Downloaded, e.Complete = stats.Uploaded, stats.Downloaded, stats.Complete
		return e, stats.Completed
	}
	if e.Complete {
		return e, e.Bytes
	}
	return e, 0
}

func hostOf(instance string) string {
	u, err := url.Parse(instance)
	if err != nil {
		return instance
	}
	return u.Host
}

// shortName leaves out the host where it is the one that is asked.
func shortName(name, instance string) string {
	if short, ok := strings.CutSuffix(strings.ToLower(name), "@"+strings.ToLower(hostOf(instance))); ok {
		return name[:len(short)]
	}
	return name
}

func kindOf(l peertube.Location) Kind {
	switch {
	case l.Channel != "":
		return KindChannel
	case l.Account != "":
		return KindAccount
	case l.VideoID != "":
		return KindVideo
	}
	return KindInstance
}

// supportAddress reads an address; handle is set for name@host, which may be a channel's or an
// account's.
func supportAddress(arg string) (l peertube.Location, handle string, err error) {
	if name, host, ok := strings.Cut(strings.TrimPrefix(arg, "@"), "@"); ok && !strings.ContainsAny(arg, "/?#") {
		if OnThisMachine(host) {
			host = "http://" + host
		}
		if l, err = peertube.ParseURL(host); err != nil {
			return l, "", err
		}
		return l, name, nil
	}
	if !strings.Contains(arg, "://") && OnThisMachine(arg) {
		arg = "http://" + arg
	}
	l, err = peertube.ParseURL(arg)
	return l, "", err
}

// findSupport asks an instance what an address is.
func (a *App) findSupport(ctx context.Context, arg string) (library.Support, error) {
	if looksLikeSwarm(arg) {
		return library.Support{}, fail(CodeBadInput, nil, "this is one swarm: give the address of a channel, an account or an instance")
	}
	l, handle, err := supportAddress(arg)
	if err != nil {
		return library.Support{}, err
	}
	if l.VideoID != "" {
		return library.Support{}, fail(CodeBadInput, nil, "%s is one video: give the address of its channel, its account or its instance, or co-seed it (shoal seed)", l)
	}
	s := library.Support{Instance: l.Instance}
	switch {
	case l.Channel != "":
		err = a.askChannel(ctx, &s, l.Channel)
	case l.Account != "":
		err = a.askAccount(ctx, &s, l.Account)
	case handle != "":
		var remote *peertube.Error
		if err = a.askChannel(ctx, &s, handle); errors.As(err, &remote) && remote.Code == peertube.CodeNotFound {
			err = a.askAccount(ctx, &s, handle)
		}
	default:
		s.Kind = library.SupportInstance
		c, askErr := a.peertube.Config(ctx, l.Instance)
		s.DisplayName, err = c.Instance.Name, askErr
	}
	if err != nil {
		return library.Support{}, err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(s.Kind + "\n" + s.Instance + "\n" + s.Name)))
	s.ID = hex.EncodeToString(sum[:6])
	return s, nil
}

func (a *App) askChannel(ctx context.Context, s *library.Support, name string) error {
	c, err := a.peertube.Channel(ctx, s.Instance, name)
	s.Kind, s.Name, s.DisplayName = library.SupportChannel, shortName(name, s.Instance), c.DisplayName
	return err
}

func (a *App) askAccount(ctx context.Context, s *library.Support, name string) error {
	c, err := a.peertube.Account(ctx, s.Instance, name)
	s.Kind, s.Name, s.DisplayName = library.SupportAccount, shortName(name, s.Instance), c.DisplayName
	return err
}

// refuse remembers that a person removed a video of a support, so that it is not fetched again.
func (a *App) refuse(e library.Entry) error {
	if e.Support == "" {
		return nil
	}
	if err := a.supports.credit(e); err != nil {
		return err
	}
	return a.supports.change(e.Support, func(s *library.Support) {
		if !slices.Contains(s.Refused, e.Video) {
			s.Refused = append(s.Refused, e.Video)
		}
		s.Refused = s.Refused[max(len(s.Refused)-maxRefused, 0):]
	})
}

// HasLibrary reports whether a data folder has ever held a swarm or a support.
func HasLibrary(dataDir string) bool {
	_, err := os.Stat(filepath.Join(dataDir, libraryFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// SupportAtRest opens what a data folder that no process holds knows of supports and swarms, lets work
// read and change it, and closes it. No swarm is joined meanwhile. A folder that another process holds
// gives ErrInUse.
func SupportAtRest(ctx context.Context, o Options, work func(context.Context, *App) error) (err error) {
	a, err := openResting(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := work(ctx, a); err != nil {
		return err
	}
	return nil
}

var errNoEngine = errors.New("no engine is open")

// leave leaves a swarm and forgets it. One that is not joined is taken up for an instant where its
// files are to go.
func (a *App) leave(ctx context.Context, infohash string, deleteFiles bool) error {
	swarm, joined := a.joined(infohash)
	if !joined && deleteFiles {
		e, err := a.library.Get(infohash)
		if err != nil {
			return fmt.Errorf("reading held swarm: %w", err)
		}
		if a.engine == nil {
			return errNoEngine
		}
		e.Paused, e.Want = true, false
		if swarm, err = e.Join(ctx, a.engine); err != nil {
			return fmt.Errorf("finding the files: %w", err)
		}
		joined = true
	}
	if joined {
		if err := swarm.Leave(ctx, deleteFiles); err != nil {
			return fmt.Errorf("leaving swarm: %w", err)
		}
	}
	return a.keeper.forget(infohash)
}
