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

// followWait is how long the window waits for the answer to a follow. It may come later as well.
const followWait = 30 * time.Second

// followingPane lists whom the instance follows, and follows more.
type followingPane struct {
	*linesPane
	fed    federation
	ask    *questions
	now    func() time.Time
	entry  *widget.Entry
	button *widget.Button
	cancel context.CancelFunc // nil unless an answer is waited for
}

func newFollowingPane(l *loop, fed federation, ask *questions) *followingPane {
	p := &followingPane{fed: fed, ask: ask, now: time.Now}
	p.entry = widget.NewEntry()
	p.entry.SetPlaceHolder(tr("video.example.org, name@video.example.org, or the address of a channel"))
	p.entry.OnSubmitted = func(string) { p.press() }
	p.button = primary(tr("Follow"), theme.ContentAddIcon(), p.press)
	head := column(6, container.NewBorder(nil, nil, nil, fixed(120, p.button), p.entry),
		smallText(tr("The videos of whom you follow are listed on your instance.")))
	p.linesPane = newLinesPane(l, head, newLineList(1, p.open, p.do), p.lines, func() fyne.CanvasObject {
		return emptyState(tr("You do not follow anybody yet"), tr("Follow another instance, an account or a channel, and its videos are listed on yours."))
	})
	return p
}

// press follows, or stops waiting for the answer.
func (p *followingPane) press() {
	if p.cancel != nil {
		p.cancel()
		p.end()
		p.say("", colorDim)
		p.look()
		return
	}
	target := oneLine(p.entry.Text, 2000)
	p.notice.clear()
	if target == "" {
		p.notice.fail(tr("Write whom to follow: an instance, name@instance, or the address of a channel."))
		return
	}
	p.button.SetText(tr("Cancel"))
	p.button.SetIcon(theme.CancelIcon())
	p.say(tr("Waiting for the answer of %s…", target), colorDim)
	p.cancel = task(p.loop, func(ctx context.Context) (instance.FollowInfo, error) {
		return p.fed.Follow(ctx, target, followWait)
	}, func(f instance.FollowInfo, err error) {
		p.end()
		p.answered(f, err)
		p.after()
	})
	p.look()
}

func (p *followingPane) end() {
	p.cancel = nil
	p.button.SetText(tr("Follow"))
	p.button.SetIcon(theme.ContentAddIcon())
}

func (p *followingPane) answered(f instance.FollowInfo, err error) {
	p.say("", colorDim)
	switch {
	case err != nil:
		p.notice.fail(message(err))
		return
	case f.State == instance.FollowAccepted:
		p.say(tr("You follow %s now.", followName(f)), theme.ColorNameSuccess)
	case f.State == instance.FollowPending:
		p.say(tr("%s was asked and has not answered yet.", followName(f)), colorDim)
	default: // its line says why
	}
	p.entry.SetText("")
}

func (p *followingPane) lines() ([]line, error) {
	list, err := p.fed.Following()
	if err != nil {
		return nil, err
	}
	lines := make([]line, 0, len(list))
	for _, f := range list {
		l := followLine(f, p.now())
		if f.Auto {
			l.detail += " · " + tr("followed back")
		}
		l.away = actUnfollow
		l.acts[lineActions-1] = actUnfollow
		if f.State != instance.FollowAccepted {
			l.acts[lineActions-2] = actRetry
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func (p *followingPane) open(l line) {
	choices := []choice{{words: actUnfollow.words(), danger: true, do: func() { p.unfollow(l) }}}
	if l.acts[lineActions-2] == actRetry {
		choices = append(choices, choice{words: actRetry.words(), do: func() { p.do(l, actRetry) }})
	}
	p.ask.details(l.title, l.detail+"\n"+l.key, choices...)
}

func (p *followingPane) do(l line, a lineAct) {
	switch a {
	case actRetry:
		p.act(func(ctx context.Context) error { return p.fed.RetryFollow(ctx, l.key) })
	case actUnfollow:
		p.ask.ask(tr("Stop following?"), tr("The videos of %s leave the lists of your instance. You can follow it again later.", l.title),
			choice{words: actUnfollow.words(), danger: true, do: func() { p.unfollow(l) }})
	default:
	}
}

func (p *followingPane) unfollow(l line) {
	p.act(func(ctx context.Context) error { return p.fed.Unfollow(ctx, l.key) })
}

// followersPane lists who follows the instance.
type followersPane struct {
	*linesPane
	fed federation
	ask *questions
	now func() time.Time
}

func newFollowersPane(l *loop, fed federation, ask *questions) *followersPane {
	p := &followersPane{fed: fed, ask: ask, now: time.Now}
	p.linesPane = newLinesPane(l, nil, newLineList(1, p.open, p.do), p.lines, func() fyne.CanvasObject {
		return emptyState(tr("Nobody follows you yet"), tr("Who follows your instance lists your videos on theirs. Give them its address."))
	})
	return p
}

func (p *followersPane) lines() ([]line, error) {
	list, err := p.fed.Followers()
	if err != nil {
		return nil, err
	}
	waiting, others := make([]line, 0, len(list)), []line(nil)
	for _, f := range list {
		l := followLine(f, p.now())
		switch f.State {
		case instance.FollowPending:
			l.detail = tr("Waits for your answer") + alsoCalled(f)
			l.color = theme.ColorNameWarning
			l.acts = [lineActions]lineAct{"", actReject, actAccept}
			l.away = actReject
			waiting = append(waiting, l)
			continue
		case instance.FollowRejected:
			l.acts[lineActions-1] = actAccept
		default:
			l.acts[lineActions-1] = actRemove
			l.away = actRemove
		}
		others = append(others, l)
	}
	return append(waiting, others...), nil
}

func (p *followersPane) open(l line) {
	var choices []choice
	for _, a := range l.acts {
		if a != "" {
			choices = append(choices, choice{words: a.words(), danger: a != actAccept, do: func() { p.decide(l, a) }})
		}
	}
	p.ask.details(l.title, l.detail+"\n"+l.key, choices...)
}

func (p *followersPane) do(l line, a lineAct) {
	if a == actRemove {
		p.ask.ask(tr("Remove this follower?"), tr("%s is turned away and gets no more of your videos, until you accept it again.", l.title),
			choice{words: actRemove.words(), danger: true, do: func() { p.decide(l, a) }})
		return
	}
	p.decide(l, a)
}

func (p *followersPane) decide(l line, a lineAct) {
	p.act(func(ctx context.Context) error {
		if a == actAccept {
			return p.fed.Approve(ctx, l.key)
		}
		return p.fed.RejectFollower(ctx, l.key)
	})
}

// followLine puts a follow into words.
func followLine(f instance.FollowInfo, now time.Time) line {
	l := line{key: f.Target, title: followName(f), side: formatAge(f.Updated, now)}
	switch f.State {
	case instance.FollowAccepted:
		l.detail, l.color = tr("Accepted"), theme.ColorNameSuccess
	case instance.FollowPending:
		l.detail = tr("Waiting for the answer")
	case instance.FollowRejected:
		l.detail, l.color = tr("Rejected"), theme.ColorNameWarning
	default:
		l.detail, l.color = tr("Failed"), theme.ColorNameError
	}
	if f.Reason != "" {
		l.detail += ": " + oneLine(f.Reason, 500)
	}
	l.detail += alsoCalled(f)
	return l
}

// followName is the other's name for people. That of an instance is its host: many are called the
// same.
func followName(f instance.FollowInfo) string {
	if name := oneLine(f.Name, 100); name != "" && strings.Contains(f.Handle, "@") {
		return name
	}
	return handleOf(f)
}

// alsoCalled is what followName leaves out.
func alsoCalled(f instance.FollowInfo) string {
	name, other := followName(f), handleOf(f)
	if other == name {
		other = oneLine(f.Name, 100)
	}
	if other == "" || other == name {
		return ""
	}
	return " · " + other
}

func handleOf(f instance.FollowInfo) string {
	if handle := oneLine(f.Handle, 200); handle != "" {
		return handle
	}
	return oneLine(f.Target, 200)
}
