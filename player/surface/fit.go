// SPDX-License-Identifier: AGPL-3.0-or-later

package surface

import (
	"image"
	"math"
)

// align is what a picture's width in pixels is a multiple of: libmpv wants rows of 64 bytes, and
// Fyne no gap between them.
const align = 16

// maxSide bounds a picture's width and height in pixels.
const maxSide = 8192

// fit returns the largest rectangle of a video's shape inside room, both in pixels, in its
// middle, with a width that is a multiple of align. It is empty when there is no room or no video.
func fit(room, video image.Point) image.Rectangle {
	if video.X <= 0 || video.Y <= 0 || room.X < align || room.Y < 1 {
		return image.Rectangle{}
	}
	aspect := float64(video.X) / float64(video.Y)
	w := min(float64(room.X), math.Round(float64(room.Y)*aspect), maxSide)
	w = math.Floor(w/align) * align
	h := math.Round(w / aspect)
	if w < align || h < 1 {
		return image.Rectangle{}
	}
	h = min(h, float64(room.Y), maxSide)
	size := image.Pt(int(w), int(h))
	at := room.Sub(size).Div(2)
	return image.Rectangle{Min: at, Max: at.Add(size)}
}
