// SPDX-License-Identifier: AGPL-3.0-or-later

package rest

import (
	"net/http"
	"slices"
	"strings"

	"shoal/instance/store"
	"shoal/peer/peertube"
)

// follow is a follow in PeerTube's form.
type follow struct {
	ID        peertube.Int  `json:"id"`
	Follower  followActor   `json:"follower"`
	Following followActor   `json:"following"`
	Score     peertube.Int  `json:"score"`
	State     string        `json:"state"`
	CreatedAt peertube.Time `json:"createdAt"`
	UpdatedAt peertube.Time `json:"updatedAt"`
}

// followActor is one side of a follow.
type followActor struct {
	URL                   string                             `json:"url"`
	Name                  string                             `json:"name"`
	Host                  string                             `json:"host"`
	Avatars               peertube.List[peertube.ActorImage] `json:"avatars"`
	ID                    peertube.Int                       `json:"id"`
	HostRedundancyAllowed bool                               `json:"hostRedundancyAllowed"`
	FollowingCount        peertube.Int                       `json:"followingCount"`
	FollowersCount        peertube.Int                       `json:"followersCount"`
	CreatedAt             peertube.Time                      `json:"createdAt"`
	Banners               peertube.List[peertube.ActorImage] `json:"banners"`
}

// score is what PeerTube begins with; here no follower is dropped for not answering.
const score = 1000

// followers answers with a page of those who follow the instance.
func (h *Handler) followers(w http.ResponseWriter, r *http.Request) {
	h.follows(w, r, (*store.Tx).EachFollower, func(f follow) follow { return f })
}

// following answers with a page of those whom the instance follows.
func (h *Handler) following(w http.ResponseWriter, r *http.Request) {
	h.follows(w, r, (*store.Tx).EachFollowing, func(f follow) follow {
		f.Follower, f.Following = f.Following, f.Follower
		return f
	})
}

type eachFollow func(tx *store.Tx, local string, f func(*store.Follow) (bool, error)) error

func (h *Handler) follows(w http.ResponseWriter, r *http.Request, each eachFollow, turn func(follow) follow) {
	q := r.URL.Query()
	p, bad := parsePageBy(q, []string{"createdAt", "state", "score"}, "createdAt")
	if bad != nil {
		badParam(w, r, *bad, "getServerFollows")
		return
	}
	var out struct {
		Total peertube.Int          `json:"total"`
		Data  peertube.List[follow] `json:"data"`
	}
	ok := h.read(w, func(tx *store.Tx) error {
		found, err := h.chosen(tx, each, q.Get("state"), strings.ToLower(q.Get("search")))
		if err != nil {
			return err
		}
		slices.SortStableFunc(found, func(a, b *store.Follow) int {
			n := a.Created.Compare(b.Created)
			if p.sort == "state" {
				n = strings.Compare(string(a.State), string(b.State))
			}
			if p.descending {
				return -n
			}
			return n
		})
		out.Total = peertube.Int(len(found))
		start := min(p.start, len(found))
		for _, f := range found[start : start+min(p.count, len(found)-start)] {
			one, err := h.view(tx).follow(f)
			if err != nil {
				return err
			}
			out.Data = append(out.Data, turn(one))
		}
		return nil
	})
	if ok {
		h.writeJSON(w, out)
	}
}

// chosen returns the instance actor's follows of a state, with a text in the other's id; what is
// empty asks nothing.
func (h *Handler) chosen(tx *store.Tx, each eachFollow, state, text string) ([]*store.Follow, error) {
	var all []*store.Follow
	err := each(tx, h.cfg.Base.Actor(), func(f *store.Follow) (bool, error) {
		if (state == "" || state == stateOf(f)) && strings.Contains(strings.ToLower(f.Remote), text) && !h.cfg.Store.Blocked(f.Host) {
			all = append(all, f)
		}
		return true, nil
	})
	return all, err
}

// stateOf is a follow's state in PeerTube's words, which know no failed one.
func stateOf(f *store.Follow) string {
	if f.State == store.FollowFailed {
		return string(store.FollowPending)
	}
	return string(f.State)
}

// follow writes a follow with the remote actor as the follower.
func (v *view) follow(f *store.Follow) (follow, error) {
	a, err := v.remote(f.Remote)
	if err != nil {
		return follow{}, err
	}
	var us peertube.Time
	if root, ok := v.snap.Account(store.NameRoot); ok {
		us = peertube.NewTime(root.Created)
	}
	return follow{
		ID: peertube.Int(a.Number), Score: score, State: stateOf(f), CreatedAt: peertube.NewTime(f.Created), UpdatedAt: peertube.NewTime(f.Updated), //nolint:gosec // a sequence number
		Follower: followActor{
			URL: a.ID, Name: a.Username, Host: a.Host, ID: peertube.Int(a.Number), //nolint:gosec // a sequence number
			FollowingCount: peertube.Int(a.FollowingCount), FollowersCount: peertube.Int(a.FollowerCount), CreatedAt: peertube.NewTime(a.Published),
		},
		Following: followActor{URL: v.cfg.Base.Actor(), Name: store.NameInstance, Host: v.cfg.Base.Host(), CreatedAt: us},
	}, nil
}
