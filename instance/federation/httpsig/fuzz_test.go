// SPDX-License-Identifier: AGPL-3.0-or-later

package httpsig

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"sort"
	"strings"
	"testing"
)

// What parses can be written and parses again to the same.
func FuzzParseParameters(f *testing.F) {
	f.Add(`keyId="https://a.example/u",algorithm="rsa-sha256",created=1,headers="(request-target) host date digest",signature="AA=="`)
	f.Add(`a = b , c="d"`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseParameters(text)
		if err != nil {
			return
		}
		parts := make([]string, 0, len(all))
		for name, value := range all {
			parts = append(parts, name+`="`+value+`"`)
		}
		sort.Strings(parts)
		for _, value := range all {
			if strings.ContainsAny(value, `"\`) { // only unquoted ones can have them
				return
			}
		}
		again, err := parseParameters(strings.Join(parts, ","))
		if err != nil || !reflect.DeepEqual(all, again) {
			if len(strings.Join(parts, ",")) > maxHeader {
				return
			}
			t.Fatalf("%q: %v: %v, %v", text, err, all, again)
		}
	})
}

// What parses can be written and parses again to the same.
func FuzzParseDictionary(f *testing.F) {
	f.Add(`sig1=("@method" "@target-uri";x "content-digest");created=1;keyid="a\"b";alg="rsa-v1_5-sha256"`)
	f.Add(`sha-256=:AAAA:, b, c=?0;d=tok/en, e=-5`)
	f.Fuzz(func(t *testing.T, text string) {
		members, err := parseDictionary(text)
		if err != nil {
			return
		}
		var parts []string
		for i := range members {
			parts = append(parts, members[i].name+"="+members[i].value.String())
		}
		written := strings.Join(parts, ", ")
		again, err := parseDictionary(written)
		if len(written) > maxHeader {
			return
		}
		if err != nil || !reflect.DeepEqual(members, again) {
			t.Fatalf("%q: %v: %q", text, err, written)
		}
	})
}

// Whatever the headers, reading them ends, and a claim names a key that looks like one.
func FuzzKeyID(f *testing.F) {
	f.Add(`keyId="https://a.example/u",headers="(request-target) host date",signature="AA=="`, "", "Sun, 22 Nov 2026 15:25:29 GMT")
	f.Add(`sig1=:AAAA:`, `sig1=("@method" "@target-uri");created=1;keyid="https://a.example/u"`, "")
	f.Fuzz(func(t *testing.T, signature, input, date string) {
		r := httptest.NewRequest(http.MethodPost, "/inbox?x", nil)
		r.Header["Signature"] = []string{signature}
		if input != "" {
			r.Header["Signature-Input"] = []string{input}
		}
		r.Header["Date"] = []string{date}
		id, err := KeyID(r)
		if (err == nil) != plausibleKeyID(id) {
			t.Fatal(id, err)
		}
	})
}
