// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"shoal/app/core"
)

// later are the commands that are to come.
func later() []string {
	return []string{"backup", "compact", "doctor", "restore", "verify"}
}

// firstWord is what the window's command took for its argument, in arguments that are wrong.
func firstWord(parsed *kong.Context) string {
	for _, p := range parsed.Path {
		if p.Positional == nil || p.Positional.Name != "url|magnet|file" {
			continue
		}
		if v := parsed.Value(p); v.IsValid() {
			return v.String()
		}
	}
	return ""
}

// unknownCommand is the error of a word that stands where a command stands and is none; nil where it
// can be something to open in the window.
func unknownCommand(model *kong.Application, word, cwd string) error {
	switch {
	case !core.IsWord(word, cwd):
		return nil
	case slices.Contains(later(), word):
		return &usageError{fmt.Sprintf("%s is not in this version yet: see shoal --help for the commands that are", word)}
	}
	best, least := "", 3
	for _, c := range model.Children {
		if d := distance(word, c.Name); c.Type == kong.CommandNode && !c.Hidden && d < min(least, len(c.Name)) {
			best, least = c.Name, d
		}
	}
	if best != "" {
		return &usageError{fmt.Sprintf("unknown command %s, did you mean %s? See shoal --help", word, best)}
	}
	return &usageError{fmt.Sprintf("unknown command %s: see shoal --help", word)}
}

// distance is how many letters must be added, left out or changed to make b of a.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
