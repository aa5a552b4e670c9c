// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// lineActions is how many buttons a line has at most.
const lineActions = 3

// lineAct is what a line's button does.
type lineAct string

// The acts.
const (
	actAccept      lineAct = "accept"
	actChange      lineAct = "change"
	actComments    lineAct = "comments"
	actDelete      lineAct = "delete"
	actEdit        lineAct = "edit"
	actReject      lineAct = "reject"
	actRemove      lineAct = "remove"
	actRetry       lineAct = "retry"
	actShow        lineAct = "show"
	actUnblock     lineAct = "unblock"
	actUnfollow    lineAct = "unfollow"
	actUnsubscribe lineAct = "unsubscribe"
	actWatch       lineAct = "watch"
)

// words are a button's.
func (a lineAct) words() string {
	switch a {
	case actAccept:
		return tr("Accept")
	case actChange:
		return tr("Change")
	case actComments:
		return tr("Comments")
	case actDelete:
		return tr("Delete")
	case actEdit:
		return tr("Edit")
	case actReject:
		return tr("Reject")
	case actRemove:
		return tr("Remove")
	case actRetry:
		return tr("Retry")
	case actShow:
		return tr("Show")
	case actUnblock:
		return tr("Unblock")
	case actUnfollow:
		return tr("Unfollow")
	case actUnsubscribe:
		return tr("Unsubscribe")
	case actWatch:
		return tr("Watch")
	}
	return ""
}

// line is what one row of a list says. Rows with equal lines need no drawing.
type line struct {
	key    string // who or what it is about
	title  string
	detail string
	color  fyne.ThemeColorName  // of detail; "" is dim
	side   string               // on the right, short
	acts   [lineActions]lineAct // its buttons
	away   lineAct              // the one that the Delete key stands for, "" for none
}

// lineList is a list of lines that the keyboard moves in: the arrow keys choose, Enter opens, Delete
// takes away.
type lineList struct {
	widget.List
	lines []line
	// open is asked for by Enter or a tap; do by a button.
	open func(line)
	do   func(line, lineAct)
	at   int // where the keyboard is
}

func newLineList(detailLines int, open func(line), do func(line, lineAct)) *lineList {
	l := &lineList{open: open, do: do}
	l.Length = func() int { return len(l.lines) }
	l.CreateItem = func() fyne.CanvasObject { return newLineRow(detailLines, func(x line, act lineAct) { l.do(x, act) }) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if r, ok := o.(*lineRow); ok && i < len(l.lines) {
			r.show(l.lines[i])
		}
	}
	l.HideSeparators = true
	l.OnSelected = func(i widget.ListItemID) {
		l.Unselect(i)
		if i < len(l.lines) {
			l.at = i
			l.open(l.lines[i])
		}
	}
	l.ExtendBaseWidget(l)
	return l
}

// show brings the list up to date. Rows that have not changed are left alone.
func (l *lineList) show(lines []line) {
	same := slices.EqualFunc(lines, l.lines, func(a, b line) bool { return a.key == b.key })
	old := l.lines
	l.lines = lines
	l.at = max(0, min(l.at, len(lines)-1))
	if !same {
		l.Refresh()
		return
	}
	for i := range lines {
		if lines[i] != old[i] {
			l.RefreshItem(i)
		}
	}
}

// TypedKey implements fyne.Focusable.
func (l *lineList) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyDown:
		l.at = max(0, min(l.at+1, len(l.lines)-1))
	case fyne.KeyUp:
		l.at = max(0, l.at-1)
	case fyne.KeyReturn, fyne.KeyEnter:
		if l.at < len(l.lines) {
			l.open(l.lines[l.at])
		}
		return
	case fyne.KeyDelete, fyne.KeyBackspace:
		if l.at < len(l.lines) && l.lines[l.at].away != "" {
			l.do(l.lines[l.at], l.lines[l.at].away)
		}
		return
	}
	l.List.TypedKey(k)
}

// lineRow shows one line. A list has a few of them, which take turns.
type lineRow struct {
	widget.BaseWidget
	shown   line
	title   *text
	detail  *text
	side    *text
	buttons [lineActions]*widget.Button
	acts    *fyne.Container
	content *fyne.Container
}

func newLineRow(detailLines int, do func(line, lineAct)) *lineRow {
	r := &lineRow{title: boldText(""), detail: smallText("").upTo(detailLines), side: smallText("").aligned(fyne.TextAlignTrailing), acts: row(2)}
	for i := range r.buttons {
		r.buttons[i] = quiet("", nil, func() { do(r.shown, r.shown.acts[i]) })
		r.buttons[i].Hide()
		r.acts.Add(r.buttons[i])
	}
	right := row(8, middle(fixed(104, r.side)), middle(r.acts))
	r.content = container.NewStack(newBackdrop(colorCard, 10),
		pad(container.NewBorder(nil, nil, nil, right, pad(middle(column(3, r.title, r.detail)), 0, 2)), 8, 12))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *lineRow) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(pad(r.content, 3, 0))
}

// MinSize is that of a row with buttons, whether it has some or not: all rows are as high.
func (r *lineRow) MinSize() fyne.Size {
	m := r.BaseWidget.MinSize()
	return fyne.NewSize(m.Width, max(m.Height, 58))
}

// show brings the row up to date; what stays the same is not drawn anew.
func (r *lineRow) show(l line) {
	if r.shown == l {
		return
	}
	buttons := r.shown.acts != l.acts
	r.shown = l
	r.title.set(l.title)
	color := l.color
	if color == "" {
		color = colorDim
	}
	r.detail.setColor(color)
	r.detail.set(l.detail)
	r.side.set(l.side)
	if !buttons {
		return
	}
	for i, b := range r.buttons {
		b.SetText(l.acts[i].words())
		b.Importance = widget.LowImportance
		b.Hidden = l.acts[i] == ""
	}
	relayout(r.content)
}

// linesPane is a part of the instance page that lists something: what can be added above, and the
// list, or why it is empty.
type linesPane struct {
	loop   *loop
	load   func() ([]line, error)
	root   *fyne.Container
	body   *fyne.Container
	list   *lineList
	notice *notice
	status *text           // what came of the last action
	told   *fyne.Container // holds the status
	none   func() fyne.CanvasObject
	after  func() // something was changed: look again

	known bool // something was loaded
	empty bool
	busy  bool
	again bool // look once more when the look under way has ended
}

func newLinesPane(l *loop, head fyne.CanvasObject, list *lineList, load func() ([]line, error), none func() fyne.CanvasObject) *linesPane {
	p := &linesPane{loop: l, load: load, list: list, none: none, notice: newNotice(), body: container.NewStack()}
	p.status = newText("", theme.ColorNameSuccess, theme.SizeNameCaptionText)
	top := column(0)
	if head != nil {
		top.Add(pad(panel(head), 0, 22))
	}
	top.Add(pad(p.notice.root, 0, 6))
	p.told = pad(p.status, 6, 38)
	p.told.Hide()
	top.Add(p.told)
	top.Add(gap(1, 6))
	p.root = under(top, pad(p.body, 0, 22))
	p.notice.changed = func() { relayout(p.root) }
	p.after = p.look
	only(p.body, busyState(tr("Looking…"), nil))
	return p
}

// look asks for the lines and shows them.
func (p *linesPane) look() {
	if p.busy {
		p.again = true
		return
	}
	p.busy = true
	load := p.load
	task(p.loop, func(context.Context) ([]line, error) { return load() }, func(lines []line, err error) {
		p.busy = false
		if err != nil {
			p.failed(err)
		} else {
			p.show(lines)
		}
		if p.again {
			p.again = false
			p.look()
		}
	})
}

func (p *linesPane) failed(err error) {
	if p.known {
		p.notice.fail(message(err))
		return
	}
	only(p.body, errorState(tr("This could not be read"), message(err), primary(tr("Try again"), theme.ViewRefreshIcon(), p.look)))
}

func (p *linesPane) show(lines []line) {
	empty := len(lines) == 0
	p.list.show(lines)
	if p.known && p.empty == empty {
		return
	}
	p.known, p.empty = true, empty
	if empty {
		only(p.body, container.NewVScroll(p.none()))
		return
	}
	only(p.body, p.list)
}

// say tells what came of an action.
func (p *linesPane) say(words string, color fyne.ThemeColorName) {
	p.status.setColor(color)
	p.status.set(words)
	if p.told.Hidden != (words == "") {
		p.told.Hidden = words == ""
		relayout(p.root)
	}
}

// act does something, says what went wrong, and looks again.
func (p *linesPane) act(do func(context.Context) error) {
	p.notice.clear()
	p.say("", colorDim)
	act(p.loop, do, func(err error) {
		if err != nil {
			p.notice.fail(message(err))
		}
		p.after()
	})
}
