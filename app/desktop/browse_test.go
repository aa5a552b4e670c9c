// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"context"
	"errors"
	"testing"

	"fyne.io/fyne/v2/test"

	"shoal/peer/peertube"
)

func (r *rig) openInstance() {
	r.t.Helper()
	r.w.bar.open("https://video.example")
	r.until("the cards", func() bool { return len(r.w.browse.cards) > 0 })
}

func TestBrowseShowsCardsWithPictures(t *testing.T) {
	r := newRig(t)
	r.shoot("browse-welcome")
	r.openInstance()
	if n := len(r.w.browse.cards); n != pageSize {
		t.Fatalf("%d cards, want %d", n, pageSize)
	}
	r.until("pictures", func() bool {
		n := 0
		for _, c := range r.w.browse.cards {
			if !c.picture.Hidden {
				n++
			}
		}
		return n == 21 // three of the 24 have none
	})
	if got := r.w.browse.name.words; got != "Fish & Film" {
		t.Errorf("the instance is called %q", got)
	}
	r.shoot("browse")
}

func TestBrowsePagesAndSorts(t *testing.T) {
	r := newRig(t)
	r.openInstance()
	test.Tap(r.w.browse.forward)
	test.Tap(r.w.browse.forward) // a second page turn drops the first one's question
	r.until("the third page", func() bool { return len(r.w.browse.cards) == 12 })
	if !r.w.browse.forward.Disabled() || r.w.browse.back.Disabled() {
		t.Error("on the last page one goes back only")
	}
	if got := r.w.browse.count.words; got != "49 to 60 of 60" {
		t.Errorf("count says %q", got)
	}
	r.w.browse.sorts.SetSelectedIndex(1)
	r.until("the other order", func() bool { return r.catalog.noted("videos https://video.example 0 -views") })
}

func TestBrowseSearches(t *testing.T) {
	r := newRig(t)
	r.openInstance()
	r.w.browse.search.SetText("nothing")
	r.w.browse.search.OnSubmitted("nothing")
	r.until("no result", func() bool {
		return r.catalog.noted(`search https://video.example "nothing"`) && len(r.w.browse.cards) == 0
	})
	r.shoot("browse-nothing-found")
}

func TestBrowseSaysWhatFailedAndTriesAgain(t *testing.T) {
	r := newRig(t)
	r.catalog.err = &peertube.Error{Code: peertube.CodeUnreachable, Text: "video.example does not answer: check the address and your connection, then try again", Err: errors.New("refused")}
	r.w.bar.open("https://video.example")
	r.until("the failure", func() bool {
		return r.catalog.noted("videos https://video.example 0 -publishedAt") && findText(r.w.browse.root, "This instance could not be read")
	})
	if !findText(r.w.browse.root, "does not answer") {
		t.Error("the reason is not shown")
	}
	r.shoot("browse-error")
	r.catalog.err = nil
	test.Tap(findButton(t, r.w.browse.root, "Try again"))
	r.until("the cards", func() bool { return len(r.w.browse.cards) > 0 })
}

func TestBrowseEmptyInstance(t *testing.T) {
	r := newRig(t)
	r.catalog.total = 0
	r.w.bar.open("https://video.example")
	r.until("the empty state", func() bool { return findText(r.w.browse.root, "No videos here yet") })
}

func TestThumbnailsAreBounded(t *testing.T) {
	r := newRig(t)
	th := newThumbnails(r.loop, r.catalog)
	for i := range thumbnailCache + 10 {
		th.keep(string(rune('a'+i)), nil)
	}
	if th.recent.Len() != thumbnailCache || len(th.byKey) != thumbnailCache {
		t.Errorf("%d pictures kept, want %d", th.recent.Len(), thumbnailCache)
	}
	if _, err := decodeThumbnail(jpegOf(60, 2000, 1)); err != nil {
		t.Errorf("an upright picture: %v", err)
	}
	for _, bad := range [][]byte{nil, []byte("<html>"), jpegOf(20, 20, 1)[:60]} {
		if _, err := decodeThumbnail(bad); err == nil {
			t.Errorf("%d bytes of no picture were taken", len(bad))
		}
	}
}

func TestTaskIsSilentAfterCancel(t *testing.T) {
	r := newRig(t)
	dropped := make(chan int, 1)
	cancel := taking(r.loop, func(context.Context) (int, error) { return 5, nil },
		func(int, error) { t.Error("done was called after cancel") }, func(n int) { dropped <- n })
	cancel()
	r.until("the result to be dropped", func() bool { return len(dropped) == 1 })
}
