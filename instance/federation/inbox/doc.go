// SPDX-License-Identifier: AGPL-3.0-or-later

// Package inbox receives activities of other instances. A request is checked, the cheap checks first
// and a Linked Data signature last; what passes is on disk before it is answered with 204. Workers
// then take the items off, in order for each object, and give each its effect in one transaction.
//
// Activities of blocked hosts are refused with 403 and nothing of them is kept: the sender's queue
// learns that it need not try again, and its administrator reads why, which a silent 204 would keep
// from them. A blocked author whom an unblocked server forwards is dropped with 204, because the
// forwarder did nothing wrong.
//
// Packages instance/federation and instance import it.
package inbox
