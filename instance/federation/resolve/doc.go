// SPDX-License-Identifier: AGPL-3.0-or-later

// Package resolve brings objects of other instances: actors with their keys, videos and comments. It
// fetches each from its own host, refuses what one host says of another's (FEP-fe34), and stores the
// rest. Packages instance/federation and instance and the rooms of the former import it.
package resolve
