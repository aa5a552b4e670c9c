// SPDX-License-Identifier: AGPL-3.0-or-later

// Package httpsig signs requests as draft-cavage-http-signatures-12 says and PeerTube does, and
// checks requests signed so or by RFC 9421.
//
// It is a leaf: keys and the clock are handed in. The federation package, the fetcher and the
// command line import it.
package httpsig
