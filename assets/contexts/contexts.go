// SPDX-License-Identifier: AGPL-3.0-or-later

// Package contexts embeds the JSON-LD contexts that ActivityPub bodies name, so that none is ever
// fetched. It holds bytes only; whoever checks Linked Data signatures hands them to what does.
package contexts

import _ "embed"

var (
	//go:embed activitystreams.json
	activityStreams []byte
	//go:embed security-v1.json
	security []byte
	//go:embed security-multikey-v1.json
	multikey []byte
	//go:embed security-data-integrity-v1.json
	dataIntegrityV1 []byte
	//go:embed security-data-integrity-v2.json
	dataIntegrityV2 []byte
)

// Files are the context documents by URL, under every spelling in use of each. The map is the
// caller's own; the documents must not be changed.
func Files() map[string][]byte {
	return map[string][]byte{
		"https://www.w3.org/ns/activitystreams":                activityStreams,
		"https://www.w3.org/ns/activitystreams#":               activityStreams,
		"https://www.w3.org/ns/activitystreams.jsonld":         activityStreams,
		"http://www.w3.org/ns/activitystreams":                 activityStreams,
		"http://www.w3.org/ns/activitystreams#":                activityStreams,
		"https://w3id.org/security/v1":                         security,
		"http://w3id.org/security/v1":                          security,
		"https://web-payments.org/contexts/security-v1.jsonld": security,
		"https://w3id.org/security/multikey/v1":                multikey,
		"https://w3id.org/security/data-integrity/v1":          dataIntegrityV1,
		"https://w3id.org/security/data-integrity/v2":          dataIntegrityV2,
	}
}
