// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"cmp"
	"slices"
)

// biggestShare is the part of a budget, one in so many, that a video may take in its best rendition.
// Past it a smaller one is held where there is one: five small copies help more people than one big one.
const biggestShare = 5

// HeldVideo is what is held already of a video.
type HeldVideo struct {
	Bytes int64 // that it takes of the budget when it is whole
	Seeds bool  // it is whole, so that this machine is one of its seeders
}

// Wish is what a Support may hold.
type Wish struct {
	Order   string
	Budget  int64 // bytes
	Refused []string
	// Held are the videos held, by UUID: they are not fetched anew in another rendition.
	Held map[string]HeldVideo
}

// Choice is a video to hold.
type Choice struct {
	UUID      string
	Rendition int // index in Video.Renditions, -1 as it is held
	Bytes     int64
}

// Sorted returns the videos in the order they are held in, those that were refused left out. It depends
// on nothing else than its arguments.
//
// The rarest are those with the fewest other seeders. One whose seeders nobody tells counts as one with
// the origin alone; of equals the one with fewer views comes first, then the newer one. A video that is
// held loses its place only to one that is rarer by two, so that copies are not fetched and deleted
// with each seeder that comes and goes.
func (w Wish) Sorted(videos []Video) []Video {
	list := slices.Clone(videos)
	list = slices.DeleteFunc(list, func(v Video) bool { return slices.Contains(w.Refused, v.UUID) })
	newest := func(x, y Video) int {
		return cmp.Or(y.Published.Compare(x.Published), cmp.Compare(x.UUID, y.UUID))
	}
	if w.Order != OrderRarest {
		slices.SortFunc(list, newest)
		return list
	}
	others := func(v Video) int {
		held, ok := w.Held[v.UUID]
		n := v.Seeders
		if n < 0 {
			n = 1
		} else if held.Seeds {
			n = max(n-1, 0)
		}
		if ok {
			n--
		}
		return n
	}
	slices.SortFunc(list, func(x, y Video) int {
		return cmp.Or(cmp.Compare(others(x), others(y)), cmp.Compare(x.Views, y.Views), newest(x, y))
	})
	return list
}

// Choose returns the videos to hold, in their order, within the budget. One that does not fit any more
// is passed over for a smaller one behind it. Of what was not looked at nothing is chosen, save what is
// held.
func (w Wish) Choose(videos []Video) (choices []Choice) {
	left := w.Budget
	for _, v := range w.Sorted(videos) {
		c := Choice{UUID: v.UUID, Rendition: -1}
		if held, ok := w.Held[v.UUID]; ok {
			c.Bytes = held.Bytes
		} else if c.Rendition = w.Fit(v, left); c.Rendition >= 0 {
			c.Bytes = v.Renditions[c.Rendition].Bytes
		} else {
			continue
		}
		if c.Bytes > left {
			continue
		}
		left -= c.Bytes
		choices = append(choices, c)
	}
	return choices
}

// Fit returns the index of the rendition to hold where so many bytes are left: the best that takes no
// more than its share of the budget, else the smallest. It is -1 where none fits.
func (w Wish) Fit(v Video, left int64) int {
	smallest := -1
	for i, r := range v.Renditions { // best first
		switch {
		case r.Bytes <= 0 || r.Bytes > left:
			continue
		case r.Bytes <= w.Budget/biggestShare:
			return i
		case smallest < 0 || r.Bytes < v.Renditions[smallest].Bytes:
			smallest = i
		}
	}
	return smallest
}

// Full reports whether nothing more is worth looking for: what is chosen fills the budget but for less
// than one in fifty.
func (w Wish) Full(choices []Choice) bool {
	used := int64(0)
	for _, c := range choices {
		used += c.Bytes
	}
	return w.Budget-used < w.Budget/50
}
