// SPDX-License-Identifier: AGPL-3.0-or-later

package outgoing

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"shoal/instance/federation/author"
	"shoal/instance/federation/delivery"
	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// plan is what is told of one change.
type plan struct {
	change store.Change
	out    []message
	// apply are changes of the store that go with it.
	apply []func(*store.Tx) error
	err   error
	// keep leaves the change in the log.
	keep bool
}

type message struct {
	delivery.Message
	activity *vocab.Activity
}

// planner makes one plan within a read transaction.
type planner struct {
	o    *Outgoing
	tx   *store.Tx
	snap *store.Snapshot
	*plan
}

// add tells of something by an activity's actor. about is the object that later activities about it wait for.
func (p *planner) add(a *vocab.Activity, about, coalesce string, inboxes []string) {
	p.out = append(p.out, message{delivery.Message{
		ID: a.ID, Actor: a.Actor.ID, Order: about, Coalesce: coalesce, Inboxes: inboxes,
	}, a})
}

func (p *planner) stamp() object.Stamp { return object.Stamp{At: p.change.At, Seq: p.change.Seq} }

func (p *planner) make() error {
	switch p.change.Kind {
	case store.VideoPublished:
		return p.videoPublished()
	case store.VideoUpdated, store.VideoRefresh, store.VideoWatched:
		return p.videoUpdated()
	case store.VideoDeleted:
		return p.videoDeleted()
	case store.CommentAdded, store.CommentUpdated:
		return p.comment()
	case store.CommentDeleted:
		return p.commentDeleted()
	case store.Rated:
		return p.rated()
	case store.Viewed:
		return p.viewed()
	case store.ActorUpdated:
		return p.actorUpdated()
	}
	return nil
}

// video is the local video of the change as it is now, nil where it is not for everybody any more.
func (p *planner) video() (*store.Video, error) {
	var number uint64
	uuid := strings.TrimPrefix(p.change.Subject, p.o.cfg.Base.Video(""))
	if v, ok := p.snap.VideoByUUID(uuid); ok {
		number = v.ID
	} else if len(p.change.New) > 0 {
		var v store.Video
		if err := json.Unmarshal(p.change.New, &v); err != nil {
			return nil, fmt.Errorf("decoding a video: %w", err)
		}
		number = v.ID
	}
	v, ok, err := p.tx.Video(number)
	if err != nil || !ok || !v.Listed() {
		return nil, err
	}
	return v, nil
}

// owners are the ids of a video's account and channel.
type owners struct{ account, channel, channelName string }

func (p *planner) owners(v *store.Video) (owners, error) {
	channel, account, ok := object.Owners(p.snap, v)
	if !ok {
		return owners{}, errOwner
	}
	return owners{p.o.cfg.Base.Account(account.Name), p.o.cfg.Base.Channel(channel.Name), channel.Name}, nil
}

// collections are the followers that a local video is for.
func (p *planner) collections(by owners) []string {
	out := []string{p.o.cfg.Base.Actor() + "/followers", by.account + "/followers"}
	if by.channel != "" {
		out = append([]string{by.channel + "/followers"}, out...)
	}
	return out
}

// audience are the inboxes of all who follow a local video's account, its channel or the instance, and of those who
// shared it with others.
func (p *planner) audience(by owners, video string) ([]string, error) {
	followed := []string{by.account, p.o.cfg.Base.Actor()}
	if by.channel != "" { // an empty name would stand for all
		followed = append(followed, by.channel)
	}
	inboxes, err := p.tx.FollowerInboxes(followed...)
	if err != nil {
		return nil, err
	}
	shares, err := p.tx.Shares(video)
	if err != nil {
		return nil, err
	}
	for _, s := range shares {
		if inboxes, err = p.inboxOf(inboxes, s.Actor); err != nil {
			return nil, err
		}
	}
	return inboxes, nil
}

// inboxOf adds a remote actor's shared inbox, or else its own.
func (p *planner) inboxOf(inboxes []string, actor string) ([]string, error) {
	if actor == "" || p.tx.IsLocal(actor) {
		return inboxes, nil
	}
	a, ok, err := p.tx.Actor(actor)
	if err != nil || !ok || !a.Gone.IsZero() || p.o.cfg.Store.Blocked(a.Host) {
		return inboxes, err
	}
	inbox := a.SharedInbox
	if inbox == "" {
		inbox = a.Inbox
	}
	if inbox != "" && !slices.Contains(inboxes, inbox) {
		inboxes = append(inboxes, inbox)
	}
	return inboxes, nil
}

// rated tells the origin of a remote video what a local actor thinks of it.
func (p *planner) rated() error {
	var before, after store.Rate
	for raw, to := range map[*json.RawMessage]*store.Rate{&p.change.Old: &before, &p.change.New: &after} {
		if len(*raw) == 0 {
			continue
		}
		if err := json.Unmarshal(*raw, to); err != nil {
			return fmt.Errorf("decoding a rate: %w", err)
		}
	}
	video, actor := p.change.Subject, p.change.Actor
	v, ok, err := p.tx.RemoteVideo(video)
	if err != nil || !ok {
		return err
	}
	inboxes, err := p.inboxOf(nil, v.Account)
	if err != nil {
		return err
	}
	if before.Value != 0 && before.Value != after.Value {
		undo, err := p.o.local.Undo(p.o.local.Rate(before.ID, actor, video, v.Account, before.Value))
		if err != nil {
			return err
		}
		p.add(undo, video, "", inboxes)
	}
	if after.Value != 0 {
		p.add(p.o.local.Rate(after.ID, actor, video, v.Account, after.Value), video, "", inboxes)
	}
	return nil
}

// maxViews bounds how many views of a remote video one change tells of: a receiver counts one for each activity.
const maxViews = 50

// viewed tells the origin of a remote video of views.
func (p *planner) viewed() error {
	var n store.Views
	if err := json.Unmarshal(p.change.New, &n); err != nil {
		return fmt.Errorf("decoding views: %w", err)
	}
	id := p.change.Subject
	v, ok, err := p.tx.RemoteVideo(id)
	if err != nil || !ok {
		return err
	}
	inboxes, err := p.inboxOf(nil, v.Account)
	if err != nil {
		return err
	}
	for i := range min(n.Views, maxViews) {
		p.add(p.o.local.View(v, p.stamp(), int(i)), "", "", inboxes)
	}
	return nil
}

// actorUpdated tells the followers of a local account or channel how it describes itself now.
func (p *planner) actorUpdated() error {
	id := p.change.Subject
	name, ok := author.Name(p.o.cfg.Base, id)
	if !ok {
		return nil
	}
	a, ok := p.o.local.Actor(p.snap, name)
	if !ok {
		return nil
	}
	// The snapshot may be older than the change.
	if len(p.change.New) > 0 {
		var is struct{ DisplayName, Description, Support string }
		if err := json.Unmarshal(p.change.New, &is); err != nil {
			return fmt.Errorf("decoding an actor: %w", err)
		}
		object.Describe(a, is.DisplayName, is.Description, is.Support)
	}
	followed := []string{id, p.o.cfg.Base.Actor()}
	if owner := a.Owner(); owner != "" {
		followed = append(followed, owner)
	}
	inboxes, err := p.tx.FollowerInboxes(followed...)
	if err != nil {
		return err
	}
	update, err := p.o.local.UpdateActor(a, p.stamp())
	if err != nil {
		return err
	}
	p.add(update, id, "update "+id, inboxes)
	return nil
}
