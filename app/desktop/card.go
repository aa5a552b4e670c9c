// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"image"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/assets/icons"
	"shoal/peer/peertube"
)

// cardBelow is the height of a card below its picture.
const cardBelow float32 = 92

// videoCard shows one video of a list.
type videoCard struct {
	widget.BaseWidget
	open    func()
	title   string
	picture *canvas.Image
	back    *backdrop
	content fyne.CanvasObject
	hovered bool
	focused bool
}

var (
	_ fyne.Tappable      = (*videoCard)(nil)
	_ fyne.Focusable     = (*videoCard)(nil)
	_ desktop.Hoverable  = (*videoCard)(nil)
	_ desktop.Cursorable = (*videoCard)(nil)
)

func newVideoCard(v peertube.Video, now time.Time, open func()) *videoCard {
	c := &videoCard{open: open, title: oneLine(v.Name, 200), back: newBackdrop(colorCard, 10)}
	c.picture = canvas.NewImageFromImage(nil)
	c.picture.FillMode = canvas.ImageFillCover
	c.picture.CornerRadius = 10
	c.picture.Hidden = true

	fish := widget.NewIcon(theme.NewDisabledResource(fyne.NewStaticResource("card-fish.svg", icons.Fish)))
	empty := container.NewStack(newBackdrop(colorTrack, 10), container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(44), fish)))

	channel := oneLine(v.Channel.DisplayName, 80)
	if channel == "" {
		channel = oneLine(v.Channel.Name, 80)
	}
	if v.Channel.Host != "" && !v.IsLocal {
		channel += " · " + oneLine(v.Channel.Host, 80)
	}
	var facts []string
	if v.Views > 0 {
		facts = append(facts, tr("%s views", formatCount(int64(v.Views))))
	}
	if age := formatAge(v.PublishedAt.Time, now); age != "" {
		facts = append(facts, age)
	}
	title := boldText(c.title).upTo(2)
	words := column(3, title, smallText(channel), smallText(strings.Join(facts, " · ")))

	picture := container.NewStack(empty, c.picture, badge(v))
	c.content = container.NewStack(c.back, container.New(cardLayout{}, picture, pad(words, 8, 12)))
	c.ExtendBaseWidget(c)
	return c
}

// badge is the playing time in the picture's corner.
func badge(v peertube.Video) fyne.CanvasObject {
	words := formatTime(time.Duration(v.Duration) * time.Second)
	if v.IsLive {
		words = tr("LIVE")
	} else if v.Duration <= 0 {
		return container.NewWithoutLayout()
	}
	label := canvas.NewText(words, overPicture())
	label.TextSize = theme.CaptionTextSize()
	label.TextStyle.Bold = true
	back := canvas.NewRectangle(scrim())
	back.CornerRadius = 5
	return container.New(cornerLayout{8}, container.NewStack(back, pad(label, 2, 6)))
}

// cornerLayout puts its one object into the lower right corner.
type cornerLayout struct{ distance float32 }

// MinSize implements fyne.Layout.
func (l cornerLayout) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

// Layout implements fyne.Layout.
func (l cornerLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	m := objects[0].MinSize()
	objects[0].Resize(m)
	objects[0].Move(fyne.NewPos(size.Width-m.Width-l.distance, size.Height-m.Height-l.distance))
}

// cardLayout puts a 16:9 picture above words.
type cardLayout struct{}

// MinSize implements fyne.Layout.
func (cardLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(160, 90+cardBelow) }

// Layout implements fyne.Layout.
func (cardLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	h := size.Width * 9 / 16
	objects[0].Resize(fyne.NewSize(size.Width, h))
	objects[0].Move(fyne.NewPos(0, 0))
	objects[1].Resize(fyne.NewSize(size.Width, max(0, size.Height-h)))
	objects[1].Move(fyne.NewPos(0, h))
}

// show puts the picture in.
func (c *videoCard) show(img image.Image) {
	c.picture.Image = img
	c.picture.Hidden = false
	c.picture.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (c *videoCard) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.content) }

func (c *videoCard) colour() {
	c.back.border = ""
	switch {
	case c.focused:
		c.back.fill = theme.ColorNameSelection
	case c.hovered:
		c.back.fill = theme.ColorNameButton
	default:
		c.back.fill = colorCard
	}
	c.back.Refresh()
}

// Tapped implements fyne.Tappable.
func (c *videoCard) Tapped(*fyne.PointEvent) { c.open() }

// Cursor implements desktop.Cursorable.
func (c *videoCard) Cursor() desktop.Cursor { return desktop.PointerCursor }

// MouseIn implements desktop.Hoverable.
func (c *videoCard) MouseIn(*desktop.MouseEvent) { c.hovered = true; c.colour() }

// MouseMoved implements desktop.Hoverable.
func (c *videoCard) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (c *videoCard) MouseOut() { c.hovered = false; c.colour() }

// FocusGained implements fyne.Focusable.
func (c *videoCard) FocusGained() { c.focused = true; c.colour() }

// FocusLost implements fyne.Focusable.
func (c *videoCard) FocusLost() { c.focused = false; c.colour() }

// TypedRune implements fyne.Focusable.
func (c *videoCard) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (c *videoCard) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter || k.Name == fyne.KeySpace {
		c.open()
	}
}
