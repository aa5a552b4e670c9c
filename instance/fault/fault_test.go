// SPDX-License-Identifier: AGPL-3.0-or-later

package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"shoal/instance/fault"
)

func TestAnErrorHasASentenceAndAKind(t *testing.T) {
	err := fault.NotFound("there is no account %s", "zoe").Because(fs.ErrNotExist)
	if err.Error() != "there is no account zoe" || !errors.Is(err, fault.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, fault.ErrRefused) {
		t.Errorf("got %v", err)
	}
	if !fault.Said(err) || fault.Said(fmt.Errorf("storing: %w", err)) || fault.Said(nil) {
		t.Error("what is a sentence is not told")
	}
}
