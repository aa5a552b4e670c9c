// SPDX-License-Identifier: AGPL-3.0-or-later

// Package control lets one start of the program talk to the one that holds the data folder, over a
// unix socket in that folder. The holder runs a command's very own code and streams its output
// back, or shows an address in its window. app/cli and app/core import it; it imports none of
// Shoal's packages.
//
// The protocol is one JSON object a line. The client begins with one request
//
//	{"run":{"args":["status"],"cwd":"/home/ann","env":{"SHOAL_JSON":"1"}}}
//	{"open":{"argument":"https://video.example.org/w/abc"}}
//
// and may send {"cancel":true} later; hanging up cancels too. The holder answers with any number of
//
//	{"stdout":"<base64>"}
//	{"stderr":"<base64>"}
//
// and ends with {"exit":0}. Lines and counts are bounded.
package control
