// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"shoal/app/core"
)

func reachable() core.Reachability {
	return core.Reachability{
		Checked: time.Now(), NAT: core.NATIndependent, External: []string{"203.0.113.7"}, InterfaceUp: true,
		WebRTC:  core.PortReach{Port: 42070, Method: core.MapNone, State: core.ReachOpen, Seen: 12, Message: "Browsers and other Shoals reach you: 12 connections came about."},
		TCP:     core.PortReach{Port: 42069, Method: core.MapNone, State: core.ReachClosed, Message: "TCP port 42069 is closed: the router lets nobody in.", Fix: "Switch on UPnP or NAT-PMP in the router, or forward TCP port 42069 to this machine there."},
		UTP:     core.PortReach{State: core.ReachOff, Message: "Off."},
		Message: "Browsers can reach you; other torrent clients cannot: port 42069 is closed.",
		Fix:     "Switch on UPnP or NAT-PMP in the router, or forward TCP port 42069 to this machine there.",
	}
}

func TestReachabilityIsCheckedOnceAndAgain(t *testing.T) {
	r := newRig(t)
	r.program.reach = core.Reachability{Message: "Who can reach you is not known yet: it shows when the first peers from outside come.", InterfaceUp: true}
	r.program.checked = reachable()
	r.program.hold = make(chan struct{})
	r.w.goTo(placeCoSeeding)
	r.w.coSeeding.goTo(tabReach)
	p := r.w.coSeeding.reach
	r.until("the first check", func() bool { return p.checking && findText(p.root, "not known yet") })
	if !p.button.Disabled() || !findText(p.root, "Asking the router") {
		t.Error("nothing says that it is busy")
	}
	r.shoot("reach-checking")
	close(r.program.hold)
	r.until("the answer", func() bool { return !p.checking && findText(p.root, "Checked just now") })
	if p.summary.Text != "Browsers can reach you; other torrent clients cannot: port 42069 is closed." || !strings.Contains(p.fix.Text, "forward TCP port") {
		t.Errorf("it says %q, %q", p.summary.Text, p.fix.Text)
	}
	for _, words := range []string{"203.0.113.7", "lets peers find you through STUN", "the router did not answer", "Works", "Does not work", "Off"} {
		if !findText(p.root, words) {
			t.Errorf("%q is not shown", words)
		}
	}
	if p.button.Text != "Check again" {
		t.Errorf("the button says %q", p.button.Text)
	}
	r.program.notes = nil
	test.Tap(p.button)
	r.until("a second check", func() bool { return r.program.noted("check") && !p.checking })
}

func TestReachabilityOfAVPN(t *testing.T) {
	r := newRig(t)
	held := core.Reachability{
		Checked: time.Now(), Interface: "wg0", Held: true, NAT: core.NATSymmetric, Proxy: "socks5://127.0.0.1:1080", TURN: true, IPv6: true,
		TCP:     core.PortReach{Port: 42069, Method: core.MapUPnP, External: "203.0.113.7:42069", State: core.ReachLikely, Message: "TCP port 42069 should be open; nobody from outside has come yet."},
		WebRTC:  core.PortReach{Port: 42070, Method: core.MapUPnP, State: core.ReachUnknown, Message: "Whether browsers can reach you is not known yet."},
		Message: "The kill switch holds all peer traffic back, for the network interface wg0 is not there.", Fix: "Connect the VPN, or choose another interface in the settings.",
	}
	r.program.reach, r.program.checked = held, held
	for _, size := range []fyne.Size{{Width: 900, Height: 600}, {Width: 1280, Height: 800}} {
		r.w.win.Resize(size)
		r.w.goTo(placeCoSeeding)
		r.w.coSeeding.goTo(tabReach)
		r.until("the report", func() bool { return findText(r.w.coSeeding.root, "kill switch holds all peers back") })
		for _, words := range []string{"socks5://127.0.0.1:1080", "UPnP: the router lets peers in at 203.0.113.7:42069", "set up", "Should work"} {
			if !findText(r.w.coSeeding.root, words) {
				t.Errorf("%q is not shown", words)
			}
		}
		relayout(r.w.coSeeding.root)
		r.shoot("reach-" + trimDecimals(float64(size.Width)))
	}
	r.w.showSetting("network.interface")
	if r.w.at != placeSettings || r.w.win.Canvas().Focused() != r.field("network.interface").focus {
		t.Error("Change does not lead to the setting")
	}
}
