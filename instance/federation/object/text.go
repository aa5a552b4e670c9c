// SPDX-License-Identifier: AGPL-3.0-or-later

package object

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	ghtml "github.com/yuin/goldmark/renderer/html"
)

var (
	// policy lets through what a comment or a description needs: text, lists, quotes, code and web links.
	policy = sync.OnceValue(func() *bluemonday.Policy { //nolint:gochecknoglobals // built once, never changed
		p := bluemonday.NewPolicy()
		p.AllowElements("p", "br", "em", "strong", "b", "i", "del", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr")
		p.AllowAttrs("href").OnElements("a")
		p.AllowURLSchemes("http", "https", "mailto")
		p.RequireParseableURLs(true)
		p.RequireNoFollowOnLinks(true)
		p.RequireNoReferrerOnLinks(true)
		p.AddTargetBlankToFullyQualifiedLinks(true)
		return p
	})
	// strict lets no element through.
	strict = sync.OnceValue(bluemonday.StrictPolicy) //nolint:gochecknoglobals // built once, never changed
	// markdown reads what people write: CommonMark with bare links and strike-through. Raw HTML comes to nothing.
	markdown = sync.OnceValue(func() goldmark.Markdown { //nolint:gochecknoglobals // built once, never changed
		return goldmark.New(goldmark.WithExtensions(extension.Linkify, extension.Strikethrough), goldmark.WithRendererOptions(ghtml.WithHardWraps()))
	})

	// autolink is CommonMark's <https://…>, which would otherwise pass for an element.
	autolink = regexp.MustCompile(`<(https?://[^\s<>]{1,1000})>`)
	// lineEnd is what ends a line in HTML.
	lineEnd = regexp.MustCompile(`(?i)<br\s*/?>|</(p|div|li|blockquote|pre|h[1-6]|tr)\s*>`)
	// manyLines are three line ends or more.
	manyLines = regexp.MustCompile(`\n{3,}`)
)

// Sanitize cleans HTML of others: a few harmless elements and links to the web stay.
func Sanitize(text string) string { return strings.TrimSpace(policy().Sanitize(text)) }

// MarkdownHTML renders what a person wrote in Markdown as clean HTML.
func MarkdownHTML(text string) string {
	var b bytes.Buffer
	if err := markdown().Convert([]byte(text), &b); err != nil {
		return Sanitize("<p>" + html.EscapeString(text) + "</p>")
	}
	return Sanitize(b.String())
}

// PlainText is the text of HTML of others: elements are taken out, lines are kept.
func PlainText(text string) string {
	text = lineEnd.ReplaceAllString(text, "$0\n")
	text = html.UnescapeString(strict().Sanitize(text))
	return tidy(manyLines.ReplaceAllString(text, "\n\n"))
}

// Source is Markdown of others without the HTML that may stand in it.
func Source(text string) string {
	if strings.ContainsRune(text, '<') {
		text = html.UnescapeString(strict().Sanitize(autolink.ReplaceAllString(text, "$1")))
	}
	return tidy(text)
}

// tidy takes out control characters other than line ends and tabs, and what turns the direction of text around.
func tidy(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "\uFFFD")
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case unicode.IsControl(c), c >= '\u202a' && c <= '\u202e', c >= '\u2066' && c <= '\u2069':
			return -1
		}
		return c
	}, text)
	return strings.TrimSpace(text)
}

// line is one line of plain text: a name, a title, a label. What looks like HTML in it is none (ActivityStreams: name),
// and stays.
func line(text string, most int) string {
	return clip(strings.Join(strings.Fields(tidy(text)), " "), most)
}

// clip cuts a text to at most so many characters, an ellipsis the last of them.
func clip(text string, most int) string {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}
	runes := []rune(text)
	return strings.TrimSpace(string(runes[:most-1])) + "…"
}

// padded makes a text that is there at least so many characters long: PeerTube refuses shorter ones.
func padded(text string, least int) string {
	if n := utf8.RuneCountInString(text); text != "" && n < least {
		return text + strings.Repeat(" ", least-n)
	}
	return text
}
