// SPDX-License-Identifier: AGPL-3.0-or-later
// The objects of the small instance in peer.mjs, as plain JSON-LD.
import crypto from 'node:crypto'

export const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

const videoTerms = {
  pt: 'https://joinpeertube.org/ns#',
  sc: 'http://schema.org/',
  Hashtag: 'as:Hashtag',
  sensitive: 'as:sensitive',
  licence: 'sc:license',
  language: 'sc:inLanguage',
  identifier: 'sc:identifier',
  uuid: { '@type': 'sc:identifier', '@id': 'pt:uuid' },
  views: { '@type': 'sc:Number', '@id': 'pt:views' },
  state: { '@type': 'sc:Number', '@id': 'pt:state' },
  size: { '@type': 'sc:Number', '@id': 'pt:size' },
  fps: { '@type': 'sc:Number', '@id': 'pt:fps' },
  commentsEnabled: { '@type': 'sc:Boolean', '@id': 'pt:commentsEnabled' },
  commentsPolicy: { '@type': 'sc:Number', '@id': 'pt:commentsPolicy' },
  downloadEnabled: { '@type': 'sc:Boolean', '@id': 'pt:downloadEnabled' },
  likes: { '@id': 'as:likes', '@type': '@id' },
  dislikes: { '@id': 'as:dislikes', '@type': '@id' },
  shares: { '@id': 'as:shares', '@type': '@id' },
  comments: { '@id': 'as:comments', '@type': '@id' }
}

export const CONTEXT = [
  'https://www.w3.org/ns/activitystreams',
  'https://w3id.org/security/v1',
  { RsaSignature2017: 'https://w3id.org/security#RsaSignature2017' }
]
export const VIDEO_CONTEXT = [...CONTEXT, videoTerms]

// video is a video as a PeerTube-like instance at origin describes it; it has no @context.
export function video (origin, { name, description, tags, seconds, file, width, height }) {
  const uuid = crypto.randomUUID()
  const id = `${origin}/videos/${uuid}`
  const now = new Date().toISOString()
  return {
    type: 'Video',
    id,
    uuid,
    name,
    duration: `PT${seconds}S`,
    views: 0,
    state: 1,
    sensitive: false,
    commentsEnabled: true,
    commentsPolicy: 1,
    downloadEnabled: true,
    published: now,
    updated: now,
    mediaType: 'text/markdown',
    content: description || null,
    tag: (tags || []).map(t => ({ type: 'Hashtag', name: t })),
    to: [PUBLIC],
    cc: [`${origin}/actors/alice/followers`],
    attributedTo: [
      { type: 'Person', id: `${origin}/actors/alice` },
      { type: 'Group', id: `${origin}/actors/channel` }
    ],
    icon: [{ type: 'Image', url: `${origin}/files/icon.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    url: [
      { type: 'Link', mediaType: 'text/html', href: id },
      { type: 'Link', mediaType: 'video/mp4', href: `${origin}/files/${uuid}.mp4`, height, width, size: file.length, fps: 25 }
    ],
    likes: `${id}/likes`,
    dislikes: `${id}/dislikes`,
    shares: `${id}/shares`,
    comments: `${id}/comments`
  }
}

// note is a comment by the person of origin.
export function note (origin, inReplyTo, content, cc) {
  return {
    type: 'Note',
    id: `${origin}/notes/${crypto.randomUUID()}`,
    attributedTo: `${origin}/actors/alice`,
    inReplyTo,
    content,
    published: new Date().toISOString(),
    to: [PUBLIC],
    cc
  }
}

// activity wraps an object; what it says of the rest goes over what it makes up.
export function activity (origin, type, actor, object, rest = {}) {
  return {
    type,
    id: `${origin}/activities/${crypto.randomUUID()}`,
    actor: `${origin}/actors/${actor}`,
    to: [PUBLIC],
    cc: [`${origin}/actors/${actor}/followers`],
    object,
    ...rest
  }
}

// collection is an OrderedCollection with all of its items.
export function collection (id, items) {
  return { '@context': CONTEXT[0], id, type: 'OrderedCollection', totalItems: items.length, orderedItems: items }
}
