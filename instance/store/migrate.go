// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// The buckets, their keys and values. Numbers are big-endian.
var (
	bucketMeta     = []byte("meta")     // "version" -> uint64
	bucketSettings = []byte("settings") // name -> text
	bucketAccounts = []byte("accounts") // id -> Account; its sequence and channels' number remote actors too
	bucketChannels = []byte("channels") // id -> Channel
	bucketVideos   = []byte("videos")   // id -> Video; its sequence numbers remote videos too
	bucketFiles    = []byte("files")    // empty; its sequence numbers the renditions
	bucketDrafts   = []byte("drafts")   // uuid -> Draft
)

// Of other instances, since version 2. A dot is a zero byte; ids are ActivityPub's.
var (
	bucketKeys           = []byte("keys")           // local actor's name -> PKCS8
	bucketActors         = []byte("actors")         // id -> Actor
	bucketActorNumbers   = []byte("actorNumbers")   // number -> id
	bucketHandles        = []byte("handles")        // host.name in lower case -> id
	bucketBy             = []byte("by")             // actor id.kind letter and what hangs on the actor -> nothing
	bucketFollowing      = []byte("following")      // local id.remote id -> Follow
	bucketFollowers      = []byte("followers")      // local id.remote id -> Follow
	bucketBlacklist      = []byte("blacklist")      // host -> nothing
	bucketBlocks         = []byte("blocks")         // host.list -> Block
	bucketSubscriptions  = []byte("subscriptions")  // URL -> Subscription
	bucketRemote         = []byte("remoteVideos")   // number -> RemoteVideo
	bucketRemoteIDs      = []byte("remoteIds")      // id -> number
	bucketRemoteUUIDs    = []byte("remoteUuids")    // UUID -> number
	bucketLines          = []byte("remoteLines")    // number -> line, what lists need of a RemoteVideo
	bucketTouched        = []byte("touched")        // sequence -> number of the video that changed
	bucketTouchedAt      = []byte("touchedAt")      // number -> its last sequence
	bucketComments       = []byte("comments")       // id -> Comment; its sequence numbers them
	bucketCommentNumbers = []byte("commentNumbers") // number -> id
	bucketVideoComments  = []byte("videoComments")  // video id.number -> thread's id
	bucketReplies        = []byte("replies")        // id of video or comment.number of the reply -> nothing
	bucketRates          = []byte("rates")          // video id.actor id -> Rate
	bucketShares         = []byte("shares")         // video id.actor id -> Share
	bucketCounts         = []byte("counts")         // video id -> Counts
	bucketChanges        = []byte("changes")        // sequence -> Change
	bucketChangesWaiting = []byte("changesWaiting") // kind.subject -> sequence, of the kinds that coalesce
	bucketInbox          = []byte("inbox")          // sequence -> InboxItem
	bucketInboxBodies    = []byte("inboxBodies")    // sequence -> body
	bucketSeen           = []byte("seen")           // activity id -> milliseconds
	bucketSeenOrder      = []byte("seenOrder")      // milliseconds and activity id -> nothing
	bucketRefused        = []byte("refused")        // sequence -> Refused
	bucketTombstones     = []byte("tombstones")     // id -> milliseconds
	bucketWalks          = []byte("walks")          // actor id -> Walk
	bucketCounters       = []byte("counters")       // name -> number
)

// Since version 3.
var bucketDecisions = []byte("decisions") // local id.remote id.Decision -> nothing

// Since version 4.
var bucketSources = []byte("sources") // path -> Source

var (
	keyVersion   = []byte("version")
	keyIdentity  = []byte("identity") // in meta: a random name of this database
	keyPolicy    = []byte("policy")   // in settings
	keySeenDepth = []byte("seen")     // in counters
	keyPurgeDue  = []byte("purgeDue") // in counters: how often hosts were blocked
	keyPurgeDone = []byte("purged")   // in counters: of how many of these nothing is left
)

// migration brings a database from the version of its place in the list to the next.
type migration func(tx *bolt.Tx) error

// migrations is the database's history. Its length is the version that this program writes; a step
// that was released is never changed.
func migrations() []migration {
	return []migration{create, federate, decide, source}
}

// create makes version 1 out of an empty file.
func create(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketSettings, bucketAccounts, bucketChannels, bucketVideos, bucketFiles, bucketDrafts} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("creating bucket %s: %w", name, err)
		}
	}
	return nil
}

// federate makes version 2: the records of other instances. Local videos are marked for the search
// index; keys are made when the database is opened.
func federate(tx *bolt.Tx) error {
	for _, name := range [][]byte{
		bucketKeys, bucketActors, bucketActorNumbers, bucketHandles, bucketBy, bucketFollowing, bucketFollowers,
		bucketBlacklist, bucketBlocks, bucketSubscriptions, bucketRemote, bucketRemoteIDs, bucketRemoteUUIDs, bucketLines,
		bucketTouched, bucketTouchedAt, bucketComments, bucketCommentNumbers, bucketVideoComments, bucketReplies, bucketRates,
		bucketShares, bucketCounts, bucketChanges, bucketChangesWaiting, bucketInbox, bucketInboxBodies, bucketSeen,
		bucketSeenOrder, bucketRefused, bucketTombstones, bucketWalks, bucketCounters,
	} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("creating bucket %s: %w", name, err)
		}
	}
	identity := make([]byte, 16)
	_, _ = rand.Read(identity) // never fails
	meta, err := tx.CreateBucketIfNotExists(bucketMeta)
	if err != nil {
		return fmt.Errorf("creating bucket %s: %w", bucketMeta, err)
	}
	if err := meta.Put(keyIdentity, identity); err != nil {
		return err
	}
	t := &Tx{bolt: tx}
	return tx.Bucket(bucketVideos).ForEach(func(k, _ []byte) error { return t.touch(parseKeyText(string(k))) })
}

// decide makes version 3: what an administrator decided by hand.
func decide(tx *bolt.Tx) error {
	if _, err := tx.CreateBucketIfNotExists(bucketDecisions); err != nil {
		return fmt.Errorf("creating bucket %s: %w", bucketDecisions, err)
	}
	return nil
}

// source makes version 4: the files that were published.
func source(tx *bolt.Tx) error {
	if _, err := tx.CreateBucketIfNotExists(bucketSources); err != nil {
		return fmt.Errorf("creating bucket %s: %w", bucketSources, err)
	}
	return nil
}

// migrate runs the steps that the database lacks, all in one transaction.
func migrate(db *bolt.DB, path string, steps []migration) error {
	want := uint64(len(steps))
	var have uint64
	err := db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(bucketMeta); b != nil {
			if v := b.Get(keyVersion); len(v) == 8 {
				have = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return explain(path, err)
	case have == want:
		return nil
	case have > want:
		return fmt.Errorf("%s was written by a newer Shoal (version %d of the database, this program knows %d): install the newer program again", path, have, want)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for i, step := range steps[have:] {
			if err := step(tx); err != nil {
				return fmt.Errorf("bringing the database to version %d: %w", have+uint64(i)+1, err) //nolint:gosec // an index
			}
		}
		meta, err := tx.CreateBucketIfNotExists(bucketMeta)
		if err != nil {
			return fmt.Errorf("creating bucket %s: %w", bucketMeta, err)
		}
		return meta.Put(keyVersion, key(want))
	})
	if err != nil {
		return explain(path, err)
	}
	return nil
}
