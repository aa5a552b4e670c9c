// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/instance"
)

// policyPane switches how the instance answers follows.
type policyPane struct {
	loop *loop
	fed  federation
	ask  *questions

	root      *fyne.Container
	followers *widget.RadioGroup
	back      *widget.Check
	notice    *notice
	status    *text
	now       instance.Policy
	busy      bool // what the widgets say is not a person's doing
	changing  bool
	changes   int // how many there were: what was asked for before one is out of date
}

func newPolicyPane(l *loop, fed federation, ask *questions) *policyPane {
	p := &policyPane{loop: l, fed: fed, ask: ask, notice: newNotice()}
	p.followers = widget.NewRadioGroup(policyWords(), p.choose)
	p.followers.Required = true
	p.back = widget.NewCheck(tr("Follow back automatically"), func(on bool) {
		if !p.busy {
			p.change(instance.PolicyChange{FollowBack: &on})
		}
	})
	p.status = newText("", theme.ColorNameSuccess, theme.SizeNameCaptionText)
	p.root = under(pad(p.notice.root, 0, 6), container.NewVScroll(pad(column(14,
		section(tr("New followers"), p.followers,
			smallText(tr("Whom you turned away before stays turned away, until you accept it under Followers.")).upTo(2)),
		section(tr("Following back"), p.back,
			smallText(tr("An instance that follows yours is followed by yours, unless it stands under Blocks as never followed back.")).upTo(2)),
		pad(p.status, 0, 16),
	), 0, 22)))
	p.notice.changed = func() { relayout(p.root) }
	return p
}

// policies are the choices for new followers; policyWords are their words, in the same order.
func policies() []string {
	return []string{instance.FollowersAccept, instance.FollowersApprove, instance.FollowersReject}
}

func policyWords() []string {
	return []string{tr("Accept everybody"), tr("Ask me: each waits under Followers"), tr("Reject everybody")}
}

// look shows the policy in use.
func (p *policyPane) look() {
	if p.changing {
		return
	}
	changes := p.changes
	task(p.loop, func(context.Context) (instance.Policy, error) { return p.fed.Policy(), nil },
		func(now instance.Policy, _ error) {
			if p.changes == changes && p.ask.open == nil {
				p.show(now)
			}
		})
}

func (p *policyPane) show(now instance.Policy) {
	p.busy = true
	p.now = now
	p.back.SetChecked(now.FollowBack)
	for i, name := range policies() {
		if name == now.Followers {
			p.followers.SetSelected(policyWords()[i])
		}
	}
	p.busy = false
}

// choose is a person's choice of what becomes of new followers.
func (p *policyPane) choose(words string) {
	if p.busy {
		return
	}
	for i, w := range policyWords() {
		if w != words || policies()[i] == p.now.Followers {
			continue
		}
		to := policies()[i]
		if to != instance.FollowersReject {
			p.change(instance.PolicyChange{Followers: &to})
			return
		}
		p.askReject(to)
	}
}

// askReject asks what is to become of the followers there are.
func (p *policyPane) askReject(to string) {
	was := p.now
	reject := func(drop bool) func() {
		return func() { p.change(instance.PolicyChange{Followers: &to, DropExisting: drop}) }
	}
	p.ask.askElse(tr("Reject everybody?"), tr("New followers are rejected from now on. The followers you have can stay, or be turned away as well."),
		func() { p.show(was) },
		choice{words: tr("Turn them away"), danger: true, do: reject(true)},
		choice{words: tr("Keep them"), do: reject(false)})
}

// setChanging keeps the switches from being used while one of them is being saved.
func (p *policyPane) setChanging(yes bool) {
	p.changing = yes
	setEnabled(p.followers, !yes)
	setEnabled(p.back, !yes)
}

func (p *policyPane) change(c instance.PolicyChange) {
	p.notice.clear()
	p.status.set("")
	p.setChanging(true)
	p.changes++
	was := p.now
	task(p.loop, func(ctx context.Context) (instance.Policy, error) { return p.fed.SetPolicy(ctx, c) },
		func(now instance.Policy, err error) {
			p.setChanging(false)
			if err != nil {
				p.notice.fail(message(err))
				p.show(was)
				return
			}
			p.status.set(tr("Saved."))
			p.show(now)
		})
}
