// SPDX-License-Identifier: AGPL-3.0-or-later

// Package thumbs keeps copies of the pictures of remote videos: fetched from their origin when
// somebody asks, bounded in size and number, thrown out when others are asked for more. Only package
// instance and the packages below it import it.
package thumbs
