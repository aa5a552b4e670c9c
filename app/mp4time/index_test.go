// SPDX-License-Identifier: AGPL-3.0-or-later

package mp4time

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

func mp4Box(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(b, kind...), body...)
}

func words(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// plainFile has four samples of a second each, in two chunks, the first and third being key frames.
func plainFile(moovFirst bool) []byte {
	ftyp := mp4Box("ftyp", []byte("isom0000"))
	samples := bytes.Repeat([]byte("s"), 10+20+30+40)
	moov := func(chunk1, chunk2 uint32) []byte {
		stbl := mp4Box("stbl",
			mp4Box("stts", words(0, 1, 4, 1000)), mp4Box("stss", words(0, 2, 1, 3)),
			mp4Box("stsc", words(0, 1, 1, 2, 1)), mp4Box("stsz", words(0, 0, 4, 10, 20, 30, 40)),
			mp4Box("stco", words(0, 2, chunk1, chunk2)))
		return mp4Box("moov", mp4Box("mvhd", words(0, 0, 0, 1000, 4000)),
			mp4Box("trak", mp4Box("mdia", mp4Box("mdhd", words(0, 0, 0, 1000, 4000)),
				mp4Box("hdlr", words(0, 0), []byte("vide"), words(0, 0, 0)), mp4Box("minf", stbl))))
	}
	mdat := mp4Box("mdat", samples)
	if moovFirst {
		at := uint32(len(ftyp) + len(moov(0, 0)) + 8)
		return bytes.Join([][]byte{ftyp, moov(at, at+30), mdat}, nil)
	}
	at := uint32(len(ftyp) + 8)
	return bytes.Join([][]byte{ftyp, mdat, moov(at, at+30)}, nil)
}

func TestTimesOfAPlainFile(t *testing.T) {
	for _, moovFirst := range []bool{true, false} {
		file := plainFile(moovFirst)
		data := int64(bytes.Index(file, []byte("mdat")) + 4)
		x, err := Read(bytes.NewReader(file), int64(len(file)))
		if err != nil || x.Duration != 4*time.Second || len(x.points) != 2 {
			t.Fatalf("got %+v, %v", x, err)
		}
		for at, want := range map[time.Duration]int64{0: data, 1900 * time.Millisecond: data, 2 * time.Second: data + 30, time.Hour: data + 30} {
			if got := x.Offset(at); got != want {
				t.Errorf("moov first %v: %v is at %d, want %d", moovFirst, at, got, want)
			}
		}
	}
}

func TestTimesOfAFragmentedFile(t *testing.T) {
	head := bytes.Join([][]byte{
		mp4Box("ftyp", []byte("iso5")), mp4Box("moov", mp4Box("mvhd", words(0, 0, 0, 1000, 0)), mp4Box("mvex")),
		mp4Box("sidx", words(0, 1, 1000, 0, 0), []byte{0, 0, 0, 2}, words(100, 4000, 0, 50, 2000, 0)),
	}, nil)
	file := append(head, make([]byte, 150)...)
	x, err := Read(bytes.NewReader(file), int64(len(file)))
	if err != nil || x.Duration != 6*time.Second {
		t.Fatalf("got %+v, %v", x, err)
	}
	if got, want := x.Offset(5*time.Second), int64(len(head)+100); got != want {
		t.Errorf("5 s is at %d, want %d", got, want)
	}
}

func TestWithoutATableTimesAreSpreadEvenly(t *testing.T) {
	x := Even(1000, 10*time.Second)
	if got := x.Offset(4 * time.Second); got != 400 {
		t.Errorf("got %d", got)
	}
	if _, err := Read(bytes.NewReader([]byte("this is no video at all, only text")), 34); err == nil {
		t.Error("text has an index")
	}
}

// What is read lies within the file, in ascending order of time.
func FuzzRead(f *testing.F) {
	f.Add(plainFile(true))
	f.Add(plainFile(false))
	f.Add(mp4Box("sidx", words(0, 1, 1000, 0, 0), []byte{0, 0, 0, 1}, words(100, 4000, 0)))
	f.Fuzz(func(t *testing.T, file []byte) {
		size := int64(len(file))
		x, err := Read(bytes.NewReader(file), size)
		if err != nil {
			return
		}
		if x.Duration <= 0 {
			t.Fatalf("the duration is %v", x.Duration)
		}
		for _, at := range []time.Duration{0, x.Duration / 2, x.Duration} {
			if o := x.Offset(at); o < 0 || o > size {
				t.Fatalf("%v is at %d of %d", at, o, size)
			}
		}
	})
}
