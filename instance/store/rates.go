// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Rate is what an actor thinks of a video: Value is 1 for a like, -1 for a dislike, 0 for nothing.
// ID is the Like's or Dislike's id.
type Rate struct {
	Value int       `json:"value"`
	ID    string    `json:"id,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// Rate returns an actor's rate of a video, both by ActivityPub id.
func (tx *Tx) Rate(video, actor string) (Rate, bool, error) {
	r, ok, err := get[Rate](tx, bucketRates, pair(video, actor))
	if err != nil || !ok {
		return Rate{}, false, err
	}
	return *r, true, nil
}

// SetRate stores an actor's rate, 1 or -1, and returns the one before. A local actor's rate of a
// remote video goes to the change log as Rated, also the same once more; a change of a local video's rates makes a
// VideoRefresh.
func (tx *Tx) SetRate(video, actor string, value int, activityID string) (Rate, error) {
	if err := checkID(video, actor); err != nil {
		return Rate{}, err
	}
	if value != 1 && value != -1 {
		return Rate{}, fmt.Errorf("the rate %d is neither 1 nor -1", value)
	}
	old, _, err := tx.Rate(video, actor)
	if err != nil {
		return Rate{}, err
	}
	r := Rate{value, activityID, stamp(time.Now())}
	if err := tx.hang(actor, byRate, video); err != nil {
		return Rate{}, err
	}
	if err := tx.put(bucketRates, pair(video, actor), r); err != nil {
		return old, err
	}
	if old.Value != value {
		return old, tx.rated(video, actor, old, r)
	}
	if tx.IsLocal(actor) && !tx.IsLocal(video) { // its host may have lost it
		return old, tx.log(Rated, video, actor, old, r, time.Now())
	}
	return old, nil
}

// DeleteRate takes an actor's rate back and returns it. It is no error where there is none.
func (tx *Tx) DeleteRate(video, actor string) (Rate, error) {
	old, ok, err := tx.Rate(video, actor)
	if err != nil || !ok {
		return Rate{}, err
	}
	if err := tx.unhang(actor, byRate, video); err != nil {
		return Rate{}, err
	}
	if err := tx.bucket(bucketRates).Delete(pair(video, actor)); err != nil {
		return Rate{}, err
	}
	return old, tx.rated(video, actor, old, Rate{})
}

// rated counts a changed rate and logs it.
func (tx *Tx) rated(video, actor string, old, now Rate) error {
	err := tx.count(video, func(n *Counts) {
		for _, r := range []struct{ value, add int }{{old.Value, -1}, {now.Value, 1}} {
			switch r.value {
			case 1:
				n.Likes += r.add
			case -1:
				n.Dislikes += r.add
			}
		}
	})
	if err != nil {
		return err
	}
	v, ok, err := tx.localVideo(video)
	if err != nil {
		return err
	}
	if ok {
		return tx.refresh(v)
	}
	if !tx.IsLocal(actor) {
		return nil
	}
	return tx.log(Rated, video, actor, old, now, time.Now())
}

// EachRate hands out the rates of a video with a value, 1 or -1, in order of the actors' ids, until
// f returns false.
func (tx *Tx) EachRate(video string, value int, f func(actor string, r Rate) (more bool, err error)) error {
	prefix := pair(video, "")
	return tx.scan(bucketRates, prefix, func(k, v []byte) (bool, error) {
		var r Rate
		if err := json.Unmarshal(v, &r); err != nil {
			return false, fmt.Errorf("decoding a rate: %w", err)
		}
		if r.Value != value {
			return true, nil
		}
		return f(string(k[len(prefix):]), r)
	})
}

// Share is an actor's announcement of a video. ID is the Announce's.
type Share struct {
	Actor string    `json:"actor"`
	ID    string    `json:"id"`
	At    time.Time `json:"at,omitzero"`
}

// PutShare stores that an actor announced a video.
func (tx *Tx) PutShare(video, actor, activityID string) error {
	if err := checkID(video, actor); err != nil {
		return err
	}
	if err := tx.hang(actor, byShare, video); err != nil {
		return err
	}
	k := pair(video, actor)
	if tx.bucket(bucketShares).Get(k) == nil {
		if err := tx.count(video, func(n *Counts) { n.Shares++ }); err != nil {
			return err
		}
	}
	return tx.put(bucketShares, k, Share{actor, activityID, stamp(time.Now())})
}

// DeleteShare takes an announcement back. It is no error where there is none.
func (tx *Tx) DeleteShare(video, actor string) error {
	k := pair(video, actor)
	if tx.bucket(bucketShares).Get(k) == nil {
		return nil
	}
	if err := tx.unhang(actor, byShare, video); err != nil {
		return err
	}
	if err := tx.bucket(bucketShares).Delete(k); err != nil {
		return err
	}
	return tx.count(video, func(n *Counts) { n.Shares-- })
}

// Shares returns the announcements of a video in order of the actors' ids.
func (tx *Tx) Shares(video string) ([]Share, error) {
	var all []Share
	err := eachOf(tx, bucketShares, pair(video, ""), func(s *Share) (bool, error) {
		all = append(all, *s)
		return true, nil
	})
	return all, err
}

// RateByID finds which video and actor a Like's or Dislike's id belongs to, among an actor's rates.
func (tx *Tx) RateByID(actor, activityID string) (video string, found bool, err error) {
	return tx.byActivity(bucketRates, byRate, actor, activityID)
}

// ShareByID finds the video that an Announce's id belongs to, among an actor's announcements.
func (tx *Tx) ShareByID(actor, activityID string) (video string, found bool, err error) {
	return tx.byActivity(bucketShares, byShare, actor, activityID)
}

func (tx *Tx) byActivity(bucket []byte, kind byte, actor, activityID string) (string, bool, error) {
	found := ""
	prefix := byKey(actor, kind, "")
	err := tx.scan(bucketBy, prefix, func(k, _ []byte) (bool, error) {
		video := string(k[len(prefix):])
		var r struct {
			ID string `json:"id"`
		}
		raw := tx.bucket(bucket).Get(pair(video, actor))
		if !strings.Contains(string(raw), `"id"`) {
			return true, nil
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return false, fmt.Errorf("decoding a rate or share: %w", err)
		}
		if r.ID == activityID {
			found = video
		}
		return found == "", nil
	})
	return found, found != "", err
}
