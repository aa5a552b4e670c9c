// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return noon.Add(-time.Duration(n) * 24 * time.Hour) }

func TestWhyASwarmStaysOrGoes(t *testing.T) {
	whole := Holding{Infohash: "a", Held: 100, Bytes: 100, Seeders: -1, Watched: daysAgo(3)}
	with := func(edit func(*Holding)) Holding {
		h := whole
		edit(&h)
		return h
	}
	for name, test := range map[string]struct {
		h    Holding
		want Standing
	}{
		"lately":           {whole, Standing{Reason: ReasonRecent, Value: 3}},
		"own":              {with(func(h *Holding) { h.Own, h.Pinned = true, true }), Standing{Reason: ReasonOwn}},
		"pinned":           {with(func(h *Holding) { h.Pinned, h.Seeders = true, 99 }), Standing{Reason: ReasonPinned}},
		"watching":         {with(func(h *Holding) { h.Watching, h.Seeders = true, 99 }), Standing{Reason: ReasonWatching}},
		"fetching":         {with(func(h *Holding) { h.Fetching, h.Support = true, true }), Standing{Reason: ReasonFetching}},
		"support":          {with(func(h *Holding) { h.Support, h.Seeders = true, 9 }), Standing{Reason: ReasonSupport, Value: 9}},
		"well seeded":      {with(func(h *Holding) { h.Seeders = WellSeeded }), Standing{Reason: ReasonWellSeeded, Value: WellSeeded}},
		"nearly so":        {with(func(h *Holding) { h.Seeders = WellSeeded - 1 }), Standing{Reason: ReasonRecent, Value: 3}},
		"of today":         {with(func(h *Holding) { h.Seeders, h.Watched = 99, noon.Add(-time.Hour) }), Standing{Reason: ReasonRecent}},
		"long ago":         {with(func(h *Holding) { h.Watched = daysAgo(30) }), Standing{Reason: ReasonUnwatched, Value: 30}},
		"half":             {with(func(h *Holding) { h.Held = 50 }), Standing{Reason: ReasonIncomplete, Value: 50}},
		"nothing known":    {with(func(h *Holding) { h.Held, h.Bytes = 0, 0 }), Standing{Reason: ReasonIncomplete}},
		"of the future":    {with(func(h *Holding) { h.Watched = noon.Add(time.Hour) }), Standing{Reason: ReasonRecent}},
		"watched, unknown": {with(func(h *Holding) { h.Watched = time.Time{} }), Standing{Reason: ReasonUnwatched, Value: 106751}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.h.Stand(noon); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTheOrderInWhichSwarmsGo(t *testing.T) {
	h := func(name string, seeders, days int, held int64) Holding {
		return Holding{Infohash: name, Held: held, Bytes: 100, Seeders: seeders, Watched: daysAgo(days)}
	}
	support := h("support", 9, 90, 100)
	support.Support = true
	pinned := h("pinned", 99, 99, 100)
	pinned.Pinned = true
	list := []Holding{
		h("lately", 2, 2, 100), h("earlier", 2, 5, 100), support, pinned,
		h("seeded", 6, 2, 100), h("seeded more", 60, 2, 100), h("old", 1, 40, 100), h("older", 1, 80, 100),
		h("half", 1, 2, 50), h("tenth", 1, 2, 10),
	}
	want := []string{"seeded more", "seeded", "older", "old", "tenth", "half", "support", "earlier", "lately"}
	if got := MakeRoom(list, 1<<40, noon); !slices.Equal(got, want) {
		t.Errorf("they go in the order %q, want %q", got, want)
	}
	for i, name := range want {
		at := slices.IndexFunc(list, func(h Holding) bool { return h.Infohash == name })
		if order := Stand(list, noon)[at].Order; order != i+1 {
			t.Errorf("%s is number %d, want %d", name, order, i+1)
		}
	}
	if got := MakeRoom(list, 101, noon); !slices.Equal(got, want[:2]) {
		t.Errorf("for 101 bytes go %q", got)
	}
	if got := MakeRoom(list, 0, noon); len(got) != 0 {
		t.Errorf("for nothing go %q", got)
	}
}

func TestMakingRoomKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []Holding
		for i := range rapid.IntRange(0, 20).Draw(t, "n") {
			h := Holding{
				Infohash: fmt.Sprintf("%040d", i), Bytes: rapid.Int64Range(0, 50).Draw(t, "bytes"),
				Seeders: rapid.IntRange(-1, 12).Draw(t, "seeders"), Watched: daysAgo(rapid.IntRange(-1, 60).Draw(t, "days")),
				Own: rapid.IntRange(0, 5).Draw(t, "own") == 0, Pinned: rapid.IntRange(0, 5).Draw(t, "pinned") == 0,
				Watching: rapid.IntRange(0, 5).Draw(t, "watching") == 0, Fetching: rapid.IntRange(0, 5).Draw(t, "fetching") == 0,
				Support: rapid.Bool().Draw(t, "support"),
			}
			h.Held = rapid.Int64Range(0, h.Bytes).Draw(t, "held")
			list = append(list, h)
		}
		need := rapid.Int64Range(-10, 400).Draw(t, "need")
		byHash := map[string]Holding{}
		possible := int64(0)
		for _, h := range list {
			byHash[h.Infohash] = h
			if !h.Own && !h.Pinned && !h.Watching && !h.Fetching {
				possible += h.Held
			}
		}
		gone := MakeRoom(list, need, noon)
		freed := int64(0)
		for i, infohash := range gone {
			h := byHash[infohash]
			if h.Own || h.Pinned || h.Watching || h.Fetching {
				t.Fatalf("%+v goes", h)
			}
			if freed >= need {
				t.Fatalf("number %d goes where %d of %d bytes are free already", i, freed, need)
			}
			freed += h.Held
			if slices.Contains(gone[:i], infohash) {
				t.Fatalf("%s goes twice", infohash)
			}
		}
		if freed < min(need, possible) {
			t.Fatalf("%d bytes became free, %d are needed and %d were possible", freed, need, possible)
		}
		shuffled := slices.Clone(list)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again := MakeRoom(shuffled, need, noon); !slices.Equal(again, gone) {
			t.Fatalf("in another order of the list go %q, not %q", again, gone)
		}
	})
}

func TestLimits(t *testing.T) {
	e := Entry{Complete: true, Bytes: 100, SeededFor: 7200, IdleFrom: 3600}
	e.Uploaded.TCP = 250
	for name, test := range map[string]struct {
		limits Limits
		edit   func(*Entry)
		want   Stop
	}{
		"none":          {Limits{}, nil, StopNone},
		"ratio":         {Limits{Ratio: 2.5}, nil, StopRatio},
		"ratio not yet": {Limits{Ratio: 2.6}, nil, StopNone},
		"time":          {Limits{Ratio: 3, Time: 7200, Idle: 1}, nil, StopTime},
		"time not yet":  {Limits{Time: 7201}, nil, StopNone},
		"idle":          {Limits{Idle: 3600}, nil, StopIdle},
		"idle not yet":  {Limits{Idle: 3601}, nil, StopNone},
		"pinned":        {Limits{Ratio: 1}, func(e *Entry) { e.Pinned = true }, StopNone},
		"incomplete":    {Limits{Ratio: 1}, func(e *Entry) { e.Complete = false }, StopNone},
		"in place":      {Limits{Ratio: 1}, func(e *Entry) { e.Path = "/x" }, StopNone},
		"resumed":       {Limits{Ratio: 2, Time: 60, Idle: 60}, func(e *Entry) { *e = e.Resumed() }, StopNone},
		"anew": {Limits{Ratio: 2}, func(e *Entry) {
			*e = e.Resumed()
			e.Uploaded.WebRTC += 200
		}, StopRatio},
	} {
		t.Run(name, func(t *testing.T) {
			e := e
			if test.edit != nil {
				test.edit(&e)
			}
			if got := test.limits.Reached(e); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
