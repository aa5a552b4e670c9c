// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library holds the entry points of libmpv and the callbacks it calls back into.
type library struct {
	create           func() uintptr
	initialize       func(h uintptr) int32
	terminateDestroy func(h uintptr)
	setOptionString  func(h uintptr, name, value string) int32
	commandAsync     func(h uintptr, id uint64, args unsafe.Pointer) int32
	command          func(h uintptr, args unsafe.Pointer) int32
	setPropertyAsync func(h uintptr, id uint64, name string, format int32, data unsafe.Pointer) int32
	getPropertyStr   func(h uintptr, name string) uintptr
	observeProperty  func(h uintptr, id uint64, name string, format int32) int32
	waitEvent        func(h uintptr, timeout float64) uintptr
	wakeup           func(h uintptr)
	errorString      func(code int32) string
	free             func(p uintptr)
	apiVersion       func() uint64
	requestLog       func(h uintptr, level string) int32
	renderCreate     func(out unsafe.Pointer, h uintptr, params unsafe.Pointer) int32
	renderCallback   func(rc, callback, data uintptr)
	renderUpdate     func(rc uintptr) uint64
	render           func(rc uintptr, params unsafe.Pointer) int32
	renderFree       func(rc uintptr)
	streamAdd        func(h uintptr, protocol string, data, open uintptr) int32

	callbacks
}

// process is the one piece of state that belongs to the process and not to a Handle: a C library
// is opened once, and a callback that purego makes is never freed, so that each kind is made once
// and finds its receiver by number in the registry. A failure to open is not kept: the person may install the
// library and try again.
//
//nolint:gochecknoglobals // as said above: dlopen and purego are per process
var process struct {
	mu  sync.Mutex
	lib *library
}

// load returns the library, opening it at the first call.
func load() (*library, error) {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.lib != nil {
		return process.lib, nil
	}
	if unsafe.Sizeof(uintptr(0)) < 8 {
		// stream_cb passes 64-bit offsets, which do not fit purego's callbacks here.
		return nil, noLibrary(errors.New("a 64-bit system is needed"))
	}
	handle, err := openLibrary()
	if err != nil {
		return nil, noLibrary(err)
	}
	lib, err := bind(handle)
	if err != nil {
		return nil, noLibrary(err)
	}
	lib.callbacks = newCallbacks()
	process.lib = lib
	return lib, nil
}

// bind looks up every entry point; one that is missing means a libmpv before 0.33.
func bind(handle uintptr) (*library, error) {
	l := &library{}
	for _, s := range []struct {
		name string
		fn   any
	}{
		{"mpv_create", &l.create},
		{"mpv_initialize", &l.initialize},
		{"mpv_terminate_destroy", &l.terminateDestroy},
		{"mpv_set_option_string", &l.setOptionString},
		{"mpv_command", &l.command},
		{"mpv_command_async", &l.commandAsync},
		{"mpv_set_property_async", &l.setPropertyAsync},
		{"mpv_get_property_string", &l.getPropertyStr},
		{"mpv_observe_property", &l.observeProperty},
		{"mpv_wait_event", &l.waitEvent},
		{"mpv_wakeup", &l.wakeup},
		{"mpv_error_string", &l.errorString},
		{"mpv_free", &l.free},
		{"mpv_client_api_version", &l.apiVersion},
		{"mpv_request_log_messages", &l.requestLog},
		{"mpv_render_context_create", &l.renderCreate},
		{"mpv_render_context_set_update_callback", &l.renderCallback},
		{"mpv_render_context_update", &l.renderUpdate},
		{"mpv_render_context_render", &l.render},
		{"mpv_render_context_free", &l.renderFree},
		{"mpv_stream_cb_add_ro", &l.streamAdd},
	} {
		addr, err := findSymbol(handle, s.name)
		if err != nil {
			return nil, fmt.Errorf("looking up %s: %w", s.name, err)
		}
		purego.RegisterFunc(s.fn, addr)
	}
	return l, nil
}

// check turns a return code into an error.
func (l *library) check(code int32, op string) error {
	if code >= 0 {
		return nil
	}
	return &Error{Op: op, Code: int(code), Text: l.errorString(code)}
}
