// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/instance"
)

// Kinds of what the blocks pane adds, in the order of its choice, and of its lines' keys.
const (
	kindBlock     = "block"
	kindBlacklist = "blacklist"
	kindList      = "list"
)

// maxBlockList bounds a block list, in bytes.
const maxBlockList = 33 << 20

// blocksPane keeps whom the instance has nothing to do with: blocked hosts, the blacklist of those
// that are never followed back, and shared lists.
type blocksPane struct {
	*linesPane
	fed    blocker
	ask    *questions
	window fyne.Window
	now    func() time.Time

	kind   *widget.Select
	entry  *widget.Entry
	reason *widget.Entry
	button *widget.Button
	hint   *text
}

func newBlocksPane(l *loop, fed blocker, ask *questions, w fyne.Window) *blocksPane {
	p := &blocksPane{fed: fed, ask: ask, window: w, now: time.Now}
	p.kind = widget.NewSelect([]string{tr("Block in full"), tr("Never follow back"), tr("Read a shared list")}, nil)
	p.entry, p.reason = widget.NewEntry(), widget.NewEntry()
	p.entry.OnSubmitted = func(string) { p.add() }
	p.reason.OnSubmitted = func(string) { p.add() }
	p.reason.SetPlaceHolder(tr("Why (for you)"))
	p.button = primary(tr("Add"), theme.ContentAddIcon(), p.add)
	p.hint = smallText("")
	fields := container.NewGridWithColumns(2, p.entry, p.reason)
	p.kind.OnChanged = func(string) { p.chosen(fields) }
	head := column(6,
		between(fixed(178, p.kind), fields, fixed(100, p.button)),
		container.NewBorder(nil, nil, nil, row(4, quiet(tr("Import…"), theme.FolderOpenIcon(), p.pickImport),
			quiet(tr("Export…"), theme.DocumentSaveIcon(), p.pickExport)), middle(p.hint)))
	p.linesPane = newLinesPane(l, head, newLineList(1, p.open, p.do), p.lines, func() fyne.CanvasObject {
		return emptyState(tr("Nobody is blocked"), tr("Block an instance in full, or only keep your instance from following it back. You can also read lists that others share."))
	})
	p.kind.SetSelectedIndex(0)
	return p
}

// kinds are the choices of the form.
func kinds() []string { return []string{kindBlock, kindBlacklist, kindList} }

// chosen shows what is asked for.
func (p *blocksPane) chosen(fields *fyne.Container) {
	p.entry.SetPlaceHolder("bad.example.org")
	fields.Objects = []fyne.CanvasObject{p.entry}
	switch kinds()[max(0, p.kind.SelectedIndex())] {
	case kindBlock:
		fields.Objects = append(fields.Objects, p.reason)
		p.hint.set(tr("Its activities are dropped, its follows refused, and what came from it is removed."))
	case kindBlacklist:
		p.hint.set(tr("Its follow is accepted, but never followed back."))
	default:
		p.entry.SetPlaceHolder("https://example.org/blocks.txt")
		p.hint.set(tr("Read now and once a day: one host a line, or Mastodon's CSV."))
	}
	fields.Layout = container.NewGridWithColumns(len(fields.Objects)).Layout
	fields.Refresh()
}

// add does what the form says.
func (p *blocksPane) add() {
	what, reason := oneLine(p.entry.Text, 2000), oneLine(p.reason.Text, 500)
	if what == "" {
		p.notice.fail(tr("Write the host or the address of the list first."))
		return
	}
	done := func() { p.entry.SetText(""); p.reason.SetText("") }
	switch kinds()[max(0, p.kind.SelectedIndex())] {
	case kindBlock:
		p.ask.ask(tr("Block this instance?"), tr("Everything that came from %s is removed from your instance, and follows in both directions end. Unblocking does not bring them back.", what),
			choice{words: tr("Block"), danger: true, do: func() {
				p.actThen(func(ctx context.Context) error { return p.fed.Block(ctx, what, reason) }, done)
			}})
	case kindBlacklist:
		p.actThen(func(context.Context) error { return p.fed.BlacklistAdd(what) }, done)
	default:
		p.read(func(ctx context.Context) (instance.BlockImport, error) { return p.fed.SubscribeBlocks(ctx, what) }, done)
	}
}

// actThen is act with something to do on success.
func (p *blocksPane) actThen(do func(context.Context) error, done func()) {
	p.notice.clear()
	p.say("", colorDim)
	act(p.loop, do, func(err error) {
		if err != nil {
			p.notice.fail(message(err))
		} else {
			done()
		}
		p.after()
	})
}

// read reads a block list and says what it brought.
func (p *blocksPane) read(do func(context.Context) (instance.BlockImport, error), done func()) {
	p.notice.clear()
	p.say(tr("Reading the list…"), colorDim)
	p.button.Disable()
	task(p.loop, do, func(n instance.BlockImport, err error) {
		p.button.Enable()
		p.say("", colorDim)
		if err != nil {
			p.notice.fail(message(err))
		} else {
			p.say(tr("%[1]d hosts are blocked now, %[2]d were before, %[3]d lines were skipped.", n.Blocked, n.Known, n.Skipped), theme.ColorNameSuccess)
			done()
		}
		p.after()
	})
}

func (p *blocksPane) pickImport() {
	d := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if err == nil && r != nil {
			p.importFrom(r)
		}
	}, p.window)
	d.SetFilter(storage.NewExtensionFileFilter([]string{".txt", ".csv"}))
	d.Resize(fyne.NewSize(720, 520))
	d.Show()
}

func (p *blocksPane) importFrom(r io.ReadCloser) {
	p.read(func(ctx context.Context) (instance.BlockImport, error) {
		defer func() { _ = r.Close() }() // nothing was written
		return p.fed.ImportBlocks(ctx, io.LimitReader(r, maxBlockList))
	}, func() {})
}

func (p *blocksPane) pickExport() {
	d := dialog.NewFileSave(func(w fyne.URIWriteCloser, err error) {
		if err == nil && w != nil {
			p.exportTo(w, w.URI().Name())
		}
	}, p.window)
	d.SetFileName("blocks.txt")
	d.Resize(fyne.NewSize(720, 520))
	d.Show()
}

// exportTo writes the blocked hosts, as CSV where the file's name says so.
func (p *blocksPane) exportTo(w io.WriteCloser, name string) {
	form := instance.BlocksText
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		form = instance.BlocksCSV
	}
	p.notice.clear()
	act(p.loop, func(context.Context) error {
		var list bytes.Buffer
		err := p.fed.ExportBlocks(&list, form)
		if err == nil {
			_, err = w.Write(list.Bytes())
		}
		if closeErr := w.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return fmt.Errorf("writing block list: %w", err)
		}
		return nil
	}, func(err error) {
		if err != nil {
			p.notice.fail(message(err))
			return
		}
		p.say(tr("Wrote %s.", name), theme.ColorNameSuccess)
	})
}

func (p *blocksPane) lines() ([]line, error) {
	lists, err := p.fed.BlockSubscriptions()
	if err != nil {
		return nil, err
	}
	hosts, err := p.fed.Blocks()
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, s := range lists {
		l := line{key: kindList + " " + s.URL, title: oneLine(s.URL, 300), side: formatAge(s.Checked, p.now()), away: actUnsubscribe}
		l.acts[lineActions-1] = actUnsubscribe
		l.detail = tr("Shared list") + " · " + plural(s.Hosts, "%d host", "%d hosts")
		if s.Error != "" {
			l.detail, l.color = oneLine(s.Error, 500), theme.ColorNameError
		}
		lines = append(lines, l)
	}
	for _, host := range p.fed.Blacklist() {
		l := line{key: kindBlacklist + " " + host, title: host, detail: tr("Never followed back"), away: actRemove}
		l.acts[lineActions-1] = actRemove
		lines = append(lines, l)
	}
	for _, b := range hosts {
		l := line{key: kindBlock + " " + b.Host, title: b.Host, detail: tr("Blocked"), color: theme.ColorNameWarning, side: formatAge(b.Since, p.now())}
		if b.Reason != "" {
			l.detail += ": " + oneLine(b.Reason, 500)
		}
		if b.List != "" {
			l.detail += " · " + tr("by %s", oneLine(b.List, 300))
		}
		l.acts[lineActions-1], l.away = actUnblock, actUnblock
		lines = append(lines, l)
	}
	return lines, nil
}

func (p *blocksPane) open(l line) {
	p.ask.details(l.title, l.detail, choice{words: l.away.words(), do: func() { p.do(l, l.away) }})
}

func (p *blocksPane) do(l line, a lineAct) {
	_, what, _ := strings.Cut(l.key, " ")
	p.act(func(ctx context.Context) error {
		switch a {
		case actUnblock:
			return p.fed.Unblock(ctx, what)
		case actUnsubscribe:
			return p.fed.UnsubscribeBlocks(ctx, what)
		default:
			return p.fed.BlacklistRemove(what)
		}
	})
}
