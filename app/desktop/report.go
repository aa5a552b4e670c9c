// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"encoding/json"
	"io"
	"time"

	"fyne.io/fyne/v2"
)

// snapshot is a line of Options.Report.
type snapshot struct {
	Event       string              `json:"event"` // window
	Page        string              `json:"page"`
	Instance    string              `json:"instance,omitempty"` // that is browsed
	Cards       int                 `json:"cards"`
	Title       string              `json:"title,omitempty"` // of the video
	Loaded      bool                `json:"loaded"`
	Playing     bool                `json:"playing"`
	Buffering   bool                `json:"buffering"`
	Ended       bool                `json:"ended"`
	PositionMs  int64               `json:"positionMs"`
	DurationMs  int64               `json:"durationMs"`
	FramesShown int64               `json:"framesShown"` // drawn by the player
	Painted     int64               `json:"painted"`     // handed to the screen
	FullScreen  bool                `json:"fullScreen"`
	Intro       bool                `json:"intro"`
	Swarms      int                 `json:"swarms"`
	Supports    int                 `json:"supports"`
	Error       string              `json:"error,omitempty"`
	Places      map[string][4]int64 `json:"places"` // x, y, width and height in pixels, to be clicked at
}

// report writes a line each second until the window goes.
func (w *mainWindow) report(to io.Writer) {
	lines := json.NewEncoder(to)
	w.loop.every(w.loop.ctx, time.Second, func() {
		got := make(chan snapshot, 1)
		w.loop.do(w.loop.ctx, func() { got <- w.snapshot() })
		select {
		case s := <-got:
			_ = lines.Encode(s) // a test reads it; it notices where lines are missing
		case <-w.loop.ctx.Done():
		}
	})
}

func (w *mainWindow) snapshot() snapshot {
	s := snapshot{
		Event: "window", Page: string(w.at), Instance: w.browse.at.instance, Cards: len(w.browse.cards),
		Title: w.watch.about.Title, FullScreen: w.watch.full, Intro: w.intro != nil, Swarms: len(w.swarms), Supports: len(w.coSeeding.support.shown),
		Error: w.bar.notice.shown(), Places: make(map[string][4]int64),
	}
	if s.Error == "" {
		s.Error = w.watch.view.notice.shown()
	}
	if s.Error == "" {
		s.Error = w.coSeeding.support.notice.shown()
	}
	if p := w.watch.active(); p != nil {
		st := p.State()
		s.Loaded, s.Playing, s.Buffering, s.Ended = st.Loaded, st.Playing, st.Buffering, st.Ended
		s.PositionMs, s.DurationMs = st.Position.Milliseconds(), st.Duration.Milliseconds()
		s.FramesShown, s.Painted = st.FramesShown, p.painted()
		if st.Err != nil {
			s.Error = st.Err.Error()
		}
	}
	w.places(s.Places)
	return s
}

// places says where the things are that a test clicks at, within the window.
func (w *mainWindow) places(into map[string][4]int64) {
	scale := w.win.Canvas().Scale()
	add := func(name string, o fyne.CanvasObject) {
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		px := func(v float32) int64 { return int64(v*scale + 0.5) }
		into[name] = [4]int64{px(at.X), px(at.Y), px(o.Size().Width), px(o.Size().Height)}
	}
	add("address", w.bar.entry)
	add("open", w.bar.button)
	for p, e := range w.nav.entries {
		add("nav."+string(p), e)
	}
	if len(w.browse.cards) > 0 && w.at == placeBrowse {
		add("card", w.browse.cards[0])
	}
	if w.at == placeBrowse && w.browse.at.instance != "" {
		add("support", w.browse.support)
	}
	if w.at == placeCoSeeding && w.coSeeding.tabs.chosen == tabSupport {
		add("supportAdd", w.coSeeding.support.button)
	}
	if w.at == placeWatch && w.watch.viewing != nil {
		t := w.watch.view.theatre
		add("picture", t.picture)
		add("seek", t.controls.seek)
		add("play", t.controls.play)
		add("mute", t.controls.mute)
		add("fullScreen", t.controls.full)
		add("close", w.watch.view.closing)
	}
	if w.intro != nil {
		add("intro", w.intro)
	}
}
