// SPDX-License-Identifier: AGPL-3.0-or-later

// Package i18n embeds the translations of the window's texts: a JSON file a language, from the
// English text to the translated one. The window imports it.
package i18n

import "embed"

// Files are the translations, named after their language: en.json.
//
//go:embed *.json
var Files embed.FS
