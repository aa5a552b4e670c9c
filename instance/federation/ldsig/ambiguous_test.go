// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"
)

const (
	testContext = `"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1",{"RsaSignature2017":"https://w3id.org/security#RsaSignature2017"}]`
	testActor   = "https://a.example/accounts/alice"
)

// withContext is a context with one more object.
func withContext(object string) string {
	return strings.TrimSuffix(testContext, "]") + "," + object + "]"
}

func testKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// What could be read in two ways is refused on both sides, before any key is looked at.
func TestTwoReadings(t *testing.T) {
	const rest = `"id":"https://a.example/1","type":"Undo","actor":"https://a.example/accounts/alice","object":"https://b.example/2"`
	s, key := suite(t), testKey(t)
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"the same name twice":             {`{` + testContext + `,` + rest + `,"object":"https://c.example/3"}`, ErrAmbiguous},
		"the same name, escaped":          {`{` + testContext + `,` + rest + `,"obj\u0065ct":"https://c.example/3"}`, ErrAmbiguous},
		"the same name, another case":     {`{` + testContext + `,` + rest + `,"Object":null}`, ErrAmbiguous},
		"the same name, a Kelvin sign":    {`{` + withContext(`{"kind":"x:k"}`) + `,` + rest + `,"kind":1,"\u212aind":null}`, ErrAmbiguous},
		"a name of another case":          {`{` + testContext + `,"id":"https://a.example/1","type":"Undo","Actor":"https://a.example/accounts/alice"}`, ErrAmbiguous},
		"@graph":                          {`{` + testContext + `,` + rest + `,"@graph":[{"id":"https://c.example/3","type":"Note"}]}`, ErrAmbiguous},
		"@included":                       {`{` + testContext + `,` + rest + `,"@included":[{"id":"https://c.example/3","type":"Note"}]}`, ErrAmbiguous},
		"@reverse":                        {`{` + testContext + `,` + rest + `,"@reverse":{"object":{"id":"https://c.example/3","type":"Note"}}}`, ErrAmbiguous},
		"@nest":                           {`{` + testContext + `,` + rest + `,"@nest":{"target":"https://c.example/3"}}`, ErrAmbiguous},
		"@id beside id":                   {`{` + testContext + `,` + rest + `,"@id":"https://c.example/3"}`, ErrAmbiguous},
		"@type":                           {`{` + testContext + `,"id":"https://a.example/1","@type":"Undo","actor":"https://a.example/accounts/alice"}`, ErrAmbiguous},
		"@value":                          {`{` + testContext + `,` + rest + `,"content":{"@value":"x"}}`, ErrAmbiguous},
		"an alias of @graph":              {`{` + withContext(`{"graph":"@graph"}`) + `,` + rest + `,"graph":[{"id":"https://c.example/3","type":"Note"}]}`, ErrAmbiguous},
		"an alias of @id":                 {`{` + withContext(`{"uri":"@id"}`) + `,"uri":"https://a.example/1","type":"Undo"}`, ErrAmbiguous},
		"an alias of object":              {`{` + withContext(`{"thing":{"@id":"as:object","@type":"@id"}}`) + `,` + rest + `,"thing":"https://c.example/3"}`, ErrAmbiguous},
		"an alias of a type":              {`{` + withContext(`{"Follow":"as:Undo"}`) + `,` + rest + `}`, ErrAmbiguous},
		"an alias of a PeerTube member":   {`{` + withContext(`{"x":"https://joinpeertube.org/ns#uuid"}`) + `,` + rest + `,"x":"1"}`, ErrAmbiguous},
		"object means something else":     {`{` + withContext(`{"object":{"@id":"https://x.example/o","@type":"@id"}}`) + `,` + rest + `}`, ErrAmbiguous},
		"object is hidden":                {`{` + withContext(`{"object":null}`) + `,` + rest + `}`, ErrAmbiguous},
		"object is hidden by its id":      {`{` + withContext(`{"object":{"@id":null}}`) + `,` + rest + `}`, ErrAmbiguous},
		"actor is a string":               {`{` + withContext(`{"actor":"as:actor"}`) + `,` + rest + `}`, ErrAmbiguous},
		"id is no id":                     {`{` + withContext(`{"id":"https://x.example/id"}`) + `,` + rest + `}`, ErrAmbiguous},
		"a reversed member":               {`{` + withContext(`{"back":{"@reverse":"as:object"}}`) + `,` + rest + `,"back":"https://c.example/3"}`, ErrAmbiguous},
		"a scoped context":                {`{` + withContext(`{"Undo2":{"@id":"https://x.example/U","@context":{"object":null}}}`) + `,` + rest + `}`, ErrAmbiguous},
		"a default language":              {`{` + withContext(`{"@language":"de"}`) + `,` + rest + `,"content":"x"}`, ErrAmbiguous},
		"another vocabulary":              {`{` + withContext(`{"@vocab":"https://x.example/"}`) + `,` + rest + `}`, ErrAmbiguous},
		"another base":                    {`{` + withContext(`{"@base":"https://x.example/"}`) + `,` + rest + `}`, ErrAmbiguous},
		"an imported context":             {`{` + withContext(`{"@import":"https://w3id.org/security/v1"}`) + `,` + rest + `}`, ErrAmbiguous},
		"a context that takes all back":   {`{"@context":["https://www.w3.org/ns/activitystreams",null,"https://w3id.org/security/v1"],` + rest + `}`, ErrAmbiguous},
		"a prefix for an id":              {`{` + withContext(`{"v":"https://victim.example/"}`) + `,"id":"https://a.example/1","type":"Undo","object":"v:1"}`, ErrAmbiguous},
		"a prefix for a type":             {`{` + testContext + `,"id":"https://a.example/1","type":"as:Undo"}`, ErrAmbiguous},
		"a type's whole IRI":              {`{` + testContext + `,"id":"https://a.example/1","type":"https://www.w3.org/ns/activitystreams#Undo"}`, ErrAmbiguous},
		"a member's whole IRI":            {`{` + testContext + `,` + rest + `,"https://www.w3.org/ns/activitystreams#target":"https://c.example/3"}`, ErrUnknownTerm},
		"a scheme as a prefix":            {`{` + withContext(`{"https":"https://victim.example/"}`) + `,"id":"https://a.example/1","type":"Undo","object":"https:x"}`, ErrAmbiguous},
		"an array in an array":            {`{` + testContext + `,"id":"https://a.example/1","type":"Undo","object":[["https://c.example/3"]]}`, ErrAmbiguous},
		"the activity in its own object":  {`{` + testContext + `,"id":"https://a.example/1","type":"Undo","object":{"id":"https://b.example/2","type":"Follow","object":"https://a.example/1"}}`, ErrAmbiguous},
		"an object in two halves":         {`{` + testContext + `,"id":"https://a.example/1","type":"Create","object":{"id":"https://b.example/2","content":"x"},"target":{"id":"https://b.example/2","name":"y"}}`, ErrAmbiguous},
		"a number beyond 2^53":            {`{` + testContext + `,` + rest + `,"duration":9007199254740993}`, ErrAmbiguous},
		"half a character":                {`{` + testContext + `,` + rest + `,"content":"\ud800"}`, ErrAmbiguous},
		"not UTF-8":                       {`{` + testContext + `,` + rest + ",\"content\":\"\xff\"}", ErrAmbiguous},
		"a line feed in an id":            {`{` + testContext + `,"id":"https://a.example/1","object":"https://b.example/> <x:p> <x:o> .\n<x:s"}`, ErrUnknownTerm},
		"a relative id":                   {`{` + testContext + `,"id":"/1","type":"Undo"}`, ErrUnknownTerm},
		"a member in no context":          {`{` + testContext + `,` + rest + `,"startAt":1}`, ErrUnknownTerm},
		"a type in no context":            {`{` + testContext + `,"id":"https://a.example/1","type":"View2"}`, ErrUnknownTerm},
		"no context":                      {`{` + rest + `}`, ErrUnknownTerm},
		"an unknown context":              {`{"@context":["https://www.w3.org/ns/activitystreams","https://evil.example/c"],` + rest + `}`, ErrUnknownContext},
		"an unknown context in an object": {`{` + testContext + `,"id":"https://a.example/1","type":"Undo","object":{"@context":"https://evil.example/c","id":"https://b.example/2","type":"Follow"}}`, ErrUnknownContext},
		"a nested context that redefines": {`{` + testContext + `,"id":"https://a.example/1","type":"Undo","object":{"@context":{"actor":"https://x.example/a"},"id":"https://b.example/2","type":"Follow"}}`, ErrAmbiguous},
		"not JSON":                        {`{` + testContext + `,` + rest, ErrSyntax},
		"an array":                        {`[]`, ErrSyntax},
		"too deep":                        {`{` + testContext + `,"object":` + strings.Repeat(`{"object":`, 40) + `1` + strings.Repeat(`}`, 41), ErrTooComplex},
		"too many values":                 {`{` + testContext + `,"to":[` + strings.Repeat(`1,`, 30000) + `1]}`, ErrTooComplex},
		"too long":                        {`{` + testContext + `,"content":"` + strings.Repeat("x", 1<<20) + `"}`, ErrTooComplex},
		"too many blank nodes":            {`{` + testContext + `,"id":"https://a.example/1","object":[` + strings.Repeat(`{},`, 5000) + `{}]}`, ErrTooComplex},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Sign(t.Context(), []byte(c.body), testActor, key, time.Now()); !errors.Is(err, c.want) {
				t.Errorf("signing: %v", err)
			}
			signed := strings.TrimSuffix(c.body, "}") + `,"signature":{"type":"RsaSignature2017","creator":"` + testActor + `","created":"2026-11-22T15:25:25.787Z","signatureValue":"AAAA"}}`
			if strings.HasSuffix(c.body, "}") {
				if err := s.Verify(t.Context(), []byte(signed), &key.PublicKey); !errors.Is(err, c.want) {
					t.Errorf("verifying: %v", err)
				}
			}
		})
	}
}

func TestSignThenVerify(t *testing.T) {
	s, key, other := suite(t), testKey(t), testKey(t)
	created := time.Date(2026, 11, 22, 15, 4, 5, 6e6, time.FixedZone("", 3600))
	for name, body := range map[string]string{
		"follow":         `{` + testContext + `,"type":"Follow","id":"https://a.example/1","actor":"https://a.example/accounts/alice","object":"https://b.example/2"}`,
		"context last":   `{"type":"Follow","id":"https://a.example/1","actor":"https://a.example/accounts/alice",` + testContext + ` } `,
		"signed before":  `{` + testContext + `,"signature":{"type":"RsaSignature2017"},"type":"Follow","id":"https://a.example/1"}`,
		"signed first":   `{"signature":{"type":"RsaSignature2017"}, ` + testContext + `,"type":"Follow","id":"https://a.example/1"}`,
		"tabs":           `{` + testContext + `,"type":"Note","id":"https://a.example/1","content":"a\tb\u0008\u007f","contentMap":{"en":"x","de-AT":["y","z"]}}`,
		"as:Public":      `{` + testContext + `,"type":"Note","id":"https://a.example/1","to":"as:Public","cc":["acct:x@b.example","tag:b.example,2026:x"]}`,
		"nested context": `{` + testContext + `,"type":"Accept","id":"https://a.example/1","object":{"@context":"https://www.w3.org/ns/activitystreams","id":"https://b.example/2","type":"Follow"}}`,
		"numbers":        `{` + testContext + `,"type":"Note","id":"https://a.example/1","accuracy":[1.5,0.1,-2,1e3,1e-7,0],"name":true}`,
		"as Mastodon": `{` + withContext(`{"ostatus":"http://ostatus.org#","atomUri":"ostatus:atomUri","inReplyToAtomUri":"ostatus:inReplyToAtomUri","conversation":"ostatus:conversation","sensitive":"as:sensitive","toot":"http://joinmastodon.org/ns#","votersCount":"toot:votersCount","Hashtag":"as:Hashtag","Emoji":"toot:Emoji","focalPoint":{"@container":"@list","@id":"toot:focalPoint"},"blurhash":"toot:blurhash","gts":"https://gotosocial.org/ns#","interactionPolicy":{"@id":"gts:interactionPolicy","@type":"@id"},"canQuote":{"@id":"gts:canQuote","@type":"@id"},"automaticApproval":{"@id":"gts:automaticApproval","@type":"@id"},"manuallyApprovesFollowers":"as:manuallyApprovesFollowers","movedTo":{"@id":"as:movedTo","@type":"@id"},"alsoKnownAs":{"@id":"as:alsoKnownAs","@type":"@id"},"schema":"http://schema.org#","PropertyValue":"schema:PropertyValue","value":"schema:value","discoverable":"toot:discoverable","quoteUri":"http://fedibird.com/ns#quoteUri","_misskey_quote":"https://misskey-hub.net/ns#_misskey_quote"}`) +
			`,"id":"https://m.example/users/x/statuses/1/activity","type":"Create","actor":"https://m.example/users/x","published":"2026-11-22T15:00:00Z","to":["https://www.w3.org/ns/activitystreams#Public"],"cc":["https://m.example/users/x/followers"],"object":{"id":"https://m.example/users/x/statuses/1","type":"Note","summary":null,"inReplyTo":"https://b.example/1","url":"https://m.example/@x/1","attributedTo":"https://m.example/users/x","to":["https://www.w3.org/ns/activitystreams#Public"],"sensitive":false,"atomUri":"https://m.example/users/x/statuses/1","inReplyToAtomUri":null,"conversation":"tag:m.example,2026:objectId=1:objectType=Conversation","context":"https://m.example/contexts/1","content":"<p>Hi</p>","contentMap":{"en":"<p>Hi</p>"},"interactionPolicy":{"canQuote":{"automaticApproval":["https://www.w3.org/ns/activitystreams#Public"]}},"attachment":[{"type":"Document","mediaType":"image/jpeg","url":"https://m.example/a.jpg","name":null,"blurhash":"U1","focalPoint":[0.0,-0.5],"width":10,"height":20}],"tag":[{"type":"Mention","href":"https://b.example/u","name":"@u@b.example"},{"type":"Hashtag","href":"https://m.example/tags/x","name":"#x"}],"replies":{"id":"https://m.example/users/x/statuses/1/replies","type":"Collection","first":{"type":"CollectionPage","next":"https://m.example/users/x/statuses/1/replies?page=true","partOf":"https://m.example/users/x/statuses/1/replies","items":[]}},"likes":{"id":"https://m.example/users/x/statuses/1/likes","type":"Collection","totalItems":0}}}`,
		"integrity proof": strings.Replace(testContext, "]", `,"https://w3id.org/security/data-integrity/v1"]`, 1),
	} {
		if name == "integrity proof" {
			body = `{` + body + `,"type":"Note","id":"https://a.example/1","content":"x","proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","verificationMethod":"https://a.example/accounts/alice#ed25519","proofPurpose":"assertionMethod","proofValue":"z3","created":"2026-11-22T15:25:25Z"}}`
		}
		t.Run(name, func(t *testing.T) {
			signed, err := s.Sign(t.Context(), []byte(body), testActor, key, created)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(signed), `"signature"`) != 1 {
				t.Errorf("%s", signed)
			}
			if err := s.Verify(t.Context(), signed, &key.PublicKey); err != nil {
				t.Errorf("%v: %s", err, signed)
			}
			if err := s.Verify(t.Context(), signed, &other.PublicKey); !errors.Is(err, ErrBadSignature) {
				t.Errorf("with another's key: %v", err)
			}
			who, when, err := Creator(signed)
			if err != nil || who != testActor || !when.Equal(created) {
				t.Error(who, when, err)
			}
			if !strings.Contains(string(signed), `"created":"2026-11-22T14:04:05.006Z"`) {
				t.Errorf("%s", signed)
			}
		})
	}
}

func TestSignNeedsTheSecurityContext(t *testing.T) {
	body := `{"@context":"https://www.w3.org/ns/activitystreams","type":"Follow","id":"https://a.example/1"}`
	if _, err := suite(t).Sign(t.Context(), []byte(body), testActor, testKey(t), time.Now()); !errors.Is(err, ErrUnknownTerm) {
		t.Error(err)
	}
}

func TestNoSignature(t *testing.T) {
	s, key := suite(t), testKey(t)
	for _, signature := range []string{``, `,"signature":null`, `,"signature":[]`, `,"signature":{"type":"Ed25519Signature2018"}`} {
		body := `{` + testContext + `,"type":"Follow","id":"https://a.example/1"` + signature + `}`
		if err := s.Verify(t.Context(), []byte(body), &key.PublicKey); !errors.Is(err, ErrNoSignature) {
			t.Errorf("%s: %v", signature, err)
		}
		if _, _, err := Creator([]byte(body)); !errors.Is(err, ErrNoSignature) {
			t.Errorf("%s: %v", signature, err)
		}
	}
}

// Contexts are not signed: one that takes a body to json-gold must not bring in what that drops.
func TestNothingIsDroppedUnsigned(t *testing.T) {
	s, key := suite(t), testKey(t)
	signed, err := s.Sign(t.Context(), []byte(`{`+testContext+`,"id":"https://a.example/1","type":"Update","actor":"https://a.example/accounts/alice",`+
		`"object":{"id":"https://a.example/n/1","type":"Note","content":"hello","url":["https://a.example/n/1"]}}`), testActor, key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	swap := func(text, old, with string) string {
		t.Helper()
		out := strings.Replace(text, old, with, 1)
		if out == text {
			t.Fatalf("no %s in %s", old, text)
		}
		return out
	}
	scoped := swap(string(signed), `{"RsaSignature2017"`, `"https://w3id.org/security/data-integrity/v1",{"RsaSignature2017"`)
	if err := s.Verify(t.Context(), []byte(scoped), &key.PublicKey); err != nil {
		t.Errorf("a context alone: %v", err)
	}
	for _, id := range []string{"ht1p://127.0.0.1:90E2/x", "http://[::1/x", "https://a.example/%zz", "rel/ative", "0:x", ""} {
		link := `{"id":"` + id + `","type":"Link","mediaType":"video/mp4","href":"https://evil.example/v.mp4"}`
		forged := swap(scoped, `"url":["https://a.example/n/1"]`, `"url":[`+link+`,"https://a.example/n/1"]`)
		for _, proof := range []string{`"proof":` + link + `,`, `"proof":{"id":"` + id + `","type":"DataIntegrityProof","proofValue":"z3"},`, `"proof":[],`, `"proof":"",`} {
			if err := s.Verify(t.Context(), []byte(swap(forged, `"type":"Update"`, proof+`"type":"Update"`)), &key.PublicKey); err == nil {
				t.Errorf("an unsigned link %q passes with %s", id, proof)
			}
		}
	}
}
