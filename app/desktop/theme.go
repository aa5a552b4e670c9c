// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// The colours that Fyne's themes have no name for.
const (
	colorNavigation fyne.ThemeColorName = "shoalNavigation" // behind the navigation
	colorCard       fyne.ThemeColorName = "shoalCard"       // behind a card or a panel
	colorDim        fyne.ThemeColorName = "shoalDim"        // text of second rank
	colorTrack      fyne.ThemeColorName = "shoalTrack"      // the empty part of a bar
	colorStrip      fyne.ThemeColorName = "shoalStrip"      // parts of a file on disk
	colorVeil       fyne.ThemeColorName = "shoalVeil"       // behind controls over a picture
	colorWebRTC     fyne.ThemeColorName = "shoalWebRTC"
	colorTCP        fyne.ThemeColorName = "shoalTCP"
	colorUTP        fyne.ThemeColorName = "shoalUTP"
	colorWebSeed    fyne.ThemeColorName = "shoalWebSeed"
)

// seaTheme is Shoal's look: a calm sea with coral where something is to be noticed. It follows the
// system's choice of dark or light.
type seaTheme struct {
	fyne.Theme
	palettes map[fyne.ThemeColorName]palette
}

func newTheme() fyne.Theme { return seaTheme{theme.DefaultTheme(), palettes()} }

// palette holds a colour for dark and one for light. Text colours keep a contrast of 4.5 to 1 at
// least against the backgrounds (WCAG 2.2, 1.4.3).
type palette struct{ dark, light uint32 }

func palettes() map[fyne.ThemeColorName]palette {
	return map[fyne.ThemeColorName]palette{
		theme.ColorNameBackground:          {0x0f1a24ff, 0xf6f9fbff},
		theme.ColorNameButton:              {0x1e3040ff, 0xe3ebf0ff},
		theme.ColorNameDisabledButton:      {0x17242fff, 0xecf1f4ff},
		theme.ColorNameDisabled:            {0x6d8190ff, 0x8797a2ff},
		theme.ColorNameError:               {0xff7d70ff, 0xb3261eff},
		theme.ColorNameFocus:               {0x4fd1dd55, 0x0b728555},
		theme.ColorNameForeground:          {0xe8f0f5ff, 0x14232eff},
		theme.ColorNameForegroundOnError:   {0x2a0703ff, 0xffffffff},
		theme.ColorNameForegroundOnPrimary: {0x03222aff, 0xffffffff},
		theme.ColorNameForegroundOnSuccess: {0x04240fff, 0xffffffff},
		theme.ColorNameForegroundOnWarning: {0x2b1700ff, 0xffffffff},
		theme.ColorNameHeaderBackground:    {0x13212dff, 0xffffffff},
		theme.ColorNameHover:               {0xffffff14, 0x0a2a3a10},
		theme.ColorNameHyperlink:           {0x6fdbe5ff, 0x0b7285ff},
		theme.ColorNameInputBackground:     {0x16252fff, 0xffffffff},
		theme.ColorNameInputBorder:         {0x2b4152ff, 0xc7d4ddff},
		theme.ColorNameMenuBackground:      {0x1a2a37ff, 0xffffffff},
		theme.ColorNameOverlayBackground:   {0x15232fff, 0xffffffff},
		theme.ColorNamePlaceHolder:         {0x8ea2b0ff, 0x5c6f7bff},
		theme.ColorNamePressed:             {0xffffff22, 0x0a2a3a22},
		theme.ColorNamePrimary:             {0x4fd1ddff, 0x0b7285ff},
		theme.ColorNameScrollBar:           {0xffffff55, 0x0a2a3a66},
		theme.ColorNameScrollBarBackground: {0x00000000, 0x00000000},
		theme.ColorNameSelection:           {0x4fd1dd38, 0x0b728530},
		theme.ColorNameSeparator:           {0x22333fff, 0xdbe4eaff},
		theme.ColorNameShadow:              {0x00000066, 0x0a2a3a2a},
		theme.ColorNameSuccess:             {0x6bd991ff, 0x1b6b3aff},
		theme.ColorNameWarning:             {0xffb35cff, 0x8a4b00ff},
		colorNavigation:                    {0x0b141cff, 0xe9f0f4ff},
		colorCard:                          {0x162530ff, 0xffffffff},
		colorDim:                           {0x9db0bdff, 0x526672ff},
		colorTrack:                         {0x2a3d4bff, 0xd3dee5ff},
		colorStrip:                         {0x3a7f9cff, 0x6db3c6ff},
		colorVeil:                          {0x0b141cdd, 0xf6f9fbe8},
		colorWebRTC:                        {0x4fd1ddff, 0x0b7f94ff},
		colorTCP:                           {0x7aa2ffff, 0x3159c4ff},
		colorUTP:                           {0xc39bffff, 0x7440c2ff},
		colorWebSeed:                       {0xff9a6eff, 0xc4512aff},
	}
}

// Color implements fyne.Theme.
func (t seaTheme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	p, ok := t.palettes[name]
	if !ok {
		return t.Theme.Color(name, variant)
	}
	c := p.dark
	if variant == theme.VariantLight {
		c = p.light
	}
	return color.NRGBA{R: uint8(c >> 24), G: uint8(c >> 16), B: uint8(c >> 8), A: uint8(c)} // a byte each
}

// Size implements fyne.Theme.
func (t seaTheme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameInputRadius:
		return 8
	case theme.SizeNameSelectionRadius:
		return 6
	case theme.SizeNameHeadingText:
		return 22
	case theme.SizeNameSubHeadingText:
		return 17
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameScrollBarSmall:
		return 4
	}
	return t.Theme.Size(name)
}

// themeColor is the colour in use, for canvas objects.
func themeColor(name fyne.ThemeColorName) color.Color { return theme.Color(name) }

// Over pictures the colours are the same in dark and light.
func overPicture() color.Color { return color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff} }
func scrim() color.Color       { return color.NRGBA{R: 0x05, G: 0x0c, B: 0x12, A: 0xcc} }
func blackness() color.Color   { return color.NRGBA{A: 0xff} }
