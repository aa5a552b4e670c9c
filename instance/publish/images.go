// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// The pictures' sizes are PeerTube's.
const (
	ThumbnailWidth  = 280
	ThumbnailHeight = 157
	PreviewWidth    = 850
	PreviewHeight   = 480
)

// images writes a thumbnail and a preview of the file as JPEG, from one frame near the start.
func images(ctx context.Context, ffmpeg, path string, m Media, thumbnail, preview string) error {
	at := min(m.Duration/10, 10)
	err := imagesAt(ctx, ffmpeg, path, m, at, thumbnail, preview)
	if err != nil && ctx.Err() == nil && at > 0 {
		err = imagesAt(ctx, ffmpeg, path, m, 0, thumbnail, preview) // few files cannot be sought in
	}
	if err != nil {
		return fmt.Errorf("making a thumbnail: %w", err)
	}
	return nil
}

func imagesAt(ctx context.Context, ffmpeg, path string, m Media, at float64, thumbnail, preview string) error {
	fit := func(w, h int) string {
		return fmt.Sprintf("scale=%d:%d:force_original_aspect_ratio=increase,crop=%d:%d:exact=1,setsar=1,format=yuvj420p", w, h, w, h)
	}
	filter := fmt.Sprintf("[0:%d]split=2[a][b];[a]%s[t];[b]%s[p]", m.stream, fit(ThumbnailWidth, ThumbnailHeight), fit(PreviewWidth, PreviewHeight))
	args := []string{
		"-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file",
		"-ss", strconv.FormatFloat(at, 'f', 3, 64), "-i", fileArg(path), "-filter_complex", filter,
	}
	for label, out := range map[string]string{"[t]": thumbnail, "[p]": preview} {
		args = append(args, "-map", label, "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4", "-map_metadata", "-1", "-f", "image2", "-update", "1", fileArg(out))
	}
	if _, err := run(ctx, ffmpeg, args...); err != nil {
		return err
	}
	for _, out := range []string{thumbnail, preview} {
		fi, err := os.Stat(out)
		if err != nil {
			return fmt.Errorf("no picture came of it: %w", err)
		}
		if fi.Size() == 0 {
			return fmt.Errorf("no picture came of it")
		}
	}
	return nil
}
