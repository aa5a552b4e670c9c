// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"net/url"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// maxDescription bounds a description, in characters. PeerTube's own bound is 10000.
const maxDescription = 10000

// setDescription shows Markdown that somebody else wrote. Pictures are left out, as they would be
// fetched from anywhere; links lead to web pages alone; headings stay as large as the text.
func setDescription(to *widget.RichText, markdown string) {
	if r := []rune(markdown); len(r) > maxDescription {
		markdown = string(r[:maxDescription]) + "…"
	}
	// Parsed in a widget that is never drawn: drawing would fetch the pictures.
	to.Segments = harmless(widget.NewRichTextFromMarkdown(markdown).Segments)
	to.Refresh()
}

func harmless(segments []widget.RichTextSegment) []widget.RichTextSegment {
	out := make([]widget.RichTextSegment, 0, len(segments))
	for _, s := range segments {
		switch s := s.(type) {
		case *widget.ImageSegment:
			continue
		case *widget.HyperlinkSegment:
			if !isWebLink(s.URL) {
				style := widget.RichTextStyleInline
				out = append(out, &widget.TextSegment{Text: s.Text, Style: style})
				continue
			}
		case *widget.ParagraphSegment:
			s.Texts = harmless(s.Texts)
		case *widget.ListSegment:
			s.Items = harmless(s.Items)
		case *widget.TextSegment:
			if s.Style.SizeName == theme.SizeNameHeadingText || s.Style.SizeName == theme.SizeNameSubHeadingText {
				s.Style.SizeName = theme.SizeNameText
				s.Style.TextStyle = fyne.TextStyle{Bold: true}
			}
		}
		out = append(out, s)
	}
	return out
}

func isWebLink(u *url.URL) bool {
	return u != nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
