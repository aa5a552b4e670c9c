// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/instance"
)

// publishForm publishes a file on the instance of this process.
type publishForm struct {
	loop     *loop
	pub      publisher
	window   fyne.Window
	visit    func(string)
	copyText func(string)

	root    *fyne.Container
	file    *widget.Entry
	title   *widget.Entry
	about   *widget.Entry
	tags    *widget.Entry
	privacy *widget.Select
	button  *widget.Button
	under   *underWay
	folder  *watchedFolder
	done    *fyne.Container
	problem *widget.Label
}

func newPublishForm(l *loop, pub publisher, w fyne.Window, visit, copyText func(string)) *publishForm {
	f := &publishForm{loop: l, pub: pub, window: w, visit: visit, copyText: copyText}
	f.file, f.title, f.tags = widget.NewEntry(), widget.NewEntry(), widget.NewEntry()
	f.file.SetPlaceHolder(tr("A video file: mp4, m4v, mov or webm"))
	f.title.SetPlaceHolder(tr("3 to 120 characters"))
	f.tags.SetPlaceHolder(tr("At most five, with commas between"))
	f.about = widget.NewMultiLineEntry()
	f.about.Wrapping = fyne.TextWrapWord
	f.about.SetMinRowsVisible(4)
	f.privacy = widget.NewSelect(privacyChoices(), nil)
	f.privacy.SetSelectedIndex(0)
	choose := widget.NewButtonWithIcon(tr("Choose…"), theme.FolderOpenIcon(), f.pick)
	f.button = primary(tr("Publish"), theme.UploadIcon(), f.press)
	f.under = newUnderWay(l, pub.Publications, f.ended)
	f.folder = newWatchedFolder(l, pub.WatchFolder)
	f.problem = widget.NewLabel("")
	f.problem.Wrapping, f.problem.Importance = fyne.TextWrapWord, widget.DangerImportance
	f.problem.Hide()
	f.done = container.NewStack()
	line := func(name string, control fyne.CanvasObject) fyne.CanvasObject {
		return container.NewBorder(nil, nil, fixed(120, column(0, pad(plainText(name), 9, 0))), nil, control)
	}
	f.root = column(12, f.under.root, f.folder.root, panel(column(10, boldText(tr("Publish a video")),
		line(tr("File"), container.NewBorder(nil, nil, nil, choose, f.file)),
		line(tr("Title"), f.title),
		line(tr("About it"), f.about),
		line(tr("Tags"), f.tags),
		line(tr("Who sees it"), f.privacy),
		f.problem,
		container.NewBorder(nil, nil, nil, f.button),
		f.done,
	)))
	return f
}

func (f *publishForm) pick() {
	d := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if err != nil || r == nil {
			return
		}
		f.setFile(r.URI().Path())
		_ = r.Close() // only its path is of use
	}, f.window)
	d.SetFilter(storage.NewExtensionFileFilter([]string{".mp4", ".m4v", ".mov", ".webm"}))
	d.Resize(fyne.NewSize(720, 520))
	d.Show()
}

// setFile fills in a file and, where there is none yet, a title after its name.
func (f *publishForm) setFile(path string) {
	f.file.SetText(path)
	if f.title.Text == "" {
		base := filepath.Base(path)
		f.title.SetText(strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ").Replace(strings.TrimSuffix(base, filepath.Ext(base)))))
	}
}

// request is the form's content, or what is missing.
func (f *publishForm) request() (instance.PublishRequest, string) {
	r := instance.PublishRequest{
		File: strings.TrimSpace(f.file.Text), Title: strings.TrimSpace(f.title.Text), Description: strings.TrimSpace(f.about.Text), Tags: splitTags(f.tags.Text),
		Privacy: privacies()[max(0, f.privacy.SelectedIndex())],
	}
	switch n := len([]rune(r.Title)); {
	case r.File == "":
		return r, tr("Choose a video file first.")
	case n < 3 || n > 120:
		return r, tr("Give it a title of 3 to 120 characters.")
	case len(r.Tags) > 5:
		return r, tr("There can be five tags at most: take some away.")
	}
	return r, ""
}

// look implements pane.
func (f *publishForm) look() {
	f.under.look()
	f.folder.look()
}

// press begins to publish. The form is free for the next one at once.
func (f *publishForm) press() {
	r, missing := f.request()
	if missing != "" {
		f.fail(missing)
		return
	}
	f.done.Objects = nil
	f.fail("")
	setEnabled(f.button, false)
	task(f.loop, func(context.Context) (publication, error) { return f.pub.StartPublication(f.loop.ctx, r), nil },
		func(p publication, _ error) {
			setEnabled(f.button, true)
			for _, e := range []*widget.Entry{f.file, f.title, f.about, f.tags} {
				e.SetText("")
			}
			f.under.begin(p)
		})
}

// ended says how a publication ended. What failed is written back into the form where that is free.
func (f *publishForm) ended(p publication, published instance.Published, err error) {
	if err == nil {
		f.published(published)
		return
	}
	q := p.Request()
	if f.file.Text == "" && f.title.Text == "" {
		f.file.SetText(q.File)
		f.title.SetText(q.Title)
		f.about.SetText(q.Description)
		f.tags.SetText(strings.Join(q.Tags, ", "))
	}
	f.fail(endWords(err))
}

func stageWords(stage string) string {
	switch stage {
	case "probe":
		return tr("Looking at the file…")
	case "copy":
		return tr("Copying…")
	case "transcode":
		return tr("Converting…")
	case "hash":
		return tr("Making the torrent…")
	case "publish":
		return tr("Publishing…")
	}
	return tr("Working…")
}

func (f *publishForm) fail(words string) {
	f.problem.SetText(words)
	f.problem.Hidden = words == ""
	relayout(f.root)
}

func (f *publishForm) published(p instance.Published) {
	page := widget.NewLabel(p.WatchPage)
	page.Selectable = true
	page.Truncation = fyne.TextTruncateEllipsis
	f.done.Objects = []fyne.CanvasObject{column(4, newText(tr("Published and shared"), theme.ColorNameSuccess, theme.SizeNameText),
		container.NewBorder(nil, nil, nil, row(6,
			quiet(tr("Copy link"), theme.ContentCopyIcon(), func() { f.copyText(p.WatchPage) }),
			plainButton(tr("Watch"), func() { f.visit(p.WatchPage) })), page))}
	relayout(f.root)
}
