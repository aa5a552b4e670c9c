// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"strings"
	"time"
)

// Actor is an actor of another instance: its instance actor, an account or a channel.
type Actor struct {
	// Number is no local account's or channel's.
	Number uint64 `json:"number"`
	// ID is its URL. Type is Application, Person, Group, Service or Organization.
	ID   string `json:"id"`
	Type string `json:"type"`
	// Host is host[:port] of its instance.
	Host     string `json:"host"`
	Username string `json:"username"`
	Name     string `json:"name,omitempty"`
	Summary  string `json:"summary,omitempty"`
	Support  string `json:"support,omitempty"`
	URL      string `json:"url,omitempty"`

	Inbox        string `json:"inbox"`
	SharedInbox  string `json:"sharedInbox,omitempty"`
	Outbox       string `json:"outbox,omitempty"`
	FollowersURL string `json:"followersUrl,omitempty"`
	FollowingURL string `json:"followingUrl,omitempty"`
	// Owner is a Group's Person.
	Owner string `json:"owner,omitempty"`

	KeyID  string `json:"keyId,omitempty"`
	KeyPEM string `json:"keyPem,omitempty"`
	// Icon and Banner are URLs at its instance.
	Icon   string `json:"icon,omitempty"`
	Banner string `json:"banner,omitempty"`

	FollowerCount  int `json:"followerCount,omitempty"`
	FollowingCount int `json:"followingCount,omitempty"`

	Published time.Time `json:"published,omitzero"`
	// Fetched is when it was last read from its instance; Gone when that said it is deleted.
	Fetched time.Time `json:"fetched,omitzero"`
	Gone    time.Time `json:"gone,omitzero"`
}

// The kinds of bucketBy: what hangs on an actor.
const (
	byAccount   = 'a' // videos of the account
	byChannel   = 'g' // videos of the channel
	bySource    = 'b' // videos that the actor brought
	byComment   = 'c'
	byRate      = 'r'
	byShare     = 's'
	byFollowing = 'f' // local actors that follow it
	byFollower  = 'F' // local actors that it follows
)

func byKey(actor string, kind byte, what string) []byte {
	return []byte(actor + "\x00" + string(rune(kind)) + what)
}

func (tx *Tx) hang(actor string, kind byte, what string) error {
	if actor == "" {
		return nil
	}
	return tx.bucket(bucketBy).Put(byKey(actor, kind, what), nil)
}

func (tx *Tx) unhang(actor string, kind byte, what string) error {
	if actor == "" {
		return nil
	}
	return tx.bucket(bucketBy).Delete(byKey(actor, kind, what))
}

func handleKey(name, host string) []byte {
	return pair(strings.ToLower(host), strings.ToLower(name))
}

// Actor finds a remote actor by its id.
func (tx *Tx) Actor(id string) (*Actor, bool, error) {
	return get[Actor](tx, bucketActors, []byte(id))
}

// ActorByNumber finds a remote actor by its number.
func (tx *Tx) ActorByNumber(number uint64) (*Actor, bool, error) {
	return tx.Actor(string(tx.bucket(bucketActorNumbers).Get(key(number))))
}

// ActorByHandle finds a remote actor by name and host, in any case.
func (tx *Tx) ActorByHandle(name, host string) (*Actor, bool, error) {
	return tx.Actor(string(tx.bucket(bucketHandles).Get(handleKey(name, host))))
}

// PutActor stores a remote actor. It sets a.Number: the one it had, else a new one. An actor that
// takes the handle of another (a rebuilt instance) takes it over.
func (tx *Tx) PutActor(a *Actor) error {
	if err := checkID(a.ID); err != nil {
		return err
	}
	old, ok, err := tx.Actor(a.ID)
	if err != nil {
		return err
	}
	if ok {
		a.Number = old.Number
		if err := tx.dropHandle(old); err != nil {
			return err
		}
	} else if a.Number, err = tx.nextActor(); err != nil {
		return err
	}
	if err := tx.bucket(bucketActorNumbers).Put(key(a.Number), []byte(a.ID)); err != nil {
		return err
	}
	if err := tx.bucket(bucketHandles).Put(handleKey(a.Username, a.Host), []byte(a.ID)); err != nil {
		return err
	}
	if !ok || old.Type != a.Type {
		by, err := tx.FollowedBy(a.ID)
		if err != nil {
			return err
		}
		tx.following = tx.following || len(by) > 0 // what is listed depends on the type
	}
	if !ok || old.Name != a.Name || old.Username != a.Username {
		if err := tx.touchVideosOf(a.ID); err != nil {
			return err
		}
	}
	return tx.put(bucketActors, []byte(a.ID), a)
}

// nextActor is a number that no local account or channel has or gets.
func (tx *Tx) nextActor() (uint64, error) {
	accounts, channels := tx.bucket(bucketAccounts), tx.bucket(bucketChannels)
	n := max(accounts.Sequence(), channels.Sequence()) + 1
	if err := accounts.SetSequence(n); err != nil {
		return 0, err
	}
	return n, channels.SetSequence(n)
}

// dropHandle frees an actor's handle, unless another has it.
func (tx *Tx) dropHandle(a *Actor) error {
	k := handleKey(a.Username, a.Host)
	if b := tx.bucket(bucketHandles); string(b.Get(k)) == a.ID {
		return b.Delete(k)
	}
	return nil
}

// DeleteActor deletes a remote actor with its videos, comments, rates, shares and follows, and how far
// its outbox was read. What it brought of others stays, without it as a source. It is no error where
// there is no such actor.
func (tx *Tx) DeleteActor(id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if _, err := tx.dropHanging(id, -1); err != nil {
		return err
	}
	if err := tx.DeleteWalk(id); err != nil {
		return err
	}
	a, ok, err := tx.Actor(id)
	if err != nil || !ok {
		return err
	}
	if err := tx.dropHandle(a); err != nil {
		return err
	}
	if err := tx.bucket(bucketActorNumbers).Delete(key(a.Number)); err != nil {
		return err
	}
	return tx.bucket(bucketActors).Delete([]byte(id))
}

// dropHanging deletes what hangs on an actor, but no more than most things, and returns how many; below 0
// stands for all.
func (tx *Tx) dropHanging(id string, most int) (int, error) {
	var hanging []string
	prefix := []byte(id + "\x00")
	err := tx.scan(bucketBy, prefix, func(k, _ []byte) (bool, error) {
		if len(hanging) == most {
			return false, nil
		}
		hanging = append(hanging, string(k[len(prefix):]))
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	for _, h := range hanging {
		if err := tx.drop(id, h[0], h[1:]); err != nil {
			return 0, err
		}
	}
	return len(hanging), nil
}

// drop deletes one thing that hangs on an actor.
func (tx *Tx) drop(actor string, kind byte, what string) error {
	switch kind {
	case byAccount, byChannel:
		return tx.deleteRemote(parseKeyText(what))
	case bySource:
		return tx.removeSource(parseKeyText(what), actor)
	case byComment:
		return tx.DeleteComment(what)
	case byRate:
		_, err := tx.DeleteRate(what, actor)
		return err
	case byShare:
		return tx.DeleteShare(what, actor)
	case byFollowing:
		return tx.DeleteFollowing(what, actor)
	case byFollower:
		return tx.DeleteFollower(what, actor)
	}
	return nil
}
