/**
 * What kind of socket an alert speaks of (libtorrent's `socket_type_t`). The values are the names.
 */
export const SocketType = {
  tcp: 'tcp',
  tcpSsl: 'tcpSsl',
  udp: 'udp',
  i2p: 'i2p',
  socks5: 'socks5',
  utp: 'utp',
} as const
export type SocketType = (typeof SocketType)[keyof typeof SocketType]
