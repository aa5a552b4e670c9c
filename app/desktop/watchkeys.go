// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import "time"

var _ keyTarget = (*watchPage)(nil)

// active is the player, nil where nothing can be played just now.
func (w *watchPage) active() *screen {
	if w.viewing == nil {
		return nil
	}
	return w.screen
}

func (w *watchPage) playing() bool {
	s := w.active()
	return s != nil && s.State().Playing
}

func (w *watchPage) toggle() {
	if s := w.active(); s != nil {
		s.Toggle()
	}
	w.view.theatre.stirred()
}

func (w *watchPage) seek(pos time.Duration, exact bool) {
	if s := w.active(); s != nil {
		s.Seek(pos, exact)
	}
	w.view.theatre.stirred()
}

func (w *watchPage) skip(by time.Duration) {
	s := w.active()
	if s == nil {
		return
	}
	st := s.State()
	to := max(st.Position+by, 0)
	if st.Duration > 0 {
		to = min(to, st.Duration)
	}
	w.seek(to, true)
}

func (w *watchPage) seekPart(part float64) {
	if s := w.active(); s != nil {
		w.seek(time.Duration(part*float64(s.State().Duration)), true)
	}
}

func (w *watchPage) setVolume(percent int) {
	if s := w.active(); s != nil {
		percent = min(max(percent, 0), 100)
		if s.State().Muted && percent > 0 {
			s.SetMuted(false)
		}
		s.SetVolume(percent)
	}
	w.view.theatre.stirred()
}

func (w *watchPage) louder(by int) {
	if s := w.active(); s != nil {
		w.setVolume(s.State().Volume + by)
	}
}

func (w *watchPage) mute() {
	if s := w.active(); s != nil {
		s.SetMuted(!s.State().Muted)
	}
	w.view.theatre.stirred()
}

// fullScreen goes into full screen, or out of it.
func (w *watchPage) fullScreen() { w.setFullScreen(!w.full) }

func (w *watchPage) leaveFullScreen() { w.setFullScreen(false) }

func (w *watchPage) setFullScreen(on bool) {
	if on == w.full || on && w.viewing == nil {
		return
	}
	w.full = on
	w.view.holdTheatre(!on)
	w.view.theatre.setFull(on)
	w.hooks.setFullScreen(on)
}
