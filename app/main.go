// SPDX-License-Identifier: AGPL-3.0-or-later

// Shoal watches and publishes PeerTube videos and seeds them together.
package main

import (
	"os"

	_ "early.shoal" // before Fyne: see there

	"shoal/app/cli"
)

func main() { os.Exit(cli.Main()) }
