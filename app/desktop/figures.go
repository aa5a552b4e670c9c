// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/peer"
)

// figuresPanel shows what the swarm of a video does, live.
type figuresPanel struct {
	root fyne.CanvasObject

	peers, kinds    *text
	down, up        *text
	disk, ahead     *text
	progress        *shareBar
	sources         *shareBar
	bySource        [4]*text
	shared, wasted  *text
	tracked         *text
	problem         *widget.Label
	swarmRows, none fyne.CanvasObject
}

func newFiguresPanel() *figuresPanel {
	f := &figuresPanel{}
	value := func() *text { return plainText("").aligned(fyne.TextAlignTrailing) }
	pair := func(words string, v *text) fyne.CanvasObject {
		return container.NewBorder(nil, nil, dimText(words).fitted(), nil, v)
	}
	f.peers, f.kinds = value(), smallText("").upTo(2)
	f.down, f.up, f.disk, f.ahead, f.shared, f.wasted, f.tracked = value(), value(), value(), value(), value(), value(), value()
	f.progress = newProgress(5)
	f.sources = newShareBar(7, colorWebRTC, colorTCP, colorUTP, colorWebSeed)
	legend := column(3)
	for i, s := range []struct {
		name  string
		color fyne.ThemeColorName
	}{{"WebRTC", colorWebRTC}, {"TCP", colorTCP}, {"µTP", colorUTP}, {"WebSeed", colorWebSeed}} {
		f.bySource[i] = smallText("").aligned(fyne.TextAlignTrailing)
		dot := container.NewGridWrap(fyne.NewSquareSize(9), newBackdrop(s.color, 4.5))
		legend.Add(container.NewBorder(nil, nil, row(7, middle(dot), smallText(s.name).fitted()), nil, f.bySource[i]))
	}
	f.problem = widget.NewLabel("")
	f.problem.Wrapping = fyne.TextWrapWord
	f.problem.Importance = widget.WarningImportance
	f.problem.Hide()
	f.swarmRows = column(7,
		pair(tr("Peers"), f.peers), f.kinds,
		pair(tr("Download"), f.down), pair(tr("Upload"), f.up),
		gap(0, 2),
		pair(tr("On disk"), f.disk), f.progress, pair(tr("Buffered"), f.ahead),
		gap(0, 4),
		smallText(tr("Received from")), f.sources, legend,
		gap(0, 4),
		pair(tr("Shared back"), f.shared), pair(tr("Wasted"), f.wasted), pair(tr("Tracker"), f.tracked),
	)
	f.none = smallText(tr("A file of this machine: no swarm.")).upTo(2)
	f.none.Hide()
	f.root = panel(column(10, boldText(tr("Swarm")), f.swarmRows, f.none, f.problem))
	f.show(noFigures(true))
	return f
}

// show brings the figures up to date.
func (f *figuresPanel) show(s figures) {
	if !s.Swarm {
		f.swarmRows.Hide()
		f.none.Show()
		return
	}
	f.none.Hide()
	f.swarmRows.Show()
	f.peers.set(strconv.Itoa(s.Peers.Sum()))
	kinds := formatPeers(s.Peers)
	if kinds == "" {
		kinds = tr("Looking for peers…")
		if s.Complete {
			kinds = tr("Nobody asks just now")
		}
		if s.Paused {
			kinds = tr("Paused")
		}
	}
	f.kinds.set(kinds)
	f.down.set(formatRate(s.Down))
	f.up.set(formatRate(s.Up))
	part := 0.0
	if s.Bytes > 0 {
		part = float64(s.Completed) / float64(s.Bytes)
		f.disk.set(tr("%[1]s of %[2]s", formatBytes(s.Completed), formatBytes(s.Bytes)))
	} else {
		f.disk.set("–")
	}
	f.progress.set(part)
	f.ahead.set(formatAhead(s.Ahead))
	color := theme.ColorNamePrimary
	if s.Complete {
		color = theme.ColorNameSuccess
	}
	f.progress.setColor(color)

	d := s.Downloaded
	sum := float64(max(d.Sum(), 1))
	f.sources.set(float64(d.WebRTC)/sum, float64(d.TCP)/sum, float64(d.UTP)/sum, float64(d.WebSeed)/sum)
	for i, n := range []int64{d.WebRTC, d.TCP, d.UTP, d.WebSeed} {
		words := "–"
		if n > 0 {
			words = formatBytes(n)
		}
		f.bySource[i].set(words)
	}
	f.shared.set(formatBytes(s.Uploaded.Sum()))
	f.wasted.set(formatBytes(s.Wasted))
	f.tracked.set(trackerCounts(s.Stats))
	f.warn(s.Problem)
}

func trackerCounts(s peer.Stats) string {
	if s.Seeders < 0 && s.Leechers < 0 {
		return "–"
	}
	return plural(max(s.Seeders, 0), "%d seeder", "%d seeders") + ", " + plural(max(s.Leechers, 0), "%d leecher", "%d leechers")
}

func (f *figuresPanel) warn(problem string) {
	if problem == "" {
		if f.problem.Visible() {
			f.problem.Hide()
		}
		return
	}
	if words := sentence(oneLine(problem, 300)); f.problem.Text != words {
		f.problem.SetText(words)
	}
	if !f.problem.Visible() {
		f.problem.Show()
	}
}

func formatAhead(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return tr("%s ahead", formatTime(d))
}

// aheadOf returns how long can be played from a position with what is on disk. The strip's parts are
// equal in bytes, so it is about right.
func aheadOf(strip []float32, at, length time.Duration) time.Duration {
	if length <= 0 || len(strip) == 0 || at >= length {
		return 0
	}
	start := int(float64(at) / float64(length) * float64(len(strip)))
	end := max(start, 0)
	for end < len(strip) && strip[end] >= 0.999 {
		end++
	}
	to := time.Duration(float64(end) / float64(len(strip)) * float64(length))
	if end == start {
		return 0
	}
	return max(to-at, 0)
}

// noFigures are the figures before the first ones.
func noFigures(swarm bool) figures {
	return figures{Swarm: swarm, Stats: peer.Stats{Seeders: -1, Leechers: -1}}
}
