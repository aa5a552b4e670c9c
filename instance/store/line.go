// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// line is what lists need of a video, local or remote.
type line struct {
	number    uint64
	local     *Video // nil for a remote one
	host      string // empty for a local one
	account   string // id
	channel   string // id
	title     string // lower case, for sorting
	uuid      string
	language  string
	category  string
	licence   string
	tags      []string // lower case
	sources   []string
	privacy   Privacy
	nsfw      bool
	live      bool
	duration  int64 // milliseconds
	views     int64
	likes     int64
	created   int64 // milliseconds since 1970
	published int64
	original  int64

	// listIndex keeps these: shown says that a followed actor brought it, blocked that its host is
	// blocked, place is where it stands among all.
	shown, blocked bool
	place          int
}

func lineOf(v *RemoteVideo) *line {
	l := &line{
		number: v.Number, host: strings.ToLower(v.Host), account: v.Account, channel: v.Channel, title: strings.ToLower(v.Title), uuid: v.UUID,
		language: v.Language.ID, category: v.Category.ID, licence: v.Licence.ID, tags: lower(v.Tags), sources: v.Sources,
		privacy: v.Privacy, nsfw: v.NSFW, live: v.Live, duration: int64(v.Duration) * 1000, views: v.Views, likes: v.Likes,
		created: millis(v.Created), published: millis(v.Published),
	}
	l.original = l.published
	if v.OriginallyPublished != nil {
		l.original = millis(*v.OriginallyPublished)
	}
	return l
}

func (s *Snapshot) lineOf(v *Video) *line {
	base := s.Setting(SettingURL)
	l := &line{
		number: v.ID, local: v, title: strings.ToLower(v.Title), uuid: v.UUID,
		language: v.Language.ID, category: v.Category.ID, licence: v.Licence.ID, tags: lower(v.Tags),
		privacy: v.Privacy, nsfw: v.NSFW, duration: int64(v.Duration * 1000), views: v.Views,
		created: millis(v.Created), published: millis(v.Published), original: millis(v.Published), shown: v.State == StatePublished,
	}
	if c, ok := s.ChannelByID(v.ChannelID); ok {
		l.channel = channelID(base, c.Name)
		if a, ok := s.AccountByID(c.AccountID); ok {
			l.account = accountID(base, a.Name)
		}
	}
	return l
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func lower(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = strings.ToLower(s)
	}
	return out
}

// lineVersion is the form of a stored line. Lines of another form are made anew.
const lineVersion = 1

// encode writes a line: the version, numbers as varints, texts with their lengths in front.
func (l *line) encode() []byte {
	b := make([]byte, 0, 256)
	b = append(b, lineVersion)
	b = binary.AppendUvarint(b, l.number)
	flags := uint64(0)
	if l.nsfw {
		flags |= 1
	}
	if l.live {
		flags |= 2
	}
	b = binary.AppendUvarint(b, flags)
	for _, n := range []int64{int64(l.privacy), l.duration, l.views, l.likes, l.created, l.published, l.original} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range []string{l.host, l.account, l.channel, l.title, l.uuid, l.language, l.category, l.licence} {
		b = appendText(b, s)
	}
	for _, list := range [][]string{l.tags, l.sources} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendText(b, s)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errLine = errors.New("the line is damaged or of another form")

// decodeLine reads a line. intern gives back one copy of a text that many lines share.
func decodeLine(b []byte, intern func([]byte) string) (*line, error) {
	if len(b) == 0 || b[0] != lineVersion {
		return nil, errLine
	}
	r := lineReader{b: b[1:]}
	l := &line{number: r.uint()}
	flags := r.uint()
	l.nsfw, l.live = flags&1 != 0, flags&2 != 0
	l.privacy = Privacy(r.int())
	for _, n := range []*int64{&l.duration, &l.views, &l.likes, &l.created, &l.published, &l.original} {
		*n = r.int()
	}
	l.host, l.account, l.channel = intern(r.text()), intern(r.text()), intern(r.text())
	l.title, l.uuid = string(r.text()), string(r.text())
	l.language, l.category, l.licence = intern(r.text()), intern(r.text()), intern(r.text())
	l.tags, l.sources = r.list(intern), r.list(intern)
	if r.bad || len(r.b) > 0 {
		return nil, errLine
	}
	return l, nil
}

type lineReader struct {
	b   []byte
	bad bool
}

func (r *lineReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *lineReader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *lineReader) text() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

func (r *lineReader) list(intern func([]byte) string) []string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	all := make([]string, 0, n)
	for range n {
		all = append(all, intern(r.text()))
	}
	return all
}
