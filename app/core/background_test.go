// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"testing"
)

func TestBackgroundWorkEndsWithTheProgram(t *testing.T) {
	var a App
	ended := false
	a.Go(func(ctx context.Context) { <-ctx.Done(); ended = true })
	a.background.end()
	if !ended {
		t.Error("the work goes on")
	}
	after := make(chan error, 1)
	a.Go(func(ctx context.Context) { after <- ctx.Err() })
	if <-after == nil {
		t.Error("work after the end is not told to stop")
	}
}

func TestWordsAndWhatIsNone(t *testing.T) {
	dir := t.TempDir()
	for arg, want := range map[string]bool{
		"folow": true, "doctor": true, "": false, "video.example": false, "localhost": false, "localhost:9000": false,
		"./x": false, "ann@video": false, "magnet:?xt=x": false, "0123456789012345678901234567890123456789": false,
	} {
		if IsWord(arg, dir) != want {
			t.Errorf("%q: %v", arg, !want)
		}
	}
}
