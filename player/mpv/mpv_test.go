// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }

func FuzzStrings(f *testing.F) {
	f.Add("", "loadfile")
	f.Add("a\x00b", "ü")
	f.Fuzz(func(t *testing.T, a, b string) {
		args, err := newCArgs([]string{a, b})
		if strings.ContainsRune(a+b, 0) {
			if !errors.Is(err, errNUL) {
				t.Fatalf("zero byte: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer args.free()
		list := unsafe.Slice((*uintptr)(args.pointer()), 3)
		if list[2] != 0 {
			t.Error("the list is not terminated")
		}
		for i, want := range []string{a, b} {
			if got := goString(list[i]); got != want[:min(len(want), maxString)] {
				t.Errorf("%q came back as %q", want, got)
			}
		}
	})
}

func TestLongStringIsCut(t *testing.T) {
	b := bytes.Repeat([]byte("x"), maxString+10)
	if got := goString(address(b)); len(got) != maxString {
		t.Errorf("%d bytes", len(got))
	}
	runtime.KeepAlive(b)
	if goString(0) != "" {
		t.Error("NULL is not empty")
	}
}

// The sizes and offsets of client.h, stream_cb.h and render.h on a 64-bit system.
func TestLayouts(t *testing.T) {
	for name, c := range map[string][2]uintptr{
		"mpv_event":             {unsafe.Sizeof(cEvent{}), 24},
		"mpv_event.data":        {unsafe.Offsetof(cEvent{}.data), 16},
		"mpv_event_property":    {unsafe.Sizeof(cProperty{}), 24},
		"mpv_end_file.entry":    {unsafe.Offsetof(cEndFile{}.entryID), 8},
		"mpv_node":              {unsafe.Sizeof(cNode{}), 16},
		"mpv_node_list":         {unsafe.Sizeof(cList{}), 24},
		"mpv_stream_cb_info":    {unsafe.Sizeof(streamInfo{}), 48},
		"mpv_stream_cb.cancel":  {unsafe.Offsetof(streamInfo{}.cancel), 40},
		"mpv_render_param":      {unsafe.Sizeof(renderParam{}), 16},
		"mpv_render_param.data": {unsafe.Offsetof(renderParam{}.data), 8},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", name, c[0], c[1])
		}
	}
}

func TestDecodeValue(t *testing.T) {
	var flag int32 = 1
	var n int64 = -7
	d := 2.5
	text := []byte("hello\x00")
	s := address(text)
	for _, c := range []struct {
		format Format
		addr   unsafe.Pointer
		want   any
	}{
		{FormatFlag, unsafe.Pointer(&flag), true},
		{FormatInt64, unsafe.Pointer(&n), int64(-7)},
		{FormatDouble, unsafe.Pointer(&d), 2.5},
		{FormatString, unsafe.Pointer(&s), "hello"},
		{99, unsafe.Pointer(&n), nil},
		{FormatInt64, nil, nil},
	} {
		if got := decodeValue(c.format, uintptr(c.addr)); got != c.want {
			t.Errorf("format %d: %v, want %v", c.format, got, c.want)
		}
	}
	runtime.KeepAlive(text)
}

func TestNumbers(t *testing.T) {
	keys := [][]byte{[]byte("playlist_entry_id\x00"), []byte("name\x00")}
	keyList := []uintptr{address(keys[0]), address(keys[1])}
	values := []cNode{{value: 42, format: int32(FormatInt64)}, {value: 1, format: int32(FormatString)}}
	list := &cList{count: 2, values: uintptr(unsafe.Pointer(&values[0])), keys: uintptr(unsafe.Pointer(&keyList[0]))}
	n := &cNode{value: uint64(uintptr(unsafe.Pointer(list))), format: int32(formatMap)}
	if got := numbers(n); len(got) != 1 || got["playlist_entry_id"] != 42 {
		t.Errorf("%v", got)
	}
	list.count = maxNodes + 1
	if got := numbers(n); got != nil {
		t.Errorf("too long: %v", got)
	}
	if numbers(nil) != nil || numbers(&cNode{}) != nil {
		t.Error("numbers out of nothing")
	}
	runtime.KeepAlive(keys)
	runtime.KeepAlive(keyList)
	runtime.KeepAlive(values)
}

func TestRegistryForgets(t *testing.T) {
	r := newRegistry()
	a, b := r.add("a"), r.add("b")
	if a == 0 || a == b || r.get(a) != "a" || r.get(0) != nil {
		t.Errorf("%d %d", a, b)
	}
	r.remove(a)
	if r.get(a) != nil || r.len() != 1 {
		t.Error("removed value is still there")
	}
	if c := r.add("c"); c == a {
		t.Error("a number was used twice")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestReadInto(t *testing.T) {
	buf := make([]byte, 8)
	for name, c := range map[string]struct {
		n    int
		err  error
		want int64
	}{
		"bytes":           {5, nil, 5},
		"bytes and end":   {5, io.EOF, 5},
		"end":             {0, io.EOF, 0},
		"failure":         {0, io.ErrUnexpectedEOF, -1},
		"nothing":         {0, nil, -1},
		"more than asked": {9, nil, -1},
	} {
		if got := int64(readInto(readerFunc(func([]byte) (int, error) { return c.n, c.err }), buf)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestLibraryErrorSaysWhatToInstall(t *testing.T) {
	cause := errors.New("no such file")
	for os, want := range map[string]string{
		"linux": "apt install libmpv2", "darwin": "brew install mpv", "windows": "libmpv-2.dll", "plan9": "Install mpv",
	} {
		err := error(&LibraryError{OS: os, Cause: cause})
		if !errors.Is(err, ErrNoLibrary) || !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", os, err)
		}
	}
}

func TestRenderDrawChecksMemory(t *testing.T) {
	r := &Render{}
	for _, c := range [][4]int{{0, 1, 1, 4}, {64, 16, 0, 64}, {64, 17, 1, 64}, {64, 16, 2, 64}, {64, -1, 1, 64}} {
		if err := r.Draw(make([]byte, c[0]), c[1], c[2], c[3]); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
}

func FuzzEventID(f *testing.F) {
	f.Add(int32(22), int32(0), uint64(1))
	f.Add(int32(7), int32(-17), uint64(0))
	f.Fuzz(func(t *testing.T, id, code int32, reply uint64) {
		lib := &library{errorString: func(int32) string { return "text" }}
		ev := lib.decodeEvent(&cEvent{id: id, err: code, replyID: reply})
		if ev.ID != EventID(id) || ev.ReplyID != reply || ev.Value != nil {
			t.Errorf("%+v", ev)
		}
	})
}
