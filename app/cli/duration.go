// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// duration is a flag such as "90s", "5m" or "1h30m"; a bare number is seconds.
type duration time.Duration

// UnmarshalText reads the flag.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		seconds, floatErr := strconv.ParseFloat(string(text), 64)
		if floatErr != nil || math.IsNaN(seconds) || math.Abs(seconds) > 1e9 {
			return errors.New("write a duration such as 90s, 5m or 1h30m")
		}
		v = time.Duration(seconds * float64(time.Second))
	}
	if v < 0 {
		return errors.New("a duration cannot be below zero")
	}
	*d = duration(v)
	return nil
}

// seconds is a flag in seconds of a video, or a duration such as "1m30s".
type seconds time.Duration

// UnmarshalText reads the flag.
func (s *seconds) UnmarshalText(text []byte) error {
	var d duration
	if err := d.UnmarshalText(text); err != nil {
		return errors.New("write seconds, such as 90 or 12.5")
	}
	*s = seconds(d)
	return nil
}
