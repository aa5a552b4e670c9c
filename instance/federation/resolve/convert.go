// SPDX-License-Identifier: AGPL-3.0-or-later

package resolve

import (
	"errors"

	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

var errNotBuilt = errors.New("not there yet") //nolint:gochecknoglobals // a sentinel

func toActor(_ *vocab.Actor) (*store.Actor, error)       { return nil, errNotBuilt }
func toVideo(_ *vocab.Video) (*store.RemoteVideo, error) { return nil, errNotBuilt }
func toComment(_ *vocab.Note) (*store.Comment, error)    { return nil, errNotBuilt }
