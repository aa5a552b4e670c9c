// SPDX-License-Identifier: AGPL-3.0-or-later

package mpv

import "unsafe"

// EventID is an mpv_event_id of client.h.
type EventID int32

// The events this binding decodes.
const (
	EventNone             EventID = 0
	EventShutdown         EventID = 1
	EventLogMessage       EventID = 2
	EventSetPropertyReply EventID = 4
	EventCommandReply     EventID = 5
	EventStartFile        EventID = 6
	EventEndFile          EventID = 7
	EventFileLoaded       EventID = 8
	EventIdle             EventID = 11
	EventVideoReconfig    EventID = 17
	EventAudioReconfig    EventID = 18
	EventSeek             EventID = 20
	EventPlaybackRestart  EventID = 21
	EventPropertyChange   EventID = 22
	EventQueueOverflow    EventID = 24
)

// EndReason is an mpv_end_file_reason of client.h.
type EndReason int32

// Why a file stopped playing.
const (
	EndEOF   EndReason = 0
	EndStop  EndReason = 2
	EndQuit  EndReason = 3
	EndError EndReason = 4
)

// Event is one event, copied out of libmpv's memory.
type Event struct {
	ID EventID
	// Err is why a command, a property or (EventEndFile) a file failed.
	Err error
	// ReplyID is the id given to CommandAsync or SetAsync.
	ReplyID uint64
	// Name and Value of a property; Value is a bool, int64, float64, string, or nil where
	// the property has no value now.
	Name  string
	Value any
	// Reason a file ended.
	Reason EndReason
	// EntryID numbers the file that starts or ends.
	EntryID int64
	// Numbers are the whole numbers in a command's result.
	Numbers map[string]int64
	// Prefix, Level and Text of a log message.
	Prefix, Level, Text string
}

// The C structures of client.h, as far as they are read.
type (
	cEvent struct {
		id, err int32
		replyID uint64
		data    uintptr
	}
	cProperty struct {
		name   uintptr
		format int32
		_      int32
		data   uintptr
	}
	cLog       struct{ prefix, level, text uintptr }
	cStartFile struct{ entryID int64 }
	cEndFile   struct {
		reason, err int32
		entryID     int64
	}
	cNode struct {
		value  uint64 // a union: a number, or the address of a list
		format int32
		_      int32
	}
	cList struct {
		count  int32
		_      int32
		values uintptr
		keys   uintptr
	}
)

func (l *library) decodeEvent(e *cEvent) Event {
	ev := Event{ID: EventID(e.id), ReplyID: e.replyID}
	switch ev.ID {
	case EventSetPropertyReply:
		ev.Err = l.check(e.err, "property")
	case EventCommandReply:
		ev.Err = l.check(e.err, "command")
		ev.Numbers = numbers((*cNode)(pointer(e.data)))
	case EventStartFile:
		if f := (*cStartFile)(pointer(e.data)); f != nil {
			ev.EntryID = f.entryID
		}
	case EventPropertyChange:
		if p := (*cProperty)(pointer(e.data)); p != nil {
			ev.Name = goString(p.name)
			ev.Value = decodeValue(Format(p.format), p.data)
		}
	case EventEndFile:
		if f := (*cEndFile)(pointer(e.data)); f != nil {
			ev.Reason = EndReason(f.reason)
			ev.Err = l.check(f.err, "playback")
			ev.EntryID = f.entryID
		}
	case EventLogMessage:
		if m := (*cLog)(pointer(e.data)); m != nil {
			ev.Prefix, ev.Level, ev.Text = goString(m.prefix), goString(m.level), goString(m.text)
		}
	}
	return ev
}

// decodeValue reads the value of a property; nil for a format this binding does not ask for.
func decodeValue(f Format, addr uintptr) any {
	if addr == 0 {
		return nil
	}
	p := pointer(addr)
	switch f {
	case FormatFlag:
		return *(*int32)(p) != 0
	case FormatInt64:
		return *(*int64)(p)
	case FormatDouble:
		return *(*float64)(p)
	case FormatString:
		return goString(*(*uintptr)(p))
	}
	return nil
}

// maxNodes bounds the entries read of a map.
const maxNodes = 64

// numbers reads the whole numbers of a map; nil for any other node.
func numbers(n *cNode) map[string]int64 {
	if n == nil || Format(n.format) != formatMap || n.value == 0 {
		return nil
	}
	list := (*cList)(pointer(uintptr(n.value)))
	if list.count <= 0 || list.count > maxNodes || list.values == 0 || list.keys == 0 {
		return nil
	}
	keys := unsafe.Slice((*uintptr)(pointer(list.keys)), list.count)
	values := unsafe.Slice((*cNode)(pointer(list.values)), list.count)
	m := make(map[string]int64, len(keys))
	for i, key := range keys {
		if Format(values[i].format) == FormatInt64 {
			m[goString(key)] = int64(values[i].value)
		}
	}
	return m
}
