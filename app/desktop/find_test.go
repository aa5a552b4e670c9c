// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// visible lists the visible objects under one.
func visible(o fyne.CanvasObject) []fyne.CanvasObject {
	if o == nil || !o.Visible() {
		return nil
	}
	all := []fyne.CanvasObject{o}
	switch o := o.(type) {
	case *fyne.Container:
		for _, c := range o.Objects {
			all = append(all, visible(c)...)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			all = append(all, visible(c)...)
		}
	}
	return all
}

// findText reports whether words are shown somewhere under an object.
func findText(root fyne.CanvasObject, words string) bool {
	for _, o := range visible(root) {
		var shown string
		switch o := o.(type) {
		case *text:
			shown = o.words
		case *widget.Label:
			shown = o.Text
		case *canvas.Text:
			shown = o.Text
		case *widget.Button:
			shown = o.Text
		case *choiceButton:
			shown = o.Text
		case *widget.Check:
			shown = o.Text
		}
		if strings.Contains(shown, words) {
			return true
		}
	}
	return false
}

// findButton returns the visible button with these words.
func findButton(t *testing.T, root fyne.CanvasObject, words string) *widget.Button {
	t.Helper()
	for _, o := range visible(root) {
		switch b := o.(type) {
		case *widget.Button:
			if b.Text == words {
				return b
			}
		case *choiceButton:
			if b.Text == words {
				return &b.Button
			}
		}
	}
	t.Fatalf("there is no button %q", words)
	return nil
}

// dialogOf returns what lies over the window.
func (r *rig) dialogOf() fyne.CanvasObject { return r.w.win.Canvas().Overlays().Top() }
