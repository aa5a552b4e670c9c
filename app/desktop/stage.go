// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"shoal/player"
)

// stage lies over the picture: it hears the mouse and shows what goes on (buffering, an error).
type stage struct {
	widget.BaseWidget
	tap     func()
	double  func()
	stirred func() // the mouse moved
	wheel   func(up bool)

	spinner  *widget.Activity
	percent  *canvas.Text
	wait     *fyne.Container
	over     *fyne.Container // a message in place of the picture
	hide     bool            // the mouse pointer
	spinning bool
}

var (
	_ fyne.Tappable       = (*stage)(nil)
	_ fyne.DoubleTappable = (*stage)(nil)
	_ fyne.Scrollable     = (*stage)(nil)
	_ desktop.Hoverable   = (*stage)(nil)
	_ desktop.Cursorable  = (*stage)(nil)
)

func newStage() *stage {
	s := &stage{spinner: widget.NewActivity(), percent: canvas.NewText("", overPicture())}
	s.percent.Alignment = fyne.TextAlignCenter
	s.percent.TextSize = theme.CaptionTextSize()
	disc := canvas.NewRectangle(scrim())
	disc.CornerRadius = 16
	s.wait = container.NewCenter(container.NewStack(disc, pad(column(6,
		container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(44), s.spinner)), s.percent), 14, 26)))
	s.wait.Hide()
	s.over = container.NewStack()
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer implements fyne.Widget.
func (s *stage) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(s.wait, s.over))
}

// MinSize implements fyne.CanvasObject: what is shown over the picture never makes it larger.
func (s *stage) MinSize() fyne.Size { return fyne.NewSize(160, 90) }

// show brings the marks up to date.
func (s *stage) show(st player.State) {
	waiting := st.Buffering && !st.Ended && st.Err == nil
	words := tr("Buffering")
	if st.BufferPercent > 0 && st.BufferPercent < 100 {
		words = tr("Buffering %d %%", st.BufferPercent)
	}
	if waiting && s.percent.Text != words {
		s.percent.Text = words
		s.percent.Refresh()
	}
	if waiting == s.spinning {
		return
	}
	s.spinning = waiting
	if waiting {
		s.spinner.Start()
		s.wait.Show()
	} else {
		s.spinner.Stop()
		s.wait.Hide()
	}
}

// say shows something in place of the picture; nil takes it away.
func (s *stage) say(object fyne.CanvasObject) {
	if object == nil {
		s.over.Objects = nil
	} else {
		s.over.Objects = []fyne.CanvasObject{newBackdrop(theme.ColorNameBackground, 0), object}
	}
	s.over.Refresh()
}

// Tapped implements fyne.Tappable.
func (s *stage) Tapped(*fyne.PointEvent) { s.tap() }

// DoubleTapped implements fyne.DoubleTappable.
func (s *stage) DoubleTapped(*fyne.PointEvent) { s.double() }

// Scrolled implements fyne.Scrollable.
func (s *stage) Scrolled(e *fyne.ScrollEvent) {
	if e.Scrolled.DY != 0 {
		s.wheel(e.Scrolled.DY > 0)
	}
}

// MouseIn implements desktop.Hoverable.
func (s *stage) MouseIn(*desktop.MouseEvent) { s.stirred() }

// MouseMoved implements desktop.Hoverable.
func (s *stage) MouseMoved(*desktop.MouseEvent) { s.stirred() }

// MouseOut implements desktop.Hoverable.
func (s *stage) MouseOut() {}

// Cursor implements desktop.Cursorable.
func (s *stage) Cursor() desktop.Cursor {
	if s.hide {
		return desktop.HiddenCursor
	}
	return desktop.DefaultCursor
}

// theatre is the picture with its controls: one above the other in the page, the controls over the
// picture in full screen, where they hide while nobody moves the mouse.
type theatre struct {
	root     *fyne.Container
	picture  *fyne.Container // black, surface, stage
	stage    *stage
	controls *controls
	layout   *theatreLayout
	now      func() time.Time
	stir     time.Time
}

// hideAfter is how long the controls stay in full screen after the mouse has moved.
const hideAfter = 2500 * time.Millisecond

func newTheatre(do controlActions) *theatre {
	t := &theatre{stage: newStage(), controls: newControls(do), layout: &theatreLayout{}, now: time.Now}
	t.stage.stirred = t.stirred
	t.picture = container.NewStack(canvas.NewRectangle(blackness()), t.stage)
	t.root = container.New(t.layout, t.picture, t.controls.root)
	return t
}

// setSurface puts the picture in, nil takes it out.
func (t *theatre) setSurface(surface fyne.CanvasObject) {
	t.picture.Objects = []fyne.CanvasObject{t.picture.Objects[0], t.stage}
	if surface != nil {
		t.picture.Objects = []fyne.CanvasObject{t.picture.Objects[0], surface, t.stage}
	}
	t.picture.Refresh()
}

// stirred shows the controls again.
func (t *theatre) stirred() {
	t.stir = t.now()
	t.setHidden(false)
}

// setFull lays the controls over the picture.
func (t *theatre) setFull(yes bool) {
	t.layout.over = yes
	t.controls.setFullScreen(yes)
	t.controls.back.setColor(theme.ColorNameBackground)
	if yes {
		t.controls.back.setColor(colorVeil)
	}
	t.stirred()
	t.root.Refresh()
}

// tick hides the controls in time.
func (t *theatre) tick(playing bool) {
	t.setHidden(t.layout.over && playing && !t.controls.seek.held && t.now().Sub(t.stir) >= hideAfter)
}

func (t *theatre) setHidden(yes bool) {
	t.stage.hide = yes
	if t.controls.root.Hidden == yes {
		return
	}
	if yes {
		t.controls.root.Hide()
	} else {
		t.controls.root.Show()
	}
	t.root.Refresh()
}

// theatreLayout places picture and controls.
type theatreLayout struct{ over bool }

// MinSize implements fyne.Layout.
func (l *theatreLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().Max(fyne.NewSize(objects[1].MinSize().Width, 0)).Add(fyne.NewSize(0, objects[1].MinSize().Height))
}

// Layout implements fyne.Layout.
func (l *theatreLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	h := objects[1].MinSize().Height
	picture := fyne.NewSize(size.Width, max(0, size.Height-h))
	if l.over {
		picture = size
	}
	objects[0].Resize(picture)
	objects[0].Move(fyne.NewPos(0, 0))
	objects[1].Resize(fyne.NewSize(size.Width, h))
	objects[1].Move(fyne.NewPos(0, size.Height-h))
}
