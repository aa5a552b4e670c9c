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
)

// reachPane says who can reach this machine, and what to do where somebody cannot.
type reachPane struct {
	loop   *loop
	from   reacher
	change func(key string) // shows a setting
	now    func() time.Time

	root    *fyne.Container
	all     *fyne.Container // everything that is shown
	summary *widget.Label
	fix     *widget.Label
	when    *text
	busy    *widget.Activity
	button  *widget.Button
	ports   [3]*reachRow
	facts   *fyne.Container

	checking bool
	asking   bool
	asked    bool // a check was begun when the page was opened first
	said     string
}

// reacher finds out who can reach this machine.
type reacher interface {
	Reachability() core.Reachability
	// CheckReachability takes some seconds.
	CheckReachability(ctx context.Context) core.Reachability
}

func newReachPane(l *loop, from reacher, change func(string)) *reachPane {
	p := &reachPane{loop: l, from: from, change: change, now: time.Now, facts: column(6)}
	wrapped := func() *widget.Label {
		w := widget.NewLabel("")
		w.Wrapping = fyne.TextWrapWord
		return w
	}
	p.summary, p.fix, p.when = wrapped(), wrapped(), smallText("")
	p.summary.TextStyle.Bold = true
	p.busy = widget.NewActivity()
	p.busy.Hide()
	p.button = primary(tr("Check now"), theme.ViewRefreshIcon(), p.check)
	act := middle(row(10, container.NewGridWrap(fyne.NewSquareSize(24), p.busy), p.button))
	head := panel(container.NewBorder(nil, nil, nil, act, column(0, p.summary, p.fix, pad(p.when, 0, 8))))
	rows := column(12)
	for i, name := range []string{tr("Browsers (WebRTC)"), tr("Torrent clients (TCP)"), tr("Torrent clients (µTP)")} {
		p.ports[i] = newReachRow(name)
		rows.Add(p.ports[i].root)
	}
	p.all = column(12, head, panel(rows), panel(p.facts))
	p.root = container.NewStack(container.NewVScroll(pad(p.all, 2, 22)))
	return p
}

// look asks what is known, and the first time checks.
func (p *reachPane) look() {
	if p.asking {
		return
	}
	p.asking = true
	task(p.loop, func(context.Context) (core.Reachability, error) { return p.from.Reachability(), nil },
		func(r core.Reachability, _ error) {
			p.asking = false
			p.show(r)
			if r.Checked.IsZero() && !p.asked {
				p.check()
			}
		})
}

// check asks the router and the STUN servers.
func (p *reachPane) check() {
	if p.checking {
		return
	}
	p.asked = true
	p.setChecking(true)
	task(p.loop, func(ctx context.Context) (core.Reachability, error) { return p.from.CheckReachability(ctx), nil },
		func(r core.Reachability, _ error) {
			p.setChecking(false)
			p.show(r)
		})
}

func (p *reachPane) setChecking(yes bool) {
	p.checking = yes
	setEnabled(p.button, !yes)
	p.busy.Hidden = !yes
	if yes {
		p.busy.Start()
		p.when.set(tr("Asking the router and the STUN servers…"))
	} else {
		p.busy.Stop()
	}
	p.busy.Refresh()
}

// show brings the page up to date.
func (p *reachPane) show(r core.Reachability) {
	if !p.checking {
		words, again := tr("Not checked yet."), tr("Check now")
		if !r.Checked.IsZero() {
			words, again = tr("Checked %s.", formatAge(r.Checked, p.now())), tr("Check again")
		}
		p.when.set(words)
		if p.button.Text != again {
			p.button.SetText(again)
		}
	}
	facts := reachFacts(r)
	said := strings.Join([]string{r.Message, r.Fix, r.WebRTC.Message, r.TCP.Message, r.UTP.Message, string(r.WebRTC.State + r.TCP.State + r.UTP.State)}, "\n")
	for _, f := range facts {
		said += "\n" + f.name + "\t" + f.words
	}
	if said == p.said { // nothing to lay out anew
		return
	}
	p.said = said
	p.summary.SetText(r.Message)
	p.fix.SetText(r.Fix)
	p.fix.Hidden = r.Fix == ""
	for i, port := range []core.PortReach{r.WebRTC, r.TCP, r.UTP} {
		p.ports[i].show(port)
	}
	p.facts.Objects = nil
	for _, f := range facts {
		line := container.NewBorder(nil, nil, fixed(labelWidth, column(0, dimText(f.name))), nil, plainText(f.words).flowing(3))
		if f.key != "" {
			line = container.NewBorder(nil, nil, nil, quiet(tr("Change"), nil, func() { p.change(f.key) }), middle(line))
		}
		p.facts.Add(line)
	}
	relayout(p.all)
}

// reachRow is one way in.
type reachRow struct {
	root  *fyne.Container
	dot   *backdrop
	state *text
	words *text
	fix   *text
}

func newReachRow(name string) *reachRow {
	r := &reachRow{dot: newBackdrop(colorTrack, 5), state: smallText(""), words: plainText("").flowing(3), fix: smallText("").flowing(3)}
	dot := pad(container.NewGridWrap(fyne.NewSquareSize(10), r.dot), 6, 0)
	label := fixed(labelWidth+24, row(10, dot, column(1, boldText(name).fitted(), r.state)))
	r.root = container.NewBorder(nil, nil, label, nil, column(2, r.words, r.fix))
	return r
}

func (r *reachRow) show(p core.PortReach) {
	words, color := reachWord(p.State)
	r.dot.setColor(color)
	r.state.set(words)
	r.words.set(p.Message)
	r.fix.set(p.Fix)
	r.fix.Hidden = p.Fix == ""
}

// reachWord names a state.
func reachWord(s core.ReachState) (string, fyne.ThemeColorName) {
	switch s {
	case core.ReachOpen:
		return tr("Works"), theme.ColorNameSuccess
	case core.ReachLikely:
		return tr("Should work"), theme.ColorNameSuccess
	case core.ReachClosed:
		return tr("Does not work"), theme.ColorNameWarning
	case core.ReachOff:
		return tr("Off"), colorTrack
	case core.ReachUnknown:
	}
	return tr("Not known"), colorTrack
}

// reachFact is a line of what the page knows.
type reachFact struct {
	name, words string
	key         string // of a setting, "" for none
}

func reachFacts(r core.Reachability) []reachFact {
	facts := []reachFact{
		{name: tr("Public address"), words: orNone(strings.Join(r.External, ", "), tr("not known"))},
		{name: tr("Router"), words: natWords(r.NAT)},
	}
	facts = append(facts, reachFact{name: tr("Port mapping"), words: mappingWords(r), key: "network.portMapping"})
	ipv6 := tr("no public address")
	switch {
	case r.IPv6:
		ipv6 = tr("works")
	case r.IPv6Off:
		ipv6 = tr("off")
	}
	facts = append(facts, reachFact{name: tr("IPv6"), words: ipv6, key: "network.ipv6"})
	nic := tr("any")
	switch {
	case r.Interface != "" && r.InterfaceUp:
		nic = tr("%s, connected", r.Interface)
	case r.Interface != "" && r.Held:
		nic = tr("%s is not there: the kill switch holds all peers back", r.Interface)
	case r.Interface != "":
		nic = tr("%s is not there", r.Interface)
	}
	facts = append(facts, reachFact{name: tr("Interface"), words: nic, key: "network.interface"},
		reachFact{name: tr("Proxy"), words: orNone(r.Proxy, tr("none")), key: "network.proxy"})
	turn := tr("none")
	if r.TURN {
		turn = tr("set up")
	}
	return append(facts, reachFact{name: tr("TURN server"), words: turn, key: "network.iceServers"})
}

func orNone(words, none string) string {
	if words == "" {
		return none
	}
	return words
}

// natWords says how the router treats who comes from outside.
func natWords(n core.NATType) string {
	switch n {
	case core.NATNone:
		return tr("none: this machine has a public address")
	case core.NATIndependent:
		return tr("lets peers find you through STUN")
	case core.NATSymmetric:
		return tr("gives each peer another port: some need a TURN server to reach you")
	case core.NATBlocked:
		return tr("lets no UDP through")
	case core.NATUnknown:
	}
	return tr("not known")
}

func mappingWords(r core.Reachability) string {
	var mapped []string
	method := core.MapNone
	for _, p := range []core.PortReach{r.WebRTC, r.TCP, r.UTP} {
		if p.Method == core.MapOff {
			method = core.MapOff
		}
		if p.External != "" {
			method = p.Method
			mapped = append(mapped, p.External)
		}
	}
	switch method {
	case core.MapOff:
		return tr("off")
	case core.MapUPnP, core.MapNATPMP, core.MapPCP:
		names := map[core.MapMethod]string{core.MapUPnP: "UPnP", core.MapNATPMP: "NAT-PMP", core.MapPCP: "PCP"}
		return tr("%[1]s: the router lets peers in at %[2]s", names[method], strings.Join(mapped, ", "))
	case core.MapNone:
	}
	return tr("the router did not answer")
}
