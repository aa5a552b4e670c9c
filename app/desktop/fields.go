// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"errors"
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
	// show puts the value into the widget; read takes it out, as what is to be done to the settings.
	show func(config.Config)
	read func() (apply func(*config.Config), err error)

	root    fyne.CanvasObject
	problem *text
	arrange func()
}

// fields makes the settings page's rows.
type fields struct {
	all     []*field
	changed func()
	arrange func() // lays the rows out anew
}

// add makes a row of a name, a control and a hint, with room for what is wrong with it.
func (f *fields) add(x *field, name, hint string, control fyne.CanvasObject) fyne.CanvasObject {
	x.problem = newText("", theme.ColorNameError, theme.SizeNameCaptionText).upTo(2)
	x.problem.Hide()
	right := column(3, control)
	if hint != "" {
		right.Add(pad(smallText(hint), 0, 2))
	}
	right.Add(x.problem)
	label := fixed(196, column(0, pad(plainText(name), 9, 0)))
	x.root = container.NewBorder(nil, nil, label, nil, right)
	x.arrange = func() { f.arrange() }
	f.all = append(f.all, x)
	return x.root
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

// text is a line of text.
func (f *fields) text(x *field, name, hint, example string, at func(*config.Config) *string) fyne.CanvasObject {
	e := widget.NewEntry()
	e.SetPlaceHolder(example)
	e.OnChanged = func(string) { f.changed() }
	x.show = func(c config.Config) { e.SetText(*at(&c)) }
	x.read = func() (func(*config.Config), error) {
		words := strings.TrimSpace(e.Text)
		return func(c *config.Config) { *at(c) = words }, nil
	}
	return f.add(x, name, hint, e)
}

// folder is a line of text with a picker.
func (f *fields) folder(x *field, name, hint, example string, pick func(func(string)), at func(*config.Config) *string) fyne.CanvasObject {
	e := widget.NewEntry()
	e.SetPlaceHolder(example)
	e.OnChanged = func(string) { f.changed() }
	x.show = func(c config.Config) { e.SetText(*at(&c)) }
	x.read = func() (func(*config.Config), error) {
		words := strings.TrimSpace(e.Text)
		return func(c *config.Config) { *at(c) = words }, nil
	}
	choose := widget.NewButtonWithIcon(tr("Choose…"), theme.FolderOpenIcon(), func() { pick(e.SetText) })
	return f.add(x, name, hint, container.NewBorder(nil, nil, nil, choose, e))
}

// check is an on and off.
func (f *fields) check(x *field, name, words, hint string, at func(*config.Config) *bool) fyne.CanvasObject {
	b := widget.NewCheck(words, func(bool) { f.changed() })
	x.show = func(c config.Config) { b.SetChecked(*at(&c)) }
	x.read = func() (func(*config.Config), error) {
		on := b.Checked
		return func(c *config.Config) { *at(c) = on }, nil
	}
	return f.add(x, name, hint, b)
}

var errNoNumber = errors.New("no number")

// number is a whole number shown in a unit of so many.
func (f *fields) number(x *field, name, hint, unit string, factor int64, empty string, at func(c *config.Config, set *int64) int64) fyne.CanvasObject {
	e := widget.NewEntry()
	e.SetPlaceHolder(empty)
	e.OnChanged = func(string) { f.changed() }
	x.show = func(c config.Config) {
		v := at(&c, nil)
		if v == 0 && empty != "" {
			e.SetText("")
			return
		}
		e.SetText(trimDecimals(float64(v) / float64(factor)))
	}
	x.read = func() (func(*config.Config), error) {
		words := strings.ReplaceAll(strings.TrimSpace(e.Text), ",", ".")
		if words == "" && empty != "" {
			words = "0"
		}
		v, err := strconv.ParseFloat(words, 64)
		if err != nil || v < 0 || v > 1e12 || (factor == 1 && v != float64(int64(v))) {
			return nil, errNoNumber
		}
		n := int64(v*float64(factor) + 0.5)
		return func(c *config.Config) { at(c, &n) }, nil
	}
	line := row(8, fixed(130, e), middle(dimText(unit).fitted()))
	return f.add(x, name, hint, line)
}

func trimDecimals(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// servers are STUN and TURN servers, one a line: URL, and name and password after it.
func (f *fields) servers(x *field, name, hint string) fyne.CanvasObject {
	e := widget.NewMultiLineEntry()
	e.SetMinRowsVisible(3)
	e.SetPlaceHolder("stun:stun.example.org:3478\nturn:turn.example.org:3478 name password")
	e.OnChanged = func(string) { f.changed() }
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
		var servers []config.ICEServer
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
