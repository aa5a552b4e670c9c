// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/config"
)

// field is one setting on the settings page.
type field struct {
	// key is the setting's dotted name, as config.KeyError has it.
	key string
	// restart says that a change counts from the next start.
	restart bool
	// least and most bound a number, as it is kept; both 0 leave it to config.
	least, most int64
	// show puts the value into the widget; read takes it out, as what is to be done to the settings.
	show func(config.Config)
	read func() (apply func(*config.Config), err error)

	name    string
	part    int // of the page
	root    fyne.CanvasObject
	focus   fyne.Focusable // what the keyboard goes to, nil for none
	control []fyne.Disableable
	hint    *text
	problem *text
	arrange func()
}

// fields makes the settings page's rows.
type fields struct {
	all     []*field
	part    int // of the page, that rows are made for
	changed func()
	arrange func()       // lays the rows out anew
	reveal  func(*field) // brings a row into view
}

// add makes a row of a name, a control and a hint, with room for what is wrong with it.
func (f *fields) add(x *field, name, hint string, control fyne.CanvasObject) fyne.CanvasObject {
	x.problem = newText("", theme.ColorNameError, theme.SizeNameCaptionText).flowing(3)
	x.problem.Hide()
	x.hint = smallText(hint).flowing(3)
	x.name, x.part = name, f.part
	right := column(3, control)
	padded := pad(x.hint, 0, 2)
	padded.Hidden = hint == ""
	right.Add(padded)
	right.Add(x.problem)
	label := fixed(labelWidth, column(0, pad(plainText(name), 9, 0)))
	x.root = container.NewBorder(nil, nil, label, nil, right)
	x.arrange = func() { f.arrange() }
	f.all = append(f.all, x)
	return x.root
}

// labelWidth is the room for a setting's name.
const labelWidth float32 = 170

// find returns the setting with a key, nil where there is none.
func (f *fields) find(key string) *field {
	for _, x := range f.all {
		if x.key == key {
			return x
		}
	}
	return nil
}

// say shows what is wrong with the value, "" for nothing.
func (x *field) say(words string) {
	x.problem.set(words)
	if x.problem.Hidden == (words == "") {
		return
	}
	x.problem.Hidden = words == ""
	x.arrange()
}

// setHint changes what is said about the setting.
func (x *field) setHint(words string) {
	if x.hint.words != words {
		x.hint.set(words)
		x.arrange()
	}
}

// setEnabled lets the setting be changed, or not: it counts for nothing just now.
func (x *field) setEnabled(yes bool) {
	for _, c := range x.control {
		setEnabled(c, yes)
	}
}

// line shows a line of text and takes it out again.
func (f *fields) line(x *field, e *widget.Entry, example string, at func(*config.Config) *string) {
	e.SetPlaceHolder(example)
	e.OnChanged = func(string) { f.changed() }
	x.control = []fyne.Disableable{e}
	x.show = func(c config.Config) { e.SetText(*at(&c)) }
	x.read = func() (func(*config.Config), error) {
		words := strings.TrimSpace(e.Text)
		return func(c *config.Config) { *at(c) = words }, nil
	}
}

// text is a line of text.
func (f *fields) text(x *field, name, hint, example string, at func(*config.Config) *string) fyne.CanvasObject {
	e := newInputEntry(func() { f.reveal(x) })
	f.line(x, &e.Entry, example, at)
	x.focus = e
	return f.add(x, name, hint, e)
}

// short is a line of a few characters.
func (f *fields) short(x *field, name, hint, example string, at func(*config.Config) *string) fyne.CanvasObject {
	e := newInputEntry(func() { f.reveal(x) })
	f.line(x, &e.Entry, example, at)
	x.focus = e
	return f.add(x, name, hint, row(0, fixed(numberWidth, e)))
}

// choice is a line of text with a list to choose from, which setChoices fills.
func (f *fields) choice(x *field, name, hint, example string, at func(*config.Config) *string) (line fyne.CanvasObject, setChoices func([]string)) {
	e := newInputChoice(func() { f.reveal(x) })
	f.line(x, &e.Entry, example, at)
	x.focus = e
	return f.add(x, name, hint, e), e.SetOptions
}

// folder is a line of text with a picker.
func (f *fields) folder(x *field, name, hint, example string, pick func(func(string)), at func(*config.Config) *string) fyne.CanvasObject {
	e := newInputEntry(func() { f.reveal(x) })
	f.line(x, &e.Entry, example, at)
	x.focus = e
	choose := widget.NewButtonWithIcon(tr("Choose…"), theme.FolderOpenIcon(), func() { pick(e.SetText) })
	x.control = append(x.control, choose)
	return f.add(x, name, hint, container.NewBorder(nil, nil, nil, choose, e))
}

// check is an on and off.
func (f *fields) check(x *field, name, words, hint string, at func(*config.Config) *bool, needed ...*field) fyne.CanvasObject {
	needing := func(on bool) {
		for _, n := range needed {
			n.setEnabled(on)
		}
	}
	b := newInputCheck(words, func(on bool) { needing(on); f.changed() }, func() { f.reveal(x) })
	x.focus, x.control = b, []fyne.Disableable{b}
	x.show = func(c config.Config) { b.SetChecked(*at(&c)); needing(b.Checked) }
	x.read = func() (func(*config.Config), error) {
		on := b.Checked
		return func(c *config.Config) { *at(c) = on }, nil
	}
	return f.add(x, name, hint, b)
}

var (
	errNoWhole  = errors.New("no whole number")
	errNoNumber = errors.New("no number")
)

// numberWidth is the room for a number.
const numberWidth float32 = 130

// amount is a setting of bytes or of a count, to be shown as a number.
func amount[T int | int64](at func(*config.Config) *T) func(*config.Config, *int64) int64 {
	return func(c *config.Config, set *int64) int64 {
		if set != nil {
			*at(c) = T(*set)
		}
		return int64(*at(c))
	}
}

// number is a number shown in a unit of so many. Where empty says something, 0 is shown as that.
func (f *fields) number(x *field, name, hint, unit string, factor int64, empty string, at func(c *config.Config, set *int64) int64) fyne.CanvasObject {
	e := newInputEntry(func() { f.reveal(x) })
	e.SetPlaceHolder(empty)
	e.OnChanged = func(string) { f.changed() }
	x.focus, x.control = e, []fyne.Disableable{e}
	x.show = func(c config.Config) {
		v := at(&c, nil)
		if v == 0 && empty != "" {
			e.SetText("")
			return
		}
		e.SetText(trimDecimals(float64(v) / float64(factor)))
	}
	x.read = func() (func(*config.Config), error) {
		v, err := parseNumber(e.Text, empty != "")
		if factor == 1 && (err != nil || v != math.Trunc(v)) {
			return nil, errNoWhole
		}
		if err != nil || v*float64(factor) > 1e18 {
			return nil, errNoNumber
		}
		n := int64(v*float64(factor) + 0.5)
		if x.most > 0 && (n < x.least || n > x.most) && (n != 0 || empty == "") {
			return nil, errors.New(tr("Write %[1]s to %[2]s.", trimDecimals(float64(x.least)/float64(factor)), trimDecimals(float64(x.most)/float64(factor))))
		}
		return func(c *config.Config) { at(c, &n) }, nil
	}
	line := row(8, fixed(numberWidth, e), middle(dimText(unit).fitted()))
	return f.add(x, name, hint, line)
}

// decimal is a number that is no count.
func (f *fields) decimal(x *field, name, hint, unit, empty string, at func(*config.Config) *float64) fyne.CanvasObject {
	e := newInputEntry(func() { f.reveal(x) })
	e.SetPlaceHolder(empty)
	e.OnChanged = func(string) { f.changed() }
	x.focus, x.control = e, []fyne.Disableable{e}
	x.show = func(c config.Config) {
		e.SetText("")
		if v := *at(&c); v != 0 {
			e.SetText(trimDecimals(v))
		}
	}
	x.read = func() (func(*config.Config), error) {
		v, err := parseNumber(e.Text, true)
		if err != nil {
			return nil, errNoNumber
		}
		return func(c *config.Config) { *at(c) = v }, nil
	}
	return f.add(x, name, hint, row(8, fixed(numberWidth, e), middle(dimText(unit).fitted())))
}

// parseNumber reads a number from 0 on; nothing is 0 where that may be. A comma is a decimal point.
func parseNumber(words string, mayBeEmpty bool) (float64, error) {
	words = strings.ReplaceAll(strings.TrimSpace(words), ",", ".")
	if words == "" && mayBeEmpty {
		return 0, nil
	}
	v, err := strconv.ParseFloat(words, 64)
	if err != nil || !(v >= 0 && v <= 1e12) { // what is no number is neither
		return 0, errNoNumber
	}
	return v, nil
}

func trimDecimals(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// days are days of the week; all of them is kept as none.
func (f *fields) days(x *field, name, hint string, at func(*config.Config) *[]string) fyne.CanvasObject {
	names := []string{tr("Mon"), tr("Tue"), tr("Wed"), tr("Thu"), tr("Fri"), tr("Sat"), tr("Sun")}
	keys := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	grid := container.NewGridWrap(fyne.NewSize(76, 34))
	checks := make([]*inputCheck, len(names))
	for i, n := range names {
		checks[i] = newInputCheck(n, func(bool) { f.changed() }, func() { f.reveal(x) })
		x.control = append(x.control, checks[i])
		grid.Add(checks[i])
	}
	x.focus = checks[0]
	x.show = func(c config.Config) {
		chosen := *at(&c)
		for i, b := range checks {
			b.SetChecked(len(chosen) == 0 || slices.Contains(chosen, keys[i]))
		}
	}
	x.read = func() (func(*config.Config), error) {
		chosen := []string{}
		for i, b := range checks {
			if b.Checked {
				chosen = append(chosen, keys[i])
			}
		}
		if len(chosen) == 0 {
			return nil, errors.New(tr("Choose a day at least."))
		}
		if len(chosen) == len(keys) {
			chosen = []string{}
		}
		return func(c *config.Config) { *at(c) = chosen }, nil
	}
	return f.add(x, name, hint, grid)
}

// servers are STUN and TURN servers, one a line: URL, and name and password after it.
func (f *fields) servers(x *field, name, hint string) fyne.CanvasObject {
	e := newInputEntry(func() { f.reveal(x) })
	e.MultiLine, e.Wrapping = true, fyne.TextWrapOff
	e.SetMinRowsVisible(3)
	e.SetPlaceHolder("stun:stun.example.org:3478\nturn:turn.example.org:3478 name password")
	e.OnChanged = func(string) { f.changed() }
	x.focus, x.control = e, []fyne.Disableable{e}
	x.show = func(c config.Config) {
		var lines []string
		for _, s := range c.Network.ICEServers {
			for _, u := range s.URLs {
				lines = append(lines, strings.TrimSpace(u+" "+s.Username+" "+s.Credential))
			}
		}
		e.SetText(strings.Join(lines, "\n"))
	}
	x.read = func() (func(*config.Config), error) {
		servers := []config.ICEServer{} // as config.Store gives none
		for line := range strings.Lines(e.Text) {
			parts := strings.Fields(line)
			if len(parts) == 0 {
				continue
			}
			if len(parts) > 3 {
				return nil, errors.New(tr("Write one server a line: its address, and for TURN a name and a password after it."))
			}
			s := config.ICEServer{URLs: parts[:1]}
			if len(parts) > 1 {
				s.Username = parts[1]
			}
			if len(parts) > 2 {
				s.Credential = parts[2]
			}
			servers = append(servers, s)
		}
		return func(c *config.Config) { c.Network.ICEServers = servers }, nil
	}
	return f.add(x, name, hint, e)
}
