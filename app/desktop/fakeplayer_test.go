// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"fmt"
	"sync"
	"time"

	"shoal/player"
)

type fakePlayer struct {
	journal
	mu      sync.Mutex
	state   player.State
	loadErr error
	changed chan struct{}
}

func newFakePlayer() *fakePlayer {
	return &fakePlayer{state: player.State{Volume: 100}, changed: make(chan struct{}, 1)}
}

func (p *fakePlayer) change(f func(*player.State)) {
	p.mu.Lock()
	f(&p.state)
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *fakePlayer) Load(context.Context, player.Opener, player.Opener) error {
	p.note("load")
	if p.loadErr != nil {
		return p.loadErr
	}
	p.change(func(s *player.State) {
		*s = player.State{Volume: s.Volume, Muted: s.Muted, Loaded: true, Playing: true, Duration: 754 * time.Second}
	})
	return nil
}
func (p *fakePlayer) Play()  { p.change(func(s *player.State) { s.Playing = true }) }
func (p *fakePlayer) Pause() { p.change(func(s *player.State) { s.Playing = false }) }
func (p *fakePlayer) Toggle() {
	p.note("toggle")
	p.change(func(s *player.State) { s.Playing = !s.Playing })
}

func (p *fakePlayer) Seek(pos time.Duration, exact bool) {
	p.note(fmt.Sprintf("seek %s %v", pos.Round(time.Second), exact))
	p.change(func(s *player.State) { s.Position = pos })
}

func (p *fakePlayer) SetVolume(v int) {
	p.note(fmt.Sprintf("volume %d", v))
	p.change(func(s *player.State) { s.Volume = v })
}
func (p *fakePlayer) SetMuted(m bool) { p.change(func(s *player.State) { s.Muted = m }) }
func (p *fakePlayer) Stop() {
	p.note("stop")
	p.change(func(s *player.State) { s.Loaded, s.Playing = false, false })
}
func (p *fakePlayer) Close() error { p.note("close"); return nil }
func (p *fakePlayer) State() player.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}
func (p *fakePlayer) Watch() (<-chan struct{}, func()) { return p.changed, func() {} }
