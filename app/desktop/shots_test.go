// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"image/png"
	"os"
	"path/filepath"
)

// shoot draws the window. With SHOAL_SHOTS naming a folder it writes the picture there, to be looked at.
func (r *rig) shoot(name string) {
	r.t.Helper()
	img := r.w.win.Canvas().Capture()
	if img.Bounds().Empty() {
		r.t.Fatalf("%s: the window draws nothing", name)
	}
	dir := os.Getenv("SHOAL_SHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	must(r.t, err)
	must(r.t, png.Encode(f, img))
	must(r.t, f.Close())
}
