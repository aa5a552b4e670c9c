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

	"shoal/instance"
)

// maxRefusals is how many refusals are listed.
const maxRefusals = 200

// maxGivenUp is how many deliveries that were given up are listed.
const maxGivenUp = 50

// queuePane lists the hosts that activities wait for.
type queuePane struct {
	*linesPane
	fed    federation
	ask    *questions
	now    func() time.Time
	totals *text
	retry  *widget.Button
}

func newQueuePane(l *loop, fed federation, ask *questions) *queuePane {
	p := &queuePane{fed: fed, ask: ask, now: time.Now, totals: plainText("")}
	p.retry = plainButton(tr("Retry all"), func() {
		p.act(func(context.Context) error { return p.fed.RetryQueue("") })
	})
	p.retry.Disable()
	head := container.NewBorder(nil, nil, nil, p.retry, middle(column(3, p.totals, smallText(tr("What cannot be delivered is tried again for two days, ever more seldom.")))))
	p.linesPane = newLinesPane(l, head, newLineList(1, p.open, p.do), p.lines, func() fyne.CanvasObject {
		return emptyState(tr("Everything is delivered"), tr("What your instance tells others waits here while it is on its way."))
	})
	return p
}

// setDepth says how many deliveries wait in all.
func (p *queuePane) setDepth(n int) {
	p.totals.set(plural(n, "%d delivery waits.", "%d deliveries wait."))
	setEnabled(p.retry, n > 0)
}

func (p *queuePane) lines() ([]line, error) {
	hosts, err := p.fed.Queue()
	if err != nil {
		return nil, err
	}
	lost, err := p.fed.GivenUp(maxGivenUp)
	if err != nil {
		return nil, err
	}
	lines := make([]line, 0, len(hosts)+len(lost))
	for _, h := range hosts {
		l := line{key: h.Host, title: oneLine(h.Host, 300), side: formatUntil(h.Next, p.now())}
		l.detail = tr("%d waiting", h.Depth)
		if h.LastError != "" {
			l.detail += " · " + oneLine(h.LastError, 500)
			l.color = theme.ColorNameError
		}
		l.acts[lineActions-1] = actRetry
		lines = append(lines, l)
	}
	for _, g := range lost {
		lines = append(lines, line{
			key: g.At.Format(time.RFC3339Nano) + "\n" + oneLine(g.ID, 1000), title: oneLine(g.Host, 300), side: formatAge(g.At, p.now()),
			detail: tr("Given up: %s", oneLine(g.Reason, 500)), color: theme.ColorNameError,
		})
	}
	return lines, nil
}

func (p *queuePane) open(l line) {
	if _, id, ok := strings.Cut(l.key, "\n"); ok {
		p.ask.details(l.title, l.detail+"\n"+id)
		return
	}
	p.ask.details(l.title, l.detail, choice{words: actRetry.words(), do: func() { p.do(l, actRetry) }})
}

func (p *queuePane) do(l line, _ lineAct) {
	p.act(func(context.Context) error { return p.fed.RetryQueue(l.key) })
}

// formatUntil writes when something is due.
func formatUntil(t, now time.Time) string {
	d := t.Sub(now)
	switch {
	case t.IsZero():
		return ""
	case d < time.Second:
		return tr("now")
	case d < time.Minute:
		return tr("in %d s", int(d/time.Second))
	case d < time.Hour:
		return tr("in %d min", int(d/time.Minute))
	}
	return tr("in %d h", int(d/time.Hour))
}

// refusedPane lists what came in and was refused.
type refusedPane struct {
	*linesPane
	fed federation
	ask *questions
	now func() time.Time
}

func newRefusedPane(l *loop, fed federation, ask *questions) *refusedPane {
	p := &refusedPane{fed: fed, ask: ask, now: time.Now}
	p.linesPane = newLinesPane(l, nil, newLineList(1, p.open, func(line, lineAct) {}), p.lines, func() fyne.CanvasObject {
		return emptyState(tr("Nothing was refused"), tr("What others send and your instance does not take is listed here, with the reason."))
	})
	return p
}

func (p *refusedPane) lines() ([]line, error) {
	list, err := p.fed.Refusals(maxRefusals)
	if err != nil {
		return nil, err
	}
	lines := make([]line, 0, len(list))
	for _, r := range list {
		lines = append(lines, refusedLine(r, p.now()))
	}
	return lines, nil
}

func refusedLine(r instance.Refusal, now time.Time) line {
	who := oneLine(r.Actor, 300)
	if who == "" {
		who = oneLine(r.Host, 300)
	}
	return line{
		key: r.At.Format(time.RFC3339Nano) + "\n" + oneLine(r.ID, 1000), title: sentence(oneLine(r.Reason, 500)),
		detail: tr("%[1]s by %[2]s", oneLine(r.Type, 60), who), side: formatAge(r.At, now),
	}
}

func (p *refusedPane) open(l line) {
	_, id, _ := strings.Cut(l.key, "\n")
	p.ask.details(tr("Refused"), l.title+"\n\n"+l.detail+"\n"+id)
}
