// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
	"shoal/instance"
)

// maxVideoLines is how many videos are listed; Browse has the rest.
const maxVideoLines = 500

// videosPane lists the videos that the instance knows: its own, which can be changed, and those that
// follows brought.
type videosPane struct {
	*linesPane
	fed    federation
	ask    *questions
	about  func(ctx context.Context, arg string) (core.Resolved, error)
	visit  func(string)
	now    func() time.Time
	origin *widget.Select
	totals *text

	shown map[string]instance.VideoInfo // by line key
}

func newVideosPane(l *loop, fed federation, ask *questions, about func(context.Context, string) (core.Resolved, error), visit, publish func(string)) *videosPane {
	p := &videosPane{fed: fed, ask: ask, about: about, visit: visit, now: time.Now, totals: dimText("")}
	p.origin = widget.NewSelect([]string{tr("Yours"), tr("From others")}, nil)
	p.origin.SetSelectedIndex(0)
	p.origin.OnChanged = func(string) { p.known = false; p.look() }
	head := container.NewBorder(nil, nil, fixed(150, p.origin), primary(tr("Publish a video"), theme.UploadIcon(), func() { publish("") }), pad(middle(p.totals), 0, 10))
	p.linesPane = newLinesPane(l, head, newLineList(1, p.open, p.do), nil, func() fyne.CanvasObject {
		if p.remote() {
			return emptyState(tr("No videos of others yet"), tr("Follow another instance, and its videos are listed here and on your instance."))
		}
		return emptyState(tr("You have not published anything yet"), tr("What you publish is listed here, to be changed or deleted."),
			primaryPlain(tr("Publish a video"), func() { publish("") }))
	})
	p.list.open, p.list.do = p.open, p.do
	p.load = p.lines(instance.OriginLocal)
	return p
}

func (p *videosPane) remote() bool { return p.origin.SelectedIndex() == 1 }

// look implements pane.
func (p *videosPane) look() {
	origin := instance.OriginLocal
	if p.remote() {
		origin = instance.OriginRemote
	}
	p.load = p.lines(origin)
	p.linesPane.look()
}

// lines asks for the videos of an origin.
func (p *videosPane) lines(origin string) func() ([]line, error) {
	return func() ([]line, error) {
		list, total, err := p.fed.Videos(p.loop.ctx, instance.VideoQuery{Origin: origin, Count: maxVideoLines})
		if err != nil {
			return nil, err
		}
		lines := make([]line, 0, len(list))
		shown := make(map[string]instance.VideoInfo, len(list))
		for _, v := range list {
			l := videoLine(v, p.now())
			shown[l.key] = v
			lines = append(lines, l)
		}
		p.loop.do(p.loop.ctx, func() {
			p.shown = shown
			words := plural(total, "%d video", "%d videos")
			if len(list) < total {
				words = tr("The newest %[1]d of %[2]s", len(list), words)
			}
			p.totals.set(words)
		})
		return lines, nil
	}
}

func videoLine(v instance.VideoInfo, now time.Time) line {
	l := line{key: v.URL, title: oneLine(v.Title, 200), side: formatAge(v.Published, now)}
	var facts []string
	if v.Origin == instance.OriginLocal {
		facts = append(facts, privacyWord(v.Privacy))
	}
	facts = append(facts, oneLine(v.Channel, 200),
		plural(int(v.Views), "%d view", "%d views"), plural(int(v.Likes), "%d like", "%d likes"),
		plural(int(v.Dislikes), "%d dislike", "%d dislikes"), plural(int(v.Comments), "%d comment", "%d comments"))
	l.detail = strings.Join(facts, " · ")
	if v.Origin == instance.OriginLocal {
		l.acts, l.away = [lineActions]lineAct{actComments, actEdit, actDelete}, actDelete
	} else {
		l.acts = [lineActions]lineAct{"", actComments, actWatch}
	}
	return l
}

func privacyWord(p instance.Privacy) string {
	switch p {
	case instance.Unlisted:
		return tr("Unlisted")
	case instance.Private:
		return tr("Private")
	}
	return tr("Public")
}

func (p *videosPane) open(l line) {
	if v, ok := p.shown[l.key]; ok && v.Privacy != instance.Private {
		p.visit(v.URL)
	}
}

func (p *videosPane) do(l line, a lineAct) {
	v, ok := p.shown[l.key]
	if !ok {
		return
	}
	switch a {
	case actWatch:
		p.visit(v.URL)
	case actComments:
		showComments(p.loop, p.fed, p.ask, v)
	case actEdit:
		p.edit(v)
	case actDelete:
		p.ask.ask(tr("Delete this video?"), tr("“%s” is deleted from your instance, with its files, its comments and its likes, and the instances that know it are told so. This cannot be undone.", oneLine(v.Title, 200)),
			choice{words: actDelete.words(), danger: true, do: func() {
				p.act(func(ctx context.Context) error { return p.fed.Delete(ctx, v.UUID, "") })
			}})
	default:
	}
}

// editForm changes a video. What is not touched stays as it is.
type editForm struct {
	title, about, tags *widget.Entry
	privacy            *widget.Select
	comments           *widget.Check
	was                instance.Edit // as it was shown; nil where it is not known
	root               *fyne.Container
}

func newEditForm(v instance.VideoInfo) *editForm {
	f := &editForm{title: widget.NewEntry(), about: widget.NewMultiLineEntry(), tags: widget.NewEntry()}
	f.title.SetText(v.Title)
	f.about.Wrapping = fyne.TextWrapWord
	f.about.SetMinRowsVisible(5)
	f.tags.SetPlaceHolder(tr("At most five, with commas between"))
	f.privacy = widget.NewSelect(privacyChoices(), nil)
	for i, p := range privacies() {
		if p == v.Privacy {
			f.privacy.SetSelectedIndex(i)
		}
	}
	f.comments = widget.NewCheck(tr("Take comments"), nil)
	privacy := v.Privacy
	f.was = instance.Edit{Title: &v.Title, Privacy: &privacy}
	line := func(name string, control fyne.CanvasObject) fyne.CanvasObject {
		return container.NewBorder(nil, nil, fixed(120, column(0, pad(plainText(name), 9, 0))), nil, control)
	}
	f.root = fixed(560, column(8, line(tr("Title"), f.title), line(tr("About it"), f.about), line(tr("Tags"), f.tags),
		line(tr("Who sees it"), f.privacy), line("", f.comments)))
	return f
}

// fill shows what the list does not tell.
func (f *editForm) fill(about string, tags []string, comments bool) {
	words := strings.Join(tags, ", ")
	f.was.Description, f.was.Tags, f.was.Comments = &about, &tags, &comments
	f.about.SetText(about)
	f.tags.SetText(words)
	f.comments.SetChecked(comments)
}

// change is what a person changed.
func (f *editForm) change() (e instance.Edit, changed bool) {
	if t := strings.TrimSpace(f.title.Text); t != *f.was.Title {
		e.Title = &t
	}
	if t := strings.TrimSpace(f.about.Text); f.was.Description == nil && t != "" || f.was.Description != nil && t != strings.TrimSpace(*f.was.Description) {
		e.Description = &t
	}
	if tags := splitTags(f.tags.Text); f.was.Tags == nil && len(tags) > 0 || f.was.Tags != nil && strings.Join(tags, ", ") != strings.Join(*f.was.Tags, ", ") {
		e.Tags = &tags
	}
	if p := privacies()[max(0, f.privacy.SelectedIndex())]; p != *f.was.Privacy {
		e.Privacy = &p
	}
	if on := f.comments.Checked; f.was.Comments != nil && on != *f.was.Comments {
		e.Comments = &on
	}
	return e, e.Title != nil || e.Description != nil || e.Tags != nil || e.Privacy != nil || e.Comments != nil
}

// splitTags reads tags with commas between.
func splitTags(words string) []string {
	tags := []string{}
	for tag := range strings.SplitSeq(words, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

func privacies() []instance.Privacy {
	return []instance.Privacy{instance.Public, instance.Unlisted, instance.Private}
}

func privacyChoices() []string {
	return []string{tr("Public: listed for everybody"), tr("Unlisted: for who knows the link"), tr("Private: kept, not served")}
}

// edit asks what is to be different. A private video is not served, so its description and tags are
// not known here: they stay unless something is written.
func (p *videosPane) edit(v instance.VideoInfo) {
	f := newEditForm(v)
	p.notice.clear()
	show := func() {
		p.ask.show(tr("Edit the video"), f.root, tr("Cancel"), func() {}, choice{words: tr("Save"), do: func() { p.save(v, f) }})
	}
	if v.Privacy == instance.Private {
		f.about.SetPlaceHolder(tr("Stays as it is unless you write something"))
		f.comments.Hide()
		show()
		return
	}
	task(p.loop, func(ctx context.Context) (core.Resolved, error) { return p.about(ctx, v.URL) },
		func(r core.Resolved, err error) {
			if err != nil || r.Video == nil {
				f.about.SetPlaceHolder(tr("Stays as it is unless you write something"))
				f.comments.Hide()
			} else {
				f.fill(string(r.Video.Description), r.Video.Tags, r.Video.CommentsEnabled)
			}
			show()
		})
}

func (p *videosPane) save(v instance.VideoInfo, f *editForm) {
	e, changed := f.change()
	if !changed {
		return
	}
	p.act(func(ctx context.Context) error {
		_, err := p.fed.Edit(ctx, v.UUID, e)
		return err
	})
}

// showComments lists what was said about a video, replies below what they answer. A row shows the whole
// comment when it is chosen. Comments on an own video, and own comments, can be deleted.
func showComments(l *loop, fed federation, ask *questions, v instance.VideoInfo) {
	var pane *linesPane
	over := &questions{window: ask.window} // asks above the list
	remove := func(x line) choice {
		return choice{words: actDelete.words(), danger: true, do: func() {
			pane.act(func(ctx context.Context) error { return fed.DeleteComment(ctx, x.key, "") })
		}}
	}
	do := func(x line, _ lineAct) { over.ask(tr("Delete this comment?"), x.title+"\n\n"+x.detail, remove(x)) }
	read := func(x line) {
		if x.away == actDelete {
			over.details(x.title, x.detail, remove(x))
		} else {
			over.details(x.title, x.detail)
		}
	}
	load := func() ([]line, error) {
		list, err := fed.Comments(l.ctx, v.URL)
		if err != nil {
			return nil, err
		}
		lines := make([]line, 0, len(list))
		for _, c := range core.Threads(list) {
			x := line{key: c.ID, title: oneLine(c.AuthorName, 100), detail: oneLine(c.Text, 2000), side: formatAge(c.Created, time.Now())}
			if x.title == "" {
				x.title = oneLine(c.Author, 200)
			} else {
				x.title += " · " + oneLine(c.Author, 200)
			}
			if c.Depth > 0 {
				x.title = tr("%[1]s, answering %[2]s", strings.Repeat("↳ ", c.Depth)+x.title, oneLine(c.Answers, 200))
			}
			switch {
			case c.Deleted:
				x.detail = tr("Deleted")
			case c.Local || v.Origin == instance.OriginLocal:
				x.acts[lineActions-1], x.away = actDelete, actDelete
			}
			lines = append(lines, x)
		}
		return lines, nil
	}
	pane = newLinesPane(l, nil, newLineList(3, read, do), load, func() fyne.CanvasObject {
		return emptyState(tr("No comments yet"), tr("What people of other instances say about this video is listed here."))
	})
	room := container.NewStack(gap(640, 400), pane.root)
	ask.show(tr("Comments on “%s”", oneLine(v.Title, 60)), room, tr("Close"), func() {})
	pane.look()
}
