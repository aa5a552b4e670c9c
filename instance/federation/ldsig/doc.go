// SPDX-License-Identifier: AGPL-3.0-or-later

// Package ldsig signs and checks ActivityPub bodies with RsaSignature2017 Linked Data signatures,
// as PeerTube and Mastodon make them: URDNA2015 over the body and over the signature's options.
//
// It is a leaf: contexts, keys and times are handed in, nothing is ever fetched. The federation
// package and the command line import it.
package ldsig
