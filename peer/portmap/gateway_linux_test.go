// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for text, want := range map[string]string{
		head + "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\nwlan0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n": "192.168.1.1",
		head + "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n":                                                                "",
		head + "eth0\t00000000\tZZ\t0003\n": "",
		"":                                  "",
	} {
		got, err := parseRoutes(strings.NewReader(text))
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}
