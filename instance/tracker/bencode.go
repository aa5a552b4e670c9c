// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
)

// bencString appends a byte string (BEP 3).
func bencString[T string | []byte](b []byte, v T) []byte {
	b = strconv.AppendInt(b, int64(len(v)), 10)
	return append(append(b, ':'), v...)
}

// bencInt appends a key with a number.
func bencInt(b []byte, key string, n int64) []byte {
	b = append(bencString(b, key), 'i')
	return append(strconv.AppendInt(b, n, 10), 'e')
}

// compactPeers appends "peers" (BEP 23) and "peers6" (BEP 7).
func compactPeers(b []byte, peers []address) []byte {
	var v4, v6 []byte
	for _, p := range peers {
		ip := p.addr.Addr().Unmap()
		if ip.Is4() {
			v4 = binary.BigEndian.AppendUint16(append(v4, ip.AsSlice()...), p.addr.Port())
		} else {
			v6 = binary.BigEndian.AppendUint16(append(v6, ip.AsSlice()...), p.addr.Port())
		}
	}
	b = bencString(bencString(b, "peers"), v4)
	return bencString(bencString(b, "peers6"), v6)
}

// listPeers appends "peers" as BEP 3 has it.
func listPeers(b []byte, peers []address, ids bool) []byte {
	b = append(bencString(b, "peers"), 'l')
	for _, p := range peers {
		b = bencString(bencString(append(b, 'd'), "ip"), p.addr.Addr().Unmap().WithZone("").String())
		if ids {
			b = bencString(bencString(b, "peer id"), p.id[:])
		}
		b = append(bencInt(b, "port", int64(p.addr.Port())), 'e')
	}
	return append(b, 'e')
}

func writeFailure(w http.ResponseWriter, reason string) {
	writeBenc(w, append(bencString(bencString([]byte{'d'}, "failure reason"), reason), 'e'))
}

func writeBenc(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // a client that went away needs nothing
}

func sortUnique(hs *[]Hash) {
	slices.SortFunc(*hs, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	*hs = slices.Compact(*hs)
}
