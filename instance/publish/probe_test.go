// SPDX-License-Identifier: AGPL-3.0-or-later

package publish

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

const h264 = `{"index":0,"codec_type":"video","codec_name":"h264","width":1280,"height":720,"avg_frame_rate":"30000/1001","r_frame_rate":"30000/1001"}`

func TestParseProbe(t *testing.T) {
	mp4 := `"format":{"format_name":"mov,mp4,m4a,3gp,3g2,mj2","duration":"12.500000"}`
	m, err := parseProbe("v.mp4", []byte(`{"streams":[{"index":1,"codec_type":"audio","codec_name":"aac"},`+h264+`],`+mp4+`}`))
	want := Media{Ext: ".mp4", MediaType: "video/mp4", Duration: 12.5, Width: 1280, Height: 720, FPS: 30, VideoCodec: "h264", AudioCodec: "aac"}
	if err != nil || m != want || m.Resolution() != 720 {
		t.Errorf("got %+v, %v", m, err)
	}
	turned := strings.Replace(h264, `"index":0`, `"index":0,"side_data_list":[{"rotation":-90}]`, 1)
	m, err = parseProbe("v.mp4", []byte(`{"streams":[`+turned+`],`+mp4+`}`))
	if err != nil || m.Width != 720 || m.Height != 1280 || m.AudioCodec != "" {
		t.Errorf("turned: got %+v, %v", m, err)
	}
	cover := strings.Replace(h264, `"index":0`, `"index":0,"disposition":{"attached_pic":1}`, 1)
	for output, want := range map[string]string{
		`{"streams":[` + cover + `],` + mp4 + `}`:                                                    "has no video in it",
		`{"streams":[],` + mp4 + `}`:                                                                 "has no video in it",
		`{"streams":[` + h264 + `],"format":{"format_name":"avi","duration":"1"}}`:                   "container avi",
		`{"streams":[` + h264 + `],"format":{"format_name":"mp4"}}`:                                  "how long it is",
		`{"streams":[` + strings.Replace(h264, "h264", "hevc", 1) + `],` + mp4 + `}`:                 "video in hevc",
		`{"streams":[` + h264 + `,{"index":1,"codec_type":"audio","codec_name":"ac3"}],` + mp4 + `}`: "sound in ac3",
		`{"streams":[` + strings.Replace(h264, "1280", "0", 1) + `],` + mp4 + `}`:                    "0 by 720",
		`<html>`: "reading what ffprobe says",
	} {
		if _, err := parseProbe("it's.avi", []byte(output)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", output, err, want)
		} else if strings.Contains(err.Error(), "convert it") && !strings.Contains(err.Error(), `ffmpeg -i 'it'\''s.avi'`) {
			t.Errorf("the advice cannot be pasted: %v", err)
		}
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]int{"25/1": 25, "30000/1001": 30, "24000/1001": 24, "0/0": 0, "x": 0, "1/0": 0, "-5/1": 0, "90000/1": 0, "1/10": 1} {
		if got := rate(text); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

// boxes builds top level boxes: a kind and its payload.
func boxes(parts ...string) []byte {
	var b []byte
	for i := 0; i < len(parts); i += 2 {
		b = binary.BigEndian.AppendUint32(b, uint32(8+len(parts[i+1])))
		b = append(append(b, parts[i]...), parts[i+1]...)
	}
	return b
}

func TestCheckMP4(t *testing.T) {
	good := boxes("ftyp", "isom0000", "moov", "index", "mdat", strings.Repeat("x", 1000))
	large := append(boxes("ftyp", "isom", "moov", ""), 0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0, 0, 0, 0, 17, 'x')
	toEnd := append(boxes("ftyp", "isom", "moov", ""), 0, 0, 0, 0, 'm', 'd', 'a', 't', 'x')
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"good", "", good},
		{"a large box", "", large},
		{"a box up to the end", "", toEnd},
		{"cut off in mdat", "cut off", good[:len(good)-1]},
		{"cut off in a header", "cut off", append(good, 1, 2, 3)},
		{"no moov", "no index", boxes("ftyp", "isom", "mdat", "x")},
		{"quicktime", "QuickTime", boxes("ftyp", "qt  ", "moov", "")},
		{"a box of 3 bytes", "cut off", append(boxes("moov", ""), 0, 0, 0, 3, 'f', 'r', 'e', 'e')},
		{"empty", "no index", nil},
	} {
		err := checkMP4(bytes.NewReader(c.data), int64(len(c.data)), "v.mp4")
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestCheckWebM(t *testing.T) {
	for data, ok := range map[string]bool{
		"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm\x42\x87\x81\x04":     true,
		"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska\x42\x87\x81\x04": false,
		"": false,
	} {
		if err := checkWebM(strings.NewReader(data), "v.webm"); (err == nil) != ok {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// FuzzCheckMP4 checks that what passes for whole does not pass when its last byte is cut off, unless
// that byte belongs to a box that goes up to the end.
func FuzzCheckMP4(f *testing.F) {
	f.Add(boxes("ftyp", "isom0000", "moov", "index", "mdat", "x"))
	f.Add(boxes("ftyp", "qt  ", "moov", ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkMP4(bytes.NewReader(b), int64(len(b)), "v.mp4") != nil || hasOpenBox(b) {
			return
		}
		if checkMP4(bytes.NewReader(b), int64(len(b))-1, "v.mp4") == nil {
			t.Fatalf("%q passes when cut off", b)
		}
	})
}

func hasOpenBox(b []byte) bool {
	for len(b) >= 8 {
		n, _, err := box(bytes.NewReader(b), 0, int64(len(b)))
		if err != nil || binary.BigEndian.Uint32(b) == 0 {
			return true
		}
		b = b[n:]
	}
	return false
}

// FuzzParseProbe checks that what ffprobe may say yields only media that can be shown.
func FuzzParseProbe(f *testing.F) {
	f.Add(`{"streams":[` + h264 + `],"format":{"format_name":"mov,mp4","duration":"1.5"}}`)
	f.Fuzz(func(t *testing.T, out string) {
		m, err := parseProbe("v", []byte(out))
		if err == nil && (m.Resolution() < 1 || m.Duration <= 0 || m.FPS < 0 || m.Ext == "" || m.VideoCodec == "") {
			t.Fatalf("%q: %+v", out, m)
		}
	})
}
