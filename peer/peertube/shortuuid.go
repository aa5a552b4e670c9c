// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// flickrBase58 is the alphabet of the npm package short-uuid, which PeerTube
// uses in its /w/ addresses: base 58 without 0, I, O and l.
const flickrBase58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"

// shortLength is the length of a short UUID: 128 bits in base 58, padded.
const shortLength = 22

// errNotUUID is a text that is no UUID, long or short.
var errNotUUID = errors.New("not a UUID")

// ShortUUID returns the short form of a UUID (22 characters), and "" when uuid
// is not a UUID.
func ShortUUID(uuid string) string {
	b, err := parseUUID(uuid)
	if err != nil {
		return ""
	}
	n := new(big.Int).SetBytes(b)
	base, digit := big.NewInt(int64(len(flickrBase58))), new(big.Int)
	var out [shortLength]byte
	for i := shortLength - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = flickrBase58[digit.Int64()]
	}
	return string(out[:])
}

// LongUUID returns the UUID, in lower case, of its short form. A long UUID is
// returned as it is, in lower case.
func LongUUID(short string) (string, error) {
	if b, err := parseUUID(short); err == nil {
		return formatUUID(b), nil
	}
	if len(short) != shortLength {
		return "", fmt.Errorf("reading short UUID: %w", errNotUUID)
	}
	n, base := new(big.Int), big.NewInt(int64(len(flickrBase58)))
	for i := range len(short) {
		digit := strings.IndexByte(flickrBase58, short[i])
		if digit < 0 {
			return "", fmt.Errorf("reading short UUID: %w", errNotUUID)
		}
		n.Mul(n, base)
		n.Add(n, big.NewInt(int64(digit)))
	}
	if n.BitLen() > 128 {
		return "", fmt.Errorf("reading short UUID: %w", errNotUUID)
	}
	return formatUUID(n.FillBytes(make([]byte, 16))), nil
}

// parseUUID reads the 36-character form (RFC 9562 §4) of any version.
func parseUUID(s string) ([]byte, error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return nil, errNotUUID
	}
	b, err := hex.DecodeString(s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	if err != nil {
		return nil, errNotUUID
	}
	return b, nil
}

func formatUUID(b []byte) string {
	s := hex.EncodeToString(b)
	return s[0:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
