// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shoal/instance/fault"
	"shoal/instance/federation/resolve"
	"shoal/instance/rest"
	"shoal/instance/store"
	"shoal/peer/peertube"
)

// found is a video that a person named: exactly one is set.
type found struct {
	local  *store.Video
	remote *store.RemoteVideo
}

// id is the video's ActivityPub id.
func (f found) id(i *Instance) string {
	if f.local != nil {
		return i.base.Video(f.local.UUID)
	}
	return f.remote.ID
}

// commentsOpen reports whether the video takes comments.
func (f found) commentsOpen() bool {
	if f.local != nil {
		return !f.local.CommentsDisabled
	}
	return f.remote.CommentsPolicy != store.CommentsDisabled
}

// findAge is how old what is known of a remote video may be when somebody names it.
const findAge = 48 * time.Hour

// find finds the video that a UUID, short UUID, number or URL names. A URL of another instance that is
// not known yet is fetched.
func (i *Instance) find(ctx context.Context, target string) (found, error) {
	target = strings.TrimSpace(target)
	if !strings.Contains(target, "/") {
		if f, ok, err := i.byNumber(target); ok || err != nil {
			return f, err
		}
		return found{}, errNoVideo(target)
	}
	loc, err := peertube.ParseURL(target)
	if err == nil && loc.VideoID != "" {
		f, ok, err := i.byNumber(loc.VideoID)
		switch {
		case err != nil:
			return found{}, err
		case loc.Instance == i.URL():
			if !ok {
				return found{}, errNoVideo(target)
			}
			return f, nil
		case ok && f.remote != nil && f.remote.Host == hostOf(loc.Instance) && !isNumber(loc.VideoID):
			return f, nil
		}
	}
	v, err := i.fed.Resolver().Video(ctx, target, findAge)
	switch host := hostOf(target); {
	case err == nil:
		return found{remote: v}, nil
	case errors.Is(err, resolve.ErrLocal):
		return found{}, fault.NotFound("there is no video at %s: give the address of a video's page", target).Because(err)
	case errors.Is(err, resolve.ErrBlocked) && i.store.Blocked(host):
		return found{}, fault.Blocked("%s is blocked here: unblock it first", host).Because(err)
	}
	return found{}, err
}

// byNumber finds a video by UUID, short UUID or number, here or among the remote ones.
func (i *Instance) byNumber(id string) (found, bool, error) {
	v, valid := rest.Find(i.store.Snapshot(), id)
	if v != nil || !valid {
		return found{local: v}, v != nil, nil
	}
	var r *store.RemoteVideo
	err := i.store.Read(func(tx *store.Tx) (err error) {
		if n, err := strconv.ParseUint(id, 10, 53); err == nil && isNumber(id) {
			r, _, err = tx.RemoteVideoByNumber(n)
			return err
		}
		uuid, err := peertube.LongUUID(id)
		if err != nil {
			return err
		}
		r, _, err = tx.RemoteVideoByUUID(uuid)
		return err
	})
	if err != nil {
		return found{}, false, fmt.Errorf("reading videos: %w", err)
	}
	return found{remote: r}, r != nil, nil
}

func isNumber(id string) bool {
	_, err := strconv.ParseUint(id, 10, 53)
	return err == nil && len(id) <= 16
}

func hostOf(base string) string { return store.HostOf(base) }

func errNoVideo(target string) error {
	if target == "" {
		return fault.BadInput("no video is named: give its address or its id")
	}
	return fault.NotFound("there is no video %s here: check its id", target)
}

// own finds a video of this instance, and checks that the account named may change it: empty means its
// owner.
func (i *Instance) own(target, as string) (*store.Video, error) {
	id := strings.TrimSpace(target)
	if loc, err := peertube.ParseURL(id); strings.Contains(id, "/") && err == nil {
		if loc.Instance != i.URL() {
			return nil, fault.Refused("%s is a video of another instance: it can be changed there alone", target)
		}
		id = loc.VideoID
	}
	f, ok, err := i.byNumber(id)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errNoVideo(target)
	case f.local == nil:
		return nil, fault.Refused("%s is a video of %s: it can be changed there alone", target, f.remote.Host)
	case as == "":
		return f.local, nil
	}
	a, err := i.actingAs(as)
	if err != nil {
		return nil, err
	}
	if c, ok := i.store.Snapshot().ChannelByID(f.local.ChannelID); !ok || c.AccountID != a.ID {
		return nil, fault.Refused("%s does not own the video %s: name the account that does", a.Name, f.local.Title)
	}
	return f.local, nil
}

// actingAs finds an account of this instance; empty means root.
func (i *Instance) actingAs(name string) (*store.Account, error) {
	if name == "" {
		name = store.NameRoot
	}
	name = strings.TrimPrefix(name, "@")
	name = strings.TrimSuffix(name, "@"+i.base.Host())
	a, ok := i.store.Snapshot().Account(name)
	if !ok {
		return nil, fault.NotFound("there is no account %s here: shoal account list has the names", name)
	}
	return a, nil
}
