// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"reflect"
	"strings"
	"testing"
)

func TestHost(t *testing.T) {
	for text, want := range map[string]string{
		" Video.Example.ORG ":        "video.example.org",
		"https://Video.Example.org/": "video.example.org",
		"https://a.example:443/x/y":  "a.example",
		"http://a.example:80":        "a.example",
		"http://127.0.0.1:9001":      "127.0.0.1:9001",
		"bücher.example":             "xn--bcher-kva.example",
		"a.example.":                 "a.example",
		"[::1]:9001":                 "[::1]:9001",
		"2001:DB8::1":                "[2001:db8::1]",
		"localhost:9001":             "localhost:9001",
		"":                           "",
		"*.example":                  "",
		"a b.example":                "",
		"ftp://a.example":            "",
		"user@a.example":             "",
		"a..example":                 "",
		"a.example:99999":            "",
	} {
		got, err := Host(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestBlockListsOfBothForms(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want List
	}{
		"text": {
			"\xef\xbb\xbf# a list\n\nBad.example # spam, mostly\r\nhttps://worse.example/\nbad.example\n*.bad.example\nnodot\n",
			List{Entries: []ListEntry{{"bad.example", "spam, mostly"}, {"worse.example", ""}}, Skipped: 2},
		},
		"Mastodon's CSV": {
			"#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n" +
				"bad.example,suspend,False,False,\"spam, mostly\",False\nquiet.example,silence,False,False,,False\nb*d.example,suspend,,,,\nshort.example,suspend\n",
			List{Entries: []ListEntry{{"bad.example", "spam, mostly"}, {"short.example", ""}}, Skipped: 2},
		},
		"CSV without severities": {"domain,public_comment\nbad.example,why\n", List{Entries: []ListEntry{{"bad.example", "why"}}}},
		"a person's CSV":         {"#domain\nbad.example\n", List{Entries: []ListEntry{{"bad.example", ""}}}},
		"nothing":                {"", List{}},
	} {
		got, err := ParseList(strings.NewReader(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	if _, err := ParseList(strings.NewReader(strings.Repeat("#", MaxList+1))); err == nil {
		t.Error("an endless list is read")
	}
	if err := WriteList(&strings.Builder{}, "xml", nil); err == nil {
		t.Error("a form that there is not is written")
	}
}

// FuzzList checks that a list that reads is written and read again to the same hosts and reasons.
func FuzzList(f *testing.F) {
	f.Add("bad.example # spam\nworse.example")
	f.Add("#domain,#severity,#public_comment\nbad.example,suspend,\"a \"\"b\"\"\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseList(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, form := range []string{FormText, FormCSV} {
			var b strings.Builder
			if err := WriteList(&b, form, list.Entries); err != nil {
				t.Fatal(err)
			}
			again, err := ParseList(strings.NewReader(b.String()))
			if err != nil || again.Skipped != 0 || !reflect.DeepEqual(again.Entries, list.Entries) {
				t.Fatalf("%s: %q became %+v, %v", form, b.String(), again, err)
			}
		}
	})
}
