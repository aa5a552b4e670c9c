// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/instance"
)

// publication is one that was begun; *instance.Publication is one. Its methods but Result do not wait.
type publication interface {
	Request() instance.PublishRequest
	Progress() instance.Progress
	Pause()
	Resume()
	Paused() bool
	Cancel()
	// Result waits for the end.
	Result() (instance.Published, error)
}

var _ publication = (*instance.Publication)(nil)

// underWay shows the publications that have not ended, whoever began them.
type underWay struct {
	loop *loop
	list func() []publication

	root   *fyne.Container
	lines  *fyne.Container
	rows   map[publication]*publicationRow
	asking bool
	all    []publication
	ended  func(publication, instance.Published, error)
}

// underWayEvery is how often they are looked at.
const underWayEvery = 400 * time.Millisecond

// maxUnderWay bounds how many are shown; the others wait.
const maxUnderWay = 20

func newUnderWay(l *loop, list func() []publication, ended func(publication, instance.Published, error)) *underWay {
	u := &underWay{loop: l, list: list, lines: column(10), rows: make(map[publication]*publicationRow), ended: ended}
	u.root = container.NewStack(panel(column(10, boldText(tr("Being published")), u.lines)))
	u.root.Hide()
	return u
}

// look brings the list up to date, and goes on while there is one.
func (u *underWay) look() {
	if u.asking {
		return
	}
	u.asking = true
	task(u.loop, func(context.Context) ([]publication, error) { return u.list(), nil }, func(all []publication, _ error) {
		u.asking = false
		u.show(all)
		if len(all) > 0 {
			u.loop.later(underWayEvery, u.look)
		}
	})
}

func (u *underWay) show(all []publication) {
	all = all[:min(len(all), maxUnderWay)]
	same := len(all) == len(u.all)
	for i := range all {
		same = same && all[i] == u.all[i]
	}
	u.all = all
	if !same {
		rows := make(map[publication]*publicationRow, len(all))
		u.lines.Objects = nil
		for _, p := range all {
			r := u.rows[p]
			if r == nil {
				r = newPublicationRow(u.loop, p)
			}
			rows[p] = r
			u.lines.Add(r.root)
		}
		u.rows = rows
		u.root.Hidden = len(all) == 0
		relayout(u.root)
	}
	for _, r := range u.rows {
		r.show()
	}
}

// begin shows one that was begun here and tells how it ended.
func (u *underWay) begin(p publication) {
	type result struct {
		published instance.Published
		err       error
	}
	task(u.loop, func(context.Context) (result, error) {
		published, err := p.Result()
		return result{published, err}, nil
	}, func(r result, _ error) {
		u.look()
		u.ended(p, r.published, r.err)
	})
	u.look()
}

// publicationRow is one publication: what, how far, and what can be done with it.
type publicationRow struct {
	p      publication
	root   *fyne.Container
	title  *text
	state  *text
	bar    *shareBar
	pause  *widget.Button
	cancel *widget.Button
	given  bool // up
}

func newPublicationRow(l *loop, p publication) *publicationRow {
	r := &publicationRow{p: p, title: boldText(""), state: smallText(""), bar: newProgress(5)}
	q := p.Request()
	r.title.set(oneLine(q.Title, 120))
	if q.Title == "" {
		r.title.set(oneLine(filepath.Base(q.File), 120))
	}
	r.pause = quiet(tr("Pause"), theme.MediaPauseIcon(), func() {
		act(l, func(context.Context) error {
			if p.Paused() {
				p.Resume()
			} else {
				p.Pause()
			}
			return nil
		}, func(error) { r.show() })
	})
	r.cancel = quiet(tr("Cancel"), theme.CancelIcon(), func() {
		r.given = true
		act(l, func(context.Context) error { p.Cancel(); return nil }, func(error) { r.show() })
	})
	r.root = container.NewBorder(nil, nil, nil, middle(row(2, r.pause, r.cancel)), middle(column(4, r.title, r.state, r.bar)))
	return r
}

// show brings the row up to date.
func (r *publicationRow) show() {
	now, paused := r.p.Progress(), r.p.Paused()
	words := stageWords(now.Stage)
	part := 0.0
	if now.Total > 0 {
		part = min(float64(now.Done)/float64(now.Total), 1)
		words = tr("%[1]s %[2]d%%", words, int(part*100))
	}
	switch {
	case r.given:
		words = tr("Giving it up…")
	case paused:
		words = tr("Paused: others have their turn meanwhile")
	case now.Stage == "":
		words = tr("Waits for its turn")
	}
	r.state.set(words)
	r.bar.set(part)
	name, icon := tr("Pause"), theme.MediaPauseIcon()
	if paused {
		name, icon = tr("Resume"), theme.MediaPlayIcon()
	}
	if r.pause.Text != name {
		r.pause.SetText(name)
		r.pause.SetIcon(icon)
		relayout(r.root)
	}
	setEnabled(r.pause, !r.given)
	setEnabled(r.cancel, !r.given)
}

// endWords says how a publication that was begun here failed, "" for one that was given up.
func endWords(err error) string {
	if errors.Is(err, context.Canceled) {
		return ""
	}
	return message(err)
}
