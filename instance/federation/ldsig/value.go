// SPDX-License-Identifier: AGPL-3.0-or-later

package ldsig

// Value reads the bytes of body's signature; nothing is checked. Of what Verify accepts, it is the same
// for all bodies that say the same and were signed at the same time: the JSON may differ.
func Value(body []byte) ([]byte, error) {
	v, _, err := read(body, Options{}.withDefaults())
	if err != nil {
		return nil, err
	}
	signature, err := find(&v)
	if err != nil {
		return nil, err
	}
	return signatureValue(signature)
}
