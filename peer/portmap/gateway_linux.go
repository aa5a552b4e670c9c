// SPDX-License-Identifier: AGPL-3.0-or-later

package portmap

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// defaultGateway reads the IPv4 routes.
func defaultGateway() (Gateway, error) {
	f, err := os.Open("/proc/net/route")
	if err != nil {
		return Gateway{}, fmt.Errorf("reading the routes: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	router, err := parseRoutes(io.LimitReader(f, 1<<20))
	if err != nil {
		return Gateway{}, err
	}
	return towards(router)
}

// parseRoutes finds the default route with the least metric in what /proc/net/route holds.
func parseRoutes(r io.Reader) (netip.Addr, error) {
	const up, gateway = 1, 2 // flags
	var best netip.Addr
	least := -1
	for s := bufio.NewScanner(r); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		raw, err := hex.DecodeString(f[2])
		flags, flagsErr := strconv.ParseUint(f[3], 16, 16)
		metric, metricErr := strconv.Atoi(f[6])
		if err != nil || flagsErr != nil || metricErr != nil || len(raw) != 4 || flags&(up|gateway) != up|gateway {
			continue
		}
		var ip [4]byte
		binary.NativeEndian.PutUint32(ip[:], binary.BigEndian.Uint32(raw))
		if least < 0 || metric < least {
			best, least = netip.AddrFrom4(ip), metric
		}
	}
	if least < 0 {
		return netip.Addr{}, errors.New("there is no default route")
	}
	return best, nil
}
