// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/peer/peertube"
	"shoal/player"
)

// message turns an error into one sentence for the person at the window: the text made for people
// where the error carries one, else the whole chain.
func message(err error) string {
	if err == nil {
		return ""
	}
	var coreErr *core.Error
	var tubeErr *peertube.Error
	var playErr *player.Error
	var keyErr *config.KeyError
	text := err.Error()
	switch {
	case errors.As(err, &coreErr):
		text = coreErr.Message
	case errors.As(err, &tubeErr):
		text = tubeErr.Text
	case errors.As(err, &playErr):
		text = playErr.Text
	case errors.As(err, &keyErr):
		text = keyErr.Reason
	case errors.Is(err, context.DeadlineExceeded):
		text = tr("This took too long. Try again.")
	}
	return sentence(text)
}

// sentence starts a text with a capital and ends it with a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(text)
	word, _, _ := strings.Cut(text, " ")
	if !strings.ContainsAny(word, "/.:") { // an address keeps its case
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	if last, _ := utf8.DecodeLastRuneInString(text); !strings.ContainsRune(".!?…", last) {
		text += "."
	}
	return text
}
