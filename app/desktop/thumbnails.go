// SPDX-License-Identifier: AGPL-3.0-or-later

package desktop

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // thumbnails
	_ "image/png"  // thumbnails

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // thumbnails
)

// Bounds on thumbnails.
const (
	thumbnailBytes  = 2 << 20      // of one file
	thumbnailPixels = 4096 * 4096  // of one picture before it is made small
	thumbnailCache  = 120          // pictures kept, of at most thumbnailWidth by thumbnailHeight
	thumbnailAtOnce = 4            // fetched at one time
	thumbnailWidth  = 480          // pixels
	thumbnailHeight = 480 * 9 / 16 // pixels
)

// fetcher gets the bytes of a picture; *peertube.Client is one.
type fetcher interface {
	Get(ctx context.Context, instance, ref string, maxBytes int) ([]byte, error)
}

// thumbnails fetches pictures, a few at a time, and keeps the last ones. It is used on the window's
// goroutine.
type thumbnails struct {
	loop   *loop
	from   fetcher
	turns  chan struct{}
	recent *list.List // of thumbnail, newest first
	byKey  map[string]*list.Element
}

type thumbnail struct {
	key   string
	image image.Image
}

func newThumbnails(l *loop, from fetcher) *thumbnails {
	return &thumbnails{
		loop: l, from: from, turns: make(chan struct{}, thumbnailAtOnce),
		recent: list.New(), byKey: make(map[string]*list.Element),
	}
}

// get calls show with the picture: at once where it is kept, else later. A picture that cannot be
// had is never shown. cancel ends the wait.
func (t *thumbnails) get(instance, ref string, show func(image.Image)) (cancel context.CancelFunc) {
	if ref == "" {
		return func() {}
	}
	key := instance + " " + ref
	if e, ok := t.byKey[key]; ok {
		t.recent.MoveToFront(e)
		show(e.Value.(thumbnail).image) // the list holds nothing else
		return func() {}
	}
	return task(t.loop, func(ctx context.Context) (image.Image, error) {
		select {
		case t.turns <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		defer func() { <-t.turns }()
		data, err := t.from.Get(ctx, instance, ref, thumbnailBytes)
		if err != nil {
			return nil, err
		}
		return decodeThumbnail(data)
	}, func(img image.Image, err error) {
		if err != nil {
			return
		}
		t.keep(key, img)
		show(img)
	})
}

func (t *thumbnails) keep(key string, img image.Image) {
	if _, ok := t.byKey[key]; ok {
		return
	}
	t.byKey[key] = t.recent.PushFront(thumbnail{key, img})
	for t.recent.Len() > thumbnailCache {
		last := t.recent.Back()
		delete(t.byKey, last.Value.(thumbnail).key) // the list holds nothing else
		t.recent.Remove(last)
	}
}

var errPicture = errors.New("the picture is too large")

// decodeThumbnail reads a JPEG, PNG or WebP picture and cuts it to 16:9 at the size of a card.
func decodeThumbnail(data []byte) (image.Image, error) {
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading picture: %w", err)
	}
	if head.Width <= 0 || head.Height <= 0 || head.Width > thumbnailPixels/head.Height {
		return nil, errPicture
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decoding picture: %w", err)
	}
	from := cover(img.Bounds(), thumbnailWidth, thumbnailHeight)
	small := image.NewRGBA(image.Rect(0, 0, min(thumbnailWidth, from.Dx()), min(thumbnailHeight, from.Dy())))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), img, from, draw.Src, nil)
	return small, nil
}

// cover returns the largest middle part of b with the shape of width by height.
func cover(b image.Rectangle, width, height int) image.Rectangle {
	w, h := b.Dx(), b.Dy()
	if w*height > h*width {
		w = max(1, h*width/height)
	} else {
		h = max(1, w*height/width)
	}
	x, y := b.Min.X+(b.Dx()-w)/2, b.Min.Y+(b.Dy()-h)/2
	return image.Rect(x, y, x+w, y+h)
}
