// SPDX-License-Identifier: AGPL-3.0-or-later

// Package early prepares the environment before any other package looks at it. app/main.go imports
// it for that effect alone.
//
// Fyne reads the locale while its packages are initialised and prints three lines to stderr where
// that is "C.UTF-8", the usual one of containers and services; stderr is part of the command
// line's contract. Go initialises packages in the order of their import paths (Go specification,
// "Program initialization"), so this one has a module of its own with a path that comes before
// "fyne.io".
package early

import (
	"os"
	"strings"
)

func init() {
	locale := os.Getenv("LC_ALL")
	for _, name := range []string{"LC_MESSAGES", "LANG"} {
		if locale == "" {
			locale = os.Getenv(name)
		}
	}
	// LANGUAGE goes before the locale for messages, and leaves the rest of the locale alone.
	if strings.HasPrefix(locale, "C.") && os.Getenv("LANGUAGE") == "" {
		_ = os.Setenv("LANGUAGE", "en")
	}
}
