// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
)

// rowAct is what can be done with a video held.
type rowAct string

// The acts.
const (
	rowOpen   rowAct = "open"
	rowPause  rowAct = "pause" // or take up again
	rowPin    rowAct = "pin"   // or take the pin out
	rowCopy   rowAct = "copy"
	rowRemove rowAct = "remove"
)

// swarmList is a list of swarms that the keyboard moves in: the arrow keys choose, Enter plays, Space
// pauses, P pins, Delete removes. Only the rows in sight are put into words.
type swarmList struct {
	widget.List
	swarms  []core.SwarmInfo
	bounded bool // a budget or the disk's free room may make something go
	rows    []*swarmRow
	do      func(infohash string, a rowAct)
	at      int // where the keyboard is
}

func newSwarmList(do func(string, rowAct)) *swarmList {
	l := &swarmList{do: do}
	l.Length = func() int { return len(l.swarms) }
	l.CreateItem = func() fyne.CanvasObject {
		r := newSwarmRow(func(a rowAct, infohash string) { l.do(infohash, a) })
		l.rows = append(l.rows, r)
		return r
	}
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if r, ok := o.(*swarmRow); ok && i < len(l.swarms) {
			r.at = i
			r.show(wordsFor(l.swarms[i], l.bounded))
		}
	}
	l.HideSeparators = true
	l.OnSelected = func(i widget.ListItemID) { l.at = i; l.Unselect(i) }
	l.ExtendBaseWidget(l)
	return l
}

// show brings the list up to date. Where the same swarms are shown in the same order, only what
// changed in the rows in sight is drawn.
func (l *swarmList) show(swarms []core.SwarmInfo, bounded bool) {
	same := slices.EqualFunc(swarms, l.swarms, func(a, b core.SwarmInfo) bool { return a.Infohash == b.Infohash })
	l.swarms, l.bounded = swarms, bounded
	l.at = max(0, min(l.at, len(swarms)-1))
	if !same {
		l.Refresh()
		return
	}
	for _, r := range l.rows {
		if r.at < len(swarms) && r.shown.infohash == swarms[r.at].Infohash {
			r.show(wordsFor(swarms[r.at], bounded))
		}
	}
}

// TypedKey implements fyne.Focusable.
func (l *swarmList) TypedKey(k *fyne.KeyEvent) {
	act := rowAct("")
	switch k.Name {
	case fyne.KeyDown:
		l.at = max(0, min(l.at+1, len(l.swarms)-1))
	case fyne.KeyUp:
		l.at = max(0, l.at-1)
	case fyne.KeyReturn, fyne.KeyEnter:
		act = rowOpen
	case fyne.KeySpace:
		act = rowPause
	case fyne.KeyP:
		act = rowPin
	case fyne.KeyDelete, fyne.KeyBackspace:
		act = rowRemove
	}
	if act == "" {
		l.List.TypedKey(k)
		return
	}
	if l.at < len(l.swarms) {
		l.do(l.swarms[l.at].Infohash, act)
	}
}
