// SPDX-License-Identifier: AGPL-3.0-or-later

package library

// Stop is what paused an entry, where no person did.
type Stop string

// What pauses entries.
const (
	StopNone  Stop = ""      // none
	StopRatio Stop = "ratio" // it was given back often enough
	StopTime  Stop = "time"  // it was seeded for long enough
	StopIdle  Stop = "idle"  // nobody fetched from it for too long

	StopMetered Stop = "metered" // it is fetched for a Support, and the connection is paid by the byte
)

// Limits say when seeding an entry ends. Zero is never.
type Limits struct {
	Ratio float64 // bytes given back by bytes of the video
	Time  int64   // seconds of seeding
	Idle  int64   // seconds of seeding in which nobody fetched
}

// Mark is where the counts of an entry stood when a person resumed it.
type Mark struct {
	Uploaded  int64 `json:"uploaded"`
	SeededFor int64 `json:"seededFor"`
}

// Reached returns the limit that an entry has come to since its Mark, StopNone where it goes on. What
// is pinned, seeded in place, or not whole goes on.
func (l Limits) Reached(e Entry) Stop {
	switch {
	case e.Pinned || e.Path != "" || !e.Complete || e.Bytes <= 0:
		return StopNone
	case l.Ratio > 0 && float64(e.Uploaded.Sum()-e.From.Uploaded) >= l.Ratio*float64(e.Bytes):
		return StopRatio
	case l.Time > 0 && e.SeededFor-e.From.SeededFor >= l.Time:
		return StopTime
	case l.Idle > 0 && e.SeededFor-e.IdleFrom >= l.Idle:
		return StopIdle
	}
	return StopNone
}

// Resumed returns the entry as it goes on when a person resumes it: limits count anew from here.
func (e Entry) Resumed() Entry {
	e.Paused, e.Stopped = false, StopNone
	e.From = Mark{Uploaded: e.Uploaded.Sum(), SeededFor: e.SeededFor}
	e.IdleFrom = e.SeededFor
	return e
}
