// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"shoal/instance"
)

// watchedFolder tells of the folder that is published from, where there is one.
type watchedFolder struct {
	loop *loop
	from func() instance.WatchFolder

	root    *fyne.Container
	where   *text
	problem *text
	asking  bool
}

// maxFailures is how many files that could not be published are named.
const maxFailures = 3

func newWatchedFolder(l *loop, from func() instance.WatchFolder) *watchedFolder {
	w := &watchedFolder{loop: l, from: from, where: smallText("").flowing(2), problem: newText("", theme.ColorNameWarning, theme.SizeNameCaptionText).flowing(6)}
	w.root = panel(column(6, boldText(tr("Published from a folder")), w.where, w.problem))
	w.root.Hide()
	return w
}

// look asks how it is.
func (w *watchedFolder) look() {
	if w.asking {
		return
	}
	w.asking = true
	task(w.loop, func(context.Context) (instance.WatchFolder, error) { return w.from(), nil },
		func(f instance.WatchFolder, _ error) {
			w.asking = false
			w.show(f)
		})
}

func (w *watchedFolder) show(f instance.WatchFolder) {
	words := folderProblems(f)
	channel := orNone(f.Channel, "root_channel")
	where := tr("Video files that appear in %[1]s are published in %[2]s.", f.Folder, oneLine(channel, 100))
	if w.root.Hidden == (f.Folder == "") && w.problem.words == words && w.where.words == where {
		return
	}
	w.where.set(where)
	w.problem.set(words)
	w.problem.Hidden = words == ""
	w.root.Hidden = f.Folder == ""
	relayout(w.root)
}

// folderProblems says what is in the way, "" for nothing.
func folderProblems(f instance.WatchFolder) string {
	var all []string
	if f.Problem != "" {
		all = append(all, sentence(oneLine(f.Problem, 300)))
	}
	for _, x := range f.Failures[:min(len(f.Failures), maxFailures)] {
		all = append(all, oneLine(filepath.Base(x.File), 80)+": "+sentence(oneLine(x.Text, 300)))
	}
	if more := len(f.Failures) - maxFailures; more > 0 {
		all = append(all, plural(more, "%d more file could not be published.", "%d more files could not be published."))
	}
	return strings.Join(all, " ")
}
