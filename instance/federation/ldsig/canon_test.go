// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The W3C's test suites of the algorithm's two editions; the bound is lifted, because some of their
// tests are poison. Of the second one those tests are left out that ask for another hash than
// SHA-256, for the map of identifiers, or for giving up (TestPoison is about that).
func TestW3CSuites(t *testing.T) {
	for _, suite := range []struct {
		file   string
		tests  int
		escape escaper
	}{
		{"urdna2015.txt", 62, escapeShort},
		{"rdfc10.txt", 63, escapeAll},
	} {
		text, err := os.ReadFile("testdata/" + suite.file)
		if err != nil {
			t.Fatal(err)
		}
		sections := regexp.MustCompile(`(?m)^-- (test\d+) (in|out) --\n`).Split(string(text), -1)[1:]
		names := regexp.MustCompile(`(?m)^-- (test\d+) in --`).FindAllStringSubmatch(string(text), -1)
		if len(names) != suite.tests || len(sections) != 2*suite.tests {
			t.Fatal(suite.file, len(names), len(sections))
		}
		for i, name := range names {
			t.Run(suite.file+"/"+name[1], func(t *testing.T) {
				quads, blanks := parseNQuads(t, sections[2*i], suite.escape)
				got, err := canonicalize(context.Background(), quads, blanks, 10_000_000)
				if err != nil {
					t.Fatal(err)
				}
				if want := sections[2*i+1]; strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("got\n%s\ninstead of\n%s", got, want)
				}
			})
		}
	}
}

// parseNQuads reads what the suite has of N-Quads.
func parseNQuads(t *testing.T, text string, escaping escaper) (quads []quad, blanks int) {
	t.Helper()
	part := regexp.MustCompile(`^(<[^>]*>|_:\S+|"(?:[^"\\]|\\.)*"(?:\^\^<[^>]*>|@[a-zA-Z0-9-]+)?)\s*`)
	numbers := map[string]int32{}
	escape := regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)`)
	unescape := func(s string) string {
		return escape.ReplaceAllStringFunc(s, func(e string) string {
			if e == `\'` {
				return "'"
			}
			plain, err := strconv.Unquote(`"` + e + `"`)
			if err != nil {
				t.Fatal(e, err)
			}
			return plain
		})
	}
	read := func(s string) node {
		if strings.HasPrefix(s, "_:") {
			if numbers[s] == 0 {
				numbers[s] = int32(len(numbers) + 1)
			}
			return node{blank: numbers[s]}
		}
		if end := strings.LastIndexByte(s, '"'); end > 0 {
			s = `"` + escaping.literal(unescape(s[1:end])) + strings.TrimSuffix(unescape(s[end:]), "^^<"+xsdString+">")
		} else {
			s = unescape(s)
		}
		return node{text: s}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		var parts []string
		for rest := line; ; {
			m := part.FindStringSubmatch(rest)
			if m == nil {
				if strings.TrimSpace(rest) != "." {
					t.Fatalf("no N-Quad: %q at %q", line, rest)
				}
				break
			}
			parts = append(parts, m[1])
			rest = rest[len(m[0]):]
		}
		q := quad{s: read(parts[0]), p: read(parts[1]).text, o: read(parts[2])}
		if len(parts) > 3 {
			q.g = read(parts[3])
		}
		quads = append(quads, q)
	}
	return quads, len(numbers)
}

// poison are small bodies whose blank nodes look alike.
func poison() map[string]string {
	wrap := func(members string) string {
		return `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1",{"p":{"@id":"http://x.example/p","@type":"@id"},"q":{"@id":"http://x.example/q","@type":"@id"}}],` +
			`"id":"http://a.example/1","type":"Create","actor":"http://a.example/u",` + members +
			`,"signature":{"type":"RsaSignature2017","creator":"http://a.example/u","created":"2026-11-22T15:25:25.787Z","signatureValue":"AAAA"}}`
	}
	all := map[string]string{}
	for _, n := range []int{8, 12, 60} {
		var clique, ring []string
		for i := range n {
			var others []string
			for j := range n {
				if j != i {
					others = append(others, fmt.Sprintf(`"_:b%d"`, j))
				}
			}
			clique = append(clique, fmt.Sprintf(`{"id":"_:b%d","p":[%s]}`, i, strings.Join(others, ",")))
			ring = append(ring, fmt.Sprintf(`{"id":"_:b%d","p":["_:b%d","_:b%d"],"q":"_:b%d"}`, i, (i+1)%n, (i+2)%n, (i+3)%n))
		}
		all[fmt.Sprintf("clique of %d", n)] = wrap(`"object":[` + strings.Join(clique, ",") + `]`)
		all[fmt.Sprintf("ring of %d", n)] = wrap(`"object":[` + strings.Join(ring, ",") + `]`)
		leaf := `{"p":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}`
		all[fmt.Sprintf("tree of %d", n)] = wrap(`"object":[` + leaf + "," + leaf + `]`)
	}
	deep := `{}`
	for range 9 {
		deep = `{"p":[` + deep + "," + deep + `]}`
	}
	all["binary tree"] = wrap(`"object":[` + deep + "," + deep + `]`)
	all["3000 alike"] = wrap(`"object":[` + strings.TrimSuffix(strings.Repeat(`{"type":"Note"},`, 3000), ",") + `]`)
	all["3000 pairs"] = wrap(`"object":[` + strings.TrimSuffix(strings.Repeat(`{"p":{}},`, 1500), ",") + `]`)
	all["bicycle"] = wrap(`"object":[{"id":"_:h","p":[` + strings.TrimSuffix(strings.Repeat(`{"p":"_:h"},`, 2000), ",") + `]},{"id":"_:i","p":[` + strings.TrimSuffix(strings.Repeat(`{"p":"_:i"},`, 1900), ",") + `]}]`)
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	all["3900 different"] = wrap(`"object":[` + many(3900, `{"type":"Note","name":"%[1]d","p":"http://b.example/%[1]d","content":"x"},`) + `]`)
	all["long values"] = wrap(`"object":[` + many(90, `{"name":"%d","content":"`+strings.Repeat("long ", 2000)+`"},`) + `]`)
	all["many contexts"] = wrap(`"object":[` + many(2000, `{"@context":{"a%[1]d":"http://b.example/%[1]d"}},`) + `]`)
	all["large contexts"] = wrap(`"object":[` + many(12, `{"@context":{`+many(900, `"a%[1]d":"http://b.example/%[1]d",`)+`,"x%d":"http://b.example/"}},`) + `]`)
	all["the same context"] = wrap(`"object":[` + many(50, `{"@context":["https://www.w3.org/ns/activitystreams",{"x%[1]d":"http://b.example/%[1]d"}]},`) + `]`)
	all["scoped"] = strings.Replace(wrap(`"attachment":{"type":"Multikey","id":"http://b.example/k"},"to":[`+many(960, `"http://b.example/%d",`)+`]`),
		`"https://w3id.org/security/v1"`, `"https://w3id.org/security/v1","https://w3id.org/security/multikey/v1"`, 1)
	return all
}

// Poisoned graphs end fast, whatever they end with; those that would take long are refused.
func TestPoison(t *testing.T) {
	s := suite(t)
	key := vectors(t)[0].key(t)
	for name, body := range poison() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			err := s.Verify(t.Context(), []byte(body), key)
			t.Logf("%d bytes, %v: %v", len(body), time.Since(start), err)
			if !errors.Is(err, ErrTooComplex) && !errors.Is(err, ErrBadSignature) {
				t.Error(err)
			}
			if strings.HasPrefix(name, "clique") && !errors.Is(err, ErrTooComplex) {
				t.Errorf("not refused: %v", err)
			}
		})
	}
}

// A caller who goes away ends the work.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	quads, blanks := []quad{}, 600
	for i := range int32(blanks) {
		quads = append(quads, quad{s: node{blank: i + 1}, p: "<p>", o: node{text: "<o>"}})
	}
	if _, err := canonicalize(ctx, quads, blanks, maxWork); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrTooComplex) {
		t.Error(err)
	}
}
