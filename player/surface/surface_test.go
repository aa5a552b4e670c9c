// SPDX-License-Identifier: AGPL-3.0-or-later

package surface

import (
	"image"
	"math"
	"testing"
	"time"
)

func FuzzFit(f *testing.F) {
	f.Add(1280, 720, 1920, 1080)
	f.Add(1366, 768, 1920, 800)
	f.Add(100, 1000, 720, 576)
	f.Add(0, 0, 0, 0)
	f.Fuzz(func(t *testing.T, w, h, vw, vh int) {
		w, h, vw, vh = w%20000, h%20000, vw%20000, vh%20000
		room := image.Pt(w, h)
		r := fit(room, image.Pt(vw, vh))
		if r.Empty() {
			return
		}
		if r.Dx()%align != 0 || !r.In(image.Rectangle{Max: room}) || r.Dx() > maxSide || r.Dy() > maxSide {
			t.Fatalf("room %v, video %dx%d: %v", room, vw, vh, r)
		}
		if want := float64(r.Dx()) * float64(vh) / float64(vw); math.Abs(want-float64(r.Dy())) > 1 && r.Dy() != maxSide && r.Dy() != h {
			t.Errorf("room %v, video %dx%d: %v is out of shape", room, vw, vh, r)
		}
		area := r.Dx() * r.Dy()
		for _, bar := range around(room, r) {
			if bar.Overlaps(r) {
				t.Errorf("%v lies over the picture %v", bar, r)
			}
			area += bar.Dx() * bar.Dy()
		}
		if area != w*h {
			t.Errorf("room %v, picture %v: the bars leave a gap", room, r)
		}
	})
}

func TestBuffersNeverDrawOnWhatIsSeen(t *testing.T) {
	var b buffers
	now := time.Now()
	if b.next(now) != nil {
		t.Error("a picture without a size")
	}
	b.resize(image.Pt(16, 9))
	seen := map[*image.RGBA]bool{}
	for range 20 {
		img := b.next(now)
		if img == nil || img == b.front || img == b.ready {
			t.Fatal("draws on a picture in use")
		}
		seen[img] = true
		b.drawn(img, true, now)
		if other := b.next(now); other == b.front || other == b.ready {
			t.Fatal("draws on a picture in use")
		} else {
			seen[other] = true
			b.drawn(other, false, now)
		}
		if b.fetch() != img {
			t.Fatal("not the newest picture")
		}
	}
	if len(seen) > 3 {
		t.Errorf("%d pictures in memory", len(seen))
	}
	if b.count() != 20 {
		t.Errorf("%d painted", b.count())
	}
	b.fetch()
	if b.count() != 20 {
		t.Error("the same picture counts twice")
	}
	b.resize(image.Pt(32, 18))
	if img := b.next(now); img.Rect.Dx() != 32 || b.fetch().Rect.Dx() != 16 {
		t.Error("the old picture is gone before there is a new one")
	}
}

func TestBuffersRestWhenUnseen(t *testing.T) {
	var b buffers
	b.resize(image.Pt(16, 9))
	now := time.Now()
	drawn := 0
	for range 300 { // ten seconds that nobody fetches
		if img := b.next(now); img != nil {
			drawn++
			b.drawn(img, true, now)
		}
		now = now.Add(time.Second / 30)
	}
	if drawn < 40 || drawn > 60 {
		t.Errorf("%d pictures drawn", drawn)
	}
	b.fetch()
	for range 10 {
		img := b.next(now)
		if img == nil {
			t.Fatal("rests though it is seen")
		}
		b.drawn(img, true, now)
		b.fetch()
		now = now.Add(time.Second / 30)
	}
}
