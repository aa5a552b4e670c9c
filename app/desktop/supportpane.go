// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/app/core"
	"shoal/peer/library"
)

// supportPane lists the creators that are supported, and takes further ones.
type supportPane struct {
	*linesPane
	keeper supporter
	ask    *questions
	visit  func(string)
	now    func() time.Time

	entry  *widget.Entry
	form   *supportForm
	button *widget.Button
	cancel context.CancelFunc // nil unless an answer is waited for

	shown map[string]core.Support // by line key
}

// supporter keeps the creators that are supported.
type supporter interface {
	Supports() []core.Support
	// AddSupport asks an instance.
	AddSupport(ctx context.Context, arg string, o core.SupportOptions) (core.Support, error)
	SetSupport(id string, o core.SupportOptions) (core.Support, error)
	RemoveSupport(ctx context.Context, id string, deleteFiles bool) error
}

func newSupportPane(l *loop, k supporter, ask *questions, visit func(string)) *supportPane {
	p := &supportPane{keeper: k, ask: ask, visit: visit, now: time.Now, shown: make(map[string]core.Support)}
	p.entry = widget.NewEntry()
	p.entry.SetPlaceHolder(tr("name@video.example.org, or the address of a channel, account or instance"))
	p.entry.OnSubmitted = func(string) { p.press() }
	p.form = newSupportForm(core.DefaultSupportBudget, library.OrderNewest)
	p.button = primary(tr("Support"), theme.ContentAddIcon(), p.press)
	head := column(8, p.entry,
		container.NewBorder(nil, nil, nil, fixed(130, p.button), p.form.root),
		smallText(tr("Their videos are kept on your disk and shared, without your watching them. This reaches Shoal, WebTorrent and BitTorrent peers and viewers of older PeerTube instances, not yet those of PeerTube 6 and later.")).flowing(4))
	p.linesPane = newLinesPane(l, head, newLineList(2, p.open, p.do), p.lines, func() fyne.CanvasObject {
		return emptyState(tr("You do not support anybody yet"), tr("Give a creator some of your disk and your upload: their videos stay available, and load faster, even when their server is slow or away. You can also press Support on a channel or beside a video."))
	})
	return p
}

// fill writes whom to support, for a person to say yes to.
func (p *supportPane) fill(address string) {
	p.notice.clear()
	p.say("", colorDim)
	p.entry.SetText(address)
}

// press supports, or stops waiting for the answer.
func (p *supportPane) press() {
	if p.cancel != nil {
		p.cancel()
		p.end()
		p.say("", colorDim)
		return
	}
	target := oneLine(p.entry.Text, 2000)
	p.notice.clear()
	if target == "" {
		p.notice.fail(tr("Write whom to support: name@instance, or the address of a channel, an account or an instance."))
		return
	}
	o, err := p.form.read()
	if err != nil {
		p.notice.fail(message(err))
		return
	}
	p.button.SetText(tr("Cancel"))
	p.button.SetIcon(theme.CancelIcon())
	p.say(tr("Asking about %s…", oneLine(target, 100)), colorDim)
	p.cancel = task(p.loop, func(ctx context.Context) (core.Support, error) {
		return p.keeper.AddSupport(ctx, target, o)
	}, func(s core.Support, err error) {
		p.end()
		p.say("", colorDim)
		if err != nil {
			p.notice.fail(message(err))
		} else {
			p.say(tr("You support %s now.", oneLine(s.DisplayName, 100)), theme.ColorNameSuccess)
			p.entry.SetText("")
		}
		p.after()
	})
}

func (p *supportPane) end() {
	p.cancel = nil
	p.button.SetText(tr("Support"))
	p.button.SetIcon(theme.ContentAddIcon())
}

func (p *supportPane) lines() ([]line, error) {
	list := p.keeper.Supports()
	lines := make([]line, 0, len(list))
	shown := make(map[string]core.Support, len(list))
	for i := len(list) - 1; i >= 0; i-- { // newest first
		s := list[i]
		shown[s.ID] = s
		lines = append(lines, supportLine(s, p.now()))
	}
	p.loop.do(p.loop.ctx, func() { p.shown = shown })
	return lines, nil
}

// supportLine puts a support into words.
func supportLine(s core.Support, now time.Time) line {
	l := line{key: s.ID, title: oneLine(s.DisplayName, 100), acts: [lineActions]lineAct{actShow, actChange, actRemove}, away: actRemove}
	if name := oneLine(s.Name, 100); name != l.title {
		l.title += " · " + name
	}
	facts := []string{kindWord(s.Kind), orderWord(s.Order)}
	videos := plural(s.Videos, "%d video", "%d videos")
	if s.Complete < s.Videos {
		videos = tr("%[1]d of %[2]s complete", s.Complete, videos)
	}
	facts = append(facts, videos, tr("%s given back", formatBytes(s.Uploaded.Sum())))
	l.side = tr("%[1]s of %[2]s", formatBytes(s.Used), formatBytes(s.Budget))
	l.detail = strings.Join(facts, " · ")
	switch {
	case s.Problem != "":
		l.detail += " · " + sentence(oneLine(s.Problem, 300))
		l.color = theme.ColorNameWarning
	case s.Checked.IsZero():
		l.detail += " · " + tr("reading what there is…")
	default:
		l.detail += " · " + tr("looked %s", formatAge(s.Checked, now))
	}
	return l
}

func kindWord(k core.Kind) string {
	switch k {
	case core.KindChannel:
		return tr("Channel")
	case core.KindAccount:
		return tr("Account")
	case core.KindInstance:
		return tr("Whole instance")
	}
	return ""
}

func (p *supportPane) open(l line) { p.do(l, actChange) }

func (p *supportPane) do(l line, a lineAct) {
	s, ok := p.shown[l.key]
	if !ok {
		return
	}
	switch a {
	case actShow:
		p.visit(s.URL)
	case actChange:
		f := newSupportForm(s.Budget, s.Order)
		p.ask.show(tr("Change the support of %s", oneLine(s.DisplayName, 60)), fixed(460, f.root), tr("Cancel"), func() {},
			choice{words: tr("Save"), do: func() {
				o, err := f.read()
				if err != nil {
					p.notice.fail(message(err))
					return
				}
				p.act(func(context.Context) error {
					_, err := p.keeper.SetSupport(s.ID, o)
					return err
				})
			}})
	case actRemove:
		remove := func(files bool) func() {
			return func() {
				p.act(func(ctx context.Context) error { return p.keeper.RemoveSupport(ctx, s.ID, files) })
			}
		}
		p.ask.ask(tr("Stop supporting %s?", oneLine(s.DisplayName, 60)),
			tr("Nothing more is fetched for them. What is here can stay shared like a video that you watched, or be deleted. Videos that you pinned or watched stay in any case."),
			choice{words: tr("Delete videos"), danger: true, do: remove(true)},
			choice{words: tr("Keep videos"), do: remove(false)})
	default:
	}
}

// supportForm asks how much is held, and of what.
type supportForm struct {
	root   *fyne.Container
	budget *widget.Entry
	order  *widget.Select
}

func newSupportForm(budget int64, order string) *supportForm {
	f := &supportForm{budget: widget.NewEntry(), order: widget.NewSelect(supportOrderWords(), nil)}
	f.budget.SetText(trimDecimals(float64(budget) / 1e9))
	for i, o := range supportOrders() {
		if o == order {
			f.order.SetSelectedIndex(i)
		}
	}
	f.root = row(8, middle(dimText(tr("Up to")).fitted()), fixed(80, f.budget), middle(dimText(tr("GB of")).fitted()), fixed(230, f.order))
	return f
}

// read takes the options out.
func (f *supportForm) read() (core.SupportOptions, error) {
	v, err := parseNumber(f.budget.Text, false)
	if err != nil || v <= 0 {
		return core.SupportOptions{}, errors.New(tr("Write how many GB may be used, such as 20."))
	}
	return core.SupportOptions{Budget: int64(v*1e9 + 0.5), Order: supportOrders()[max(0, f.order.SelectedIndex())]}, nil
}

func supportOrders() []string { return []string{library.OrderNewest, library.OrderRarest} }

func supportOrderWords() []string {
	return []string{tr("their newest videos"), tr("videos that fewest others seed")}
}

func orderWord(order string) string {
	if order == library.OrderRarest {
		return tr("the rarest first")
	}
	return tr("the newest first")
}
