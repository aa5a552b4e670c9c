// SPDX-License-Identifier: AGPL-3.0-or-later

// Package desktop is the program's window: pages, widgets and theme. Besides player/surface it is
// the only package that imports Fyne; only app/cli imports it.
//
// Every widget is touched on the window's goroutine alone. Work that waits for a network, a disk or
// the engine runs in goroutines of a loop, which brings the results back.
package desktop
