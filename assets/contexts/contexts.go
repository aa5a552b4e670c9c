// SPDX-License-Identifier: AGPL-3.0-or-later

// Package contexts embeds the JSON-LD contexts that ActivityPub bodies name, so that none is ever
// fetched. It holds bytes only; whoever checks Linked Data signatures hands them to what does.
package contexts

import "embed"

//go:embed *.json
var files embed.FS

// Files are the context documents by URL, under every spelling in use of each. The map is the
// caller's own; the documents must not be changed.
func Files() map[string][]byte {
	all := make(map[string][]byte)
	for name, urls := range map[string][]string{
		"activitystreams.json": {
			"https://www.w3.org/ns/activitystreams",
			"https://www.w3.org/ns/activitystreams#",
			"https://www.w3.org/ns/activitystreams.jsonld",
			"http://www.w3.org/ns/activitystreams",
			"http://www.w3.org/ns/activitystreams#",
		},
		"security-v1.json": {
			"https://w3id.org/security/v1",
			"http://w3id.org/security/v1",
			"https://web-payments.org/contexts/security-v1.jsonld",
		},
		"security-multikey-v1.json": {
			"https://w3id.org/security/multikey/v1",
		},
		"security-data-integrity-v1.json": {
			"https://w3id.org/security/data-integrity/v1",
		},
		"security-data-integrity-v2.json": {
			"https://w3id.org/security/data-integrity/v2",
		},
	} {
		document, err := files.ReadFile(name)
		if err != nil {
			continue // embedded: the test reads each
		}
		for _, url := range urls {
			all[url] = document
		}
	}
	return all
}
