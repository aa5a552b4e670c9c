// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"shoal/app/core"
	"shoal/peer"
)

// fakeSharing is what a program shares, supports, and can be reached by.
type fakeSharing struct {
	*journal
	mu       sync.Mutex
	supports []core.Support
	addErr   error
	addHold  chan struct{}
	limits   core.Limits
	reach    core.Reachability
	checked  core.Reachability
	disk     string
	hold     chan struct{} // of a check
}

func newFakeSharing(j *journal) *fakeSharing { return &fakeSharing{journal: j} }

func (f *fakeSharing) SetPinned(infohash string, pinned bool) error {
	f.note(fmt.Sprintf("pin %s %v", infohash, pinned))
	return nil
}

func (f *fakeSharing) Supports() []core.Support {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.supports
}

func (f *fakeSharing) set(s ...core.Support) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.supports = s
}

func (f *fakeSharing) AddSupport(ctx context.Context, arg string, o core.SupportOptions) (core.Support, error) {
	f.note(fmt.Sprintf("support %s %d %s", arg, o.Budget, o.Order))
	if f.addHold != nil {
		select {
		case <-f.addHold:
		case <-ctx.Done():
			return core.Support{}, ctx.Err()
		}
	}
	if f.addErr != nil {
		return core.Support{}, f.addErr
	}
	s := creator(arg)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.supports = append(f.supports, s)
	return s, nil
}

func (f *fakeSharing) SetSupport(id string, o core.SupportOptions) (core.Support, error) {
	f.note(fmt.Sprintf("change %s %d %s", id, o.Budget, o.Order))
	return core.Support{}, nil
}

func (f *fakeSharing) RemoveSupport(_ context.Context, id string, files bool) error {
	f.note(fmt.Sprintf("end %s %v", id, files))
	if id == "broken" {
		return errors.New("the disk is full: make room")
	}
	return nil
}

func (f *fakeSharing) Limits() core.Limits {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limits
}

func (f *fakeSharing) DiskProblem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.disk
}

func (f *fakeSharing) Reachability() core.Reachability {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reach
}

func (f *fakeSharing) CheckReachability(ctx context.Context) core.Reachability {
	f.note("check")
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reach = f.checked
	return f.reach
}

// creator is a support that has done something.
func creator(id string) core.Support {
	return core.Support{
		ID: id, Kind: core.KindChannel, Name: "sea@video.example", DisplayName: "Sea Life", Host: "video.example",
		URL: "https://video.example/video-channels/sea", Budget: 20e9, Order: "newest", Added: time.Now().Add(-time.Hour),
		Used: 3.4e9, Videos: 14, Complete: 12, Uploaded: peer.Bytes{WebRTC: 1.2e9}, Checked: time.Now().Add(-10 * time.Minute),
	}
}
