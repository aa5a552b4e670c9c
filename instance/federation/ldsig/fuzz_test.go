// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"
)

// What parses, encoding/json parses to the same; what it refuses as no JSON, so does encoding/json.
func FuzzParseJSON(f *testing.F) {
	f.Add(`{"a":[1,-0.5e+3,"\u00e9\ud83d\ude00\n",true,false,null,{}],"b":{"c":""}}`)
	f.Add(`{"@context":{"A":1,"a":2}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseJSON(text, 32, 10_000)
		switch {
		case err == nil:
			var want any
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if got := v.plain(); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: %v instead of %v", text, got, want)
			}
		case errors.Is(err, ErrSyntax):
			if json.Valid([]byte(text)) {
				t.Fatalf("%q: %v", text, err)
			}
		case !errors.Is(err, ErrAmbiguous) && !errors.Is(err, ErrTooComplex):
			t.Fatal(err)
		}
	})
}

// What the walker makes of a body is what json-gold makes of it.
func FuzzWalker(f *testing.F) {
	for _, v := range vectors(f) {
		if body := v.body(f); len(body) < 4000 {
			f.Add(string(body))
		}
	}
	f.Add(`{` + testContext + `,"id":"https://a.example/1","accuracy":[1.5,1e-7],"contentMap":{"en":["x","y"]},"oneOf":["_:a",{"id":"_:a","name":"\t"}],"items":[1,"x"]}`)
	f.Add(`{` + withContext(`{"l":{"@id":"x:l","@container":"@list","@type":"@id"},"s":{"@id":"x:s","@container":"@set"}}`) + `,"l":["x:1",{"name":"y"}],"s":null,"to":"as:Public","tag":"tag:x"}`)
	s := suite(f)
	f.Fuzz(func(t *testing.T, text string) {
		v, _, err := s.read([]byte(text))
		if err != nil {
			return
		}
		v.members = slices.DeleteFunc(v.members, func(m member) bool { return m.name == "signature" })
		w := walker{
			contexts: s.contexts, text: text, labels: map[string]int32{}, maxBlank: 50,
			escape: escapeTab, described: map[string]bool{}, budget: newBudget(),
		}
		if _, err := w.object(nil, &v, true); err != nil {
			return
		}
		// json-gold drops IRIs that its idea of a URL does not cover, and those that net/url does not
		// take; jsonld.js keeps them.
		for _, q := range w.quads {
			for _, part := range []string{q.s.text, q.p, q.o.text} {
				if !strings.HasPrefix(part, "<") {
					continue
				}
				iri := strings.Trim(part, "<>")
				if _, err := url.Parse(iri); err != nil || ld.InvalidNode(ld.NewIRI(iri)) {
					return
				}
			}
		}
		nquads, err := canonicalize(context.Background(), w.quads, int(w.blank), 300)
		if err != nil {
			return
		}
		options := ld.NewJsonLdOptions("")
		options.Algorithm, options.Format, options.DocumentLoader = ld.AlgorithmURDNA2015, "application/n-quads", s.contexts
		want, err := ld.NewJsonLdProcessor().Normalize(v.plain(), options)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if nquads != want {
			t.Fatalf("%s:\n%s\ninstead of\n%s", text, nquads, want)
		}
	})
}
