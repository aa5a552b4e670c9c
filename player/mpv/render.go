// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Parameters of render.h (mpv_render_param_type).
const (
	paramAPIType       = 1
	paramBlockForTime  = 12
	paramSkipRendering = 13
	paramSWSize        = 17
	paramSWFormat      = 18
	paramSWStride      = 19
	paramSWPointer     = 20
)

// updateFrame is MPV_RENDER_UPDATE_FRAME: a new picture should be drawn.
const updateFrame = 1

// Render draws pictures into memory (MPV_RENDER_API_TYPE_SW). Its methods are called by one
// goroutine at a time, and never by the one that runs commands.
type Render struct {
	lib     *library
	rc      uintptr
	id      uintptr
	updates chan struct{}
	args    *renderArgs
}

// renderArgs is the memory libmpv reads in a call; it is pinned once, for as long as the context lives.
type renderArgs struct {
	params [7]renderParam
	size   [2]int32
	format [5]byte
	stride uintptr
	block  int32
	skip   int32
	pins   runtime.Pinner
}

type renderParam struct {
	kind int32
	_    int32
	data unsafe.Pointer
}

// NewRender makes the core draw by Draw; its option vo must be libmpv. Call it before playing. Close of the
// handle frees it.
func (m *Handle) NewRender() (*Render, error) {
	if m.render != nil {
		return nil, errors.New("creating render context: there is one")
	}
	api := []byte("sw\x00")
	params := &[2]renderParam{{kind: paramAPIType, data: unsafe.Pointer(&api[0])}}
	out := new(uintptr)
	var pins runtime.Pinner
	pins.Pin(&api[0])
	pins.Pin(params)
	pins.Pin(out)
	defer pins.Unpin()
	err := m.call("create render context", func() int32 {
		return m.lib.renderCreate(unsafe.Pointer(out), m.h, unsafe.Pointer(params))
	})
	if err != nil {
		return nil, err
	}
	r := &Render{lib: m.lib, rc: *out, updates: make(chan struct{}, 1), args: newRenderArgs()}
	r.id = m.lib.registry.add(r)
	m.lib.renderCallback(r.rc, m.lib.update, r.id)
	m.render = r
	return r, nil
}

func newRenderArgs() *renderArgs {
	// "rgba" and not "rgb0": the latter leaves alpha at 0.
	a := &renderArgs{format: [5]byte{'r', 'g', 'b', 'a', 0}, block: 1}
	a.pins.Pin(a)
	a.params = [7]renderParam{
		{kind: paramSWSize, data: unsafe.Pointer(&a.size)},
		{kind: paramSWFormat, data: unsafe.Pointer(&a.format)},
		{kind: paramSWStride, data: unsafe.Pointer(&a.stride)},
		{kind: paramSWPointer},
		{kind: paramBlockForTime, data: unsafe.Pointer(&a.block)},
		{kind: paramSkipRendering, data: unsafe.Pointer(&a.skip)},
	}
	return a
}

// signal notes an update without waiting; libmpv's callback calls it.
func (r *Render) signal() {
	select {
	case r.updates <- struct{}{}:
	default:
	}
}

// Updates gets a signal when Pending is worth asking. Signals merge.
func (r *Render) Updates() <-chan struct{} { return r.updates }

// Pending says whether there is a new picture to draw.
func (r *Render) Pending() bool { return r.lib.renderUpdate(r.rc)&updateFrame != 0 }

// Draw draws the current picture as RGBA over all of pix, width by height pixels, stride bytes a
// row; it waits until the picture is due. libmpv is fastest where stride is a multiple of 64.
func (r *Render) Draw(pix []byte, width, height, stride int) error {
	if width <= 0 || height <= 0 || stride < width*4 || len(pix) < stride*height {
		return fmt.Errorf("drawing: %d bytes do not hold %d x %d pixels", len(pix), width, height)
	}
	return r.run(&pix[0], [2]int32{int32(width), int32(height)}, uintptr(stride), 0)
}

// Skip takes the current picture as drawn, so that playback goes on where nobody looks.
func (r *Render) Skip() error {
	var pixel [64]byte
	return r.run(&pixel[0], [2]int32{16, 1}, uintptr(len(pixel)), 1)
}

func (r *Render) run(pix *byte, size [2]int32, stride uintptr, skip int32) error {
	var pins runtime.Pinner
	pins.Pin(pix)
	defer pins.Unpin()
	a := r.args
	a.size, a.stride, a.skip = size, stride, skip
	a.params[3].data = unsafe.Pointer(pix)
	err := r.lib.check(r.lib.render(r.rc, unsafe.Pointer(&a.params)), "render")
	a.params[3].data = nil
	return err
}

// free ends the context. No other method runs during or after it.
func (r *Render) free() {
	r.lib.renderCallback(r.rc, 0, 0)
	r.lib.renderFree(r.rc)
	r.lib.registry.remove(r.id)
	r.args.pins.Unpin()
}
