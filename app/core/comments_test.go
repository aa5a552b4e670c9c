// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"fmt"
	"strings"
	"testing"

	"shoal/instance"
)

func TestThreads(t *testing.T) {
	comment := func(id, to string) instance.CommentInfo {
		return instance.CommentInfo{ID: id, InReplyTo: to, Author: "by-" + id}
	}
	for name, test := range map[string]struct {
		list []instance.CommentInfo
		want string
	}{
		"none":    {nil, ""},
		"flat":    {[]instance.CommentInfo{comment("a", "v"), comment("b", "v")}, "a0 b0"},
		"replies": {[]instance.CommentInfo{comment("a", "v"), comment("b", "v"), comment("c", "a"), comment("d", "c"), comment("e", "a")}, "a0 c1by-a d2by-c e1by-a b0"},
		"orphan":  {[]instance.CommentInfo{comment("a", "gone")}, "a0"},
		"circle":  {[]instance.CommentInfo{comment("a", "b"), comment("b", "a"), comment("c", "v")}, "c0 b0 a1by-b"},
		"itself":  {[]instance.CommentInfo{comment("a", "a")}, "a0"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range Threads(test.list) {
				got = append(got, fmt.Sprintf("%s%d%s", s.ID, s.Depth, s.Answers))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}
