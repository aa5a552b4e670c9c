// SPDX-License-Identifier: AGPL-3.0-or-later

package contexts

import (
	"encoding/json"
	"testing"
)

func TestFiles(t *testing.T) {
	all := Files()
	if len(all) < 11 {
		t.Fatal(len(all))
	}
	for url, file := range all {
		var document struct {
			Context map[string]any `json:"@context"`
		}
		if err := json.Unmarshal(file, &document); err != nil || len(document.Context) < 3 {
			t.Errorf("%s: %v, %d names", url, err, len(document.Context))
		}
	}
}
