// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"fmt"
	"net"
	"strings"
)

// nic is a network interface of this machine.
type nic struct {
	name    string
	address string // one of its addresses, "" for none
}

// maxNICs bounds how many are listed.
const maxNICs = 64

// machineNICs lists the interfaces that are up, without loopback. It asks the system.
func machineNICs() ([]nic, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing network interfaces: %w", err)
	}
	var list []nic
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || len(list) >= maxNICs {
			continue
		}
		list = append(list, nic{name: i.Name, address: addressOf(i)})
	}
	return list, nil
}

// addressOf is the address that tells an interface best: one of IPv4 before one of IPv6.
func addressOf(i net.Interface) string {
	addrs, err := i.Addrs()
	if err != nil {
		return ""
	}
	best := ""
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		switch {
		case !ok:
		case n.IP.To4() != nil:
			return n.IP.String()
		case best == "" && !n.IP.IsLinkLocalUnicast():
			best = n.IP.String()
		}
	}
	return best
}

// interfaceHint says what the choice of an interface means, and which there are.
func interfaceHint(list []nic) string {
	words := tr("All peers are reached through it, such as a VPN's. On Linux alone. Empty: the system chooses.")
	var there []string
	for _, n := range list[:min(len(list), 4)] {
		if n.address == "" {
			there = append(there, n.name)
			continue
		}
		there = append(there, n.name+" ("+n.address+")")
	}
	if len(there) == 0 {
		return words
	}
	return words + " " + tr("Here now: %s", strings.Join(there, ", "))
}
