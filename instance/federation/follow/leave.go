// SPDX-License-Identifier: AGPL-3.0-or-later

package follow

import (
	"context"
	"fmt"

	"shoal/instance/federation/delivery"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

// Leave deletes a local account or channel and tells its followers (ActivityPub §7.4: an actor that
// deletes itself). remove deletes it, in the transaction that queues what tells so.
func (s *Service) Leave(ctx context.Context, actorID string, remove func(*store.Tx) error) error {
	a := vocab.Activity{
		Context: vocab.Context("Delete"), ID: actorID + "/delete", Type: "Delete", Actor: vocab.IDRef(actorID), Object: vocab.IDRef(actorID),
		To: []string{vocab.Public}, CC: []string{actorID + "/followers"},
	}
	body, err := s.cfg.Author.Sign(ctx, actorID, a)
	if err != nil {
		return err
	}
	return s.cfg.Store.Write(fmt.Sprintf("deleting %s", actorID), func(tx *store.Tx) error {
		// Whoever follows the instance or the actor may have videos or comments of it.
		inboxes, err := tx.FollowerInboxes(actorID, s.cfg.Base.Actor())
		if err != nil {
			return err
		}
		if len(inboxes) > 0 {
			if err := s.enqueue(tx, delivery.Message{ID: a.ID, Actor: actorID, Order: actorID, Body: body, Inboxes: inboxes}); err != nil {
				return err
			}
		}
		return remove(tx)
	})
}
