// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"shoal/assets/i18n"
)

// TestEveryTextCanBeTranslated holds assets/i18n/en.json to the texts of this package. With
// SHOAL_UPDATE=1 it writes the file.
func TestEveryTextCanBeTranslated(t *testing.T) {
	used := make(map[string]string)
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		must(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.Ident)
			if !ok || (f.Name != "tr" && f.Name != "plural") {
				return true
			}
			for _, arg := range call.Args {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					words, err := strconv.Unquote(lit.Value)
					must(t, err)
					used[words] = words
				}
				if f.Name == "tr" {
					break
				}
			}
			return true
		})
	}
	if os.Getenv("SHOAL_UPDATE") != "" {
		data, err := json.MarshalIndent(used, "", "  ")
		must(t, err)
		must(t, os.WriteFile("../../assets/i18n/en.json", append(data, '\n'), 0o600))
		return
	}
	data, err := i18n.Files.ReadFile("en.json")
	must(t, err)
	known := make(map[string]string)
	must(t, json.Unmarshal(data, &known))
	for words := range used {
		if known[words] != words {
			t.Errorf("assets/i18n/en.json lacks %q: run the test with SHOAL_UPDATE=1", words)
		}
	}
	for words := range known {
		if used[words] == "" {
			t.Errorf("assets/i18n/en.json has %q, which nothing shows", words)
		}
	}
}

func TestTranslationsAreRead(t *testing.T) {
	must(t, addTranslations())
	if got := tr("%[1]s of %[2]s", "a", "b"); got != "a of b" {
		t.Errorf("got %q", got)
	}
}

func TestFormats(t *testing.T) {
	now := time.Now()
	for got, want := range map[string]string{
		formatBytes(999): "999 B", formatBytes(1500): "1.5 kB", formatBytes(410e6): "410 MB", formatBytes(999_999): "1.0 MB",
		formatBytes(-1): "0 B", formatBytes(1 << 62): "4.6 EB", formatRate(0.2): "0 B/s", formatRate(2.4e6): "2.4 MB/s",
		formatTime(-time.Second): "0:00", formatTime(3723 * time.Second): "1:02:03", formatTime(245 * time.Second): "4:05",
		formatCount(999): "999", formatCount(1000): "1k", formatCount(1_250_000): "1.2M",
		formatAge(now.Add(-90*time.Minute), now): "1 hour ago", formatAge(time.Time{}, now): "", formatAge(now.Add(time.Hour), now): "just now",
		formatRatio(3, 2): "1.50", formatRatio(3, 0): "–",
		oneLine("a\n\tb\u202ec", 10): "a bc", oneLine("abcdef", 4): "abc…",
		sentence("creating offer failed"): "Creating offer failed.", sentence("video.example is gone"): "video.example is gone.",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzBreakLines(f *testing.F) {
	f.Add("a few words that need more than one line", 2, float32(12))
	f.Add("ohneLeerzeichenundsehrlangodernicht", 3, float32(5))
	f.Add("żółć \xff", 1, float32(3))
	f.Fuzz(func(t *testing.T, words string, n int, width float32) {
		if n < 0 || n > 20 || width > 1e6 || len(words) > 2000 {
			return
		}
		measure := func(s string) float32 { return float32(utf8.RuneCountInString(s)) }
		lines := breakLines(words, n, width, measure)
		if len(lines) > max(n, 0) {
			t.Fatalf("%d lines, at most %d wanted", len(lines), n)
		}
		for _, l := range lines {
			if width >= 1 && measure(l) > width {
				t.Fatalf("%q is wider than %v", l, width)
			}
		}
	})
}

func TestCardGridFillsTheWidth(t *testing.T) {
	g := &cardGrid{minWidth: 232, gap: 18, below: cardBelow}
	for width, want := range map[float32]int{100: 1, 232: 1, 481: 1, 482: 2, 1046: 4} {
		if got := g.columns(width); got != want {
			t.Errorf("%v wide: %d columns, want %d", width, got, want)
		}
	}
	objects := make([]fyne.CanvasObject, 5)
	for i := range objects {
		objects[i] = newBackdrop("", 0)
	}
	g.Layout(objects, fyne.NewSize(1046, 100))
	last := objects[4]
	if last.Position().X != 0 || last.Position().Y <= 0 || objects[3].Position().X+objects[3].Size().Width > 1046.5 {
		t.Errorf("the last card stands at %v", last.Position())
	}
}
