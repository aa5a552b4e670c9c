// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build bench

package ldsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/piprate/json-gold/ld"
)

// rounds is how often each verification is done in one measurement.
const rounds = 100

// BenchmarkVerify compares the verification of captured posts with plain json-gold (its contexts
// parsed from JSON once) and with jsonld.js in Node, on the same bodies in the same run. The first
// figure of each is milliseconds, the ratios say how many times faster Shoal is.
func BenchmarkVerify(b *testing.B) {
	s := suite(b)
	key := testKey(b)
	names := []string{"Follow-1", "Create-Video-1", "Update-Video-1"}
	job := jsKeys(b, key, 8)
	job.Bench = rounds
	for _, name := range names {
		for _, v := range vectors(b) {
			if v.name == name {
				signed, err := s.Sign(b.Context(), v.body(b), testActor, key, time.Now())
				if err != nil {
					b.Fatal(err)
				}
				job.Bodies = append(job.Bodies, signed)
			}
		}
	}
	js := job.run(b).Milliseconds
	for i, name := range names {
		b.Run(name, func(b *testing.B) {
			var ours, gold float64
			for b.Loop() {
				ours = milliseconds(b, func() error { return s.Verify(b.Context(), job.Bodies[i], &key.PublicKey) })
				gold = milliseconds(b, func() error { return verifyPlain(s.contexts, job.Bodies[i], &key.PublicKey) })
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours, "ms")
			b.ReportMetric(gold, "json-gold-ms")
			b.ReportMetric(js[i], "jsonld.js-ms")
			b.ReportMetric(gold/ours, "x-json-gold")
			b.ReportMetric(js[i]/ours, "x-jsonld.js")
		})
	}
}

// milliseconds is how long f takes: the median of five measurements.
func milliseconds(b *testing.B, f func() error) float64 {
	b.Helper()
	var all []float64
	for range 5 {
		start := time.Now()
		for range rounds {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		all = append(all, float64(time.Since(start))/float64(time.Millisecond)/rounds)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// verifyPlain is a verification as json-gold's documentation has it.
func verifyPlain(loader ld.DocumentLoader, body []byte, key *rsa.PublicKey) error {
	var document map[string]any
	if err := json.Unmarshal(body, &document); err != nil {
		return err
	}
	signature, ok := document["signature"].(map[string]any)
	if !ok {
		return errors.New("no signature")
	}
	delete(document, "signature")
	value, _ := signature["signatureValue"].(string)
	for _, name := range []string{"type", "id", "signatureValue"} {
		delete(signature, name)
	}
	signature["@context"] = []any{securityURL, map[string]any{signatureType: securityNS + signatureType}}
	text := ""
	for _, part := range []any{signature, document} {
		options := ld.NewJsonLdOptions("")
		options.Algorithm, options.Format, options.DocumentLoader = ld.AlgorithmURDNA2015, "application/n-quads", loader
		nquads, err := ld.NewJsonLdProcessor().Normalize(part, options)
		if err != nil {
			return err
		}
		line, _ := nquads.(string)
		text += hexSum(line)
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw)
}
