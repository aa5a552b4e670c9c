// SPDX-License-Identifier: AGPL-3.0-or-later

package player

import (
	"math"
	"time"
)

// positionStep is how far the playhead moves between two signals to watchers.
const positionStep = 250 * time.Millisecond

// derive makes the state of what was heard.
func (p *Player) derive() State {
	st := State{Volume: p.volume, Muted: p.muted}
	s := p.session
	if s == nil {
		return st
	}
	st.Paused = p.paused
	props := &p.props
	if s.loaded && !s.reloading {
		s.remember(props)
	}
	st.Loaded = s.loaded
	st.Duration, st.Width, st.Height = s.duration, s.width, s.height
	if s.width > 0 {
		st.FramesShown = props.moves
	}
	if s.err != nil {
		st.Err, st.Position = s.err, s.startAt
		return st
	}
	if !s.loaded || s.reloading {
		st.Loading = !s.loaded
		st.Playing = s.loaded && !p.paused
		st.Buffering = true
		st.Position = s.startAt
		return st
	}
	st.Position = seconds(props.position)
	target, pending := p.seeks.pending()
	if pending {
		st.Position = target
	}
	st.Ended = props.ended && !pending && !props.seeking
	if st.Ended {
		if err := s.video.failure(); err != nil {
			// The bytes stopped coming; it is not the file's end.
			st.Ended, st.Err = false, streamError(err)
		}
	}
	s.checkSound()
	if s.noSound != nil {
		st.AudioErr = s.noSound
	}
	stopped := st.Ended || st.Err != nil
	st.Playing = !st.Paused && !stopped
	st.Buffering = !stopped && (pending || props.seeking || props.starved)
	if st.Buffering {
		st.BufferPercent = int(min(max(props.percent, 0), 100))
	}
	return st
}

// remember keeps what stays true of the file while it is opened anew.
func (s *session) remember(props *properties) {
	s.duration = seconds(props.duration)
	s.width, s.height = int(props.width), int(props.height)
	if props.rotate%180 != 0 {
		s.width, s.height = s.height, s.width
	}
}

// changed takes a new snapshot and tells watchers. Player.mu is held.
func (p *Player) changed() {
	p.state = p.derive()
	now, old := p.state, p.notified
	step := now.Position - old.Position
	now.Position, now.FramesShown = old.Position, old.FramesShown
	if sameState(now, old) && step.Abs() < positionStep {
		return
	}
	p.notified = p.state
	for c := range p.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// sameState compares all but the errors' insides.
func sameState(a, b State) bool {
	same := errorText(a.Err) == errorText(b.Err) && errorText(a.AudioErr) == errorText(b.AudioErr)
	a.Err, a.AudioErr, b.Err, b.AudioErr = nil, nil, nil, nil
	return same && a == b
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// seconds turns libmpv's seconds into a Duration, never negative.
func seconds(s float64) time.Duration {
	if math.IsNaN(s) || s <= 0 {
		return 0
	}
	return time.Duration(min(s, math.MaxInt64/1e10) * float64(time.Second))
}
