// SPDX-License-Identifier: AGPL-3.0-or-later

// Package icons embeds the program's own icon and the pictures of its navigation.
// It holds bytes only; whoever shows them imports it.
package icons

import _ "embed"

// Shoal is the program's icon, an SVG of 512 by 512: six fish that swim as a play mark.
//
//go:embed shoal.svg
var Shoal []byte

// ShoalPNG is Shoal drawn at 256 by 256 pixels, for window managers that take no SVG.
//
//go:embed shoal-256.png
var ShoalPNG []byte

// The pictures of the navigation and of rows: single-colour SVGs of 24 by 24, black, to be tinted by the theme.
var (
	//go:embed browse.svg
	Browse []byte
	//go:embed watch.svg
	Watch []byte
	//go:embed fish.svg
	Fish []byte
	//go:embed settings.svg
	Settings []byte
	//go:embed instance.svg
	Instance []byte
	//go:embed pin.svg
	Pin []byte
)
