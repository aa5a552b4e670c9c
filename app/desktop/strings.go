// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"shoal/assets/i18n"
)

// tr returns the text in the person's language; the English text is the key, and assets/i18n holds
// the translations. Arguments go in as with fmt.Sprintf.
func tr(text string, args ...any) string {
	text = lang.L(text)
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// plural chooses between the text for one and the text for another number; each has one %d.
func plural(n int, one, many string) string {
	if n == 1 {
		return tr(one, n)
	}
	return tr(many, n)
}

// addTranslations makes the texts of assets/i18n known. English is among them, so that a language
// without a translation reads English.
func addTranslations() error {
	files, err := i18n.Files.ReadDir(".")
	if err != nil {
		return fmt.Errorf("listing translations: %w", err)
	}
	for _, f := range files {
		data, err := i18n.Files.ReadFile(f.Name())
		if err != nil {
			return fmt.Errorf("reading translation: %w", err)
		}
		if err := lang.AddTranslations(fyne.NewStaticResource(f.Name(), data)); err != nil {
			return fmt.Errorf("reading translation %s: %w", f.Name(), err)
		}
	}
	return nil
}
