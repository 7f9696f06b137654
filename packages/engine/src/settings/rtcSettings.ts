import { int, source, text } from './settingRow.ts'

/** Settings about WebRTC peers and the WebSocket trackers that introduce them (WebTorrent). */
export const rtcSettings = {
  webtorrentStunServer: text('webtorrent_stun_server', {
    default: 'stun.l.google.com:19302',
    source: source.v2_1,
    doc: '`host:port` of the STUN server that tells our address as WebRTC peers outside see it. Empty: none is asked, and peers behind other routers may not reach us.',
  }),
  minWebsocketAnnounceInterval: int('min_websocket_announce_interval', {
    default: 60,
    unit: 's',
    source: source.v2_1,
    doc: 'Shortest time between two regular announces to a WebSocket tracker, whatever the tracker says.',
  }),
  webtorrentConnectionTimeout: int('webtorrent_connection_timeout', {
    default: 120,
    min: 1,
    unit: 's',
    source: source.v2_1,
    doc: 'How long a WebRTC connection may take from its offer until it stands.',
  }),
  maxWebtorrentOffers: int('max_webtorrent_offers', {
    default: 10,
    classic: 0,
    max: 50,
    unit: 'offers',
    source: source.v2_1,
    doc: 'WebRTC connections offered with one announce to a WebSocket tracker, and those offered by others that a torrent may be busy with. 0: no WebSocket tracker is used, and there are no WebRTC peers.',
  }),
} as const
