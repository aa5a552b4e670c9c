// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestShortUUIDIsPeerTubes(t *testing.T) {
	for long, short := range map[string]string{
		"4e1f2f28-1822-4544-bf7c-52e111041379": "aDvThmEcPv8UoHvsqeyoXt",
		"d843c7a0-5fb9-4f2f-8bcc-a7c64687a44a": "sGUBxFDEnnfv9mK7rRtfWN",
		"00000000-0000-0000-0000-000000000000": strings.Repeat("1", 22),
	} {
		if got := ShortUUID(long); got != short {
			t.Errorf("ShortUUID(%s) = %s, want %s", long, got, short)
		}
		if got := ShortUUID(strings.ToUpper(long)); got != short {
			t.Errorf("upper case gave %s, want %s", got, short)
		}
		if got, err := LongUUID(short); err != nil || got != long {
			t.Errorf("LongUUID(%s) = %s, %v, want %s", short, got, err, long)
		}
	}
}

func TestShortUUIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		long := formatUUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		short := ShortUUID(long)
		if len(short) != shortLength {
			t.Fatalf("%q has %d characters", short, len(short))
		}
		if back, err := LongUUID(short); err != nil || back != long {
			t.Fatalf("%s became %s, %v", long, back, err)
		}
	})
}

func TestWhatIsNoUUID(t *testing.T) {
	for _, s := range []string{
		"", "xx", "4e1f2f28-1822-4544-bf7c-52e11104137", "4e1f2f28-1822-4544-bf7c-52e11104137g",
		"4e1f2f2801822-4544-bf7c-52e111041379", "aDvThmEcPv8UoHvsqeyoX", "aDvThmEcPv8UoHvsqeyoX0",
		strings.Repeat("Z", 22), // more than 128 bits
	} {
		if got, err := LongUUID(s); err == nil {
			t.Errorf("LongUUID(%q) = %s", s, got)
		}
		if got := ShortUUID(s); got != "" {
			t.Errorf("ShortUUID(%q) = %s", s, got)
		}
	}
}
