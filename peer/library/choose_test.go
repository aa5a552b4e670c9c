// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func video(name string, daysOld, seeders int, bytes ...int64) Video {
	v := Video{UUID: name, Published: daysAgo(daysOld), Seeders: seeders, Looked: true}
	for _, n := range bytes {
		v.Renditions = append(v.Renditions, Rendition{Bytes: n})
	}
	return v
}

func words(choices []Choice) string {
	var out []string
	for _, c := range choices {
		out = append(out, fmt.Sprintf("%s/%d", c.UUID, c.Rendition))
	}
	return strings.Join(out, " ")
}

func TestWhatASupportChooses(t *testing.T) {
	four := []Video{video("old", 9, 1, 20), video("new", 1, 8, 20), video("mid", 5, 4, 20), video("older", 12, -1, 20)}
	for name, test := range map[string]struct {
		wish   Wish
		videos []Video
		want   string
	}{
		"newest":                   {Wish{Budget: 60}, four, "new/0 mid/0 old/0"},
		"all":                      {Wish{Budget: 1000}, four, "new/0 mid/0 old/0 older/0"},
		"none":                     {Wish{Budget: 19}, four, ""},
		"refused":                  {Wish{Budget: 60, Refused: []string{"mid"}}, four, "new/0 old/0 older/0"},
		"rarest":                   {Wish{Budget: 60, Order: OrderRarest}, four, "old/0 older/0 mid/0"},
		"rarest, ourselves one":    {Wish{Budget: 40, Order: OrderRarest, Held: map[string]HeldVideo{"mid": {20, true}}}, []Video{four[2], video("x", 1, 2, 20), video("y", 1, 2, 20)}, "x/0 y/0"},
		"rarest, not rarer by two": {Wish{Budget: 20, Order: OrderRarest, Held: map[string]HeldVideo{"mid": {20, true}}}, []Video{four[2], video("x", 1, 3, 20)}, "mid/-1"},
		"best rendition":           {Wish{Budget: 100}, []Video{video("v", 1, 1, 20, 10, 5)}, "v/0"},
		"its share":                {Wish{Budget: 99}, []Video{video("v", 1, 1, 20, 10, 5)}, "v/1"},
		"the smallest":             {Wish{Budget: 20}, []Video{video("v", 1, 1, 20, 10, 5)}, "v/2"},
		"as it is held":            {Wish{Budget: 20, Held: map[string]HeldVideo{"v": {20, true}}}, []Video{video("v", 1, 1, 20, 10, 5)}, "v/-1"},
		"newer one pushes out":     {Wish{Budget: 40, Held: map[string]HeldVideo{"mid": {20, true}, "old": {20, true}}}, four, "new/0 mid/-1"},
		"too big is passed over":   {Wish{Budget: 50}, []Video{video("big", 1, 1, 60), video("small", 2, 1, 10)}, "small/0"},
		"not looked at":            {Wish{Budget: 50}, []Video{{UUID: "v"}}, ""},
		"held, not looked at":      {Wish{Budget: 50, Held: map[string]HeldVideo{"v": {9, false}}}, []Video{{UUID: "v"}}, "v/-1"},
		"of unknown size":          {Wish{Budget: 50}, []Video{video("v", 1, 1, 0)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := words(test.wish.Choose(test.videos)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestChoosingKeepsWithinItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Wish{
			Budget: rapid.Int64Range(0, 200).Draw(t, "budget"), Held: map[string]HeldVideo{},
			Order: rapid.SampledFrom([]string{OrderNewest, OrderRarest}).Draw(t, "order"),
		}
		var videos []Video
		for i := range rapid.IntRange(0, 15).Draw(t, "n") {
			v := Video{
				UUID: fmt.Sprint(i), Published: noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "age")) * time.Hour),
				Seeders: rapid.IntRange(-1, 5).Draw(t, "seeders"), Looked: true,
			}
			for range rapid.IntRange(0, 3).Draw(t, "renditions") {
				v.Renditions = append(v.Renditions, Rendition{Bytes: rapid.Int64Range(0, 80).Draw(t, "bytes")})
			}
			if rapid.IntRange(0, 3).Draw(t, "held") == 0 {
				w.Held[v.UUID] = HeldVideo{Bytes: rapid.Int64Range(0, 80).Draw(t, "held bytes"), Seeds: rapid.Bool().Draw(t, "seeds")}
			}
			videos = append(videos, v)
		}
		choices := w.Choose(videos)
		used := int64(0)
		for i, c := range choices {
			used += c.Bytes
			if slices.ContainsFunc(choices[:i], func(o Choice) bool { return o.UUID == c.UUID }) {
				t.Fatalf("%s is chosen twice", c.UUID)
			}
			if _, held := w.Held[c.UUID]; held != (c.Rendition < 0) {
				t.Fatalf("%+v is chosen, held: %v", c, held)
			}
		}
		if used > w.Budget {
			t.Fatalf("%d bytes are chosen of %d", used, w.Budget)
		}
		// Nothing that would still fit is left out.
		for _, v := range videos {
			if slices.ContainsFunc(choices, func(c Choice) bool { return c.UUID == v.UUID }) {
				continue
			}
			held, ok := w.Held[v.UUID]
			if ok && held.Bytes <= w.Budget-used || !ok && w.Fit(v, w.Budget-used) >= 0 {
				t.Fatalf("%+v fits into the %d bytes that are left", v, w.Budget-used)
			}
		}
		// What was chosen is chosen again once it is held.
		for _, c := range choices {
			w.Held[c.UUID] = HeldVideo{Bytes: c.Bytes}
		}
		for _, c := range choices {
			if w.Order == OrderNewest && !slices.ContainsFunc(w.Choose(videos), func(o Choice) bool { return o.UUID == c.UUID }) {
				t.Fatalf("%s was chosen, and is not once it is held", c.UUID)
			}
		}
	})
}
