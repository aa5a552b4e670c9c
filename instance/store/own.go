// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "strings"

// EachOwn hands out what local actors have said: comments, without those kept as gaps, and rates with
// their video and actor. It ends where either function fails, which must change nothing.
func (tx *Tx) EachOwn(comment func(*Comment) error, rate func(video, actor string, r Rate) error) error {
	base := tx.base()
	if base == "" {
		return nil
	}
	return tx.scan(bucketBy, []byte(base+"/"), func(k, _ []byte) (bool, error) {
		actor, rest, _ := strings.Cut(string(k), "\x00")
		if rest == "" {
			return true, nil
		}
		switch kind, what := rest[0], rest[1:]; kind {
		case byComment:
			c, ok, err := tx.Comment(what)
			if err != nil || !ok {
				return err == nil, err
			}
			return true, comment(c)
		case byRate:
			r, ok, err := tx.Rate(what, actor)
			if err != nil || !ok {
				return err == nil, err
			}
			return true, rate(what, actor, r)
		}
		return true, nil
	})
}
