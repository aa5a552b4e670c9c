// SPDX-License-Identifier: AGPL-3.0-or-later

package object

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Stamp tells one activity about an object from the next: the time of what it tells, and its number in the change log.
// An activity that is made again after a crash gets the same one.
type Stamp struct {
	At  time.Time
	Seq uint64
}

func (s Stamp) String() string { return vocab.FormatTime(s.At) + "-" + strconv.FormatUint(s.Seq, 10) }

// base is an activity with the context of what it is about.
func base(kind, context, id, actor string, to, cc []string) vocab.Activity {
	if cc == nil {
		cc = []string{}
	}
	return vocab.Activity{Context: vocab.Context(context), ID: id, Type: kind, Actor: vocab.IDRef(actor), To: to, CC: cc}
}

// CreateVideo is the Create of a video by its account. The zero Stamp makes the one that stands at …/activity.
func (l Local) CreateVideo(v *vocab.Video, account string, s Stamp) (*vocab.Activity, error) {
	id := v.ID + "/activity"
	if s.Seq != 0 {
		id += "/" + s.String()
	}
	a := base("Create", "Video", id, account, v.To, v.CC)
	a.Published = v.Published
	return about(&a, v)
}

// UpdateVideo is the Update of a video by its account, with the whole video.
func (l Local) UpdateVideo(v *vocab.Video, account string, s Stamp) (*vocab.Activity, error) {
	a := base("Update", "Video", v.ID+"/updates/"+s.String(), account, v.To, v.CC)
	return about(&a, v)
}

// UpdateActor is the Update of an actor by itself.
func (l Local) UpdateActor(actor *vocab.Actor, s Stamp) (*vocab.Activity, error) {
	a := base("Update", actor.Type, actor.ID+"/updates/"+s.String(), actor.ID, []string{vocab.Public}, []string{actor.Followers})
	return about(&a, actor)
}

// CreateNote is the Create of a comment by its author. to are further addressees besides everybody.
func (l Local) CreateNote(n *vocab.Note, to []string) (*vocab.Activity, error) {
	return l.note("Create", n.ID+"/activity", n, to)
}

// UpdateNote is the Update of a comment by its author.
func (l Local) UpdateNote(n *vocab.Note, to []string, s Stamp) (*vocab.Activity, error) {
	return l.note("Update", n.ID+"/updates/"+s.String(), n, to)
}

func (l Local) note(kind, id string, n *vocab.Note, to []string) (*vocab.Activity, error) {
	addressed := *n
	addressed.To = union(n.To, to)
	a := base(kind, "Note", id, n.Author(), addressed.To, n.CC)
	return about(&a, addressed)
}

// union is a list and what another has besides.
func union(list, more []string) []string {
	out := slices.Clone(list)
	for _, id := range more {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// Delete says that an object is deleted, by the account it belonged to, or by the one that it was on a video of. The
// activity's id is below the object, or below the account where the object is another instance's.
func (l Local) Delete(id, account string, to []string, s Stamp) *vocab.Activity {
	below := id
	if !strings.HasPrefix(id, string(l.Base)+"/") {
		below = account
	}
	a := base("Delete", "", below+"/delete/"+s.String(), account, []string{vocab.Public}, union(nil, append(to, account+"/followers")))
	a.Object = vocab.IDRef(id)
	return &a
}

// AnnounceID is the id of an Announce of a local video: by the instance where channel is empty.
func (l Local) AnnounceID(video, channel string, s Stamp) string {
	name := store.NameInstance
	if channel != "" {
		name = channel
	}
	id := video + "/announces/" + name
	if s.Seq != 0 {
		id += "/" + s.String()
	}
	return id
}

// Announce says that an actor shares a video. followers are the collections of those it goes to.
func (l Local) Announce(id, actor, video string, followers []string) *vocab.Activity {
	a := base("Announce", "", id, actor, union([]string{vocab.Public}, followers), nil)
	a.Object = vocab.IDRef(video)
	return &a
}

// Rate is a Like (value 1) or a Dislike (-1) of a video, for its account or, where owner is empty, for everybody.
func (l Local) Rate(id, actor, video, owner string, value int) *vocab.Activity {
	kind := "Like"
	if value < 0 {
		kind = "Dislike"
	}
	to, cc := []string{owner}, []string{}
	if owner == "" {
		to, cc = []string{vocab.Public}, []string{actor + "/followers"}
	}
	a := base(kind, "", id, actor, to, cc)
	a.Object = vocab.IDRef(video)
	return &a
}

// Undo takes an activity back.
func (l Local) Undo(of *vocab.Activity) (*vocab.Activity, error) {
	a := base("Undo", "", of.ID+"/undo", of.Actor.ID, of.To, of.CC)
	return about(&a, *of)
}

// View says that somebody here watched a video once. number tells several of one Stamp apart.
func (l Local) View(video *store.RemoteVideo, s Stamp, number int) *vocab.Activity {
	actor := l.Base.Actor()
	id := fmt.Sprintf("%s/views/videos/%d/%s-%d", actor, video.Number, s, number)
	a := base("View", "View", id, actor, []string{video.Account}, nil)
	a.Object = vocab.IDRef(video.ID)
	return &a
}

// about puts the object into an activity.
func about(a *vocab.Activity, object json.Marshaler) (*vocab.Activity, error) {
	ref, err := vocab.Embed(object)
	if err != nil {
		return nil, fmt.Errorf("encoding the object of a %s: %w", a.Type, err)
	}
	a.Object = ref
	return a, nil
}
