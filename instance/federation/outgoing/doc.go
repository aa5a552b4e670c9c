// SPDX-License-Identifier: AGPL-3.0-or-later

// Package outgoing tells others what happens here: it reads the store's change log in order, makes the activities,
// signs them as those who authored them, and puts them into the delivery queue in the transaction that takes the
// change off the log. So a crash at any instant neither loses a change nor tells it under two ids. Package federation
// imports it.
package outgoing
