// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import "encoding/json"

// Context is the @context of an object of the type, or of an activity about one. It covers every member that this
// package writes for it: who checks a Linked Data signature refuses members that the context does not define. A type
// without members of its own (Follow, Announce, Like, a Collection…) and an unknown one get the base context.
//
// objectType is "Video", "Note", "CacheFile", "Person", "Group", "Application", "Service", "Organization", "View",
// "Chapters", "ApproveReply", "RejectReply", "Flag" or anything else.
func Context(objectType string) json.RawMessage {
	own := ""
	switch objectType {
	case "Video":
		own = videoTerms
	case "Note":
		own = noteTerms
	case "CacheFile":
		own = cacheFileTerms
	case "Person", "Group", "Application", "Service", "Organization":
		own = actorTerms
	case "View":
		own = viewTerms
	case "Chapters":
		own = chapterTerms
	case "ApproveReply":
		own = `"ApproveReply":"pt:ApproveReply"`
	case "RejectReply":
		own = `"RejectReply":"pt:RejectReply"`
	case "Flag":
		own = `"Hashtag":"as:Hashtag"`
	}
	if own == "" {
		return json.RawMessage("[" + baseContext + "]")
	}
	return json.RawMessage("[" + baseContext + "," + prefixes + own + "}]")
}

const (
	baseContext = `"https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1",` +
		`{"RsaSignature2017":"https://w3id.org/security#RsaSignature2017"}`
	prefixes = `{"pt":"https://joinpeertube.org/ns#","sc":"http://schema.org/",`

	videoTerms = `"Hashtag":"as:Hashtag","category":"sc:category","licence":"sc:license",` +
		`"subtitleLanguage":"sc:subtitleLanguage","automaticallyGenerated":"pt:automaticallyGenerated",` +
		`"sensitive":"as:sensitive","language":"sc:inLanguage","identifier":"sc:identifier",` +
		`"isLiveBroadcast":"sc:isLiveBroadcast","liveSaveReplay":{"@type":"sc:Boolean","@id":"pt:liveSaveReplay"},` +
		`"permanentLive":{"@type":"sc:Boolean","@id":"pt:permanentLive"},` +
		`"latencyMode":{"@type":"sc:Number","@id":"pt:latencyMode"},"Infohash":"pt:Infohash",` +
		`"tileWidth":{"@type":"sc:Number","@id":"pt:tileWidth"},"tileHeight":{"@type":"sc:Number","@id":"pt:tileHeight"},` +
		`"tileDuration":{"@type":"sc:Number","@id":"pt:tileDuration"},"aspectRatio":{"@type":"sc:Float","@id":"pt:aspectRatio"},` +
		`"uuid":{"@type":"sc:identifier","@id":"pt:uuid"},"originallyPublishedAt":"sc:datePublished",` +
		`"uploadDate":"sc:uploadDate","hasParts":"sc:hasParts","views":{"@type":"sc:Number","@id":"pt:views"},` +
		`"state":{"@type":"sc:Number","@id":"pt:state"},"size":{"@type":"sc:Number","@id":"pt:size"},` +
		`"fps":{"@type":"sc:Number","@id":"pt:fps"},"commentsEnabled":{"@type":"sc:Boolean","@id":"pt:commentsEnabled"},` +
		`"canReply":"pt:canReply","commentsPolicy":{"@type":"sc:Number","@id":"pt:commentsPolicy"},` +
		`"downloadEnabled":{"@type":"sc:Boolean","@id":"pt:downloadEnabled"},` +
		`"waitTranscoding":{"@type":"sc:Boolean","@id":"pt:waitTranscoding"},"support":{"@type":"sc:Text","@id":"pt:support"},` +
		`"likes":{"@id":"as:likes","@type":"@id"},"dislikes":{"@id":"as:dislikes","@type":"@id"},` +
		`"shares":{"@id":"as:shares","@type":"@id"},"comments":{"@id":"as:comments","@type":"@id"},` +
		`"PropertyValue":"sc:PropertyValue","value":"sc:value"`
	noteTerms      = `"Hashtag":"as:Hashtag","replyApproval":"pt:replyApproval"`
	cacheFileTerms = `"expires":"sc:expires","CacheFile":"pt:CacheFile","size":{"@type":"sc:Number","@id":"pt:size"},` +
		`"fps":{"@type":"sc:Number","@id":"pt:fps"}`
	actorTerms = `"playlists":{"@id":"pt:playlists","@type":"@id"},"support":{"@type":"sc:Text","@id":"pt:support"},` +
		`"lemmy":"https://join-lemmy.org/ns#","postingRestrictedToMods":"lemmy:postingRestrictedToMods"`
	viewTerms = `"WatchAction":"sc:WatchAction","InteractionCounter":"sc:InteractionCounter",` +
		`"interactionType":"sc:interactionType","userInteractionCount":"sc:userInteractionCount"`
	chapterTerms = `"hasPart":"sc:hasPart","endOffset":"sc:endOffset","startOffset":"sc:startOffset"`
)
