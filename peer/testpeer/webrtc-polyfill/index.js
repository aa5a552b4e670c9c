// SPDX-License-Identifier: AGPL-3.0-or-later
// The names that webtorrent's simple-peer imports, from a package that needs no install script.
import wrtc from '@roamhq/wrtc'

export const {
  RTCPeerConnection,
  RTCSessionDescription,
  RTCIceCandidate,
  RTCIceTransport,
  RTCDataChannel,
  RTCSctpTransport,
  RTCDtlsTransport,
  MediaStream,
  MediaStreamTrack,
  mediaDevices
} = wrtc
export default wrtc
