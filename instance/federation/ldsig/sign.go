// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	securityNS    = "https://w3id.org/security#"
	signatureType = "RsaSignature2017"
	// createdLayout is ISO 8601 with milliseconds, in UTC.
	createdLayout = "2006-01-02T15:04:05.000Z"
)

// Hashes are what a signature is made over.
type Hashes struct {
	// OptionsHash and DocumentHash are lower-case hex of the SHA-256 of the N-Quads.
	OptionsHash, DocumentHash string
	// OptionsNQuads and DocumentNQuads are the canonical N-Quads (URDNA2015).
	OptionsNQuads, DocumentNQuads string
}

// signed is what is signed: the two hashes, one after the other.
func (h Hashes) signed() []byte { return []byte(h.OptionsHash + h.DocumentHash) }

// Sign returns body with a "signature" by creator (the id of the actor whose key it is) as its last
// member; one that is there already is replaced, the rest stays byte for byte. The body's context
// has to define what a signature consists of, because receivers read the whole body through it; a
// member, type or id that the context gives no meaning is ErrUnknownTerm.
func (s *Suite) Sign(ctx context.Context, body []byte, creator string, key *rsa.PrivateKey, created time.Time) ([]byte, error) {
	if key == nil {
		return nil, fmt.Errorf("signing an activity: %w", errNoKey)
	}
	ctx, done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	bare, err := s.unsigned(body)
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	v, text, err := s.read(bare)
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	if err := s.survives(&v, text); err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	signature := struct {
		Type    string `json:"type"`
		Creator string `json:"creator"`
		Created string `json:"created"`
		Value   string `json:"signatureValue"`
	}{Type: signatureType, Creator: creator, Created: created.UTC().Format(createdLayout)}
	options, err := json.Marshal(signature)
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	o, _, err := s.read(options)
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	hashes, _, err := s.hashes(ctx, &v, text, &o, escapeShort)
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	digest := sha256.Sum256(hashes.signed())
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	signature.Value = base64.StdEncoding.EncodeToString(raw)
	member, err := json.Marshal(signature)
	if err != nil {
		return nil, fmt.Errorf("signing an activity: %w", err)
	}
	comma := ","
	if len(v.members) == 0 {
		comma = ""
	}
	return []byte(text[:v.end-1] + comma + `"signature":` + string(member) + "}"), nil
}

// unsigned is body without its signature.
func (s *Suite) unsigned(body []byte) ([]byte, error) {
	v, text, err := s.read(body)
	if err != nil {
		return nil, err
	}
	for i := range v.members {
		if v.members[i].name != "signature" {
			continue
		}
		from, to := v.members[i].start, v.members[i].end
		switch {
		case i > 0:
			from = v.members[i-1].end
		case len(v.members) > 1:
			to = v.members[1].start
		}
		return []byte(text[:from] + text[to:]), nil
	}
	return body, nil
}

// survives says whether a receiver that reads the body through its context still finds the
// signature afterwards.
func (s *Suite) survives(v *value, text string) error {
	local := v.get("@context")
	if local == nil {
		return fmt.Errorf("%w: the body has no @context", ErrUnknownTerm)
	}
	sc, err := s.contexts.scope(nil, local, text, newBudget())
	if err != nil {
		return err
	}
	for _, name := range []string{"signature", "creator", "created", "signatureValue", signatureType} {
		if t := sc.terms[name]; t == nil || *t != *s.options.terms[name] {
			return fmt.Errorf("%w: the context lacks %q of %s", ErrUnknownTerm, name, securityURL)
		}
	}
	return nil
}

// Hashes normalises body and the options of its signature.
func (s *Suite) Hashes(ctx context.Context, body []byte) (Hashes, error) {
	ctx, done, err := s.turn(ctx)
	if err != nil {
		return Hashes{}, err
	}
	defer done()
	v, text, err := s.read(body)
	if err != nil {
		return Hashes{}, err
	}
	signature, err := find(&v)
	if err != nil {
		return Hashes{}, err
	}
	hashes, _, err := s.hashes(ctx, &v, text, signature, escapeShort)
	return hashes, err
}

// hashes normalises body and options. varies says that the N-Quads depend on the escaper.
func (s *Suite) hashes(ctx context.Context, body *value, text string, signature *value, e escaper) (h Hashes, varies bool, err error) {
	options := value{kind: kindObject}
	for _, m := range signature.members {
		switch m.name {
		case "type", "id", "signatureValue":
		case "@context":
			return h, false, fmt.Errorf("%w: a signature with an @context", ErrAmbiguous)
		default:
			options.members = append(options.members, m)
		}
	}
	if h.OptionsNQuads, varies, err = s.normalize(ctx, s.options, &options, text, e); err != nil {
		return h, false, fmt.Errorf("reading the signature: %w", err)
	}
	document := value{kind: kindObject, members: make([]member, 0, len(body.members))}
	for _, m := range body.members {
		if m.name != "signature" {
			document.members = append(document.members, m)
		}
	}
	nquads, also, err := s.normalize(ctx, nil, &document, text, e)
	if err != nil {
		return h, false, err
	}
	h.DocumentNQuads = nquads
	h.OptionsHash, h.DocumentHash = hexSum(h.OptionsNQuads), hexSum(h.DocumentNQuads)
	return h, varies || also, nil
}

func hexSum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// normalize writes a document as canonical N-Quads.
func (s *Suite) normalize(ctx context.Context, sc *scope, v *value, text string, e escaper) (nquads string, varies bool, err error) {
	w := walker{
		contexts: s.contexts, text: text, labels: map[string]int32{}, maxBlank: s.o.MaxBlankNodes,
		escape: e, described: map[string]bool{}, budget: newBudget(), quads: make([]quad, 0, 64),
	}
	_, err = w.object(sc, v, true)
	if err == errScoped { //nolint:errorlint // a mark inside this package, never wrapped
		err = w.expandWithJSONGold(v)
	}
	if err != nil {
		return "", false, err
	}
	if len(w.quads) == 0 {
		return "", false, fmt.Errorf("%w: nothing in it could be signed", ErrUnknownTerm)
	}
	nquads, err = canonicalize(ctx, w.quads, int(w.blank), maxWork)
	return nquads, w.varies, err
}

// find is the signature of a body.
func find(v *value) (*value, error) {
	signature := v.get("signature")
	if signature == nil || signature.kind != kindObject {
		return nil, ErrNoSignature
	}
	if t := signature.get("type"); t == nil || t.kind != kindString || t.text != signatureType {
		return nil, fmt.Errorf("%w: the signature is of another type", ErrNoSignature)
	}
	return signature, nil
}

// Creator reads who signed body, without the fragment, and when; nothing is checked. Whoever acts
// on a body makes sure that the creator is its actor and that the key handed to Verify is theirs.
func Creator(body []byte) (creator string, created time.Time, err error) {
	v, _, err := read(body, Options{}.withDefaults())
	if err != nil {
		return "", time.Time{}, err
	}
	signature, err := find(&v)
	if err != nil {
		return "", time.Time{}, err
	}
	who, when := signature.get("creator"), signature.get("created")
	if who == nil || who.kind != kindString || who.text == "" || when == nil || when.kind != kindString {
		return "", time.Time{}, fmt.Errorf("%w: creator or created is missing", ErrNoSignature)
	}
	created, err = time.Parse(time.RFC3339, when.text)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%w: created is no time: %w", ErrNoSignature, err)
	}
	creator, _, _ = strings.Cut(who.text, "#")
	return creator, created, nil
}
